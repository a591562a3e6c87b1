//! What an object is called, and what woke it.

use std::fmt;

use api::meta::{Object, Spec};

/// A kind that controllers work with: any of `api`'s.
pub trait Kind:
    Spec<Status: Send + Sync + fmt::Debug> + Send + Sync + fmt::Debug + 'static
{
}

impl<S> Kind for S where
    S: Spec<Status: Send + Sync + fmt::Debug> + Send + Sync + fmt::Debug + 'static
{
}

/// Namespace and name of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// The key of `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The key of an object.
    pub fn of<S: Spec>(object: &Object<S>) -> Self {
        Self::new(
            object.metadata.namespace.as_deref().unwrap_or_default(),
            object.metadata.name.as_deref().unwrap_or_default(),
        )
    }
}

impl fmt::Display for ObjectKey {
    /// `<namespace>/<name>`, as Go prints a `NamespacedName`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The object whose change woke another, or itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: ObjectKey,
}

impl Trigger {
    /// A change of the object `key` of `kind`.
    pub fn new(kind: impl Into<String>, key: ObjectKey) -> Self {
        Self {
            kind: kind.into(),
            key,
        }
    }
}

impl fmt::Display for Trigger {
    /// `<kind>/<namespace>/<name>`, as in Flux's messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.key)
    }
}
