//! The functions of sprig 3.3.

use crate::function::Function;

/// sprig's functions with their names.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    Vec::new()
}
