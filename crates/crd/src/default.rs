//! Filling in default values, and removing nulls that stand for nothing.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/defaulting`.

mod surrounding;
mod validate;

use std::sync::Arc;

use serde_json::Value;

use crate::objectmeta;
use crate::prune::{self, PruneOptions};
use crate::schema::{Additional, Schema};
use surrounding::{Place, Step};

pub use validate::{DefaultsContext, validate_defaults};

fn is_unwanted_null(value: &Value, schema: Option<&Schema>) -> bool {
    value.is_null() && schema.is_some_and(|schema| !schema.nullable)
}

/// Sets the defaults of `schema` in `value` where a field is absent, or null without being nullable.
pub fn default(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => {
            for (name, field) in &schema.properties {
                let Some(default) = &field.default else {
                    continue;
                };
                let is_wanted = map
                    .get(name)
                    .is_none_or(|value| is_unwanted_null(value, Some(field)));
                if is_wanted {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in map.iter_mut() {
                if let Some(field) = schema.properties.get(name) {
                    self::default(value, field);
                } else if let Some(values) = schema.additional_schema() {
                    default_item(value, values);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = &schema.items {
                for item in items {
                    default_item(item, schema);
                }
            }
        }
        _ => {}
    }
}

fn default_item(value: &mut Value, schema: &Schema) {
    if is_unwanted_null(value, Some(schema)) {
        *value = schema.default.clone().unwrap_or(Value::Null);
    }
    default(value, schema);
}

/// Removes nulls of fields that are neither nullable nor have a default.
pub fn prune_nulls(value: &mut Value, schema: Option<&Schema>) {
    match value {
        Value::Object(map) => map.retain(|name, value| {
            let field = schema
                .and_then(|schema| schema.field(name))
                .map(Arc::as_ref);
            let is_nothing = value.is_null()
                && field.is_some_and(|field| !field.nullable && field.default.is_none());
            if !is_nothing {
                prune_nulls(value, field);
            }
            !is_nothing
        }),
        Value::Array(items) => {
            let schema = schema.and_then(|schema| schema.items.as_deref());
            for item in items {
                prune_nulls(item, schema);
            }
        }
        _ => {}
    }
}

/// Prunes the default values of `schema` by the schema itself and by what is known of metadata, as it
/// is done once when a definition is served.
pub fn prune_defaults(schema: &Schema) -> Schema {
    let mut path = Vec::new();
    prune_defaults_at(schema, schema, &mut path)
}

fn prune_defaults_at(schema: &Schema, root: &Schema, path: &mut Vec<Step>) -> Schema {
    let mut pruned = schema.clone();
    if let Some(default) = &schema.default {
        let place = Place::new(path.clone());
        if let Some(mut object) = place.surround(default.clone()) {
            let coerced = objectmeta::coerce(
                &object::field::Path::root(),
                &mut object,
                Some(root),
                true,
                objectmeta::CoerceOptions {
                    drop_invalid: true,
                    track_unknown: false,
                },
            );
            if coerced.is_ok() {
                prune::prune(&mut object, Some(root), true, PruneOptions::default());
                pruned.default = place.extract(object);
            }
        }
    }
    if let Some(Additional::Schema(values)) = &schema.additional {
        path.push(Step::Key("*".to_owned()));
        pruned.additional = Some(Additional::Schema(Arc::new(prune_defaults_at(
            values, root, path,
        ))));
        path.pop();
    }
    if let Some(items) = &schema.items {
        path.push(Step::Index);
        pruned.items = Some(Arc::new(prune_defaults_at(items, root, path)));
        path.pop();
    }
    for (name, field) in &schema.properties {
        path.push(Step::Key(name.clone()));
        let field = prune_defaults_at(field, root, path);
        pruned.properties.insert(name.clone(), Arc::new(field));
        path.pop();
    }
    pruned
}
