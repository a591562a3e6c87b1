//! `create`: a new object.

use object::meta;

use super::{Body, Call, Outcome, decode, options::WriteOptions, write};
use crate::error::ApiError;

/// Creates an object.
pub(super) async fn create(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "CreateOptions", None)?;
    let object = decode::object(call, body, &call.resource.gvk, options.validation)?;
    if let Some(custom) = call.resource.custom()
        && custom.definition.is_terminating
    {
        return Err(ApiError::forbidden(
            &call.group_resource(),
            meta::name(&object),
            "create not allowed while custom resource definition is terminating",
        ));
    }
    let object = write::create(call, &options, object).await?;
    Ok(Outcome::Object(201, object))
}
