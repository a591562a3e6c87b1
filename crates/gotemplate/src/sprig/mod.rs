//! The functions of sprig 3.3.

mod args;
mod cast;
mod crypto;
mod date;
mod decimal;
mod defaults;
mod dict;
mod encoding;
mod equal;
mod list;
mod merge;
mod numeric;
mod path;
mod reflection;
mod regular;
mod strings;
mod url;
mod version;
mod words;

pub use cast::{to_float64, to_int64};
pub use equal::deep_equal;
pub use merge::{MergeMode, merge};
pub use regular::{Regexp, RegexpError};
pub use strings::strval;
pub use url::Address;
pub use version::{Constraints, Version, VersionError};

use crate::function::{CallError, Function, Signature};
use crate::value::Value;

/// A row of a table of functions: names, signature, body.
type Row = (&'static str, Function);

/// The result of a function.
type Result = std::result::Result<Value, CallError>;

/// A row.
fn row(
    name: &'static str,
    signature: Signature,
    body: impl Fn(&mut crate::exec::Context<'_>, &[Value]) -> Result + Send + Sync + 'static,
) -> Row {
    (name, Function::new(signature, body))
}

/// What a Go program says that looks into nil.
const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";

/// sprig's functions with their names. Source: sprig `genericMap`.
pub(crate) fn functions() -> Vec<Row> {
    let mut table = Vec::with_capacity(220);
    for part in [
        strings::functions(),
        words::functions(),
        encoding::functions(),
        numeric::functions(),
        list::functions(),
        dict::functions(),
        defaults::functions(),
        reflection::functions(),
        regular::functions(),
        version::functions(),
        url::functions(),
        path::functions(),
        date::functions(),
        crypto::functions(),
    ] {
        table.extend(part);
    }
    table
}
