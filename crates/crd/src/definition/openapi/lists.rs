//! The rules for lists that are sets or maps.

use object::field::{Error, ErrorList, Path};
use serde_json::Value;

use super::{Json, child, is_set, is_true, list, text};

fn item_type<'a>(items: &'a Json, key: &str) -> Option<&'a str> {
    items.get(key).and_then(Value::as_str)
}

/// Whether this is a set whose items are not atomic.
pub(super) fn has_item_that_is_not_atomic(schema: &Json) -> bool {
    let Some(items) = child(schema, "items") else {
        return false;
    };
    text(schema, "x-kubernetes-list-type") == "set"
        && match text(items, "type") {
            "array" => {
                item_type(items, "x-kubernetes-list-type").is_some_and(|kind| kind != "atomic")
            }
            "object" => item_type(items, "x-kubernetes-map-type") != Some("atomic"),
            _ => false,
        }
}

/// The items of a set must be atomic.
pub(super) fn set_items(schema: &Json, path: &Path, errors: &mut ErrorList) {
    let Some(items) = child(schema, "items").filter(|_| has_item_that_is_not_atomic(schema)) else {
        return;
    };
    let key = if text(items, "type") == "array" {
        "x-kubernetes-list-type"
    } else {
        "x-kubernetes-map-type"
    };
    // Upstream bug, kept: of an object too the list type is shown.
    let shown = item_type(items, "x-kubernetes-list-type").map_or(Value::Null, Value::from);
    let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    errors.push(Error::invalid(
        &path.child("items").child(key),
        shown,
        detail,
    ));
}

/// The keys of a list of type map.
pub(super) fn map_keys(
    schema: &Json,
    list_type: Option<&str>,
    path: &Path,
    errors: &mut ErrorList,
) {
    const KEYS: &str = "x-kubernetes-list-map-keys";
    let keys: Vec<&str> = list(schema, KEYS)
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if !keys.is_empty() && list_type != Some("map") {
        let place = path.child("x-kubernetes-list-type");
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(match list_type {
            None => Error::required(&place, detail),
            Some(other) => Error::invalid(&place, other, detail),
        });
    }
    if list_type != Some("map") {
        return;
    }
    if keys.is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        errors.push(Error::required(&path.child(KEYS), detail));
    }
    let place = path.child("items");
    let Some(items) = child(schema, "items") else {
        errors.push(if is_set(schema, "items") {
            let detail = "must only have a single schema if x-kubernetes-list-type is map";
            Error::invalid(
                &place,
                schema.get("items").cloned().unwrap_or_default(),
                detail,
            )
        } else {
            Error::required(
                &place,
                "must have a schema if x-kubernetes-list-type is map",
            )
        });
        return;
    };
    let kind = text(items, "type");
    if kind != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(Error::invalid(&place.child("type"), kind, detail));
        return;
    }
    let shown = || Value::from(keys.clone());
    let properties = child(items, "properties");
    for (index, key) in keys.iter().enumerate() {
        match properties.and_then(|properties| child(properties, key)) {
            Some(property) if matches!(text(property, "type"), "array" | "object") => {
                let place = place.child("properties").key(key).child("type");
                let detail =
                    "must be a scalar type if parent array's x-kubernetes-list-type is map";
                errors.push(Error::invalid(&place, kind, detail));
            }
            Some(_) => {}
            None => {
                let detail = "entries must all be names of item properties";
                errors.push(Error::invalid(&path.child(KEYS), shown(), detail));
            }
        }
        if keys[..index].contains(key) {
            errors.push(Error::invalid(
                &path.child(KEYS),
                shown(),
                "must not contain duplicate entries",
            ));
        }
    }
}

/// The items of sets and maps must not be null, and keys must always be there.
pub(super) fn keys(schema: &Json, path: &Path, errors: &mut ErrorList) {
    let list_type = text(schema, "x-kubernetes-list-type");
    let Some(items) = child(schema, "items").filter(|_| matches!(list_type, "set" | "map")) else {
        return;
    };
    let place = path.child("items");
    if is_true(items, "nullable") {
        let detail = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        errors.push(Error::forbidden(&place.child("nullable"), detail));
    }
    if list_type != "map" {
        return;
    }
    let required: Vec<&str> = list(items, "required")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for key in list(schema, "x-kubernetes-list-map-keys")
        .iter()
        .filter_map(Value::as_str)
    {
        let Some(property) =
            child(items, "properties").and_then(|properties| child(properties, key))
        else {
            continue;
        };
        let place = place.child("properties").key(key);
        if !required.contains(&key) && !is_set(property, "default") {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.push(Error::required(&place.child("default"), detail));
        }
        if is_true(property, "nullable") {
            let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(Error::forbidden(&place.child("nullable"), detail));
        }
    }
}
