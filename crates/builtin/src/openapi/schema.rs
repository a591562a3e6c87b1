//! The schema of a type.

use object::{Map, Value};
use serde_json::json;

use super::{Form, discovery};
use crate::facts::{Field, FieldType, Type, facts};
use crate::prose::prose;

/// The schema of the type of that name.
pub(super) fn of_type(name: &str, form: Form) -> Option<Value> {
    let facts = facts();
    let Some(id) = facts.type_named(name) else {
        return discovery::of_type(name, form);
    };
    let described = facts.type_at(id);
    let mut schema = if described.custom {
        custom(described, form)
    } else {
        structure(described, form)
    };
    if let Some(text) = prose().of_type(name) {
        schema.insert("description".to_owned(), Value::from(text));
    }
    if let Some(kind) = &described.map_type {
        schema.insert(
            "x-kubernetes-map-type".to_owned(),
            Value::from(kind.as_str()),
        );
    }
    if let Some(kinds) = discovery::kinds_everywhere(name) {
        schema.insert("x-kubernetes-group-version-kind".to_owned(), kinds);
    } else if !described.kinds.is_empty() {
        let kinds: Vec<Value> = described
            .kinds
            .iter()
            .map(|gvk| json!({"group": gvk.group, "kind": gvk.kind, "version": gvk.version}))
            .collect();
        schema.insert("x-kubernetes-group-version-kind".to_owned(), kinds.into());
    }
    Some(Value::Object(schema))
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The types that write themselves; what each says of its form.
fn custom(described: &Type, form: Form) -> Map<String, Value> {
    map(match (described.go_name.as_str(), form) {
        ("Time" | "MicroTime", _) => json!({"type": "string", "format": "date-time"}),
        ("IntOrString", Form::V2) => json!({"type": "string", "format": "int-or-string"}),
        ("IntOrString", Form::V3) => {
            json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
        }
        ("Quantity", Form::V2) => json!({"type": "string"}),
        ("Quantity", Form::V3) => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        ("FieldsV1" | "RawExtension", _) => json!({"type": "object"}),
        // Any JSON value.
        _ => json!({}),
    })
}

fn structure(described: &Type, form: Form) -> Map<String, Value> {
    let mut schema = map(json!({"type": "object"}));
    let mut required = Vec::new();
    let mut properties = Map::new();
    for field in described.fields() {
        if field.required {
            required.push(Value::from(field.name.as_str()));
        }
        properties.insert(field.name.clone(), property(described, field, form));
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    schema
}

/// A reference or a schema, with what is said beside it.
fn property(described: &Type, field: &Field, form: Form) -> Value {
    let mut beside = Map::new();
    if let Some(text) = prose().of_field(&described.name, &field.name) {
        let text = text.to_owned() + &allowed_values(&field.enumeration);
        beside.insert("description".to_owned(), Value::from(text));
    }
    if form == Form::V3
        && let Some(default) = &field.default
    {
        beside.insert("default".to_owned(), default.clone());
    }
    if !field.enumeration.is_empty() {
        beside.insert("enum".to_owned(), field.enumeration.clone().into());
    }
    for (key, text) in [
        ("x-kubernetes-list-type", &field.list_type),
        ("x-kubernetes-map-type", &field.map_type),
        ("x-kubernetes-patch-strategy", &field.patch_strategy),
        ("x-kubernetes-patch-merge-key", &field.patch_merge_key),
    ] {
        if let Some(text) = text {
            beside.insert(key.to_owned(), Value::from(text.as_str()));
        }
    }
    if !field.list_map_keys.is_empty() {
        beside.insert(
            "x-kubernetes-list-map-keys".to_owned(),
            field.list_map_keys.clone().into(),
        );
    }
    let mut schema = typed(&field.field_type, field, form);
    if let Some(format) = &field.format
        && !matches!(field.field_type, FieldType::List(_) | FieldType::Map(_))
    {
        schema.insert("format".to_owned(), Value::from(format.as_str()));
    }
    joined(schema, beside, form)
}

/// What the description of a field with an enumeration ends with.
fn allowed_values(values: &[Value]) -> String {
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if index == 0 {
            text.push_str("\n\nPossible enum values:");
        }
        text.push_str(&format!("\n - `{value}`"));
    }
    text
}

/// In version 3 nothing may stand beside a reference, which therefore moves into `allOf`.
fn joined(mut schema: Map<String, Value>, beside: Map<String, Value>, form: Form) -> Value {
    if form == Form::V3
        && !beside.is_empty()
        && let Some(reference) = schema.remove("$ref")
    {
        schema.insert("allOf".to_owned(), json!([{"$ref": reference}]));
    }
    schema.extend(beside);
    Value::Object(schema)
}

fn typed(field_type: &FieldType, field: &Field, form: Form) -> Map<String, Value> {
    match field_type {
        FieldType::Struct(id) => {
            let name = &facts().type_at(*id).name;
            map(json!({"$ref": format!("{}{name}", form.prefix())}))
        }
        FieldType::List(item) => map(json!({"type": "array", "items": element(item, field, form)})),
        FieldType::Map(value) => map(json!({
            "type": "object",
            "additionalProperties": element(value, field, form),
        })),
        FieldType::String => map(json!({"type": "string"})),
        FieldType::Bool => map(json!({"type": "boolean"})),
        FieldType::Int(_) => map(json!({"type": "integer"})),
        FieldType::Float => map(json!({"type": "number", "format": "double"})),
        FieldType::Bytes => map(json!({"type": "string", "format": "byte"})),
        FieldType::Any => Map::new(),
    }
}

/// The schema of the items of a list or the values of a map.
fn element(field_type: &FieldType, field: &Field, form: Form) -> Value {
    let is_leaf = !matches!(field_type, FieldType::List(_) | FieldType::Map(_));
    let mut schema = typed(field_type, field, form);
    let mut beside = Map::new();
    if is_leaf {
        let default = field.item_default.clone().or_else(|| zero(field_type));
        if form == Form::V3
            && let Some(default) = default
        {
            beside.insert("default".to_owned(), default);
        }
        if !field.item_enumeration.is_empty() {
            beside.insert("enum".to_owned(), field.item_enumeration.clone().into());
        }
        if let FieldType::Int(size) = field_type {
            let format = if *size == "int64" { "int64" } else { "int32" };
            schema.insert("format".to_owned(), Value::from(format));
        }
    }
    joined(schema, beside, form)
}

/// Elements that are no pointers default to Go's zero value, unless they have a form of their own.
fn zero(field_type: &FieldType) -> Option<Value> {
    match field_type {
        FieldType::String => Some(json!("")),
        FieldType::Bool => Some(json!(false)),
        FieldType::Int(_) => Some(json!(0)),
        FieldType::Struct(id) => (!facts().type_at(*id).custom).then(|| json!({})),
        _ => None,
    }
}
