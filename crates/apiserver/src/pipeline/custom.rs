//! Decoding of custom resources.

use object::{GroupVersionKind, Value};

use super::Call;
use super::decode::{cannot_handle, note_strict, other_version};
use super::duplicates::duplicates;
use super::options::Validation;
use crate::error::ApiError;

/// Reads a JSON text as a custom resource; `body` is what the client sent.
pub(super) fn decode(
    call: &Call,
    json: &[u8],
    body: &[u8],
    found: &GroupVersionKind,
    validation: Validation,
    strict: Vec<String>,
) -> Result<Value, ApiError> {
    let _ = body;
    let kind = &call.resource.gvk;
    if found.group_version() != kind.group_version() {
        return Err(other_version(found, kind));
    }
    let mut strict = strict;
    if validation != Validation::Ignore {
        let found = duplicates(json);
        strict.extend(
            found
                .iter()
                .map(|path| format!("duplicate field \"{path}\"")),
        );
    }
    let mut value: Value =
        serde_json::from_slice(json).map_err(|error| cannot_handle(found, kind, &error))?;
    if let Some(map) = value.as_object_mut() {
        map.insert("apiVersion".to_owned(), Value::from(found.api_version()));
        map.insert("kind".to_owned(), Value::from(found.kind.as_str()));
    }
    decoded(call, value, strict, validation)
}

/// Prunes and defaults a custom resource, and tells of what it does not know as is asked for.
pub(super) fn decoded(
    call: &Call,
    object: Value,
    mut strict: Vec<String>,
    validation: Validation,
) -> Result<Value, ApiError> {
    let (object, unknown) = normalized(call, object)?;
    strict.extend(unknown);
    let kind = &call.resource.gvk;
    note_strict(call, kind, kind, &strict, validation)?;
    Ok(object)
}

/// Prunes and defaults a custom resource; gives what strict decoding objects to, too.
pub(super) fn normalized(call: &Call, mut object: Value) -> Result<(Value, Vec<String>), ApiError> {
    normalize_numbers(&mut object);
    let kind = &call.resource.gvk;
    let found = object::meta::gvk(&object);
    let mut strict = Vec::new();
    if let Some(custom) = call.resource.custom()
        && found == *kind
    {
        let unknown = custom
            .normalize(&mut object)
            .map_err(|error| cannot_handle(&found, kind, &error))?;
        strict.extend(
            unknown
                .iter()
                .map(|path| format!("unknown field \"{path}\"")),
        );
    }
    super::metadata::ensure(&mut object);
    Ok((object, strict))
}

/// The digits that Go writes of a large whole number: the shortest that name it, filled up with zeros.
fn large_digits(float: f64) -> Option<u64> {
    if float.fract() != 0.0 || float < 0.0 {
        return None;
    }
    format!("{float}").parse().ok()
}

/// Makes numbers what Go makes of them: what does not fit 64 bits is a float, and a float without a
/// fraction is written as an integer.
pub(super) fn normalize_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if number.is_i64() {
                return;
            }
            let Some(float) = number.as_f64() else {
                return;
            };
            // Beyond this, Go writes an exponent, and integers are no longer exact.
            let is_small = float.abs() < 9_007_199_254_740_992.0;
            if float.fract() == 0.0 && is_small {
                *value = Value::from(float as i64);
            } else if let Some(digits) = large_digits(float) {
                *value = Value::from(digits);
            } else if let Some(number) = object::Number::from_f64(float) {
                *value = Value::Number(number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalize_numbers),
        Value::Object(map) => map.values_mut().for_each(normalize_numbers),
        _ => {}
    }
}
