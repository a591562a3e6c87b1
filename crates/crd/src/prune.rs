//! Removing what the schema does not know.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/pruning` and `schema/options.go`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::schema::{Additional, Schema};

/// What to do besides pruning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PruneOptions {
    /// Return the paths of what was removed.
    pub track_unknown: bool,
}

struct Pruner {
    track: bool,
    path: String,
    unknown: Vec<String>,
}

/// Removes from `object` the fields that `schema` does not specify; with `is_root` the object is a
/// resource, whose `apiVersion`, `kind` and `metadata` stay. Gives the paths of the removed fields,
/// sorted, if `options` ask for them.
pub fn prune(
    object: &mut Value,
    schema: Option<&Schema>,
    is_root: bool,
    options: PruneOptions,
) -> Vec<String> {
    let mut pruner = Pruner {
        track: options.track_unknown,
        path: String::new(),
        unknown: Vec::new(),
    };
    let empty = Schema::default();
    let schema = if is_root {
        Some(schema.unwrap_or(&empty))
    } else {
        schema
    };
    pruner.value(object, schema, is_root);
    pruner.unknown.sort();
    pruner.unknown
}

fn is_type_or_object_meta(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

impl Pruner {
    fn record(&mut self, name: &str) {
        if self.track {
            let length = self.enter_key(name);
            self.unknown.push(self.path.clone());
            self.path.truncate(length);
        }
    }

    fn enter_key(&mut self, name: &str) -> usize {
        let length = self.path.len();
        if self.track {
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(name);
        }
        length
    }

    fn enter_index(&mut self, index: usize) -> usize {
        let length = self.path.len();
        if self.track {
            let _ = write!(self.path, "[{index}]");
        }
        length
    }

    fn value(&mut self, value: &mut Value, schema: Option<&Schema>, resource: bool) {
        if let Some(schema) = schema.filter(|schema| schema.preserve_unknown) {
            self.preserved(value, Some(schema), resource);
            return;
        }
        match value {
            Value::Object(map) => self.map(map, schema, resource),
            Value::Array(items) => {
                let items_schema = schema.and_then(|schema| schema.items.as_deref());
                for (index, item) in items.iter_mut().enumerate() {
                    let length = self.enter_index(index);
                    self.value(item, items_schema, false);
                    self.path.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn map(&mut self, map: &mut Map<String, Value>, schema: Option<&Schema>, resource: bool) {
        let Some(schema) = schema else {
            for name in map.keys() {
                self.record(name);
            }
            map.clear();
            return;
        };
        let resource = resource || schema.embedded;
        map.retain(|name, value| {
            if resource && is_type_or_object_meta(name) {
                return true;
            }
            let field = match (schema.properties.get(name), &schema.additional) {
                (Some(field), _) => Some(field.as_ref()),
                (None, Some(Additional::Schema(values))) => Some(values.as_ref()),
                (None, Some(Additional::Allowed(_))) => None,
                (None, None) => {
                    if !is_type_or_object_meta(name) || !self.path.is_empty() || !self.track {
                        self.record(name);
                    }
                    return false;
                }
            };
            let length = self.enter_key(name);
            self.value(value, field, false);
            self.path.truncate(length);
            true
        });
    }

    /// Below `x-kubernetes-preserve-unknown-fields` only specified fields are pruned again.
    fn preserved(&mut self, value: &mut Value, schema: Option<&Schema>, resource: bool) {
        let Some(schema) = schema else { return };
        match value {
            Value::Object(map) => {
                let resource = resource || schema.embedded;
                for (name, value) in map {
                    if resource && is_type_or_object_meta(name) {
                        continue;
                    }
                    let field = match (schema.properties.get(name), &schema.additional) {
                        (Some(field), _) => Some(field.as_ref()),
                        (None, Some(Additional::Schema(values))) => Some(values.as_ref()),
                        (None, Some(Additional::Allowed(_))) => None,
                        (None, None) => continue,
                    };
                    let length = self.enter_key(name);
                    self.value(value, field, false);
                    self.path.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let length = self.enter_index(index);
                    self.preserved(item, schema.items.as_deref(), false);
                    self.path.truncate(length);
                }
            }
            _ => {}
        }
    }
}
