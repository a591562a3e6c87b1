//! TODO
use super::kind::Kind;
pub(crate) const KINDS: &[Kind] = &[];
pub(crate) fn default(_kind: &str, _object: &mut serde_json::Value) {}
pub(crate) fn default_v1(_kind: &str, _object: &mut serde_json::Value) {}
