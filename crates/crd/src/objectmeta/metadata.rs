//! The rules for the metadata of an object.
//!
//! Source: apimachinery `pkg/api/validation/objectmeta.go`.

use object::GroupVersion;
use object::field::{Error, ErrorList, Path};
use serde_json::{Map, Value};

use crate::names;

const ANNOTATIONS_MAX: usize = 256 * 1024;
const MANAGER_MAX: usize = 128;
const SUBRESOURCE_MAX: usize = 256;

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> &'a str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Checks decoded metadata of an embedded resource, whose name may be absent.
pub(super) fn validate(path: &Path, metadata: &Map<String, Value>, errors: &mut ErrorList) {
    let generate_name = text(metadata, "generateName");
    if !generate_name.is_empty() {
        for detail in names::path_segment(generate_name, true) {
            errors.push(Error::invalid(
                &path.child("generateName"),
                generate_name,
                detail,
            ));
        }
    }
    let name = text(metadata, "name");
    for detail in names::path_segment(name, false) {
        errors.push(Error::invalid(&path.child("name"), name, detail));
    }
    let namespace = text(metadata, "namespace");
    if !namespace.is_empty() {
        for detail in names::dns1123_label(namespace) {
            errors.push(Error::invalid(&path.child("namespace"), namespace, detail));
        }
    }
    validate_new(path, metadata, errors);
}

/// Checks all but the names of a new object.
pub(super) fn validate_new(path: &Path, metadata: &Map<String, Value>, errors: &mut ErrorList) {
    let generation = metadata
        .get("generation")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    if generation < 0 {
        let detail = "must be greater than or equal to 0";
        errors.push(Error::invalid(
            &path.child("generation"),
            generation,
            detail,
        ));
    }
    validate_common(path, metadata, errors);
    finalizers(
        &path.child("finalizers"),
        metadata.get("finalizers"),
        errors,
    );
}

/// Checks what is checked of every object, new or changed.
fn validate_common(path: &Path, metadata: &Map<String, Value>, errors: &mut ErrorList) {
    labels_and_annotations(path, metadata, errors);
    owner_references(
        &path.child("ownerReferences"),
        metadata.get("ownerReferences"),
        errors,
    );
    managed_fields(
        &path.child("managedFields"),
        metadata.get("managedFields"),
        errors,
    );
}

fn labels_and_annotations(path: &Path, metadata: &Map<String, Value>, errors: &mut ErrorList) {
    if let Some(Value::Object(labels)) = metadata.get("labels") {
        let place = path.child("labels");
        for (key, value) in labels {
            for detail in names::qualified_name(key) {
                errors.push(Error::invalid(&place, key.as_str(), detail));
            }
            let value = value.as_str().unwrap_or_default();
            for detail in names::label_value(value) {
                errors.push(Error::invalid(&place, value, detail));
            }
        }
    }
    if let Some(Value::Object(annotations)) = metadata.get("annotations") {
        let place = path.child("annotations");
        let mut size = 0;
        for (key, value) in annotations {
            for detail in names::qualified_name(&key.to_lowercase()) {
                errors.push(Error::invalid(&place, key.as_str(), detail));
            }
            size += key.len() + value.as_str().map_or(0, str::len);
        }
        if size > ANNOTATIONS_MAX {
            errors.push(Error::too_long(&place, ANNOTATIONS_MAX));
        }
    }
}

