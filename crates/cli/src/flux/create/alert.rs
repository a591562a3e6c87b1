//! `create alert`, `create alert-provider`, `create receiver`.

use serde_json::{Value, json};

use super::{Spec, labels, object, upsert, wait};
use crate::flux::cluster::kinds::{ALERT, Kind, PROVIDER, RECEIVER};
use crate::flux::invocation::Invocation;
use crate::flux::names::{object_kind_name, object_kind_name_namespace};
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, Stop, output};

pub(super) fn alert(invocation: &Invocation<'_>) -> Outcome {
    let provider = invocation
        .some_text("provider-ref")
        .ok_or("provider ref is required")?;
    let mut sources = Vec::new();
    for source in invocation.list("event-source") {
        let (kind, name, namespace) = object_kind_name_namespace(source);
        if kind.is_empty() {
            return Err(malformed(source));
        }
        let source = Spec::default()
            .set("kind", kind)
            .set("name", name)
            .text("namespace", &namespace);
        sources.push(source.value());
    }
    if sources.is_empty() {
        return Err("at least one event source is required".into());
    }
    let spec = Spec::default()
        .set("providerRef", json!({"name": provider}))
        .text("eventSeverity", invocation.text("event-severity"))
        .set("eventSources", sources);
    finish(invocation, &ALERT, spec, Shape::Static).map(|_| ())
}

pub(super) fn provider(invocation: &Invocation<'_>) -> Outcome {
    let kind = invocation
        .some_text("type")
        .ok_or("Provider type is required")?;
    let spec = Spec::default()
        .set("type", kind)
        .text("channel", invocation.text("channel"))
        .text("username", invocation.text("username"))
        .text("address", invocation.text("address"))
        .reference("secretRef", invocation.text("secret-ref"));
    finish(invocation, &PROVIDER, spec, Shape::Static).map(|_| ())
}

pub(super) fn receiver(invocation: &Invocation<'_>) -> Outcome {
    let kind = invocation
        .some_text("type")
        .ok_or("Receiver type is required")?;
    let secret = invocation
        .some_text("secret-ref")
        .ok_or("secret ref is required")?;
    let mut resources = Vec::new();
    for resource in invocation.list("resource") {
        let (kind, name) = object_kind_name(resource);
        if kind.is_empty() {
            return Err(malformed(resource));
        }
        resources.push(json!({"kind": kind, "name": name}));
    }
    if resources.is_empty() {
        return Err("atleast one resource is required".into());
    }
    let spec = Spec::default()
        .set("type", kind)
        .list("events", invocation.list("event"))
        .set("resources", resources)
        .reference("secretRef", secret);
    if let Some(ready) = finish(invocation, &RECEIVER, spec, Shape::Dynamic)? {
        let path = ready["status"]["webhookPath"].as_str().unwrap_or_default();
        output::success(format_args!("generated webhook URL {path}"));
    }
    Ok(())
}

fn malformed(source: &str) -> Stop {
    format!("invalid event source '{source}', must be in format <kind>/<name>").into()
}

/// Prints the object, or applies it and gives it as it is once it is ready.
fn finish(
    invocation: &Invocation<'_>,
    kind: &Kind,
    spec: Spec,
    shape: Shape,
) -> Result<Option<Value>, Stop> {
    let labels = labels(invocation)?;
    let object = object(invocation, kind, labels, spec);
    if invocation.boolean("export") {
        output::document(&object)?;
        return Ok(None);
    }
    output::generate(format_args!("generating {}", kind.kind));
    let cluster = invocation.cluster()?;
    output::action(format_args!("applying {}", kind.kind));
    upsert(&cluster, kind, &object, kind.kind)?;
    output::waiting(format_args!("waiting for {} reconciliation", kind.kind));
    let ready = wait(&cluster, kind, &object, shape)?;
    output::success(format_args!("{} {} is ready", kind.kind, invocation.name()));
    Ok(Some(ready))
}
