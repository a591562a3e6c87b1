//! `update`: an object is replaced.

use object::meta;

use super::options::WriteOptions;
use super::write::{self, Creates, Update};
use super::{Body, Call, Outcome, decode, managed, metadata, read};
use crate::error::ApiError;

/// Replaces an object.
pub(super) async fn update(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    replace(call, body, "").await
}

/// Replaces an object, or what a subresource of the same kind lets be changed.
pub(super) async fn replace(
    call: &Call,
    body: Body,
    subresource: &str,
) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "UpdateOptions", None)?;
    let mut object = decode::object(call, body, &call.resource.gvk, options.validation)?;
    metadata::ensure(&mut object);
    metadata::deduplicate_owners(call, &mut object, false);
    metadata::fit_namespace(call, &mut object)?;
    metadata::check_name(call, &object)?;
    let uid = meta::uid(&object);
    let update = Update {
        call,
        options: &options,
        subresource,
        uid: (!uid.is_empty()).then(|| uid.to_owned()),
        creates: Creates::IfAllowed,
    };
    let manager = options.manager(call);
    let (code, object) = write::update(&update, |old| {
        let mut new = object.clone();
        let live = if old.is_null() {
            object::Value::Null
        } else {
            read::to_request_version(&call.resource, old.clone())
        };
        managed::on_update(call, &live, &mut new, &manager);
        Ok(read::to_storage_version(&call.resource, new))
    })
    .await?;
    Ok(Outcome::Object(code, object))
}