fn owner_references(path: &Path, references: Option<&Value>, errors: &mut ErrorList) {
    let Some(Value::Array(references)) = references else {
        return;
    };
    let mut controller: Option<String> = None;
    for reference in references.iter().filter_map(Value::as_object) {
        let api_version = text(reference, "apiVersion");
        let version = GroupVersion::parse(api_version).unwrap_or_default().version;
        if version.is_empty() {
            let detail = "version must not be empty";
            errors.push(Error::invalid(
                &path.child("apiVersion"),
                api_version,
                detail,
            ));
        }
        for field in ["kind", "name", "uid"] {
            if text(reference, field).is_empty() {
                errors.push(Error::invalid(&path.child(field), "", "must not be empty"));
            }
        }
        if api_version == "v1" && text(reference, "kind") == "Event" {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(Error::invalid(
                path,
                Value::Object(reference.clone()),
                detail,
            ));
        }
        if reference.get("controller") == Some(&Value::Bool(true)) {
            let current = format!("{}/{}", text(reference, "kind"), text(reference, "name"));
            if let Some(first) = &controller {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {current}"
                );
                errors.push(Error::invalid(
                    path,
                    Value::Array(references.clone()),
                    detail,
                ));
            } else {
                controller = Some(current);
            }
        }
    }
}

fn finalizers(path: &Path, finalizers: Option<&Value>, errors: &mut ErrorList) {
    let Some(Value::Array(finalizers)) = finalizers else {
        return;
    };
    for finalizer in finalizers.iter().filter_map(Value::as_str) {
        for detail in names::qualified_name(finalizer) {
            errors.push(Error::invalid(path, finalizer, detail));
        }
    }
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(Error::invalid(
            path,
            Value::Array(finalizers.clone()),
            detail,
        ));
    }
}

fn managed_fields(path: &Path, entries: Option<&Value>, errors: &mut ErrorList) {
    let Some(Value::Array(entries)) = entries else {
        return;
    };
    for (index, entry) in entries.iter().enumerate() {
        let Some(entry) = entry.as_object() else {
            continue;
        };
        let place = path.index(index);
        let operation = text(entry, "operation");
        if operation != "Apply" && operation != "Update" {
            let detail = "must be `Apply` or `Update`";
            errors.push(Error::invalid(&place.child("operation"), operation, detail));
        }
        let fields_type = text(entry, "fieldsType");
        if !fields_type.is_empty() && fields_type != "FieldsV1" {
            let detail = "must be `FieldsV1`";
            errors.push(Error::invalid(
                &place.child("fieldsType"),
                fields_type,
                detail,
            ));
        }
        let manager = text(entry, "manager");
        if manager.len() > MANAGER_MAX {
            errors.push(Error::too_long(&place.child("manager"), MANAGER_MAX));
        }
        if let Some((at, character)) = manager
            .char_indices()
            .find(|(_, character)| character.is_control())
        {
            let detail = format!(
                "invalid character U+{:04X} (at position {at})",
                u32::from(character)
            );
            errors.push(Error::invalid(&place.child("manager"), manager, detail));
        }
        if text(entry, "subresource").len() > SUBRESOURCE_MAX {
            errors.push(Error::too_long(
                &place.child("subresource"),
                SUBRESOURCE_MAX,
            ));
        }
    }
}

/// Checks what an update may not change, and the rest.
pub(super) fn validate_update(definition: &Value, old: &Value, errors: &mut ErrorList) {
    let path = Path::new("metadata");
    let field = |value: &Value, key: &str| {
        value
            .get("metadata")
            .and_then(|metadata| metadata.get(key))
            .cloned()
            .unwrap_or_default()
    };
    let version = field(definition, "resourceVersion");
    if version.as_str().unwrap_or_default().is_empty() {
        errors.push(Error::invalid(
            &path.child("resourceVersion"),
            "",
            "must be specified for an update",
        ));
    }
    let generation = field(definition, "generation").as_i64().unwrap_or_default();
    if generation < field(old, "generation").as_i64().unwrap_or_default() {
        errors.push(Error::invalid(
            &path.child("generation"),
            generation,
            "must not be decremented",
        ));
    }
    for key in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        let (new, old) = (field(definition, key), field(old, key));
        if new != old {
            errors.push(Error::invalid(&path.child(key), new, "field is immutable"));
        }
    }
    if let Some(metadata) = definition.get("metadata").and_then(Value::as_object) {
        validate_common(&path, metadata, errors);
    }
}
