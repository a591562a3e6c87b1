//! When a Job counts failures of pods, fails or succeeds early, and replaces pods.

use object::names;

use super::indexes;
use crate::strategy::internal;
use crate::strategy::node::{Errors, Node};

const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];

/// `podFailurePolicy`, `successPolicy` and `podReplacementPolicy`.
pub(crate) fn validate(errors: &mut Errors, spec: &Node<'_>) {
    let failure = spec.get("podFailurePolicy");
    if failure.is_set() {
        failure_policy(errors, spec, &failure.get("rules"));
    }
    let success = spec.get("successPolicy");
    if success.is_set() {
        if spec.get("completionMode").is("Indexed") {
            success_policy(errors, spec, &success.get("rules"));
        } else {
            let shown = internal::json("batch.SuccessPolicy", success.raw());
            errors.invalid_shown(&success, &shown, "requires indexed completion mode");
        }
    }
    let replacement = spec.get("podReplacementPolicy");
    if replacement.is_set() {
        let allowed: &[&str] = if failure.is_set() {
            &["Failed"]
        } else {
            &["Failed", "TerminatingOrFailed"]
        };
        errors.one_of(&replacement, allowed);
    }
}

fn quoted(values: &[&str]) -> String {
    let quoted: Vec<String> = values
        .iter()
        .map(|value| object::field::quote(value))
        .collect();
    format!("valid values: [{}]", quoted.join(" "))
}

/// A text out of a list, which a missing one is told of in another way than usual.
fn choice(errors: &mut Errors, node: &Node<'_>, allowed: &[&str]) {
    if node.is_empty() {
        errors.required(node, &quoted(allowed));
    } else {
        errors.one_of(node, allowed);
    }
}

fn failure_policy(errors: &mut Errors, spec: &Node<'_>, rules: &Node<'_>) {
    if rules.len() > 20 {
        errors.too_many(rules, rules.len(), 20);
    }
    let containers: Vec<&str> = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|list| spec.get("template.spec").get(list).items())
        .map(|container| container.get("name").text())
        .collect();
    for rule in rules.items() {
        let (action, codes) = (rule.get("action"), rule.get("onExitCodes"));
        if action.is("FailIndex") {
            if !spec.get("backoffLimitPerIndex").is_set() {
                let detail = "requires the backoffLimitPerIndex to be set";
                errors.invalid(&action, action.text(), detail);
            }
        } else {
            choice(errors, &action, ACTIONS);
        }
        if codes.is_set() {
            exit_codes(errors, &codes, &containers);
        }
        let conditions = rule.get("onPodConditions");
        pod_conditions(errors, &conditions);
        if codes.is_set() && !conditions.is_empty() {
            let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
            errors.invalid_shown(&rule, "", detail);
        }
        if !codes.is_set() && conditions.is_empty() {
            let detail = "specifying one of OnExitCodes and OnPodConditions is required";
            errors.invalid_shown(&rule, "", detail);
        }
    }
}

fn pod_conditions(errors: &mut Errors, patterns: &Node<'_>) {
    if patterns.len() > 20 {
        errors.too_many(patterns, patterns.len(), 20);
    }
    for pattern in patterns.items() {
        errors.format(&pattern.get("type"), names::qualified_name);
        choice(
            errors,
            &pattern.get("status"),
            &["False", "True", "Unknown"],
        );
    }
}

fn exit_codes(errors: &mut Errors, codes: &Node<'_>, containers: &[&str]) {
    let operator = codes.get("operator");
    choice(errors, &operator, &["In", "NotIn"]);
    let container = codes.get("containerName");
    if container.is_set() && !containers.contains(&container.text()) {
        let detail = "must be one of the container or initContainer names in the pod template";
        errors.invalid(&container, container.text(), detail);
    }
    let values = codes.get("values");
    if values.is_empty() {
        errors.invalid(
            &values,
            values.raw().clone(),
            "at least one value is required",
        );
    } else if values.len() > 255 {
        errors.too_many(&values, values.len(), 255);
    }
    let mut seen: Vec<i64> = Vec::new();
    for value in values.items() {
        let code = value.int();
        if operator.is("In") && code == 0 {
            errors.invalid(&value, code, "must not be 0 for the In operator");
        }
        if seen.contains(&code) {
            errors.duplicate(&value, code);
        }
        seen.push(code);
    }
    if !seen.is_sorted() {
        errors.invalid(&values, values.raw().clone(), "must be ordered");
    }
}

fn success_policy(errors: &mut Errors, spec: &Node<'_>, rules: &Node<'_>) {
    if rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.required(rules, detail);
    }
    if rules.len() > 20 {
        errors.too_many(rules, rules.len(), 20);
    }
    let completions = spec.get("completions").int();
    for rule in rules.items() {
        let (count, set) = (rule.get("succeededCount"), rule.get("succeededIndexes"));
        if !count.is_set() && !set.is_set() {
            let detail = "at least one of succeededCount or succeededIndexes must be specified";
            errors.required(&rule, detail);
        }
        let mut total = 0;
        if set.is_set() {
            if set.len() > 64 * 1024 {
                errors.too_long(&set, 64 * 1024);
            }
            match indexes::count(set.text(), completions) {
                Ok(indexes) => total = indexes,
                Err(problem) => {
                    let detail = format!("error parsing succeededIndexes: {problem}");
                    errors.invalid(&set, set.text(), detail);
                }
            }
        }
        if count.is_set() {
            errors.non_negative(&count);
            let mut at_most = |limit: i64, what: &str| {
                if count.int() > limit {
                    let detail =
                        format!("must be less than or equal to {limit} (the number of {what})");
                    errors.invalid(&count, count.int(), detail);
                }
            };
            at_most(completions, "specified completions");
            if set.is_set() {
                at_most(total, "indexes in the specified succeededIndexes field");
            }
        }
    }
}
