//! From a request's body to an object in the version asked for.

use object::{GroupVersionKind, Value};

use super::options::Validation;
use super::{Body, Call};
use crate::error::ApiError;
use crate::http::negotiate::{self, Encoding};

/// Reads the object of a create or update. `kind` is what is expected there.
pub(super) fn object(
    call: &Call,
    body: Body,
    kind: &GroupVersionKind,
    validation: Validation,
) -> Result<Value, ApiError> {
    let _ = validation;
    let mut value = match body {
        Body::Value(value) => value,
        Body::Bytes(bytes, media_type) => {
            let offered: &[Encoding] = if call.resource.custom().is_some() {
                &[Encoding::Json, Encoding::Yaml]
            } else {
                &negotiate::ALL
            };
            match negotiate::of_body(&media_type, offered)? {
                Encoding::Yaml => {
                    yaml::to_json(&bytes).map_err(|error| unrecognized(kind, &error, &bytes))?
                }
                _ => serde_json::from_slice(&bytes)
                    .map_err(|error| unrecognized(kind, &error, &bytes))?,
            }
        }
    };
    let Some(map) = value.as_object_mut() else {
        return Err(ApiError::bad_request(
            "the object provided is not an object",
        ));
    };
    map.entry("apiVersion")
        .or_insert_with(|| Value::from(kind.api_version()));
    map.entry("kind")
        .or_insert_with(|| Value::from(kind.kind.as_str()));
    Ok(value)
}

fn unrecognized(kind: &GroupVersionKind, error: &dyn std::fmt::Display, bytes: &[u8]) -> ApiError {
    ApiError::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): {error} ({})",
        kind.kind,
        summary(bytes)
    ))
}

/// The first bytes of a body, for a message. Source: apiserver, `handlers/rest.go`, `summarizeData`.
fn summary(bytes: &[u8]) -> String {
    const LIMIT: usize = 30;
    let start = &bytes[..bytes.len().min(LIMIT)];
    let more = if bytes.len() > LIMIT { " ..." } else { "" };
    match bytes.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(start)),
        Some(_) => {
            let hex: String = start.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{hex}{more}")
        }
    }
}
