//! Version 2, made from version 3.

mod protobuf;

use object::{Map, Value};
use serde_json::json;

use super::{Form, bearer, info};

pub use protobuf::encode;

/// A document of version 2 out of paths of version 3 and schemas of version 2.
pub fn document(paths: Map<String, Value>, definitions: Map<String, Value>) -> Value {
    let paths: Map<String, Value> = paths
        .into_iter()
        .map(|(path, item)| (path, self::item(&item)))
        .collect();
    json!({
        "swagger": "2.0",
        "info": info(),
        "paths": paths,
        "definitions": definitions,
        "securityDefinitions": {"BearerToken": bearer()},
        "security": [{"BearerToken": []}],
    })
}

fn item(item: &Value) -> Value {
    let mut out = Map::new();
    for (key, value) in item.as_object().into_iter().flatten() {
        let value = if key == "parameters" {
            Value::from(parameters(value))
        } else {
            operation(value)
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}

/// The parameters, whose types stand in them.
fn parameters(parameters: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    for parameter in parameters.as_array().into_iter().flatten() {
        let mut flat = Map::new();
        for (key, value) in parameter.as_object().into_iter().flatten() {
            match value {
                Value::Object(schema) if key == "schema" => flat.extend(schema.clone()),
                _ => {
                    flat.insert(key.clone(), value.clone());
                }
            }
        }
        out.push(Value::Object(flat));
    }
    out
}

/// The media types in the order in which the server offers them.
fn media_types(content: &Value) -> Vec<&str> {
    const ORDER: [&str; 9] = [
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/json;stream=watch",
        "application/vnd.kubernetes.protobuf;stream=watch",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ];
    let mut types: Vec<&str> = content
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect();
    types.sort_by_key(|name| ORDER.iter().position(|known| known == name));
    types
}

fn schema_of(content: &Value) -> Option<Value> {
    let (_, first) = content.as_object()?.iter().next()?;
    let schema = first.get("schema")?;
    let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|text| text.strip_prefix(Form::V3.prefix()))
    else {
        return Some(schema.clone());
    };
    Some(json!({"$ref": format!("{}{name}", Form::V2.prefix())}))
}

fn operation(operation: &Value) -> Value {
    let mut out = operation.as_object().cloned().unwrap_or_default();
    out.insert("schemes".to_owned(), json!(["https"]));
    let mut all = Vec::new();
    let is_on_objects = operation.get("x-kubernetes-action").is_some();
    let mut consumes = if is_on_objects {
        vec!["*/*"]
    } else {
        Vec::new()
    };
    if let Some(body) = out.remove("requestBody") {
        let content = &operation["requestBody"]["content"];
        consumes = media_types(content);
        let mut parameter = json!({
            "name": "body",
            "in": "body",
            "schema": schema_of(content),
        });
        if body["required"] == Value::Bool(true) {
            parameter["required"] = Value::Bool(true);
        }
        all.push(parameter);
    }
    all.extend(parameters(&operation["parameters"]));
    if all.is_empty() {
        out.remove("parameters");
    } else {
        out.insert("parameters".to_owned(), all.into());
    }
    let mut produces = Vec::new();
    if let Some(responses) = out.get_mut("responses").and_then(Value::as_object_mut) {
        for (code, response) in responses {
            let content = response
                .as_object_mut()
                .and_then(|response| response.remove("content"));
            let Some(content) = content else { continue };
            if code == "200" {
                produces = media_types(&content)
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
            }
            if let Some(schema) = schema_of(&content) {
                response["schema"] = schema;
            }
        }
    }
    // What answers with a type reads in the same forms; keys and settings are read only.
    let is_typed = operation["responses"]["200"]["content"]
        .as_object()
        .and_then(|content| content.values().next())
        .is_some_and(|first| first["schema"].get("$ref").is_some());
    if consumes.is_empty() && is_typed {
        out.insert("consumes".to_owned(), produces.clone().into());
    } else if !consumes.is_empty() {
        out.insert("consumes".to_owned(), consumes.into());
    }
    out.insert("produces".to_owned(), produces.into());
    Value::Object(out)
}
