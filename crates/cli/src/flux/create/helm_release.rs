//! `create helmrelease`.

use serde_json::{Map, Value, json};

use super::{Spec, dependencies, labels, object, upsert, wait};
use crate::flux::cluster::kinds::HELM_RELEASE;
use crate::flux::get::helm_release_revision;
use crate::flux::invocation::Invocation;
use crate::flux::names::{object_kind_name, object_kind_name_namespace};
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, Stop, go, output};
use object::time::Duration;

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let (chart, reference) = (invocation.text("chart"), invocation.text("chart-ref"));
    if chart.is_empty() && reference.is_empty() {
        return Err("chart or chart-ref is required".into());
    }
    if !chart.is_empty() && !reference.is_empty() {
        return Err("cannot use --chart in combination with --chart-ref".into());
    }
    let labels = labels(invocation)?;
    let export = invocation.boolean("export");
    if !export {
        output::generate("generating HelmRelease");
    }
    let strategy = invocation.text("reconcile-strategy");
    if !["Revision", "ChartVersion"].contains(&strategy) {
        return Err(format!(
            "'{strategy}' is an invalid reconcile strategy(valid: Revision, ChartVersion)"
        )
        .into());
    }
    let release = object(invocation, &HELM_RELEASE, labels, spec(invocation)?);
    if export {
        output::document(&release)?;
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    output::action("applying HelmRelease");
    upsert(&cluster, &HELM_RELEASE, &release, "HelmRelease")?;
    output::waiting("waiting for HelmRelease reconciliation");
    let ready = wait(&cluster, &HELM_RELEASE, &release, Shape::Dynamic)?;
    output::success(format_args!("HelmRelease {} is ready", invocation.name()));
    output::success(format_args!(
        "applied revision {}",
        helm_release_revision(&ready)
    ));
    Ok(())
}

fn spec(invocation: &Invocation<'_>) -> Result<Spec, Stop> {
    let target = invocation.text("target-namespace");
    let storage = invocation.some_text("storage-namespace").unwrap_or(target);
    let mut spec = Spec::default()
        .text("releaseName", invocation.text("release-name"))
        .duration("interval", invocation.duration("interval"))
        .text("targetNamespace", target)
        .text("storageNamespace", storage)
        .some("dependsOn", dependencies(invocation.list("depends-on")));
    spec = if invocation.text("chart").is_empty() {
        spec.set("chartRef", chart_reference(invocation.text("chart-ref"))?)
    } else {
        spec.set("chart", chart_template(invocation))
    };
    if let Some(name) = invocation.some_text("kubeconfig-secret-ref") {
        spec = spec.set("kubeConfig", json!({"secretRef": {"name": name}}));
    }
    let crds = invocation.text("crds");
    let install = Spec::default()
        .flag(
            "createNamespace",
            invocation.boolean("create-target-namespace"),
        )
        .text("crds", if crds.is_empty() { "" } else { "Create" });
    if !install.0.is_empty() {
        spec = spec.set("install", install.value());
    }
    spec = spec.text("serviceAccountName", invocation.text("service-account"));
    if !crds.is_empty() {
        spec = spec.set("upgrade", json!({"crds": crds}));
    }
    if !invocation.list("values").is_empty() {
        spec = spec.set("values", values(invocation.list("values"))?);
    }
    if !invocation.list("values-from").is_empty() {
        spec = spec.set("valuesFrom", values_from(invocation.list("values-from"))?);
    }
    Ok(spec)
}

fn chart_template(invocation: &Invocation<'_>) -> Value {
    let source = invocation.source("source");
    let source_ref = Spec::default()
        .text("kind", &source.kind)
        .set("name", source.name)
        .text("namespace", &source.namespace);
    let mut chart = Spec::default()
        .set("chart", invocation.text("chart"))
        .text("version", invocation.text("chart-version"))
        .set("sourceRef", source_ref.value())
        .text("reconcileStrategy", invocation.text("reconcile-strategy"));
    let interval = invocation.duration("chart-interval");
    if interval != Duration::ZERO {
        chart = chart.duration("interval", interval);
    }
    json!({"spec": chart.value()})
}

fn chart_reference(text: &str) -> Result<Value, Stop> {
    let (kind, name, namespace) = object_kind_name_namespace(text);
    if kind != "HelmChart" && kind != "OCIRepository" {
        return Err(format!(
            "chart reference kind '{kind}' is not supported, must be one of: OCIRepository, HelmChart"
        )
        .into());
    }
    let reference = Spec::default()
        .set("kind", kind)
        .set("name", name)
        .text("namespace", &namespace);
    Ok(reference.value())
}

/// The values of the files, the later over the earlier.
fn values(files: &[String]) -> Result<Value, Stop> {
    let mut merged = Map::new();
    for file in files {
        let text = go::read_file(file)
            .map_err(|error| format!("reading values from {file} failed: {error}"))?;
        let value = yaml::to_json(&text)
            .map_err(|error| format!("converting values to JSON from {file} failed: {error}"))?;
        match value {
            Value::Object(map) => merge(&mut merged, map),
            Value::Null => {}
            other => {
                let found = match other {
                    Value::Array(_) => "array",
                    Value::String(_) => "string",
                    Value::Bool(_) => "bool",
                    _ => "number",
                };
                return Err(format!(
                    "unmarshaling values from {file} failed: json: cannot unmarshal {found} into Go value of \
                     type map[string]interface {{}}"
                )
                .into());
            }
        }
    }
    Ok(floats(Value::Object(merged)))
}

/// All numbers as Go's decoder leaves them, which makes floats of them.
fn floats(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            let text = float.to_string();
            let whole = text.parse::<u64>().map(Value::from);
            whole
                .or_else(|_| text.parse::<i64>().map(Value::from))
                .unwrap_or_else(|_| Value::from(float))
        }
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, floats(value)))
                .collect(),
        ),
        other => other,
    }
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn values_from(references: &[String]) -> Result<Value, Stop> {
    let mut values = Vec::new();
    for reference in references {
        let (kind, name) = object_kind_name(reference);
        if kind.is_empty() {
            return Err(format!(
                "invalid Kubernetes object reference '{reference}', must be in format <kind>/<name>"
            )
            .into());
        }
        let known = ["Secret", "ConfigMap"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(kind))
            .ok_or_else(|| {
                format!(
                    "reference kind '{kind}' is not supported, must be one of: Secret, ConfigMap"
                )
            })?;
        values.push(json!({"kind": known, "name": name}));
    }
    Ok(Value::Array(values))
}
