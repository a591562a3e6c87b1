//! Where pods may run: affinities, tolerations, topology spread.

use object::names;
use serde_json::Value;

use super::Options;
use crate::strategy::labels::{validate_label_name, validate_selector, validate_selector_with};
use crate::strategy::node::{Errors, Node, peek, peek_items};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const RANGE: &str = "must be in the range 1-100";

/// `affinity` of a pod.
pub(crate) fn validate(errors: &mut Errors, affinity: &Node<'_>, options: Options) {
    let node = affinity.get("nodeAffinity");
    let required = node.get(REQUIRED);
    if required.is_set() {
        node_selector(errors, &required, options.any_node_affinity_value);
    }
    for term in node.get(PREFERRED).items() {
        weight(errors, &term);
        node_selector_term(errors, &term.get("preference"), true);
    }
    for field in ["podAffinity", "podAntiAffinity"] {
        let affinity = affinity.get(field);
        for term in affinity.get(REQUIRED).items() {
            pod_term(errors, &term, options.any_selector_value);
        }
        for term in affinity.get(PREFERRED).items() {
            weight(errors, &term);
            pod_term(
                errors,
                &term.get("podAffinityTerm"),
                options.any_selector_value,
            );
        }
    }
}

/// All terms of the affinities to other pods.
pub(crate) fn pod_terms(spec: &Value) -> impl Iterator<Item = &Value> {
    ["podAffinity", "podAntiAffinity"]
        .into_iter()
        .flat_map(move |field| {
            let affinity = peek(peek(spec, "affinity"), field);
            let preferred = peek_items(affinity, PREFERRED)
                .iter()
                .map(|term| peek(term, "podAffinityTerm"));
            peek_items(affinity, REQUIRED).iter().chain(preferred)
        })
}

fn weight(errors: &mut Errors, term: &Node<'_>) {
    let weight = term.get("weight");
    if !(1..=100).contains(&weight.int()) {
        errors.invalid(&weight, weight.int(), RANGE);
    }
}

/// A selector of nodes.
pub(crate) fn node_selector(errors: &mut Errors, selector: &Node<'_>, any_value: bool) {
    let terms = selector.get("nodeSelectorTerms");
    if terms.is_empty() {
        return errors.required(&terms, "must have at least one node selector term");
    }
    for term in terms.items() {
        node_selector_term(errors, &term, any_value);
    }
}

fn node_selector_term(errors: &mut Errors, term: &Node<'_>, any_value: bool) {
    for requirement in term.get("matchExpressions").items() {
        node_requirement(errors, &requirement, any_value);
    }
    for requirement in term.get("matchFields").items() {
        field_requirement(errors, &requirement);
    }
}

fn node_requirement(errors: &mut Errors, requirement: &Node<'_>, any_value: bool) {
    let (operator, values) = (requirement.get("operator"), requirement.get("values"));
    match operator.text() {
        "In" | "NotIn" => {
            if values.is_empty() {
                let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.required(&values, detail);
            }
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.forbidden(&values, detail);
            }
        }
        "Gt" | "Lt" => {
            if values.len() != 1 {
                let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                errors.required(&values, detail);
            }
        }
        other => errors.invalid(&operator, other, "not a valid selector operator"),
    }
    validate_label_name(errors, &requirement.get("key"));
    if !any_value {
        for value in values.items() {
            errors.format(&value, names::label_value);
        }
    }
}

fn field_requirement(errors: &mut Errors, requirement: &Node<'_>) {
    let (operator, values) = (requirement.get("operator"), requirement.get("values"));
    match operator.text() {
        "In" | "NotIn" => {
            if values.len() != 1 {
                let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                errors.required(&values, detail);
            }
        }
        other => errors.invalid(&operator, other, "not a valid selector operator"),
    }
    let key = requirement.get("key");
    if key.is("metadata.name") {
        for value in values.items() {
            errors.name(&value, names::name_is_dns_subdomain);
        }
    } else {
        errors.invalid(&key, key.text(), "not a valid field selector key");
    }
}

fn pod_term(errors: &mut Errors, term: &Node<'_>, any_value: bool) {
    validate_selector_with(errors, &term.get("labelSelector"), any_value);
    validate_selector_with(errors, &term.get("namespaceSelector"), any_value);
    for namespace in term.get("namespaces").texts() {
        let messages = names::name_is_dns_label(namespace, false);
        errors.messages(&term.path().child("namespace"), namespace, messages);
    }
    match_label_keys(errors, term);
    let topology = term.get("topologyKey");
    if topology.is_empty() {
        errors.required(&topology, "can not be empty");
    }
    validate_label_name(errors, &topology);
}

