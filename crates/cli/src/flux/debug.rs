//! `debug`: the status, history and inputs of an object.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cluster::Cluster;
use super::cluster::kinds::{CONFIG_MAP, HELM_RELEASE, KUSTOMIZATION, SECRET};
use super::invocation::Invocation;
use super::{Outcome, Stop, output};

const DOCUMENTATION: &str = "https://fluxcd.io/flux/components";

/// Runs `debug WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    let release = what == "helmrelease";
    let inputs = if release { "show-values" } else { "show-vars" };
    let flags = ["show-status", inputs, "show-history"];
    if flags.iter().filter(|flag| invocation.boolean(flag)).count() != 1 {
        return Err(format!(
            "exactly one of --show-status, --{inputs}, or --show-history must be set"
        )
        .into());
    }
    let cluster = invocation.cluster()?;
    let kind = if release {
        &HELM_RELEASE
    } else {
        &KUSTOMIZATION
    };
    let object = cluster.get(kind, &invocation.namespace, invocation.name())?;
    let pages = if release {
        (
            "helm/helmreleases/#helmrelease-status",
            "helm/helmreleases/#history",
        )
    } else {
        (
            "kustomize/kustomizations/#kustomization-status",
            "kustomize/kustomizations/#history",
        )
    };
    let status = shaped(&object["status"]);
    if invocation.boolean("show-status") {
        output::out(format!(
            "# Status documentation: {DOCUMENTATION}/{}\n{}",
            pages.0,
            yaml::from_json(&status)
        ));
    } else if invocation.boolean("show-history") {
        let history = match &status["history"] {
            Value::Array(history) => Value::Array(history.clone()),
            _ => Value::Array(Vec::new()),
        };
        output::out(format!(
            "# History documentation: {DOCUMENTATION}/{}\n{}",
            pages.1,
            yaml::from_json(&history)
        ));
    } else if release {
        output::out(yaml::from_json(&values(&cluster, &object)?));
    } else {
        for (name, value) in variables(&cluster, &object)? {
            output::out(format!("{name}={value}\n"));
        }
    }
    Ok(())
}

/// A status as the Go types write it: releases always say when they were deleted.
fn shaped(status: &Value) -> Value {
    let mut status = match status {
        Value::Object(_) => status.clone(),
        _ => Value::Object(Map::new()),
    };
    for entry in status["history"].as_array_mut().into_iter().flatten() {
        if !entry["chartName"].is_null() && entry["deleted"].is_null() {
            entry["deleted"] = Value::Null;
        }
    }
    if status["history"].is_null() {
        status
            .as_object_mut()
            .map(|status| status.remove("history"));
    }
    status
}

fn data(
    cluster: &Cluster,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Option<BTreeMap<String, String>>, Stop> {
    Ok(cluster.data(kind, namespace, name)?)
}

/// The variables of a Kustomization's post-build substitution.
fn variables(cluster: &Cluster, object: &Value) -> Result<BTreeMap<String, String>, Stop> {
    let post_build = &object["spec"]["postBuild"];
    if post_build.is_null() {
        return Err("no post build substitutions found".into());
    }
    let namespace = object::meta::namespace(object);
    let mut variables = BTreeMap::new();
    for reference in post_build["substituteFrom"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let (kind, name) = (text("kind"), text("name"));
        match data(cluster, kind, namespace, name)? {
            Some(data) => variables.extend(data),
            None if reference["optional"] == true => {}
            None => {
                let plural = if kind == "Secret" {
                    SECRET.plural
                } else {
                    CONFIG_MAP.plural
                };
                return Err(format!(
                    "substitute from '{kind}/{name}' error: {plural} \"{name}\" not found"
                )
                .into());
            }
        }
    }
    for (name, value) in post_build["substitute"].as_object().into_iter().flatten() {
        variables.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    Ok(variables
        .into_iter()
        .map(|(name, value)| (name, value.replace('\n', "")))
        .collect())
}

/// The values of a HelmRelease: those it refers to, and over them its own.
fn values(cluster: &Cluster, object: &Value) -> Result<Value, Stop> {
    let namespace = object::meta::namespace(object);
    let mut merged = Value::Object(Map::new());
    for reference in object["spec"]["valuesFrom"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let (kind, name) = (text("kind"), text("name"));
        let key = Some(text("valuesKey"))
            .filter(|key| !key.is_empty())
            .unwrap_or("values.yaml");
        let path = text("targetPath");
        let optional = reference["optional"] == true;
        let whole = format!("{kind} '{namespace}/{name}'");
        let Some(data) = data(cluster, kind, namespace, name)? else {
            if optional {
                continue;
            }
            return Err(format!("could not find values key: {whole} not found").into());
        };
        let Some(value) = data.get(key) else {
            if optional {
                continue;
            }
            return Err(format!("missing key '{key}' in {whole}").into());
        };
        if path.is_empty() {
            let value = yaml::to_json(value.as_bytes()).map_err(|error| {
                format!("unable to read values from key '{key}' in {whole}: {error}")
            })?;
            merge(&mut merged, value);
        } else {
            set(&mut merged, path, value, reference["literal"] == true);
        }
    }
    merge(&mut merged, object["spec"]["values"].clone());
    Ok(merged)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(existing) if existing.is_object() && value.is_object() => {
                        merge(existing, value)
                    }
                    _ => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (into, from) => *into = from,
    }
}

/// Sets a value at a path of keys with dots between them.
fn set(into: &mut Value, path: &str, text: &str, literal: bool) {
    let mut at = into;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[key];
    }
    *at = if literal {
        text.into()
    } else {
        yaml::to_json(text.as_bytes()).unwrap_or_else(|_| text.into())
    };
}
