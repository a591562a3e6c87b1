//! `apiVersion`, `kind` and `metadata` of resources, at the root and embedded.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/objectmeta`.

mod decode;
mod metadata;

use object::GroupVersion;
use object::field::{Error, ErrorList, Path};
use serde_json::{Map, Value};

use crate::names;
use crate::schema::{Additional, Schema};

/// How metadata of the wrong type is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoerceOptions {
    /// Drop fields of the wrong type instead of reporting them.
    pub drop_invalid: bool,
    /// Return the paths of unknown fields that were dropped.
    pub track_unknown: bool,
}

struct Coercer {
    options: CoerceOptions,
    unknown: Vec<String>,
}

/// Brings `apiVersion`, `kind` and `metadata` of all resources in `object` into form: unknown fields of
/// metadata and empty ones go. Gives the paths of unknown fields, sorted, if `options` ask for them.
pub fn coerce(
    path: &Path,
    object: &mut Value,
    schema: Option<&Schema>,
    is_root: bool,
    options: CoerceOptions,
) -> Result<Vec<String>, Box<Error>> {
    let mut coercer = Coercer {
        options,
        unknown: Vec::new(),
    };
    let empty = Schema::default();
    let schema = if is_root {
        Some(schema.unwrap_or(&empty))
    } else {
        schema
    };
    coercer.value(path, object, schema, is_root)?;
    coercer.unknown.sort();
    Ok(coercer.unknown)
}

impl Coercer {
    fn value(
        &mut self,
        path: &Path,
        value: &mut Value,
        schema: Option<&Schema>,
        resource: bool,
    ) -> Result<(), Box<Error>> {
        let Some(schema) = schema else { return Ok(()) };
        match value {
            Value::Object(map) => {
                if resource || schema.embedded {
                    self.resource(path, map)?;
                }
                for (name, value) in map.iter_mut() {
                    if !value.is_object() && !value.is_array() {
                        continue;
                    }
                    if let Some(field) = schema.properties.get(name) {
                        self.value(&path.child(name), value, Some(field), false)?;
                    } else if let Some(Additional::Schema(values)) = &schema.additional {
                        self.value(&path.key(name), value, Some(values), false)?;
                    }
                }
            }
            Value::Array(items) => {
                if let Some(schema) = &schema.items {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.value(&path.index(index), item, Some(schema), false)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn resource(&mut self, path: &Path, map: &mut Map<String, Value>) -> Result<(), Box<Error>> {
        for name in ["apiVersion", "kind"] {
            let Some(value) = map.get(name).filter(|value| !value.is_string()) else {
                continue;
            };
            if !self.options.drop_invalid {
                let error = Error::invalid(&path.child(name), value.clone(), "must be a string");
                return Err(Box::new(error));
            }
            map.remove(name);
        }
        let Some(value) = map.get("metadata") else {
            return Ok(());
        };
        let place = path.child("metadata");
        match decode::decode(value) {
            Ok(decoded) => self.set_metadata(&place, map, decoded),
            Err(_) if self.options.drop_invalid => {
                if let Value::Object(fields) = value {
                    let decoded = decode::decode_leniently(fields);
                    self.set_metadata(&place, map, decoded);
                }
            }
            Err(message) => {
                return Err(Box::new(Error::invalid(&place, value.clone(), message)));
            }
        }
        Ok(())
    }

    fn set_metadata(
        &mut self,
        path: &Path,
        map: &mut Map<String, Value>,
        decoded: decode::Decoded,
    ) {
        if self.options.track_unknown {
            let unknown = decoded.unknown.iter();
            self.unknown
                .extend(unknown.map(|name| path.child(name).to_string()));
        }
        map.insert("metadata".to_owned(), Value::Object(decoded.metadata));
    }
}

/// Brings the metadata of an object into form; gives the paths of unknown fields in it.
pub(crate) fn decode_root(map: &mut Map<String, Value>) -> Result<Vec<String>, String> {
    let Some(value) = map.get("metadata") else {
        return Ok(Vec::new());
    };
    let decoded = decode::decode(value)?;
    let unknown = decoded
        .unknown
        .iter()
        .map(|name| format!("metadata.{name}"))
        .collect();
    map.insert("metadata".to_owned(), Value::Object(decoded.metadata));
    Ok(unknown)
}

/// Checks what an update may not change in metadata, and the rest of it.
pub(crate) fn validate_update(object: &Value, old: &Value, errors: &mut ErrorList) {
    metadata::validate_update(object, old, errors);
}

/// Checks all of the metadata of a new object but the names.
pub(crate) fn validate_new(path: &Path, metadata: &Map<String, Value>, errors: &mut ErrorList) {
    metadata::validate_new(path, metadata, errors);
}

/// Checks `apiVersion`, `kind` and `metadata` of embedded resources; of the root too if `is_root`.
pub fn validate(path: &Path, object: &Value, schema: Option<&Schema>, is_root: bool) -> ErrorList {
    let mut errors = Vec::new();
    let empty = Schema::default();
    let schema = if is_root {
        Some(schema.unwrap_or(&empty))
    } else {
        schema
    };
    visit(path, object, schema, is_root, &mut errors);
    errors
}

fn visit(
    path: &Path,
    value: &Value,
    schema: Option<&Schema>,
    resource: bool,
    errors: &mut ErrorList,
) {
    let Some(schema) = schema else { return };
    match value {
        Value::Object(map) => {
            if resource || schema.embedded {
                embedded_resource(path, map, errors);
            }
            for (name, value) in map {
                if !value.is_object() && !value.is_array() {
                    continue;
                }
                if let Some(field) = schema.properties.get(name) {
                    visit(&path.child(name), value, Some(field), false, errors);
                } else if let Some(Additional::Schema(values)) = &schema.additional {
                    visit(&path.key(name), value, Some(values), false, errors);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    visit(&path.index(index), item, Some(schema), false, errors);
                }
            }
        }
        _ => {}
    }
}

fn embedded_resource(path: &Path, map: &Map<String, Value>, errors: &mut ErrorList) {
    for name in ["apiVersion", "kind"] {
        if !map.contains_key(name) {
            errors.push(Error::required(&path.child(name), ""));
        }
    }
    if let Some(value) = map.get("apiVersion") {
        let place = path.child("apiVersion");
        match value.as_str() {
            None => errors.push(Error::invalid(&place, value.clone(), "must be a string")),
            Some("") => errors.push(Error::invalid(&place, "", "must not be empty")),
            Some(text) if GroupVersion::parse(text).is_none() => {
                let detail = format!("unexpected GroupVersion string: {text}");
                errors.push(Error::invalid(&place, text, detail));
            }
            Some(_) => {}
        }
    }
    if let Some(value) = map.get("kind") {
        let place = path.child("kind");
        match value.as_str() {
            None => errors.push(Error::invalid(&place, value.clone(), "must be a string")),
            Some("") => errors.push(Error::invalid(&place, "", "must not be empty")),
            Some(text) => {
                let found = names::dns1035_label(&text.to_lowercase());
                if !found.is_empty() {
                    let detail = format!(
                        "may have mixed case, but should otherwise match: {}",
                        found.join(",")
                    );
                    errors.push(Error::invalid(&place, text, detail));
                }
            }
        }
    }
    if let Some(value) = map.get("metadata") {
        let place = path.child("metadata");
        match decode::decode(value) {
            Err(message) => errors.push(Error::invalid(&place, value.clone(), message)),
            Ok(decoded) => metadata::validate(&place, &decoded.metadata, errors),
        }
    }
}
