//! Lists of `metav1.Condition`.
//!
//! Source: apimachinery `apis/meta/v1/validation`.

use std::sync::LazyLock;

use object::names;
use regex::Regex;

use super::labels::validate_label_name;
use super::node::{Errors, Node};

const REASON: &str = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";

/// The conditions of a status.
pub(crate) fn validate(errors: &mut Errors, conditions: &Node<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for condition in conditions.items() {
        let kind = condition.get("type");
        if seen.contains(&kind.text()) {
            errors.duplicate(&kind, kind.text());
        }
        seen.push(kind.text());
        validate_one(errors, &condition);
    }
}

fn validate_one(errors: &mut Errors, condition: &Node<'_>) {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(&format!("^{REASON}$")).ok());
    validate_label_name(errors, &condition.get("type"));
    errors.one_of(&condition.get("status"), &["False", "True", "Unknown"]);
    let generation = condition.get("observedGeneration");
    if generation.int() < 0 {
        errors.invalid(
            &generation,
            generation.int(),
            "must be greater than or equal to zero",
        );
    }
    if !condition.get("lastTransitionTime").is_set() {
        errors.required(&condition.get("lastTransitionTime"), "");
    }
    let reason = condition.get("reason");
    if reason.is_empty() {
        errors.required(&reason, "");
    } else {
        if FORM
            .as_ref()
            .is_some_and(|form| !form.is_match(reason.text()))
        {
            let detail = names::regex_message(
                "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
                REASON,
                &[
                    "my_name",
                    "MY_NAME",
                    "MyName",
                    "ReasonA,ReasonB",
                    "ReasonA:ReasonB",
                ],
            );
            errors.invalid(&reason, reason.text(), detail);
        }
        if reason.len() > 1024 {
            errors.too_long(&reason, 1024);
        }
    }
    if condition.get("message").len() > 32 * 1024 {
        errors.too_long(&condition.get("message"), 32 * 1024);
    }
}
