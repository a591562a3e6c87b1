//! `create kustomization`.

use serde_json::{Value, json};

use super::{Spec, dependencies, labels, object, upsert, wait};
use crate::flux::cluster::kinds::{HELM_RELEASE, KUSTOMIZATION};
use crate::flux::invocation::Invocation;
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, Stop, output};
use object::time::Duration;

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let path = invocation.text("path");
    if path.is_empty() {
        return Err("path is required".into());
    }
    if !path.starts_with("./") {
        return Err("path must begin with ./".into());
    }
    let source = invocation.source("source");
    if source.name.is_empty() {
        return Err("source is required".into());
    }
    let export = invocation.boolean("export");
    if !export {
        output::generate("generating Kustomization");
    }
    let labels = labels(invocation)?;
    let source_ref = Spec::default()
        .set("kind", source.kind)
        .set("name", source.name)
        .text("namespace", &source.namespace);
    let mut spec = Spec::default()
        .duration("interval", invocation.duration("interval"))
        .set("path", path)
        .set("prune", invocation.boolean("prune"))
        .set("sourceRef", source_ref.value())
        .text("targetNamespace", invocation.text("target-namespace"))
        .some("dependsOn", dependencies(invocation.list("depends-on")));
    if let Some(name) = invocation.some_text("kubeconfig-secret-ref") {
        spec = spec.set("kubeConfig", json!({"secretRef": {"name": name}}));
    }
    let wait_for_all = invocation.boolean("wait");
    let timeout = invocation.duration("health-check-timeout");
    let checks = invocation.list("health-check");
    if !checks.is_empty() && !wait_for_all {
        spec = spec
            .set("healthChecks", health_checks(checks)?)
            .duration("timeout", timeout);
    }
    if wait_for_all {
        spec = spec.set("wait", true).duration("timeout", timeout);
    }
    spec = spec.text("serviceAccountName", invocation.text("service-account"));
    if let Some(provider) = invocation.some_text("decryption-provider") {
        let decryption = Spec::default()
            .set("provider", provider)
            .reference("secretRef", invocation.text("decryption-secret"));
        spec = spec.set("decryption", decryption.value());
    }
    let retry = invocation.duration("retry-interval");
    if retry > Duration::ZERO {
        spec = spec.duration("retryInterval", retry);
    }
    let kustomization = object(invocation, &KUSTOMIZATION, labels, spec);
    if export {
        output::document(&kustomization)?;
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    output::action("applying Kustomization");
    upsert(&cluster, &KUSTOMIZATION, &kustomization, "Kustomization")?;
    output::waiting("waiting for Kustomization reconciliation");
    let ready = wait(&cluster, &KUSTOMIZATION, &kustomization, Shape::Dynamic)?;
    output::success(format_args!("Kustomization {} is ready", invocation.name()));
    let revision = ready["status"]["lastAppliedRevision"]
        .as_str()
        .unwrap_or_default();
    output::success(format_args!("applied revision {revision}"));
    Ok(())
}

fn health_checks(checks: &[String]) -> Result<Value, Stop> {
    let mut references = Vec::new();
    for check in checks {
        let parts: Vec<&str> = check.split('/').collect();
        let [kind, name] = parts[..] else {
            return Err(format!(
                "invalid health check '{check}' must be in the format 'kind/name.namespace' [{}]",
                parts.join(" ")
            )
            .into());
        };
        if !["Deployment", "DaemonSet", "StatefulSet", "HelmRelease"].contains(&kind) {
            return Err(format!(
                "invalid health check kind '{kind}' can be HelmRelease, Deployment, DaemonSet or StatefulSet"
            )
            .into());
        }
        let parts: Vec<&str> = name.split('.').collect();
        let [name, namespace] = parts[..] else {
            return Err(format!(
                "invalid health check '{check}' must be in the format 'kind/name.namespace'"
            )
            .into());
        };
        let group = if kind == "HelmRelease" {
            HELM_RELEASE.api_version()
        } else {
            String::new()
        };
        let reference = Spec::default()
            .text("apiVersion", &group)
            .set("kind", kind)
            .set("name", name)
            .text("namespace", namespace);
        references.push(reference.value());
    }
    Ok(Value::Array(references))
}
