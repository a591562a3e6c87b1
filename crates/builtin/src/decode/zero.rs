//! Go's zero values, and which of them an encoder shows.

use object::{Map, Value};

use crate::facts::{Field, FieldType, Type, TypeId, facts};

/// The encoded zero value of a type: `""`, `0`, `false`, `null` for lists and maps, and for a struct an
/// object of those of its fields that are not left out when empty.
pub fn zero(field_type: &FieldType) -> Value {
    match field_type {
        FieldType::String => Value::from(""),
        FieldType::Bool => Value::Bool(false),
        FieldType::Int(_) | FieldType::Float => Value::from(0),
        FieldType::Bytes | FieldType::Any | FieldType::List(_) | FieldType::Map(_) => Value::Null,
        FieldType::Struct(id) => {
            let described = facts().type_at(*id);
            match described.go_name.as_str() {
                "Quantity" if described.custom => Value::from("0"),
                "IntOrString" if described.custom => Value::from(0),
                "Duration" if described.custom => Value::from("0s"),
                _ if described.custom => Value::Null,
                _ => {
                    let mut out = Map::new();
                    complete(described, &mut out);
                    Value::Object(out)
                }
            }
        }
    }
}

/// Adds the fields that are encoded even when they are empty.
pub(crate) fn complete(described: &Type, object: &mut Map<String, Value>) {
    for field in described.fields() {
        if is_mandatory(field) && !object.contains_key(&field.name) {
            let value = if field.pointer {
                Value::Null
            } else {
                zero(&field.field_type)
            };
            object.insert(field.name.clone(), value);
        }
    }
}

/// Whether an absent field is encoded.
fn is_mandatory(field: &Field) -> bool {
    if field.omit_zero {
        return false;
    }
    // `omitempty` never leaves out a struct.
    !field.omit_empty || (!field.pointer && matches!(field.field_type, FieldType::Struct(_)))
}

/// Whether a field with this value is encoded as it is; else it is left out, or completed to its zero.
pub(crate) fn is_shown(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => false,
        // An empty list is owned by who sent it, until it is stored: see `settle`.
        // No managed fields is not the same as an empty list of them, which resets them.
        Value::Array(items) => {
            !items.is_empty() || is_mandatory(field) || field.name == "managedFields"
        }
        Value::Object(entries) if matches!(field.field_type, FieldType::Map(_)) => {
            !entries.is_empty()
        }
        _ if field.pointer || !field.omit_empty => true,
        Value::String(text) => !text.is_empty(),
        Value::Bool(value) => *value,
        Value::Number(number) => {
            number.as_f64() != Some(0.0) || matches!(field.field_type, FieldType::Struct(_))
        }
        Value::Object(_) => true,
    }
}

/// Brings an object of a type into the form it is stored in: as protobuf, which does not tell an empty
/// list from none.
pub fn settle(type_id: TypeId, object: &mut Value) {
    if has_empty_list(object) {
        settle_struct(facts().type_at(type_id), object);
    }
}

/// Whether there is anything to settle; managed fields, which are large, have no lists.
fn has_empty_list(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty() || items.iter().any(has_empty_list),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key != "managedFields" && has_empty_list(value)),
        _ => false,
    }
}

fn settle_struct(described: &Type, object: &mut Value) {
    let Some(map) = object.as_object_mut() else {
        return;
    };
    for field in described.fields() {
        let Some(value) = map.get_mut(&field.name) else {
            continue;
        };
        if value.as_array().is_some_and(Vec::is_empty) {
            if is_mandatory(field) {
                *value = Value::Null;
            } else {
                map.remove(&field.name);
            }
        } else {
            settle_value(&field.field_type, value);
        }
    }
}

fn settle_value(field_type: &FieldType, value: &mut Value) {
    match (field_type, value) {
        (FieldType::Struct(id), value) => {
            let described = facts().type_at(*id);
            if !described.custom {
                settle_struct(described, value);
            }
        }
        (FieldType::List(element), Value::Array(items)) => {
            for item in items {
                settle_value(element, item);
            }
        }
        (FieldType::Map(element), Value::Object(entries)) => {
            for entry in entries.values_mut() {
                settle_value(element, entry);
            }
        }
        _ => {}
    }
}
