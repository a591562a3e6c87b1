//! The types of the built-in kinds as an OpenAPI document, and as strategic merge patches see them.

use std::sync::LazyLock;

use object::strategic::PatchTypes;
use object::{Map, Value};
use serde_json::json;

use crate::facts::{Field, FieldType, Type, facts};

/// All types as `definitions` of an OpenAPI v2 document, without descriptions.
pub fn definitions() -> &'static Value {
    static DEFINITIONS: LazyLock<Value> = LazyLock::new(|| {
        let mut all = Map::new();
        for described in facts().types() {
            all.insert(described.name.clone(), definition(described));
        }
        json!({ "definitions": all })
    });
    &DEFINITIONS
}

/// The types as strategic merge patches see them.
pub fn patch_types() -> &'static PatchTypes {
    static TYPES: LazyLock<PatchTypes> = LazyLock::new(|| PatchTypes::from_openapi(definitions()));
    &TYPES
}

fn definition(described: &Type) -> Value {
    let mut schema = if described.custom {
        custom(described)
    } else {
        object_schema(described)
    };
    if let Some(map_type) = &described.map_type {
        schema["x-kubernetes-map-type"] = json!(map_type);
    }
    if !described.kinds.is_empty() {
        let kinds: Vec<Value> = described
            .kinds
            .iter()
            .map(|kind| json!({"group": kind.group, "version": kind.version, "kind": kind.kind}))
            .collect();
        schema["x-kubernetes-group-version-kind"] = Value::from(kinds);
    }
    schema
}

/// Types with a JSON form of their own.
fn custom(described: &Type) -> Value {
    match described.go_name.as_str() {
        "IntOrString" => json!({"type": "string", "format": "int-or-string"}),
        "Time" | "MicroTime" => json!({"type": "string", "format": "date-time"}),
        "Quantity" | "Duration" => json!({"type": "string"}),
        "FieldsV1" | "RawExtension" => json!({"type": "object"}),
        _ => json!({}),
    }
}

fn object_schema(described: &Type) -> Value {
    let mut properties = Map::new();
    for field in described.fields() {
        properties.insert(field.name.clone(), property(field));
    }
    let mut schema = json!({"type": "object"});
    if !properties.is_empty() {
        schema["properties"] = Value::Object(properties);
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = type_schema(&field.field_type);
    let extensions = [
        ("x-kubernetes-list-type", &field.list_type),
        ("x-kubernetes-map-type", &field.map_type),
        ("x-kubernetes-patch-strategy", &field.patch_strategy),
        ("x-kubernetes-patch-merge-key", &field.patch_merge_key),
    ];
    for (name, value) in extensions {
        if let Some(value) = value {
            schema[name] = json!(value);
        }
    }
    if !field.list_map_keys.is_empty() {
        schema["x-kubernetes-list-map-keys"] = json!(field.list_map_keys);
    }
    if let Some(default) = &field.default {
        schema["default"] = default.clone();
    }
    schema
}

fn type_schema(field_type: &FieldType) -> Value {
    match field_type {
        FieldType::String => json!({"type": "string"}),
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Int(_) => json!({"type": "integer"}),
        FieldType::Float => json!({"type": "number"}),
        FieldType::Bytes => json!({"type": "string", "format": "byte"}),
        FieldType::Any => json!({}),
        FieldType::Struct(id) => {
            json!({"$ref": format!("#/definitions/{}", facts().type_at(*id).name)})
        }
        FieldType::List(element) => json!({"type": "array", "items": type_schema(element)}),
        FieldType::Map(element) => {
            json!({"type": "object", "additionalProperties": type_schema(element)})
        }
    }
}
