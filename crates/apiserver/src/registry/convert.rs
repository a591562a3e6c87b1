//! Conversion between the versions of a kind.

use object::{GroupVersionKind, Value, meta};

/// The object in another version.
pub fn convert(mut object: Value, to: &GroupVersionKind) -> Value {
    ::builtin::convert::convert(&mut object, to);
    // Custom resources, and built-in kinds that are the same in all versions.
    if meta::gvk(&object) != *to
        && let Some(map) = object.as_object_mut()
    {
        map.insert("apiVersion".to_owned(), Value::from(to.api_version()));
        map.insert("kind".to_owned(), Value::from(to.kind.as_str()));
    }
    object
}
