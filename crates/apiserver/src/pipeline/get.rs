//! `get`: one object.

use super::{Call, Object, Outcome, read};
use crate::error::ApiError;

/// Reads one object.
pub(super) fn get(call: &Call) -> Result<Outcome, ApiError> {
    if call.query.is_true("export") {
        return Err(ApiError::bad_request(
            "the export parameter, deprecated since v1.14, is no longer supported",
        ));
    }
    object(call).map(|object| Outcome::Object(200, object))
}

/// The object of a call, in the version asked for.
pub(super) fn object(call: &Call) -> Result<Object, ApiError> {
    let stored = call
        .bucket()
        .get(&call.key())
        .ok_or_else(|| call.not_found())?;
    Ok(read::view(&call.resource, stored))
}
