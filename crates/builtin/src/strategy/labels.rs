//! Labels and label selectors.
//!
//! Source: apimachinery `apis/meta/v1/validation` and `LabelSelectorAsSelector`.

use object::names;
use serde_json::Value;

use super::node::{Errors, Node, peek, peek_items, peek_text};

/// The key of a label.
pub(crate) fn validate_label_name(errors: &mut Errors, node: &Node<'_>) {
    errors.format(node, names::qualified_name);
}

/// A map of labels; the map is the place of every error.
pub(crate) fn validate_labels(errors: &mut Errors, labels: &Node<'_>) {
    for (key, value) in labels.entries() {
        errors.messages(labels, key, names::qualified_name(key));
        errors.messages(labels, value.text(), names::label_value(value.text()));
    }
}

/// A label selector, if there is one.
pub(crate) fn validate_selector(errors: &mut Errors, selector: &Node<'_>) {
    validate_selector_with(errors, selector, false);
}

/// A label selector whose values may be ill-formed when they were so before.
pub(crate) fn validate_selector_with(
    errors: &mut Errors,
    selector: &Node<'_>,
    allow_invalid_values: bool,
) {
    validate_labels(errors, &selector.get("matchLabels"));
    for requirement in selector.get("matchExpressions").items() {
        validate_requirement(errors, &requirement, allow_invalid_values);
    }
}

fn validate_requirement(errors: &mut Errors, requirement: &Node<'_>, allow_invalid_values: bool) {
    let operator = requirement.get("operator");
    let values = requirement.get("values");
    match operator.text() {
        "In" | "NotIn" => {
            if values.is_empty() {
                errors.required(
                    &values,
                    "must be specified when `operator` is 'In' or 'NotIn'",
                );
            }
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                errors.forbidden(
                    &values,
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
        }
        other => errors.invalid(&operator, other, "not a valid selector operator"),
    }
    validate_label_name(errors, &requirement.get("key"));
    if !allow_invalid_values {
        for value in values.items() {
            errors.format(&value, names::label_value);
        }
    }
}

/// Whether a selector has a value that is no label value.
pub(crate) fn has_invalid_value(selector: &Value) -> bool {
    peek_items(selector, "matchExpressions")
        .iter()
        .any(|requirement| {
            peek_items(requirement, "values")
                .iter()
                .filter_map(Value::as_str)
                .any(|value| !names::label_value(value).is_empty())
        })
}

/// Whether a selector can be used at all (`LabelSelectorAsSelector` gives no error).
pub(crate) fn is_valid(selector: &Value) -> bool {
    Errors::of(|errors| validate_selector(errors, &Node::root(selector))).is_empty()
}

/// Whether a selector is there and selects everything.
pub(crate) fn is_empty(selector: &Value) -> bool {
    selector.is_object()
        && Node::root(selector).get("matchLabels").is_empty()
        && Node::root(selector).get("matchExpressions").is_empty()
}

/// Whether a valid selector selects these labels. An absent selector selects nothing.
pub(crate) fn matches(selector: &Value, labels: &Value) -> bool {
    selector.is_object()
        && Node::root(selector)
            .get("matchLabels")
            .entries()
            .all(|(key, value)| labels.get(key) == Some(value.raw()))
        && peek_items(selector, "matchExpressions")
            .iter()
            .all(|requirement| requirement_matches(requirement, labels))
}

fn requirement_matches(requirement: &Value, labels: &Value) -> bool {
    let label = labels.get(peek_text(requirement, "key"));
    let listed = label.is_some_and(|label| {
        peek(requirement, "values")
            .as_array()
            .is_some_and(|values| values.contains(label))
    });
    match peek_text(requirement, "operator") {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => label.is_some(),
        _ => label.is_none(),
    }
}

/// Whether a plain map of labels (as in a Service) selects these labels.
pub(crate) fn set_matches(selector: &Value, labels: &Value) -> bool {
    Node::root(selector)
        .entries()
        .all(|(key, value)| labels.get(key) == Some(value.raw()))
}
