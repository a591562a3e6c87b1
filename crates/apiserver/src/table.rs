//! `Table` answers.

use object::Value;

use crate::core::Core;
use crate::registry::ServedResource;

/// Which part of the objects a table carries in its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IncludeObject {
    /// Nothing.
    None,
    /// The metadata, which is the default.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

/// Makes the column definitions of a resource.
pub fn columns(core: &Core, resource: &ServedResource) -> Vec<Value> {
    let _ = (core, resource);
    vec![
        serde_json::json!({"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}),
    ]
}

/// Makes the cells of one object (in the requested version).
pub fn cells(core: &Core, resource: &ServedResource, object: &Value) -> Vec<Value> {
    let _ = (core, resource);
    vec![Value::from(object::meta::name(object))]
}

/// The error for an `includeObject` that is not known.
pub fn bad_include(text: &str) -> crate::ApiError {
    crate::ApiError::bad_request(format!(
        "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be 'Metadata', 'Object', 'None', or empty",
        object::field::quote(text)
    ))
}
