//! `get`: one object.

use super::list::version_error;
use super::{Call, Object, Outcome, metadata, read};
use crate::error::ApiError;

/// Reads one object.
pub(super) fn get(call: &Call) -> Result<Outcome, ApiError> {
    if call.query.is_true("export") {
        return Err(ApiError::bad_request(
            "the export parameter, deprecated since v1.14, is no longer supported",
        ));
    }
    check_version(call)?;
    object(call).map(|object| Outcome::Object(200, object))
}

/// Checks the resource version that the object must not be older than.
fn check_version(call: &Call) -> Result<(), ApiError> {
    let text = call.query.text("resourceVersion");
    if text.is_empty() {
        return Ok(());
    }
    let version =
        metadata::parse_version(text).ok_or_else(|| ApiError::new(500, "", version_error(text)))?;
    let current = call.core.store.revision();
    if version > current {
        return Err(ApiError::resource_version_too_large(version, current));
    }
    Ok(())
}

/// The object of a call, in the version asked for.
pub(super) fn object(call: &Call) -> Result<Object, ApiError> {
    let stored = call
        .bucket()
        .get(&call.key())
        .ok_or_else(|| call.not_found())?;
    Ok(read::view(&call.resource, stored))
}
