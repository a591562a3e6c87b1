//! The object that a Go program has before anything is decoded into it.
//!
//! A built-in type is a Go struct. What is created is compared to the zero value of that struct:
//! its nested structs are there, empty, and so are not "added" and not owned. The document tells
//! which fields these are: kube-openapi gives each field that is a struct the default `{}`, and each
//! scalar that is always written its zero value; a required field without default is a pointer, map
//! or list, which is `null`.

use serde_json::{Map, Value};

use super::openapi::{definitions, referred_name};
use crate::smd::MAX_DEPTH;

/// The zero value of the type `name` of an OpenAPI document.
///
/// It lacks the fields that Go always writes although they are optional, such as `rules` of a
/// ClusterRole: nothing in the document tells.
pub fn zero_object(document: &Value, name: &str) -> Value {
    zero_of(definitions(document), name, 0)
}

fn zero_of(definitions: &Value, name: &str, depth: usize) -> Value {
    let mut object = Map::new();
    let schema = definitions.get(name);
    let required = schema.and_then(|schema| schema.get("required"));
    let is_required = |name: &str| {
        required
            .and_then(Value::as_array)
            .is_some_and(|names| names.iter().any(|known| known.as_str() == Some(name)))
    };
    let properties = schema
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object);
    for (field, property) in properties.into_iter().flatten() {
        let value = match property.get("default") {
            Some(Value::Object(default)) if default.is_empty() => match referred_name(property) {
                Some(name) if depth < MAX_DEPTH => zero_of(definitions, name, depth + 1),
                _ => continue,
            },
            Some(default) if is_zero(default) => default.clone(),
            None if is_required(field) => Value::Null,
            _ => continue,
        };
        object.insert(field.clone(), value);
    }
    Value::Object(object)
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
