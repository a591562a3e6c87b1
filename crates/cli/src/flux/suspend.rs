//! `suspend`: objects that are not reconciled until they are resumed.

use std::collections::BTreeSet;

use serde_json::json;

use super::cluster::kinds::{self, Kind};
use super::cluster::{Cluster, Selection};
use super::invocation::Invocation;
use super::{Outcome, Stop, output};

/// Runs `suspend WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    let kind = kinds::of_words(what).ok_or_else(|| format!("unsupported type {what}"))?;
    if invocation.words.is_empty() && !invocation.boolean("all") {
        return Err(format!("{} name is required", kind.human).into());
    }
    let cluster = invocation.cluster()?;
    let namespace = &invocation.namespace;
    if invocation.words.is_empty() {
        return suspend(&cluster, kind, namespace, &Selection::default());
    }
    let mut done = BTreeSet::new();
    for name in invocation
        .words
        .iter()
        .filter(|name| done.insert(name.as_str()))
    {
        match suspend(&cluster, kind, namespace, &Selection::named(name)) {
            Err(Stop::Failed(text)) if text == NONE => output::failure(format_args!(
                "{} {name} not found in {namespace} namespace",
                kind.kind
            )),
            Err(Stop::Failed(text)) => output::failure(format_args!(
                "failed suspending {} {name} in {namespace} namespace: {text}",
                kind.kind
            )),
            other => other?,
        }
    }
    Ok(())
}

const NONE: &str = "no objects found";

fn suspend(cluster: &Cluster, kind: &Kind, namespace: &str, selection: &Selection) -> Outcome {
    let objects = cluster.list(kind, Some(namespace), selection)?;
    if objects.is_empty() {
        return Err(NONE.into());
    }
    for object in &objects {
        let name = object::meta::name(object);
        output::action(format_args!(
            "suspending {} {name} in {namespace} namespace",
            kind.human
        ));
        if object["spec"]["suspend"] != true {
            cluster.patch(kind, namespace, name, &json!({"spec": {"suspend": true}}))?;
        }
        output::success(format_args!("{} suspended", kind.human));
    }
    Ok(())
}
