//! JSON as values.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use object::goprint;
use serde_json::{Map as JsonObject, Value};

use super::super::error::EvalError;
use super::super::shape::{self, ListKind, Shape, ShapeKind};
use super::super::time::{self, Timestamp};
use super::{List, Text, Val};

static ANY: LazyLock<Arc<Shape>> = LazyLock::new(Shape::json);

fn bad<'a>(message: impl Into<Arc<str>>) -> Val<'a> {
    Val::Error(message.into())
}

/// Go's name for the type of a decoded JSON value.
fn go_type(json: &Value) -> &'static str {
    match json {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if goprint::is_int64(number) => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// The value of JSON of a shape. What does not fit the shape becomes an error that shows when it is used.
pub fn from_json<'a>(json: &'a Value, shape: &'a Shape) -> Val<'a> {
    if json.is_null() {
        return if shape.nullable {
            Val::Null
        } else {
            bad("invalid data, got null for schema with nullable=false")
        };
    }
    match &shape.kind {
        ShapeKind::Json => any(json),
        ShapeKind::IntOrString => match json {
            Value::String(text) => Val::Text(Text::Borrowed(text)),
            Value::Number(number) if goprint::is_int64(number) => {
                Val::Int(number.as_i64().unwrap_or_default())
            }
            _ => bad("invalid data, expected XIntOrString value to be either a string or integer"),
        },
        ShapeKind::Object(_) | ShapeKind::Map(_) => match json {
            Value::Object(map) => Val::Object(map, shape),
            _ => bad("invalid data, expected a map for the provided schema with type=object"),
        },
        ShapeKind::List { items, list } => match (json, items, list) {
            (Value::Array(_), None, _) => {
                bad("invalid array type, expected Items with a non-empty Schema")
            }
            (Value::Array(_), _, ListKind::Unknown(name)) => bad(format!(
                "invalid x-kubernetes-list-type, expected 'map', 'set' or 'atomic' but got {name}"
            )),
            (Value::Array(items), Some(shape), list) => Val::List(Arc::new(List {
                items: items.iter().map(|item| from_json(item, shape)).collect(),
                kind: Some(list),
            })),
            _ => bad("invalid data, expected an array for the provided schema with type=array"),
        },
        ShapeKind::Text
        | ShapeKind::Bytes
        | ShapeKind::Duration
        | ShapeKind::Date
        | ShapeKind::DateTime => match json {
            Value::String(text) => from_text(text, &shape.kind),
            _ => bad(format!(
                "invalid data, expected string, got {}",
                go_type(json)
            )),
        },
        ShapeKind::Double => match json {
            Value::Number(number) => Val::Double(number.as_f64().unwrap_or_default()),
            _ => bad(format!(
                "invalid data, expected float, got {}",
                go_type(json)
            )),
        },
        ShapeKind::Int => match json {
            Value::Number(number) if goprint::is_int64(number) => {
                Val::Int(number.as_i64().unwrap_or_default())
            }
            _ => bad(format!("invalid data, expected int, got {}", go_type(json))),
        },
        ShapeKind::Bool => match json {
            Value::Bool(flag) => Val::Bool(*flag),
            _ => bad(format!(
                "invalid data, expected bool, got {}",
                go_type(json)
            )),
        },
        ShapeKind::Preserved => Val::Preserved(json),
        ShapeKind::Untyped => bad(
            "invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or x-kubernetes-preserve-unknown-fields is true, got ",
        ),
    }
}

fn from_text<'a>(text: &'a str, kind: &ShapeKind) -> Val<'a> {
    match kind {
        ShapeKind::Duration => match time::parse_open_api_duration(text) {
            Some(nanos) => Val::Duration(nanos),
            None => bad(format!(
                "Invalid duration {text}: unable to parse {text} as duration"
            )),
        },
        ShapeKind::Date => match Timestamp::parse_date(text) {
            Some(date) => Val::Timestamp(date),
            None => {
                let quoted = object::field::quote(text);
                bad(format!(
                    "Invalid date formatted string {text}: parsing time {quoted} as \"2006-01-02\": cannot parse {quoted} as \"2006\""
                ))
            }
        },
        ShapeKind::DateTime => match Timestamp::parse_date_time(text) {
            Some(time) => Val::Timestamp(time),
            None => {
                let quoted = object::field::quote(text);
                bad(format!(
                    "Invalid date-time formatted string {text}: parsing time {quoted} as \"2006-01-02T15:04:05\": cannot parse {quoted} as \"2006\""
                ))
            }
        },
        ShapeKind::Bytes => match URL_SAFE.decode(text) {
            Ok(bytes) => Val::Bytes(Arc::from(bytes)),
            Err(_) => {
                let at = text
                    .bytes()
                    .position(|byte| {
                        !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_' | b'=')
                    })
                    .unwrap_or(text.len() / 4 * 4);
                bad(format!(
                    "Invalid byte formatted string {text}: illegal base64 data at input byte {at}"
                ))
            }
        },
        _ => Val::Text(Text::Borrowed(text)),
    }
}

fn any(json: &Value) -> Val<'_> {
    let shape: &'static Shape = &ANY;
    match json {
        Value::Null => Val::Null,
        Value::Bool(flag) => Val::Bool(*flag),
        Value::Number(number) if goprint::is_int64(number) => {
            Val::Int(number.as_i64().unwrap_or_default())
        }
        Value::Number(number) => Val::Double(number.as_f64().unwrap_or_default()),
        Value::String(text) => Val::Text(Text::Borrowed(text)),
        Value::Array(items) => Val::List(Arc::new(List {
            items: items.iter().map(any).collect(),
            kind: None,
        })),
        Value::Object(map) => Val::Object(map, shape),
    }
}

/// The shape of the field `name` of an object, and whether names are escaped in it.
pub(super) fn field_shape<'a>(shape: &'a Shape, name: &str) -> Option<&'a Shape> {
    match &shape.kind {
        ShapeKind::Object(fields) => fields.by_name.get(name).map(AsRef::as_ref),
        ShapeKind::Map(values) => Some(values),
        ShapeKind::Json => Some(shape),
        _ => None,
    }
}

fn has_properties(shape: &Shape) -> bool {
    matches!(&shape.kind, ShapeKind::Object(fields) if fields.has_properties)
}

/// The field that is called `name` in CEL.
pub(super) fn field<'a>(
    map: &'a JsonObject<String, Value>,
    shape: &'a Shape,
    name: &str,
) -> Result<Option<Val<'a>>, EvalError> {
    let is_object = has_properties(shape);
    let unescaped;
    let name = if is_object {
        match shape::unescape(name) {
            Some(name) => {
                unescaped = name;
                unescaped.as_str()
            }
            None => return Ok(None),
        }
    } else {
        name
    };
    let Some(value) = map.get(name) else {
        return Ok(None);
    };
    if is_object && value.is_null() {
        return Ok(None);
    }
    match field_shape(shape, name) {
        Some(shape) => from_json(value, shape).checked().map(Some),
        None => Ok(None),
    }
}

/// The names in CEL of the fields that are there and known.
pub(super) fn keys<'a>(map: &'a JsonObject<String, Value>, shape: &'a Shape) -> Vec<Val<'a>> {
    let is_object = has_properties(shape);
    map.keys()
        .filter(|name| field_shape(shape, name).is_some())
        .map(|name| match shape::escape(name).filter(|_| is_object) {
            Some(escaped) if escaped != *name => Val::text(escaped),
            _ => Val::Text(Text::Borrowed(name)),
        })
        .collect()
}
