//! TODO
use super::kind::Kind;
pub(crate) const KINDS: &[Kind] = &[];
pub(crate) fn default(_kind: &str, _object: &mut serde_json::Value) {}
