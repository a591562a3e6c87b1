//! From values to messages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object::Value;
use object::time::{Duration, Time};

use super::ProtobufError;
use super::decode::is_wrapped_list;
use super::wire::Writer;
use crate::facts::{Field, FieldType, Type, facts};

/// Writes the fields of an object of the type.
pub(super) fn message(
    described: &Type,
    object: &Value,
    out: &mut Writer,
) -> Result<(), ProtobufError> {
    // Fields are written in the order of their numbers, as generated code does.
    let mut declared: Vec<&Field> = described
        .declared
        .iter()
        .filter(|field| field.proto > 0)
        .collect();
    declared.sort_by_key(|field| field.proto);
    for field in declared {
        if let (FieldType::Struct(id), true) = (&field.field_type, field.inline) {
            let mut nested = Writer::default();
            message(facts().type_at(*id), object, &mut nested)?;
            out.bytes(field.proto, nested.as_slice());
            continue;
        }
        let value = object.get(&field.name).filter(|value| !value.is_null());
        match (value, &field.field_type) {
            (Some(value), _) => write_field(field, value, out)?,
            (None, FieldType::List(_) | FieldType::Map(_) | FieldType::Any | FieldType::Bytes) => {}
            (None, _) if field.pointer => {}
            (None, scalar) => empty(field.proto, scalar, out)?,
        }
    }
    Ok(())
}

fn write_field(field: &Field, value: &Value, out: &mut Writer) -> Result<(), ProtobufError> {
    match (&field.field_type, value) {
        (FieldType::List(element), Value::Array(items))
            if is_wrapped_list(field.go_type.as_deref()) =>
        {
            wrapped_list(field.proto, element, items, out)
        }
        (FieldType::List(element), Value::Array(items)) => items
            .iter()
            .try_for_each(|item| write(field.proto, element, item, out)),
        (FieldType::Map(element), Value::Object(entries)) => {
            for (key, value) in entries {
                let mut entry = Writer::default();
                entry.bytes(1, key.as_bytes());
                match (&**element, value) {
                    (FieldType::List(inner), Value::Array(items)) => {
                        wrapped_list(2, inner, items, &mut entry)?
                    }
                    (inner, value) => write(2, inner, value, &mut entry)?,
                }
                out.bytes(field.proto, entry.as_slice());
            }
            Ok(())
        }
        (other, value) => write(field.proto, other, value, out),
    }
}

fn wrapped_list(
    number: u32,
    element: &FieldType,
    items: &[Value],
    out: &mut Writer,
) -> Result<(), ProtobufError> {
    let mut nested = Writer::default();
    for item in items {
        write(1, element, item, &mut nested)?;
    }
    out.bytes(number, nested.as_slice());
    Ok(())
}

/// The zero value of a field that is not a pointer.
fn empty(number: u32, field_type: &FieldType, out: &mut Writer) -> Result<(), ProtobufError> {
    match field_type {
        FieldType::String => out.bytes(number, b""),
        FieldType::Bool | FieldType::Int(_) => out.varint(number, 0),
        FieldType::Float => out.double(number, 0.0),
        FieldType::Struct(id) => {
            let described = facts().type_at(*id);
            let mut nested = Writer::default();
            if !described.custom {
                message(described, &Value::Null, &mut nested)?;
            }
            out.bytes(number, nested.as_slice());
        }
        FieldType::Any | FieldType::Bytes | FieldType::List(_) | FieldType::Map(_) => {}
    }
    Ok(())
}

fn write(
    number: u32,
    field_type: &FieldType,
    value: &Value,
    out: &mut Writer,
) -> Result<(), ProtobufError> {
    match (field_type, value) {
        (_, Value::Null) => return empty(number, field_type, out),
        (FieldType::String, Value::String(text)) => out.bytes(number, text.as_bytes()),
        (FieldType::Bool, Value::Bool(value)) => out.varint(number, u64::from(*value)),
        (FieldType::Int(_), Value::Number(value)) => {
            let value = value
                .as_i64()
                .ok_or_else(|| mismatch("an integer", &Value::Number(value.clone())))?;
            out.varint(number, value as u64);
        }
        (FieldType::Float, Value::Number(value)) => {
            out.double(number, value.as_f64().unwrap_or_default())
        }
        (FieldType::Bytes, Value::String(text)) => {
            let bytes = STANDARD
                .decode(text)
                .map_err(|_| mismatch("base64", &Value::Null))?;
            out.bytes(number, &bytes);
        }
        (FieldType::Struct(id), value) => {
            let described = facts().type_at(*id);
            let mut nested = Writer::default();
            if described.custom {
                custom(described, value, &mut nested)?;
            } else {
                message(described, value, &mut nested)?;
            }
            out.bytes(number, nested.as_slice());
        }
        (_, other) => return Err(mismatch("a value of the declared type", other)),
    }
    Ok(())
}

fn mismatch(expected: &str, found: &Value) -> ProtobufError {
    ProtobufError::Malformed(format!("cannot encode {found}: {expected} is expected"))
}

fn custom(described: &Type, value: &Value, out: &mut Writer) -> Result<(), ProtobufError> {
    let unreadable = |error: &dyn std::fmt::Display| ProtobufError::Malformed(error.to_string());
    match (described.go_name.as_str(), value) {
        ("Quantity", Value::String(text)) => out.bytes(1, text.as_bytes()),
        ("Time" | "MicroTime", value) => {
            let micro = described.go_name == "MicroTime";
            let time = if micro {
                Time::from_json_micro(value)
            } else {
                Time::from_json(value)
            };
            let time = time.map_err(|error| unreadable(&error))?;
            out.varint(1, time.unix_seconds() as u64);
            out.varint(2, u64::from(if micro { time.nanoseconds() } else { 0 }));
        }
        ("Duration", value) => {
            let duration = Duration::from_json(value).map_err(|error| unreadable(&error))?;
            out.varint(1, duration.nanoseconds() as u64);
        }
        ("IntOrString", Value::String(text)) => {
            out.varint(1, 1);
            out.varint(2, 0);
            out.bytes(3, text.as_bytes());
        }
        ("IntOrString", Value::Number(number)) => {
            out.varint(1, 0);
            out.varint(2, number.as_i64().unwrap_or_default() as u64);
            out.bytes(3, b"");
        }
        ("JSONSchemaPropsOrBool", Value::Bool(allows)) => out.varint(1, u64::from(*allows)),
        ("JSONSchemaPropsOrBool", schema) => {
            out.varint(1, 1);
            schema_props(2, schema, out)?;
        }
        ("JSONSchemaPropsOrArray", Value::Array(schemas)) => {
            schemas
                .iter()
                .try_for_each(|schema| schema_props(2, schema, out))?;
        }
        ("JSONSchemaPropsOrStringArray", Value::Array(texts)) => {
            for text in texts {
                out.bytes(2, text.as_str().unwrap_or_default().as_bytes());
            }
        }
        ("JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray", schema) => {
            schema_props(1, schema, out)?
        }
        // RawExtension, FieldsV1, apiextensions' JSON.
        (_, value) => out.bytes(1, value.to_string().as_bytes()),
    }
    Ok(())
}

fn schema_props(number: u32, schema: &Value, out: &mut Writer) -> Result<(), ProtobufError> {
    let id = facts()
        .type_named("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
        .expect("the generated facts hold the types of CRDs, which a test reads");
    write(number, &FieldType::Struct(id), schema, out)
}
