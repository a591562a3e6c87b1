//! What an autoscaler looks at.

use object::names;

use super::{Reference, validate_reference};
use crate::strategy::core::quantities::{quantity, validate_container_name};
use crate::strategy::node::{Errors, Node};

/// The kinds of metrics and their fields, in the order in which fields are looked at.
const SOURCES: &[(&str, &str)] = &[
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const KINDS: &[&str] = &[
    "ContainerResource",
    "External",
    "Object",
    "Pods",
    "Resource",
];

/// The metrics of a spec.
pub(super) fn validate(errors: &mut Errors, spec: &Node<'_>, objects: Reference) {
    let list = spec.get("metrics");
    let mut supports_zero = false;
    for metric in list.items() {
        validate_metric(errors, &metric, objects);
        supports_zero |= ["Object", "External"].contains(&metric.get("type").text());
    }
    if spec.get("minReplicas").opt_int() == Some(0) && !supports_zero {
        let detail = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.forbidden(&list, detail);
    }
}

fn validate_metric(errors: &mut Errors, metric: &Node<'_>, objects: Reference) {
    let kind = metric.get("type");
    if kind.is_empty() {
        errors.required(&kind, "must specify a metric source type");
    }
    let expected = SOURCES.iter().find(|(name, _)| kind.is(name));
    if expected.is_none() {
        errors.one_of(&kind, KINDS);
    }
    let present: Vec<&str> = SOURCES
        .iter()
        .map(|(_, field)| *field)
        .filter(|field| metric.get(field).is_set())
        .collect();
    if let Some(first) = present.first() {
        source(errors, first, &metric.get(first), objects);
    }
    match expected {
        Some((_, field)) if !metric.get(field).is_set() => {
            let detail = "must populate information for the given metric source";
            errors.required(&metric.get(field), detail);
        }
        Some(_) => {}
        None => errors.one_of(&kind, KINDS),
    }
    if present.len() != 1 {
        for field in present {
            if expected.is_none_or(|(_, expected)| *expected != field) {
                let detail = "must populate the given metric source only";
                errors.forbidden(&metric.get(field), detail);
            }
        }
    }
}

fn source(errors: &mut Errors, field: &str, source: &Node<'_>, objects: Reference) {
    let target = source.get("target");
    let value = target.get("value");
    let (average, utilization) = (target.get("averageValue"), target.get("averageUtilization"));
    match field {
        "object" => {
            validate_reference(errors, &source.get("describedObject"), objects);
            identifier(errors, source);
            validate_target(errors, &target);
            if !value.is_set() && !average.is_set() {
                errors.required(&average, "must set either a target value or averageValue");
            }
        }
        "external" => {
            identifier(errors, source);
            validate_target(errors, &target);
            match (value.is_set(), average.is_set()) {
                (false, false) => errors.required(
                    &average,
                    "must set either a target value for metric or a per-pod target",
                ),
                (true, true) => errors.forbidden(
                    &value,
                    "may not set both a target value for metric and a per-pod target",
                ),
                _ => {}
            }
        }
        "pods" => {
            identifier(errors, source);
            validate_target(errors, &target);
            if !average.is_set() {
                errors.required(&average, "must specify a positive target averageValue");
            }
        }
        _ => {
            resource(errors, source, field == "containerResource");
            validate_target(errors, &target);
            match (utilization.is_set(), average.is_set()) {
                (false, false) => errors.required(
                    &utilization,
                    "must set either a target raw value or a target utilization",
                ),
                (true, true) => errors.forbidden(
                    &average,
                    "may not set both a target raw value and a target utilization",
                ),
                _ => {}
            }
        }
    }
}

fn resource(errors: &mut Errors, source: &Node<'_>, of_container: bool) {
    let (name, container) = (source.get("name"), source.get("container"));
    if name.is_empty() {
        errors.required(&name, "must specify a resource name");
    } else if of_container {
        validate_container_name(errors, &name, name.text());
    }
    if of_container {
        if container.is_empty() {
            errors.required(&container, "must specify a container");
        } else {
            errors.format(&container, names::dns1123_label);
        }
    }
}

fn identifier(errors: &mut Errors, source: &Node<'_>) {
    let name = source.get("metric").get("name");
    if name.is_empty() {
        errors.required(&name, "must specify a metric name");
    } else {
        errors.format(&name, names::path_segment_name);
    }
}

fn validate_target(errors: &mut Errors, target: &Node<'_>) {
    let kind = target.get("type");
    if kind.is_empty() {
        errors.required(&kind, "must specify a metric target type");
    }
    if !["Utilization", "Value", "AverageValue"].contains(&kind.text()) {
        let detail = "must be either Utilization, Value, or AverageValue";
        errors.invalid(&kind, kind.text(), detail);
    }
    for field in ["value", "averageValue"] {
        let node = target.get(field);
        let amount = quantity(node.raw());
        if node.is_set() && amount.sign() != 1 {
            errors.invalid(&node, amount.to_string(), "must be positive");
        }
    }
    let utilization = target.get("averageUtilization");
    if utilization.is_set() && utilization.int() < 1 {
        errors.invalid(&utilization, utilization.int(), "must be greater than 0");
    }
}
