//! Admission: the plugins that change or refuse objects on their way in.

mod defaults;
mod limits;
mod matching;
mod namespace;
pub mod policy;
pub(crate) mod quota;
mod runtime_class;
mod service_account;
mod turns;

use object::{Value, meta};

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

impl Attributes<'_> {
    /// The 403 of a plugin. Source: apiserver, `admission/errors.go`.
    fn forbidden(&self, object: &Value, why: &str) -> ApiError {
        let name = match (self.call.name.as_str(), meta::name(object)) {
            ("", "") => object["metadata"]["generateName"]
                .as_str()
                .unwrap_or("Unknown"),
            ("", name) | (name, _) => name,
        };
        ApiError::forbidden(&self.call.group_resource(), name, why)
    }
}

pub(crate) use turns::{Turn, turn};

/// What the plugins keep between writes.
#[derive(Default)]
pub struct State {
    /// The admission policies in force, compiled.
    pub policies: policy::Policies,
    /// Who has to wait for whom.
    pub(crate) turns: turns::Turns,
}

/// Runs the plugins that may change the object. It is in the storage version and has its defaults.
pub async fn mutate(attributes: &Attributes<'_>, object: &mut Value) -> Result<(), ApiError> {
    namespace::check(attributes)?;
    limits::mutate(attributes, object);
    service_account::mutate(attributes, object).await?;
    defaults::apply(attributes, object)
}

/// Runs the plugins that only refuse; `object` is `None` for a removal.
pub fn validate(attributes: &Attributes<'_>, object: Option<&Value>) -> Result<(), ApiError> {
    if attributes.operation == Operation::Delete {
        namespace::check(attributes)?;
    }
    if let Some(object) = object {
        limits::validate(attributes, object)?;
    }
    policy::validate(attributes, object)?;
    match object {
        Some(object) => quota::validate(attributes, object),
        None => Ok(()),
    }
}

/// Several errors as one: a list, repeated ones once. Source: apimachinery, `util/errors`.
fn aggregate(errors: &[String]) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for error in errors {
        if !unique.contains(&error.as_str()) {
            unique.push(error);
        }
    }
    match unique.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    }
}
