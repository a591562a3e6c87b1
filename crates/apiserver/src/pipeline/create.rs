//! `create`: a new object, or the answer to a question that is asked by creating one.

use object::meta;

use super::options::WriteOptions;
use super::{Body, Call, Object, Outcome, decode, managed, metadata, pods, write};
use crate::auth::review;
use crate::error::ApiError;

/// Creates an object.
pub(super) async fn create(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    match call.resource.gvr.resource.as_str() {
        "bindings" if call.resource.gvr.group.is_empty() => return pods::bind(call, body).await,
        _ if call.resource.storage_hash.is_empty() => return ask(call, body),
        _ => {}
    }
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

/// Answers a review.
fn ask(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "CreateOptions", None)?;
    let mut object = decode::object(call, body, &call.resource.gvk, options.validation)?;
    metadata::fit_namespace(call, &mut object)?;
    let manager = options.manager(call);
    managed::on_update(call, &object::Value::Null, &mut object, &manager);
    let answer = review::answer(&call.core, &call.context.user, &call.namespace, object)?;
    Ok(Outcome::Object(201, Object::Value(answer)))
}
