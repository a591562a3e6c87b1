//! x
use crate::kind::Kind;
use serde_json::Value;
/// x
pub fn schema(kind: &Kind) -> Value {
    (kind.current().schema)().into()
}
