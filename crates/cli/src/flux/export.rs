//! `export`: objects as YAML that can be applied again.

mod shape;

use serde_json::{Map, Value};

use super::cluster::kinds::{self, Kind, SECRET};
use super::cluster::{Cluster, Selection};
use super::invocation::Invocation;
use super::{Outcome, output};

/// Runs `export WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    let kind = kinds::of_words(what).ok_or_else(|| format!("unsupported type {what}"))?;
    let all = invocation.boolean("all");
    if !all && invocation.first().is_none() {
        return Err("name is required".into());
    }
    let cluster = invocation.cluster()?;
    let with_login = invocation.boolean("with-credentials");
    if !all {
        let object = cluster.get(kind, &invocation.namespace, invocation.name())?;
        output::document(&clean(kind, &object))?;
        if with_login {
            print_login(&cluster, &object)?;
        }
        return Ok(());
    }
    let objects = cluster.list(kind, Some(&invocation.namespace), &Selection::default())?;
    if objects.is_empty() {
        return Err(format!("no objects found in {} namespace", invocation.namespace).into());
    }
    for object in &objects {
        output::document(&clean(kind, object))?;
        // Upstream ends after the first Secret: kept.
        if with_login && print_login(&cluster, object)? {
            return Ok(());
        }
    }
    Ok(())
}

/// What of an object can be applied again.
fn clean(kind: &Kind, object: &Value) -> Value {
    let mut metadata = Map::new();
    for field in ["name", "namespace", "labels", "annotations"] {
        let value = &object["metadata"][field];
        let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        if !empty {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let mut out = Map::new();
    out.insert("apiVersion".to_owned(), kind.api_version().into());
    out.insert("kind".to_owned(), kind.kind.into());
    out.insert("metadata".to_owned(), metadata.into());
    if !object["spec"].is_null() || kind.kind != "ExternalArtifact" {
        out.insert("spec".to_owned(), shape::spec(kind, &object["spec"]));
    }
    Value::Object(out)
}

/// Prints the Secret that the object logs in with; says whether there is one.
fn print_login(cluster: &Cluster, object: &Value) -> Result<bool, super::Stop> {
    let Some(name) = object["spec"]["secretRef"]["name"].as_str() else {
        return Ok(false);
    };
    let namespace = object::meta::namespace(object);
    let secret = cluster
        .get(&SECRET, namespace, name)
        .map_err(|error| format!("failed to retrieve secret {name}, error: {error}"))?;
    let mut out = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
    });
    for field in ["data", "type"] {
        if !secret[field].is_null() {
            out[field] = secret[field].clone();
        }
    }
    output::document(&out)?;
    Ok(true)
}
