//! From what is stored to what a version shows.

use std::sync::Arc;

use object::Value;

use super::Object;
use crate::registry::{ServedResource, convert};
use crate::store::Stored;

/// An object as the version asked for shows it: its very bytes wherever that is possible.
pub fn view(resource: &ServedResource, stored: Arc<Stored>) -> Object {
    if is_raw(resource, &stored) {
        Object::Stored(stored)
    } else {
        let object = stored_value(resource, &stored);
        Object::Value(to_request_version(resource, object))
    }
}

/// A stored object as a value, in the storage version.
pub(super) fn stored_value(resource: &ServedResource, stored: &Stored) -> Value {
    let mut object = stored.value();
    if let Some(custom) = resource.custom() {
        let definition = &custom.definition;
        if stored.revision <= definition.since {
            definition.upgrade(&mut object);
        }
        // Stored before the storage version was another one.
        object["apiVersion"] = Value::from(definition.storage_kind.api_version());
    }
    object
}

/// Whether stored bytes can be shown as they are.
pub(super) fn is_raw(resource: &ServedResource, stored: &Stored) -> bool {
    resource.is_storage_version()
        && resource
            .custom()
            .is_none_or(|custom| stored.revision > custom.definition.since)
}

/// Converts from the storage version to the one asked for.
pub(super) fn to_request_version(resource: &ServedResource, object: Value) -> Value {
    if resource.is_storage_version() {
        return object;
    }
    let mut object = convert::convert(object, &resource.gvk);
    if let Some(custom) = resource.custom() {
        // What this version does not know is not shown.
        custom.definition.prune(&custom.version, &mut object);
    }
    object
}

/// Converts from the version asked for to the storage version.
pub(super) fn to_storage_version(resource: &ServedResource, object: Value) -> Value {
    if resource.is_storage_version() {
        return object;
    }
    let mut object = convert::convert(object, &resource.storage_gvk);
    if let Some(custom) = resource.custom() {
        let version = &custom.definition.storage_kind.version;
        custom.definition.prune(version, &mut object);
    }
    object
}
