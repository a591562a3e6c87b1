//! Execution of templates: Go's `text/template` executor, bounded.

mod call;
mod context;
mod error;
mod frame;
mod slot;

pub use context::{Context, Limits};
pub use error::{ExecError, Location};
pub use slot::Slot;
