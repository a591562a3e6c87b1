//! The kinds of the group `authentication.k8s.io`.
//!
//! Source: Kubernetes `pkg/apis/authentication/v1/defaults.go`.

use serde_json::Value;

use super::edit::{existing, unset_default};

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    if kind == "TokenRequest"
        && let Some(spec) = existing(object, "spec")
    {
        unset_default(spec, "expirationSeconds", 3600);
    }
}
