//! From messages to values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object::quantity::Quantity;
use object::time::{Duration, Time};
use object::{Map, Value};

use super::ProtobufError;
use super::wire::{Field as WireField, Reader};
use crate::decode::{complete, is_shown, zero};
use crate::facts::{FieldType, Type, facts};

/// Reads a message into the object, and completes it as an encoder would.
pub(super) fn message(
    described: &Type,
    reader: Reader<'_>,
    object: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), ProtobufError> {
    fields(described, reader, object, depth)?;
    for field in described.fields() {
        if object
            .get(&field.name)
            .is_some_and(|value| !is_shown(field, value))
        {
            object.remove(&field.name);
        }
    }
    complete(described, object);
    Ok(())
}

fn fields(
    described: &Type,
    mut reader: Reader<'_>,
    object: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), ProtobufError> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| ProtobufError::Malformed("nested too deep".to_owned()))?;
    while let Some((number, wire)) = reader.field()? {
        let Some(field) = described
            .declared
            .iter()
            .find(|field| field.proto == number)
        else {
            continue;
        };
        match &field.field_type {
            FieldType::Struct(id) if field.inline => {
                fields(
                    facts().type_at(*id),
                    Reader::new(wire.bytes()?),
                    object,
                    depth,
                )?;
            }
            FieldType::List(element) if is_wrapped_list(field.go_type.as_deref()) => {
                let value = wrapped_list(element, wire.bytes()?, depth)?;
                object.insert(field.name.clone(), value);
            }
            FieldType::List(element) => {
                let item = value(element, wire, depth)?;
                match object
                    .entry(field.name.clone())
                    .or_insert_with(|| Value::Array(Vec::new()))
                {
                    Value::Array(items) => items.push(item),
                    other => *other = Value::Array(vec![item]),
                }
            }
            FieldType::Map(element) => {
                let (key, value) = entry(element, wire.bytes()?, depth)?;
                match object
                    .entry(field.name.clone())
                    .or_insert_with(|| Value::Object(Map::new()))
                {
                    Value::Object(entries) => drop(entries.insert(key, value)),
                    other => *other = Value::Object(Map::from_iter([(key, value)])),
                }
            }
            other => {
                let value = value(other, wire, depth)?;
                object.insert(field.name.clone(), value);
            }
        }
    }
    Ok(())
}

/// Whether a list is a Go type of its own (`v1.Verbs`, `v1.ExtraValue`), which protobuf wraps in a message.
pub(super) fn is_wrapped_list(go_type: Option<&str>) -> bool {
    go_type.is_some_and(|name| !name.starts_with("[]"))
}

fn wrapped_list(element: &FieldType, message: &[u8], depth: usize) -> Result<Value, ProtobufError> {
    let mut items = Vec::new();
    let mut reader = Reader::new(message);
    while let Some((number, wire)) = reader.field()? {
        if number == 1 {
            items.push(value(element, wire, depth)?);
        }
    }
    Ok(Value::Array(items))
}

fn entry(
    element: &FieldType,
    message: &[u8],
    depth: usize,
) -> Result<(String, Value), ProtobufError> {
    let (mut key, mut found) = (String::new(), None);
    let mut reader = Reader::new(message);
    while let Some((number, wire)) = reader.field()? {
        match (number, element) {
            (1, _) => key = wire.text()?,
            (2, FieldType::List(inner)) => found = Some(wrapped_list(inner, wire.bytes()?, depth)?),
            (2, _) => found = Some(value(element, wire, depth)?),
            _ => {}
        }
    }
    Ok((key, found.unwrap_or_else(|| zero(element))))
}

