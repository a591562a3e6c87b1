//! Go's text/template with the sprig functions, over a Go-like value model.
//!
//! ```text
//! text ──parse──► Tree ─┐
//!                       ├─► Templates ──Context::execute──► bytes
//! Functions (builtin, sprig, the caller's) ─┘      ▲
//!                              Value (dot), Environment, Limits
//! ```
//!
//! Output and error texts are those of Go 1.26 and sprig 3.3. The engine reads no clock, no random source
//! and no environment but through [`Environment`], and everything is bounded by [`Limits`].
//!
//! ```
//! use std::sync::Arc;
//! use gotemplate::{Context, FixedEnvironment, Functions, Limits, Str, Templates, Time, Value};
//!
//! let functions = Arc::new(Functions::sprig());
//! let mut templates = Templates::new();
//! templates.parse("t", "Hello {{ .name | upper | quote }}!", &functions)?;
//! let environment = FixedEnvironment::new(Time::unix(0, 0), 1);
//! let mut context = Context::new(&Arc::new(templates), &functions, &environment, Limits::default());
//! let data = Value::map([(Str::from("name"), Value::from("world"))]);
//! let mut out = Vec::new();
//! context.execute(b"t", data, &mut out)?;
//! assert_eq!(out, b"Hello \"WORLD\"!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Known differences from Go: maps have string keys only; the order of `keys` and `values` is that of the
//! sorted keys (random in Go); values that hold themselves print cut off instead of ending the process.

pub mod builtin;
mod environment;
mod exec;
pub mod fmt;
mod function;
pub mod json;
pub mod parse;
pub mod sprig;
pub mod strconv;
mod template;
mod text;
pub mod time;
pub mod unicode;
mod value;

pub use environment::{Environment, FixedEnvironment};
pub use exec::{Context, ExecError, Limits, Location, Slot};
pub use function::{Body, CallError, Function, Functions, Param, Signature};
pub use parse::ParseError;
pub use template::{MissingKey, Parsed, Templates};
pub use text::{
    Rune, Str, find, first_rune, last_rune, lossy, replace_all, rune_count, runes, split_n,
    trim_matches, trim_space,
};
pub use time::Time;
pub use value::{
    Certificate, IntKind, Kind, List, ListType, Map, MapType, NamedMap, Object, TimeValue,
    UintKind, Value,
};
