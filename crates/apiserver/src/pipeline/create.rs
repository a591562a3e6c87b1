//! `create`: a new object.

use super::{Body, Call, Outcome, decode, options::WriteOptions, write};
use crate::error::ApiError;

/// Creates an object.
pub(super) async fn create(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "CreateOptions", None)?;
    let object = decode::object(call, body, &call.resource.gvk, options.validation)?;
    let object = write::create(call, &options, object).await?;
    Ok(Outcome::Object(201, object))
}
