//! Which of the built documents are objects to apply, and what a Kustomization adds to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Object;

/// The objects to apply: lists are taken apart; documents without kind, version or name, and kustomization
/// files, are left out.
///
/// Source: Flux, `pkg/ssa/utils`, `ReadObjects`.
pub fn to_apply(objects: Vec<Object>) -> Vec<Object> {
    let mut selected = Vec::with_capacity(objects.len());
    for mut object in objects {
        let Some(Value::Array(items)) = object.value.get_mut("items").map(Value::take) else {
            if is_object(&object.value) {
                selected.push(object);
            }
            continue;
        };
        selected.extend(items.into_iter().map(|value| Object {
            yaml: yaml::from_json(&value),
            value,
            provenance: object.provenance.clone(),
        }));
    }
    selected
}

fn is_object(value: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&value["apiVersion"]), text(&value["kind"]));
    let is_config = kind.eq_ignore_ascii_case("kustomization")
        && version.starts_with("kustomize.config.k8s.io/");
    !version.is_empty()
        && !kind.is_empty()
        && value["metadata"]["name"] != ""
        && !is_config
        && value["metadata"]["name"].is_string()
}

/// Adds labels and annotations, over those that are there. Labels that are not all texts count as none.
///
/// Source: Flux, `pkg/ssa/utils`, `SetCommonMetadata`.
pub fn set_common_metadata(
    object: &mut Value,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) {
    for (field, added) in [("labels", labels), ("annotations", annotations)] {
        let present = object["metadata"].get(field).and_then(Value::as_object);
        let present = present.filter(|map| map.values().all(Value::is_string));
        let mut merged = present.cloned().unwrap_or_default();
        for (key, value) in added {
            merged.insert(key.clone(), Value::String(value.clone()));
        }
        if merged.is_empty() {
            continue;
        }
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert(field.to_owned(), Value::Object(merged));
        }
    }
}

/// Sets one label.
pub fn set_label(object: &mut Value, key: &str, value: &str) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let map = |parent: &mut Map<String, Value>, field: &str| {
        let child = parent.entry(field).or_insert(Value::Null);
        if child.is_null() {
            *child = Value::Object(Map::new());
        }
    };
    map(object, "metadata");
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    map(metadata, "labels");
    if let Some(labels) = metadata["labels"].as_object_mut() {
        labels.insert(key.to_owned(), Value::String(value.to_owned()));
    }
}
