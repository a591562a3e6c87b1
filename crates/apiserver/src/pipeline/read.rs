//! From what is stored to what a version shows.

use std::sync::Arc;

use object::Value;

use super::Object;
use crate::registry::{ServedResource, convert};
use crate::store::Stored;

/// An object as the version asked for shows it: its very bytes wherever that is possible.
pub fn view(resource: &ServedResource, stored: Arc<Stored>) -> Object {
    if is_raw(resource) {
        Object::Stored(stored)
    } else {
        Object::Value(to_request_version(resource, stored.value()))
    }
}

/// A stored object as a value, in the storage version.
pub(super) fn stored_value(resource: &ServedResource, stored: &Stored) -> Value {
    let _ = resource;
    stored.value()
}

/// Whether stored bytes can be shown as they are.
pub(super) fn is_raw(resource: &ServedResource) -> bool {
    resource.is_storage_version()
}

/// Converts from the storage version to the one asked for.
pub(super) fn to_request_version(resource: &ServedResource, object: Value) -> Value {
    convert::convert(object, &resource.gvk)
}

/// Converts from the version asked for to the storage version.
pub(super) fn to_storage_version(resource: &ServedResource, object: Value) -> Value {
    convert::convert(object, &resource.storage_gvk)
}