fn value(
    field_type: &FieldType,
    wire: WireField<'_>,
    depth: usize,
) -> Result<Value, ProtobufError> {
    Ok(match field_type {
        FieldType::String => Value::from(wire.text()?),
        FieldType::Bool => Value::from(wire.varint()? != 0),
        FieldType::Int("int32") => Value::from(wire.varint()? as i32),
        FieldType::Int(_) => Value::from(wire.varint()? as i64),
        FieldType::Float => Value::from(wire.double()?),
        FieldType::Bytes => Value::from(STANDARD.encode(wire.bytes()?)),
        FieldType::Struct(id) => {
            let described = facts().type_at(*id);
            if described.custom {
                custom(described, wire.bytes()?, depth)?
            } else {
                let mut object = Map::new();
                message(described, Reader::new(wire.bytes()?), &mut object, depth)?;
                Value::Object(object)
            }
        }
        FieldType::Any | FieldType::List(_) | FieldType::Map(_) => {
            return Err(ProtobufError::Malformed(
                "a list or map inside a list".to_owned(),
            ));
        }
    })
}

fn custom(described: &Type, message: &[u8], depth: usize) -> Result<Value, ProtobufError> {
    let mut fields = Vec::new();
    let mut reader = Reader::new(message);
    while let Some(field) = reader.field()? {
        fields.push(field);
    }
    let find = |number: u32| {
        fields
            .iter()
            .rev()
            .find(|(found, _)| *found == number)
            .map(|(_, field)| *field)
    };
    let varint = |number: u32| find(number).map_or(Ok(0), WireField::varint);
    Ok(match described.go_name.as_str() {
        "Quantity" => {
            let text = find(1).map_or(Ok(String::new()), WireField::text)?;
            let quantity = Quantity::parse(if text.is_empty() { "0" } else { &text });
            Value::from(
                quantity
                    .map_err(|error| ProtobufError::Malformed(error.to_string()))?
                    .to_string(),
            )
        }
        "Time" | "MicroTime" if fields.is_empty() => Value::Null,
        "Time" => Time::from_unix(varint(1)? as i64, 0).to_json(),
        "MicroTime" => Time::from_unix(varint(1)? as i64, varint(2)? as u32).to_json_micro(),
        "Duration" => Duration::from_nanoseconds(varint(1)? as i64).to_json(),
        "IntOrString" if varint(1)? == 1 => {
            Value::from(find(3).map_or(Ok(String::new()), WireField::text)?)
        }
        "IntOrString" => Value::from(varint(2)? as i32),
        "JSONSchemaPropsOrBool" => match find(2) {
            Some(schema) => schema_props(schema, depth)?,
            None => Value::from(varint(1)? != 0),
        },
        "JSONSchemaPropsOrArray" => match find(1) {
            Some(schema) => schema_props(schema, depth)?,
            None => {
                let schemas = fields.iter().filter(|(number, _)| *number == 2);
                let items: Result<Vec<Value>, _> = schemas
                    .map(|(_, field)| schema_props(*field, depth))
                    .collect();
                Value::Array(items?)
            }
        },
        "JSONSchemaPropsOrStringArray" => match find(1) {
            Some(schema) => schema_props(schema, depth)?,
            None => {
                let texts = fields.iter().filter(|(number, _)| *number == 2);
                let items: Result<Vec<Value>, _> = texts
                    .map(|(_, field)| field.text().map(Value::from))
                    .collect();
                Value::Array(items?)
            }
        },
        // RawExtension, FieldsV1, apiextensions' JSON: JSON text in bytes.
        _ => match find(1) {
            Some(raw) => raw_json(raw.bytes()?)?,
            None => Value::Null,
        },
    })
}

fn raw_json(bytes: &[u8]) -> Result<Value, ProtobufError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes)
        .map_err(|error| ProtobufError::Malformed(format!("embedded JSON: {error}")))
}

fn schema_props(wire: WireField<'_>, depth: usize) -> Result<Value, ProtobufError> {
    let id = facts()
        .type_named("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
        .expect("the generated facts hold the types of CRDs, which a test reads");
    value(&FieldType::Struct(id), wire, depth)
}
