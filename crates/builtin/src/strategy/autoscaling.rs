//! The kinds of the group `autoscaling`, in the form of v2.
//!
//! Source: `pkg/apis/autoscaling` and `pkg/registry/autoscaling`.

use object::{GroupVersion, names};
use serde_json::{Value, json};

use super::core::quantities::quantity;
use super::edit::{existing, field, set, unset_default};
use super::kind::{Kind, status};
use super::metadata;
use super::node::{Errors, Node, peek_items};

mod metrics;

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    status: Some(r#"{"currentMetrics":null,"desiredReplicas":0}"#),
    validate: |_, scaler, errors| {
        metadata::validate(errors, scaler, true, names::name_is_dns_subdomain);
        validate(errors, &scaler.get("spec"), &Options::of(scaler, None));
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate(errors, &new.get("spec"), &Options::of(new, Some(old)));
    },
    subresources: &[status(|_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        errors.non_negative(&new.get("status").get("currentReplicas"));
        errors.non_negative(&new.get("status").get("desiredReplicas"));
    })],
    ..Kind::new("autoscaling", "horizontalpodautoscalers")
}];

/// Fills in the defaults of a kind of `autoscaling/v1`.
pub(crate) fn default_v1(kind: &str, object: &mut Value) {
    if kind == "HorizontalPodAutoscaler"
        && let Some(spec) = field(object, "spec")
    {
        unset_default(spec, "minReplicas", 1);
    }
}

/// Fills in the defaults of a kind of `autoscaling/v2`.
pub(crate) fn default(kind: &str, object: &mut Value) {
    default_v1(kind, object);
    let Some(spec) = existing(object, "spec") else {
        return;
    };
    if peek_items(spec, "metrics").is_empty() {
        set(spec, "metrics", json!([cpu_metric(80)]));
    }
    if let Some(behavior) = existing(spec, "behavior") {
        let policy =
            |kind: &str, value: i64| json!({ "type": kind, "value": value, "periodSeconds": 15 });
        if let Some(rules) = field(behavior, "scaleUp") {
            unset_default(rules, "stabilizationWindowSeconds", 0);
            unset_default(
                rules,
                "policies",
                json!([policy("Pods", 4), policy("Percent", 100)]),
            );
        }
        if let Some(rules) = field(behavior, "scaleDown") {
            unset_default(rules, "policies", json!([policy("Percent", 100)]));
        }
        for direction in ["scaleUp", "scaleDown"] {
            if let Some(rules) = field(behavior, direction) {
                unset_default(rules, "selectPolicy", "Max");
            }
        }
    }
}

/// The metric that asks for an average use of CPU.
pub(crate) fn cpu_metric(percent: i64) -> Value {
    json!({
        "type": "Resource",
        "resource": {
            "name": "cpu",
            "target": { "type": "Utilization", "averageUtilization": percent },
        },
    })
}

/// What is accepted in `apiVersion` of a reference.
#[derive(Debug, Clone, Copy)]
struct Reference {
    any_version: bool,
    no_group: bool,
}

#[derive(Debug)]
struct Options {
    least: i64,
    target: Reference,
    objects: Reference,
}

impl Options {
    fn of(new: &Node<'_>, old: Option<&Node<'_>>) -> Self {
        let target = new.get("spec.scaleTargetRef");
        let mut objects = Reference {
            any_version: false,
            no_group: true,
        };
        let is_same = old.is_some_and(|old| {
            let before = old.get("spec.scaleTargetRef");
            ["apiVersion", "kind"]
                .iter()
                .all(|field| before.get(field).text() == target.get(field).text())
        });
        let mut least = 1;
        if let Some(old) = old {
            if old.get("spec.minReplicas").opt_int() == Some(0) {
                least = 0;
            }
            objects.any_version = old.get("spec.metrics").items().any(|metric| {
                let version = metric.get("object.describedObject.apiVersion");
                metric.get("type").is("Object")
                    && metric.get("object").is_set()
                    && version_problem(version.text(), objects).is_some()
            });
        }
        Self {
            least,
            target: Reference {
                any_version: is_same,
                no_group: target.get("kind").is("ReplicationController"),
            },
            objects,
        }
    }
}

fn version_problem(version: &str, accepted: Reference) -> Option<String> {
    if accepted.any_version {
        return None;
    }
    match GroupVersion::parse(version) {
        None => Some(format!("unexpected GroupVersion string: {version}")),
        Some(parsed) if parsed.group.is_empty() && !accepted.no_group => {
            Some("apiVersion must specify API group".to_owned())
        }
        Some(_) => None,
    }
}

fn validate(errors: &mut Errors, spec: &Node<'_>, options: &Options) {
    let (least, most) = (spec.get("minReplicas"), spec.get("maxReplicas"));
    if least.is_set() && least.int() < options.least {
        let detail = format!("must be greater than or equal to {}", options.least);
        errors.invalid(&least, least.int(), detail);
    }
    if most.int() < 1 {
        errors.invalid(&most, most.int(), "must be greater than 0");
    }
    if least.is_set() && most.int() < least.int() {
        let detail = "must be greater than or equal to `minReplicas`";
        errors.invalid(&most, most.int(), detail);
    }
    validate_reference(errors, &spec.get("scaleTargetRef"), options.target);
    metrics::validate(errors, spec, options.objects);
    for direction in ["scaleUp", "scaleDown"] {
        let rules = spec.get("behavior").get(direction);
        if rules.is_set() {
            scaling_rules(errors, &rules);
        }
    }
}

fn validate_reference(errors: &mut Errors, reference: &Node<'_>, accepted: Reference) {
    for field in ["kind", "name"] {
        let node = reference.get(field);
        if node.is_empty() {
            errors.required(&node, "");
        } else {
            errors.format(&node, names::path_segment_name);
        }
    }
    let version = reference.get("apiVersion");
    if let Some(problem) = version_problem(version.text(), accepted) {
        errors.invalid(&version, version.text(), problem);
    }
}

fn scaling_rules(errors: &mut Errors, rules: &Node<'_>) {
    const WINDOW: i64 = 3600;
    const PERIOD: i64 = 1800;
    let window = rules.get("stabilizationWindowSeconds");
    if window.int() < 0 {
        errors.invalid(
            &window,
            window.int(),
            "must be greater than or equal to zero",
        );
    }
    if window.int() > WINDOW {
        errors.invalid(
            &window,
            window.int(),
            format!("must be less than or equal to {WINDOW}"),
        );
    }
    errors.opt_one_of(&rules.get("selectPolicy"), &["Disabled", "Max", "Min"]);
    let policies = rules.get("policies");
    if policies.is_empty() {
        errors.required(&policies, "must specify at least one Policy");
    }
    for policy in policies.items() {
        errors.one_of(&policy.get("type"), &["Percent", "Pods"]);
        errors.positive(&policy.get("value"));
        let period = policy.get("periodSeconds");
        errors.positive(&period);
        if period.int() > PERIOD {
            let detail = format!("must be less than or equal to {PERIOD}");
            errors.invalid(&period, period.int(), detail);
        }
    }
    let tolerance = rules.get("tolerance");
    if tolerance.is_set() && quantity(tolerance.raw()).sign() < 0 {
        let shown = quantity(tolerance.raw()).to_string();
        errors.invalid(&tolerance, shown, metadata::NEGATIVE);
    }
}
