//! The way every write takes, from a decoded object to the store.

use object::Value;
use object::meta;

use super::options::WriteOptions;
use super::{Call, Object, read};
use crate::error::ApiError;
use crate::store::{Encoded, Expected, StoreError, WriteError, key_of};

/// Stores a new object (in the version asked for).
pub(super) async fn create(
    call: &Call,
    options: &WriteOptions,
    mut object: Value,
) -> Result<Object, ApiError> {
    if !object["metadata"].is_object() {
        object["metadata"] = Value::Object(object::Map::new());
    }
    if call.resource.namespaced && meta::namespace(&object).is_empty() {
        object["metadata"]["namespace"] = Value::from(call.namespace.as_str());
    }
    if meta::name(&object).is_empty() {
        let prefix = object["metadata"]["generateName"]
            .as_str()
            .unwrap_or_default();
        object["metadata"]["name"] = Value::from(format!("{prefix}{}", call.core.clock.suffix()));
    }
    object["metadata"]["uid"] = Value::from(call.core.clock.uid());
    object["metadata"]["creationTimestamp"] = Value::from(call.core.now());
    let object = read::to_storage_version(&call.resource, object);
    let name = meta::name(&object).to_owned();
    if options.dry_run {
        return Ok(Object::Value(read::to_request_version(
            &call.resource,
            object,
        )));
    }
    let key = key_of(&call.namespace, &name);
    let pending = call
        .core
        .store
        .put(
            &call.bucket(),
            &key,
            Expected::Absent,
            &Encoded::of(&object),
        )
        .map_err(|error| match error {
            WriteError::Mismatch(_) => ApiError::already_exists(&call.group_resource(), &name),
            WriteError::Store(error) => store_failed(&error),
        })?;
    let stored = pending.committed().await.map_err(|error| match error {
        WriteError::Store(error) => store_failed(&error),
        WriteError::Mismatch(_) => ApiError::internal("the write was lost"),
    })?;
    Ok(read::view(&call.resource, stored))
}

/// The error for a store that cannot be written.
pub(super) fn store_failed(error: &StoreError) -> ApiError {
    ApiError::internal(error.to_string())
}
