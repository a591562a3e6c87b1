//! The Common Expression Language with the library of Kubernetes 1.35, over JSON.
//!
//! An [`Environment`] declares variables; it compiles a text into a [`Program`], which evaluates over
//! [`Val`]ues within a limit of cost. Types, messages and costs are those of cel-go as the API server
//! sets it up (apiserver `pkg/cel/environment/base.go`).

mod assign;
mod ast;
mod checker;
mod declarations;
mod environment;
mod error;
mod estimate;
mod eval;
mod functions;
mod lexer;
mod macros;
mod parser;
mod plan;
pub mod quantity;
pub mod semver;
pub mod shape;
mod source;
pub mod time;
pub mod types;
pub mod url;
mod validators;
pub mod value;

pub use environment::{CompileError, Environment, Evaluation, PER_CALL_LIMIT, Program};
pub use error::EvalError;
pub use shape::Shape;
pub use types::Type;
pub use value::{Val, from_json};

pub(crate) use checker::Checked;
