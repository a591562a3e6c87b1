//! x
use crate::kind::*;
/// x
pub fn deprecation_warning(kind: &Kind, version: &Version) -> String {
    format!(
        "{} {} is deprecated, upgrade to {}",
        version.name,
        kind.names.kind,
        kind.current().name
    )
}
