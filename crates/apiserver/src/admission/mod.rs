//! Admission: the plugins that change or refuse objects on their way in.

mod defaults;
mod namespace;

use object::Value;

use crate::error::ApiError;
use crate::pipeline::Call;

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A change.
    Update,
    /// A removal.
    Delete,
    /// A connection, as `pods/exec`.
    Connect,
}

/// A write on its way, as the plugins see it.
pub struct Attributes<'a> {
    /// The request.
    pub call: &'a Call,
    /// What it does.
    pub operation: Operation,
    /// The object as it was.
    pub old: Option<&'a Value>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
}

/// Runs the plugins that may change the object. It is in the storage version and has its defaults.
pub fn mutate(attributes: &Attributes<'_>, object: &mut Value) -> Result<(), ApiError> {
    namespace::check(attributes)?;
    defaults::apply(attributes, object)
}

/// Runs the plugins that only refuse.
pub fn validate(attributes: &Attributes<'_>, object: Option<&Value>) -> Result<(), ApiError> {
    let _ = object;
    if attributes.operation == Operation::Delete {
        return namespace::check(attributes);
    }
    Ok(())
}
