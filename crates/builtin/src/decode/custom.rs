//! Types with a JSON form of their own.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use object::Value;
use serde::Deserializer;

use crate::facts::{Type, TypeId, facts};

/// Reads any value.
pub(super) fn read<'de, D: Deserializer<'de>>(
    _described: &Type,
    deserializer: D,
) -> Result<Value, D::Error> {
    serde::Deserialize::deserialize(deserializer)
}

/// Brings a value of a custom type into its canonical form. `nested` decodes a struct inside it.
///
/// # Errors
/// The text that Go's `UnmarshalJSON` of the type gives.
pub(super) fn convert(
    described: &Type,
    value: Value,
    nested: &mut dyn FnMut(TypeId, Value) -> Result<Value, String>,
) -> Result<Value, String> {
    match described.go_name.as_str() {
        "Quantity" => quantity(&value),
        "Time" => time(&value),
        "MicroTime" => micro_time(&value),
        "Duration" => duration(&value),
        "IntOrString" => int_or_string(value),
        "JSONSchemaPropsOrBool" => match value {
            Value::Bool(_) => Ok(value),
            Value::Object(_) => nested(schema_props(), value),
            _ => Err("boolean or JSON schema expected".to_owned()),
        },
        "JSONSchemaPropsOrArray" => match value {
            Value::Array(items) => {
                let items: Result<Vec<Value>, String> = items
                    .into_iter()
                    .map(|item| nested(schema_props(), item))
                    .collect();
                items.map(Value::Array)
            }
            Value::Object(_) => nested(schema_props(), value),
            _ => Ok(Value::Null),
        },
        "JSONSchemaPropsOrStringArray" => match value {
            Value::Object(_) => nested(schema_props(), value),
            other => Ok(other),
        },
        // Raw values: RawExtension, FieldsV1, apiextensions' JSON.
        _ => Ok(value),
    }
}

fn schema_props() -> TypeId {
    facts()
        .type_named("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
        .expect("the generated facts hold the types of CRDs, which a test reads")
}

fn quantity(value: &Value) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    object::quantity::Quantity::parse(&text)
        .map(|quantity| Value::from(quantity.to_string()))
        .map_err(|error| error.to_string())
}

/// What `json.Unmarshal` into a text says of another value.
fn not_a(value: &Value, go_type: &str) -> String {
    let what = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if go_type == "int32" => {
            return format!("json: cannot unmarshal number {number} into Go value of type int32");
        }
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {what} into Go value of type {go_type}")
}

fn time(value: &Value) -> Result<Value, String> {
    let Value::String(text) = value else {
        return Err(not_a(value, "string"));
    };
    // The usual form needs no calendar: it is what the server writes itself.
    if is_plain_utc(text) {
        return Ok(value.clone());
    }
    object::time::Time::parse(text)
        .map(object::time::Time::to_json)
        .map_err(|error| error.to_string())
}

/// Whether the text is `YYYY-MM-DDThh:mm:ssZ` with a day that every month has.
fn is_plain_utc(text: &str) -> bool {
    const FORM: &[u8; 20] = b"0000-00-00T00:00:00Z";
    let bytes = text.as_bytes();
    if bytes.len() != FORM.len() {
        return false;
    }
    let shape = bytes.iter().zip(FORM).all(|(byte, form)| {
        if *form == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == form
        }
    });
    let number = |at: usize| u32::from(bytes[at] - b'0') * 10 + u32::from(bytes[at + 1] - b'0');
    shape
        && (1..=12).contains(&number(5))
        && (1..=28).contains(&number(8))
        && number(11) < 24
        && number(14) < 60
        && number(17) < 60
}

fn micro_time(value: &Value) -> Result<Value, String> {
    let Value::String(text) = value else {
        return Err(not_a(value, "string"));
    };
    object::time::Time::parse_micro(text)
        .map(object::time::Time::to_json_micro)
        .map_err(|error| error.to_string())
}

fn duration(value: &Value) -> Result<Value, String> {
    object::time::Duration::from_json(value)
        .map(object::time::Duration::to_json)
        .map_err(|error| error.to_string())
}

fn int_or_string(value: Value) -> Result<Value, String> {
    match &value {
        Value::String(_) => Ok(value),
        Value::Number(number)
            if number
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_ok()) =>
        {
            Ok(value)
        }
        Value::Null => Ok(Value::from(0)),
        other => Err(not_a(other, "int32")),
    }
}

/// Base64 text in the standard form, whatever trailing bits it came with.
///
/// # Errors
/// `illegal base64 data at input byte N`, as Go tells it.
pub(super) fn canonical_base64(text: &str) -> Result<String, String> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    // Go passes over line breaks.
    let cleaned;
    let text = if text.contains(['\n', '\r']) {
        cleaned = text.replace(['\n', '\r'], "");
        &cleaned
    } else {
        text
    };
    match LENIENT.decode(text) {
        Ok(bytes) => Ok(LENIENT.encode(bytes)),
        Err(_) => Err(format!(
            "illegal base64 data at input byte {}",
            illegal_byte(text.as_bytes())
        )),
    }
}

/// The offset that Go names: the first byte outside the alphabet, or where padding or the end is wrong.
/// Source: encoding/base64, `decodeQuantum`.
fn illegal_byte(text: &[u8]) -> usize {
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    for (offset, byte) in text.iter().enumerate() {
        if in_alphabet(*byte) {
            continue;
        }
        if *byte != b'=' {
            return offset;
        }
        return match offset % 4 {
            0 | 1 => offset,
            2 if text.get(offset + 1).is_none() => text.len(),
            2 if text[offset + 1] != b'=' => offset + 1,
            2 => offset + 2,
            _ => offset + 1,
        };
    }
    // An incomplete quantum is blamed on its first byte.
    text.len() - text.len() % 4
}