/// `matchLabelKeys` and `mismatchLabelKeys`.
fn match_label_keys(errors: &mut Errors, term: &Node<'_>) {
    let selector = term.get("labelSelector");
    let (matching, mismatching) = (term.get("matchLabelKeys"), term.get("mismatchLabelKeys"));
    for keys in [&matching, &mismatching] {
        if keys.is_empty() {
            continue;
        }
        if !selector.is_set() {
            errors.forbidden(keys, "must not be specified when labelSelector is not set");
            continue;
        }
        for key in keys.items() {
            validate_label_name(errors, &key);
        }
    }
    if selector.is_set() {
        let listed = matching.texts();
        let mut seen: Vec<&str> = selector
            .get("matchLabels")
            .entries()
            .map(|(key, _)| key)
            .collect();
        for expression in selector.get("matchExpressions").items() {
            let key = expression.get("key").text();
            let index = listed.iter().rposition(|listed| *listed == key);
            if let Some(index) = index
                && seen.contains(&key)
            {
                let detail = "exists in both matchLabelKeys and labelSelector";
                errors.invalid(&term.path().index(index), key, detail);
            }
            seen.push(key);
        }
    }
    let excluded = mismatching.texts();
    for key in matching.items() {
        if excluded.contains(&key.text()) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.invalid(&key, key.text(), detail);
        }
    }
}

/// `tolerations` of a pod.
pub(crate) fn tolerations(errors: &mut Errors, tolerations: &Node<'_>) {
    for toleration in tolerations.items() {
        let (key, operator) = (toleration.get("key"), toleration.get("operator"));
        let (value, effect) = (toleration.get("value"), toleration.get("effect"));
        if !key.is_empty() {
            validate_label_name(errors, &key);
        } else if !operator.is("Exists") {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.invalid(&operator, operator.text(), detail);
        }
        if toleration.get("tolerationSeconds").is_set() && !effect.is("NoExecute") {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&effect, effect.text(), detail);
        }
        match operator.text() {
            "Equal" | "" => {
                let messages = names::label_value(value.text());
                if !messages.is_empty() {
                    errors.invalid(&operator, value.text(), messages.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let detail = "value must be empty when `operator` is 'Exists'";
                    errors.invalid(&operator, value.text(), detail);
                }
            }
            other @ ("Lt" | "Gt") => {
                errors.unsupported(&operator, other, &["Equal", "Exists", "Lt", "Gt"]);
            }
            other => errors.unsupported(&operator, other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            taint_effect(errors, &effect);
        }
    }
}

/// The effect of a taint.
pub(crate) fn taint_effect(errors: &mut Errors, effect: &Node<'_>) {
    errors.choice(effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
}

/// `topologySpreadConstraints` of a pod.
pub(crate) fn topology_spread(errors: &mut Errors, constraints: &Node<'_>, options: Options) {
    let all: Vec<Node<'_>> = constraints.items().collect();
    for (index, constraint) in all.iter().enumerate() {
        let (key, action) = (
            constraint.get("topologyKey"),
            constraint.get("whenUnsatisfiable"),
        );
        errors.positive(&constraint.get("maxSkew"));
        if key.is_empty() {
            errors.required(&key, "can not be empty");
        }
        errors.one_of(&action, &["DoNotSchedule", "ScheduleAnyway"]);
        let is_repeated = all[index + 1..].iter().any(|other| {
            other.get("topologyKey").is(key.text())
                && other.get("whenUnsatisfiable").is(action.text())
        });
        if is_repeated {
            let place = constraint.path().child("{topologyKey, whenUnsatisfiable}");
            errors.duplicate(&place, format!("{{{}, {}}}", key.text(), action.text()));
        }
        let domains = constraint.get("minDomains");
        if domains.is_set() {
            errors.positive(&domains);
            if !action.is("DoNotSchedule") {
                let detail = format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}",
                    action.text()
                );
                errors.invalid(&domains, domains.int(), detail);
            }
        }
        errors.opt_one_of(&constraint.get("nodeAffinityPolicy"), &["Honor", "Ignore"]);
        errors.opt_one_of(&constraint.get("nodeTaintsPolicy"), &["Honor", "Ignore"]);
        match_label_keys(errors, constraint);
        if !options.any_spread_selector {
            validate_selector(errors, &constraint.get("labelSelector"));
        }
    }
}
