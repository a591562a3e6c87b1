//! Go's zero values, and which of them an encoder shows.

use object::{Map, Value};

use crate::facts::{Field, FieldType, Type, facts};

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
        // Objects are stored as protobuf, which does not tell an empty list or map from none.
        Value::Array(items) => !items.is_empty(),
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
