//! Fields that hold a number or a percentage.
//!
//! Source: `pkg/apis/apps/validation`.

use object::names;
use serde_json::Value;

use super::node::{Errors, Node};

/// A number of 0 or more, or a percentage.
pub(crate) fn validate(errors: &mut Errors, node: &Node<'_>) {
    match node.opt_text() {
        Some(text) => errors.messages(node, text, names::percent(text)),
        None => errors.non_negative(node),
    }
}

/// A percentage of 100 at most, if it is one.
pub(crate) fn at_most_all(errors: &mut Errors, node: &Node<'_>) {
    if percentage(node.raw()).is_some_and(|percent| percent > 100) {
        errors.invalid(node, node.text(), "must not be greater than 100%");
    }
}

/// The percentage, if the value is a well-formed one.
fn percentage(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    if !names::percent(text).is_empty() {
        return None;
    }
    Some(text.trim_end_matches('%').parse().unwrap_or(i64::MAX))
}

/// The number or the percentage; 0 if it is neither.
pub(crate) fn amount(value: &Value) -> i64 {
    percentage(value)
        .or_else(|| value.as_i64())
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or_default()
}
