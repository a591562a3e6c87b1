//! What the server serves, from its discovery documents.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Server;
use super::types::OpenApi;
use crate::TaskError;

/// The group versions in the server's order of preference, and one record per resource.
pub(super) fn read(server: &Server, openapi: &OpenApi) -> Result<(Value, Vec<Value>), TaskError> {
    let mut order = vec![json!({"group": "", "versions": ["v1"]})];
    let mut lists = vec![(String::new(), "v1".to_owned(), server.get("/api/v1")?)];
    for group in server.get("/apis")?["groups"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = group["name"].as_str().unwrap_or_default();
        let mut versions = Vec::new();
        for version in group["versions"].as_array().into_iter().flatten() {
            let version = version["version"].as_str().unwrap_or_default();
            versions.push(version);
            let list = server.get(&format!("/apis/{name}/{version}"))?;
            lists.push((name.to_owned(), version.to_owned(), list));
        }
        order.push(json!({"group": name, "versions": versions}));
    }
    let mut resources = Vec::new();
    for (group, version, list) in &lists {
        resources.extend(records(group, version, list, openapi));
    }
    Ok((Value::from(order), resources))
}

fn records(group: &str, version: &str, list: &Value, openapi: &OpenApi) -> Vec<Value> {
    let mut parents: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut subresources: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut order = Vec::new();
    for resource in list["resources"].as_array().into_iter().flatten() {
        let name = resource["name"].as_str().unwrap_or_default();
        let record = record(group, version, resource, openapi);
        match name.split_once('/') {
            None => {
                order.push(name.to_owned());
                parents.insert(name.to_owned(), record);
            }
            Some((parent, sub)) => {
                let mut record = record;
                record.insert("resource".to_owned(), json!(sub));
                subresources
                    .entry(parent.to_owned())
                    .or_default()
                    .push(Value::Object(record));
            }
        }
    }
    let mut out = Vec::new();
    for name in order {
        let mut record = parents.remove(&name).unwrap_or_default();
        if let Some(list) = subresources.remove(&name) {
            record.insert("subresources".to_owned(), Value::from(list));
        }
        out.push(Value::Object(record));
    }
    out
}

fn record(group: &str, version: &str, resource: &Value, openapi: &OpenApi) -> Map<String, Value> {
    let kind = resource["kind"].as_str().unwrap_or_default();
    // A subresource may be of a kind of another group, as `Scale` is.
    let kind_group = resource["group"].as_str().unwrap_or(group);
    let kind_version = resource["version"].as_str().unwrap_or(version);
    let mut record = Map::new();
    let mut put = |key: &str, value: Value| {
        let empty = value.is_null()
            || value.as_str() == Some("")
            || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            record.insert(key.to_owned(), value);
        }
    };
    put("group", json!(group));
    put("version", json!(version));
    put("resource", resource["name"].clone());
    put("kind", json!(kind));
    if kind_group != group || kind_version != version {
        put("kindGroup", json!(kind_group));
        put("kindVersion", json!(kind_version));
    }
    put(
        "type",
        openapi
            .type_of(kind_group, kind_version, kind)
            .map_or(Value::Null, Value::from),
    );
    put("singular", resource["singularName"].clone());
    put("namespaced", resource["namespaced"].clone());
    put("verbs", resource["verbs"].clone());
    put("shortNames", resource["shortNames"].clone());
    put("categories", resource["categories"].clone());
    put("storageVersionHash", resource["storageVersionHash"].clone());
    record
}
