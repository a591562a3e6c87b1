//! The rules of CustomResourceDefinitions.
//!
//! Source: apiextensions-apiserver, `registry/customresourcedefinition/strategy.go`.

use object::field::ErrorList;
use object::{Value, meta};
use serde_json::json;

use super::custom_rules::{keep, keep_system_fields, set_meta};

/// The status of a definition whose names have not been looked at.
pub(super) fn prepare_for_create(object: &mut Value) {
    object["status"] = json!({
        "conditions": null,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": null,
    });
    add_stored_version(object);
    object["metadata"]["generation"] = Value::from(1);
}

fn add_stored_version(object: &mut Value) {
    let storage = object["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|version| version["storage"] == true)
        .and_then(|version| version["name"].as_str())
        .map(str::to_owned);
    let Some(storage) = storage else {
        return;
    };
    if !object["status"]["storedVersions"].is_array() {
        object["status"]["storedVersions"] = json!([]);
    }
    let stored = object.pointer_mut("/status/storedVersions");
    if let Some(stored) = stored.and_then(Value::as_array_mut)
        && !stored.iter().any(|known| *known == storage)
    {
        stored.push(Value::from(storage));
    }
}

pub(super) fn prepare_for_update(subresource: &str, new: &mut Value, old: &Value) {
    if subresource == "status" {
        keep(new, old, "spec");
        for key in [
            "deletionTimestamp",
            "generation",
            "selfLink",
            "labels",
            "annotations",
            "finalizers",
            "ownerReferences",
        ] {
            let value = old.get("metadata").and_then(|metadata| metadata.get(key));
            set_meta(new, key, value);
        }
    } else {
        keep(new, old, "status");
        add_stored_version(new);
        let changed = new.get("spec") != old.get("spec");
        let generation = meta::generation(old) + i64::from(changed);
        set_meta(new, "generation", Some(&Value::from(generation)));
    }
    keep_system_fields(new, old);
}

pub(super) fn validate_create(object: &Value) -> ErrorList {
    crd::definition::validate_create(object)
}

pub(super) fn validate_update(subresource: &str, new: &Value, old: &Value) -> ErrorList {
    if subresource == "status" {
        crd::definition::validate_status_update(new, old)
    } else {
        crd::definition::validate_update(new, old)
    }
}

/// Warnings of formats in the schemas that say nothing to the server and that `old` had not.
pub(super) fn warnings(new: &Value, old: &Value) -> Vec<String> {
    let known = unrecognized_formats(old);
    unrecognized_formats(new)
        .into_iter()
        .filter(|format| !known.contains(format))
        .map(|format| format!("unrecognized format {}", object::field::quote(&format)))
        .collect()
}

fn unrecognized_formats(definition: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let versions = definition["spec"]["versions"].as_array();
    for version in versions.into_iter().flatten() {
        collect_formats(&version["schema"]["openAPIV3Schema"], &mut found);
    }
    found
}

/// Decoding has bounded how deep schemas go.
fn collect_formats(schema: &Value, found: &mut Vec<String>) {
    let Some(map) = schema.as_object() else {
        return;
    };
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let format = text("format");
    if !format.is_empty()
        && text("type") == "string"
        && !crd::value::is_supported_format(format)
        && !found.iter().any(|known| known == format)
    {
        found.push(format.to_owned());
    }
    for key in ["items", "not", "additionalProperties", "additionalItems"] {
        collect_formats(schema.get(key).unwrap_or(&Value::Null), found);
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for inner in map.get(key).and_then(Value::as_array).into_iter().flatten() {
            collect_formats(inner, found);
        }
    }
    for key in ["properties", "patternProperties", "definitions"] {
        let inner = map.get(key).and_then(Value::as_object);
        for inner in inner.into_iter().flat_map(object::Map::values) {
            collect_formats(inner, found);
        }
    }
}
