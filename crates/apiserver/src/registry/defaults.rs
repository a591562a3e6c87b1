//! Defaults of the built-in kinds.

use object::{GroupVersionKind, Value};

/// Fills in the defaults of an object in the version of the request.
pub fn apply(kind: &GroupVersionKind, object: &mut Value) {
    if kind.group == "apiextensions.k8s.io" {
        crd::definition::set_defaults(object);
        return;
    }
    ::builtin::strategy::default(kind, object);
}
