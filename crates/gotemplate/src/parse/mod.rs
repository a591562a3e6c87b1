//! Parsing of template text: Go's `text/template/parse`.

mod lex;
mod node;
mod number;
mod parser;

pub use node::{Branch, BranchKind, Node, NodeId, NodeKind, Pipe, Tree};
pub(crate) use node::{RED_ZONE, STACK_SEGMENT};
pub use number::Number;
pub use parser::{ParseError, ParseOptions, parse};
