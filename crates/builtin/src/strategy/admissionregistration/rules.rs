//! What requests a webhook or policy is for.

use object::names;

use super::expressions::{self, Scope};
use crate::strategy::node::{Errors, Node};

pub(super) const FAILURE_POLICIES: &[&str] = &["Fail", "Ignore"];
pub(super) const MATCH_POLICIES: &[&str] = &["Equivalent", "Exact"];

/// Operations, groups, versions, resources and scope.
pub(super) fn validate(errors: &mut Errors, rule: &Node<'_>) {
    let operations = rule.get("operations");
    errors_if_empty(errors, &operations);
    no_wildcard_among(errors, &operations, "operations");
    for operation in operations.items() {
        errors.one_of(&operation, &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]);
    }
    let (groups, versions) = (rule.get("apiGroups"), rule.get("apiVersions"));
    errors_if_empty(errors, &groups);
    no_wildcard_among(errors, &groups, "API groups");
    errors_if_empty(errors, &versions);
    no_wildcard_among(errors, &versions, "API versions");
    for version in versions.items() {
        errors.present(&version);
    }
    validate_resources(errors, &rule.get("resources"));
    errors.opt_one_of(&rule.get("scope"), &["*", "Cluster", "Namespaced"]);
}

fn errors_if_empty(errors: &mut Errors, list: &Node<'_>) {
    if list.is_empty() {
        errors.required(list, "");
    }
}

fn no_wildcard_among(errors: &mut Errors, list: &Node<'_>, what: &str) {
    if list.len() > 1 && list.texts().contains(&"*") {
        let detail = format!("if '*' is present, must not specify other {what}");
        errors.invalid(list, list.raw().clone(), detail);
    }
}

fn validate_resources(errors: &mut Errors, resources: &Node<'_>) {
    errors_if_empty(errors, resources);
    let mut all_subresources: Vec<&str> = Vec::new();
    let mut of_all_resources: Vec<&str> = Vec::new();
    let texts = resources.texts();
    for (resource, text) in resources.items().zip(&texts) {
        if text.is_empty() {
            errors.required(&resource, "");
            continue;
        }
        let Some((name, sub)) = text.split_once('/') else {
            continue;
        };
        if all_subresources.contains(&name) {
            let detail = format!("if '{name}/*' is present, must not specify {text}");
            errors.invalid(&resource, *text, detail);
        }
        if of_all_resources.contains(&sub) {
            let detail = format!("if '*/{sub}' is present, must not specify {text}");
            errors.invalid(&resource, *text, detail);
        }
        if sub == "*" {
            all_subresources.push(name);
        }
        if name == "*" {
            of_all_resources.push(sub);
        }
    }
    if texts.len() > 1 && texts.contains(&"*/*") {
        let detail = "if '*/*' is present, must not specify other resources";
        errors.invalid(resources, resources.raw().clone(), detail);
    }
    // Upstream asks the last one without subresource only.
    let last_plain = texts
        .iter()
        .rfind(|text| !text.is_empty() && !text.contains('/'));
    if texts.contains(&"*") && last_plain.is_some_and(|text| *text != "*") {
        let detail = "if '*' is present, must not specify other resources without subresources";
        errors.invalid(resources, resources.raw().clone(), detail);
    }
}

/// Conditions in CEL.
pub(super) fn validate_conditions(errors: &mut Errors, conditions: &Node<'_>, scope: &Scope) {
    if conditions.len() > 64 {
        errors.too_many(conditions, conditions.len(), 64);
    }
    let mut seen: Vec<&str> = Vec::new();
    for condition in conditions.items() {
        let (name, expression) = (condition.get("name"), condition.get("expression"));
        let text = expression.text().trim();
        if text.is_empty() {
            errors.required(&expression, "");
        } else {
            scope.compile(errors, &expression, text, expressions::Result::Bool);
        }
        if name.is_empty() {
            errors.required(&name, "");
            continue;
        }
        errors.format(&name, names::qualified_name);
        if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        }
        seen.push(name.text());
    }
}
