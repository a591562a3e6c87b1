//! `resume`: suspended objects are reconciled again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cluster::kinds::{self, Kind};
use super::cluster::{Cluster, Selection};
use super::invocation::Invocation;
use super::readiness::{self, Shape};
use super::reconcile::success_message;
use super::{Outcome, Stop, output};

/// Runs `resume WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    let kind = kinds::of_words(what).ok_or_else(|| format!("unsupported type {what}"))?;
    if invocation.words.is_empty() && !invocation.boolean("all") {
        return Err(format!("{} name is required", kind.human).into());
    }
    let cluster = invocation.cluster()?;
    // One object by name is always waited for, unless the user says otherwise.
    let wait =
        (!invocation.is_set("wait") && invocation.words.len() == 1) || invocation.boolean("wait");
    let objects = resume_all(invocation, &cluster, kind)?;
    if !wait {
        return Ok(());
    }
    let mut failed = 0;
    let mut results: Vec<(String, Result<Value, Stop>)> = objects
        .iter()
        .map(|object| {
            output::waiting(format_args!("waiting for {} reconciliation", kind.kind));
            let name = object::meta::name(object);
            let shape = if is_static(kind, object) {
                Shape::Static
            } else {
                Shape::Dynamic
            };
            let ready = readiness::wait(&cluster, kind, &invocation.namespace, name, shape);
            (name.to_owned(), ready)
        })
        .collect();
    results.sort_by(|left, right| left.0.cmp(&right.0));
    for (name, result) in results {
        match result {
            Ok(object) => {
                output::success(format_args!(
                    "{} {name} reconciliation completed",
                    kind.kind
                ));
                output::success(success_message(kind, &object));
            }
            Err(Stop::Failed(text)) => {
                failed += 1;
                output::failure(format_args!(
                    "{} {name} reconciliation failed: {text}",
                    kind.kind
                ));
            }
            Err(other) => return Err(other),
        }
    }
    if failed > 0 {
        return Err(format!("reconciliation failed for {failed} {}(s)", kind.kind).into());
    }
    Ok(())
}

/// Whether no controller writes the object's status.
pub(super) fn is_static(kind: &Kind, object: &Value) -> bool {
    match kind.kind {
        "Alert" | "Provider" => true,
        "HelmRepository" => object["spec"]["type"] == "oci",
        _ => false,
    }
}

fn resume_all(
    invocation: &Invocation<'_>,
    cluster: &Cluster,
    kind: &Kind,
) -> Result<Vec<Value>, Stop> {
    let first = invocation.first();
    if first.is_none() {
        let resumed = resume(invocation, cluster, kind, &Selection::default());
        return resumed.map_err(|error| match error {
            Stop::Failed(text) => Stop::Failed(format!("failed patching objects: {text}")),
            other => other,
        });
    }
    let mut done = BTreeSet::new();
    let mut objects = Vec::new();
    for name in invocation
        .words
        .iter()
        .filter(|name| done.insert(name.as_str()))
    {
        objects.extend(resume(invocation, cluster, kind, &Selection::named(name))?);
    }
    Ok(objects)
}

fn resume(
    invocation: &Invocation<'_>,
    cluster: &Cluster,
    kind: &Kind,
    selection: &Selection,
) -> Result<Vec<Value>, Stop> {
    let namespace = &invocation.namespace;
    let objects = cluster.list(kind, Some(namespace), selection)?;
    if objects.is_empty() {
        match invocation.first() {
            None => output::failure(format_args!(
                "no {} objects found in {namespace} namespace",
                kind.kind
            )),
            // Upstream names the first one, whichever is missing: kept.
            Some(first) => output::failure(format_args!(
                "{} object '{first}' not found in {namespace} namespace",
                kind.kind
            )),
        }
    }
    for object in &objects {
        let name = object::meta::name(object);
        output::action(format_args!(
            "resuming {} {name} in {namespace} namespace",
            kind.human
        ));
        if object["spec"]["suspend"] == true {
            cluster.patch(kind, namespace, name, &json!({"spec": {"suspend": null}}))?;
        }
        output::success(format_args!("{} resumed", kind.human));
    }
    Ok(objects)
}
