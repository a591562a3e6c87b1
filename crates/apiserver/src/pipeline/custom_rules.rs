//! The rules of custom resources.
//!
//! Source: apiextensions-apiserver, `registry/customresource/strategy.go`.

use std::sync::Arc;

use object::field::ErrorList;
use object::{Map, Value, meta};

use super::Call;
use crate::registry::CustomVersion;

/// The rules of a definition's objects.
pub(super) struct CustomRules<'a> {
    has_status: bool,
    custom: &'a Arc<CustomVersion>,
}

impl<'a> CustomRules<'a> {
    pub(super) fn new(call: &Call, custom: &'a Arc<CustomVersion>) -> Self {
        Self {
            has_status: call.resource.subresource("status").is_some(),
            custom,
        }
    }

    pub(super) fn prepare_for_create(&self, object: &mut Value) {
        if self.has_status
            && let Some(map) = object.as_object_mut()
        {
            map.remove("status");
        }
        object["metadata"]["generation"] = Value::from(1);
    }

    pub(super) fn prepare_for_update(&self, subresource: &str, new: &mut Value, old: &Value) {
        if subresource == "status" {
            prepare_status(new, old);
        } else {
            if self.has_status {
                keep(new, old, "status");
            }
            let generation = meta::generation(old);
            let changed = differs(new, old, self.has_status);
            set_meta(
                new,
                "generation",
                Some(&Value::from(generation + i64::from(changed))),
            );
        }
        keep_system_fields(new, old);
    }

    pub(super) fn validate_create(&self, object: &Value) -> ErrorList {
        match self.custom.definition.storage() {
            Some(schema) => schema.validate_create(object),
            None => Vec::new(),
        }
    }

    pub(super) fn validate_update(&self, subresource: &str, new: &Value, old: &Value) -> ErrorList {
        match self.custom.definition.storage() {
            Some(schema) if subresource == "status" => schema.validate_status_update(new, old),
            Some(schema) => schema.validate_update(new, old),
            None => Vec::new(),
        }
    }
}

/// A status update changes the status and its managed fields alone.
fn prepare_status(new: &mut Value, old: &Value) {
    let status = new.get("status").cloned();
    let mut metadata = old.get("metadata").cloned().unwrap_or_default();
    for key in [
        "managedFields",
        "resourceVersion",
        "name",
        "namespace",
        "uid",
    ] {
        let value = new
            .pointer("/metadata")
            .and_then(|metadata| metadata.get(key));
        if let Some(map) = metadata.as_object_mut() {
            match value {
                Some(value) => map.insert(key.to_owned(), value.clone()),
                None => map.remove(key),
            };
        }
    }
    *new = old.clone();
    new["metadata"] = metadata;
    if let Some(map) = new.as_object_mut() {
        match status {
            Some(status) => map.insert("status".to_owned(), status),
            None => map.remove("status"),
        };
    }
}

pub(super) fn set_meta(object: &mut Value, key: &str, value: Option<&Value>) {
    let Some(map) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    match value {
        Some(value) => map.insert(key.to_owned(), value.clone()),
        None => map.remove(key),
    };
}

pub(super) fn keep(new: &mut Value, old: &Value, key: &str) {
    let Some(map) = new.as_object_mut() else {
        return;
    };
    match old.get(key) {
        Some(value) => map.insert(key.to_owned(), value.clone()),
        None => map.remove(key),
    };
}

/// Whether the generation rises: anything but the metadata (and the status, where it is apart) differs.
fn differs(new: &Value, old: &Value, has_status: bool) -> bool {
    let empty = Map::new();
    let new = new.as_object().unwrap_or(&empty);
    let old = old.as_object().unwrap_or(&empty);
    let counts = |key: &str| {
        !matches!(key, "metadata" | "apiVersion" | "kind") && (!has_status || key != "status")
    };
    let keys = new.keys().chain(old.keys());
    keys.filter(|key| counts(key))
        .any(|key| new.get(key) != old.get(key))
}

/// What no update can change (`registry/rest`, `BeforeUpdate`).
pub(super) fn keep_system_fields(new: &mut Value, old: &Value) {
    let metadata = |key: &str| {
        old.get("metadata")
            .and_then(|metadata| metadata.get(key))
            .filter(|value| !value.is_null())
            .cloned()
    };
    if meta::uid(new).is_empty() {
        set_meta(new, "uid", metadata("uid").as_ref());
    }
    for key in ["creationTimestamp", "deletionTimestamp"] {
        if let Some(value) = metadata(key) {
            set_meta(new, key, Some(&value));
        }
    }
    let has_grace = new
        .pointer("/metadata/deletionGracePeriodSeconds")
        .is_some_and(|value| !value.is_null());
    if let Some(grace) = metadata("deletionGracePeriodSeconds").filter(|_| !has_grace) {
        set_meta(new, "deletionGracePeriodSeconds", Some(&grace));
    }
}
