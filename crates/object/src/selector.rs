//! Selectors: which labels or fields an object must have.
//!
//! [`LabelSelector`] is the text form (`a=b,c in (d,e),!f`), made from a query parameter or from the
//! `LabelSelector` object of a spec; [`FieldSelector`] is `metadata.name=x,status.phase!=Running`.
//! Sources: apimachinery `labels`, `fields` and `apis/meta/v1/helpers.go` (v0.35).

pub mod field;
mod label;
mod lexer;
mod object;
mod parser;

pub use field::{FieldRequirement, FieldSelector, FieldSelectorError};
pub use label::{LabelSelector, Operator, Requirement, RequirementError};
pub use object::{ObjectError, TextError, format_label_selector, from_object, to_map, to_object};
pub use parser::SelectorError;

#[cfg(test)]
mod tests;
