//! The kinds of the group `apps`.
//!
//! Source: `pkg/apis/apps` and `pkg/registry/apps`.

use serde_json::{Map, Value, json};

use super::core::default_pod_template;
use super::core::pod::{self, warnings};
use super::edit::{existing, field, items, unset_default, zero_default};
use super::kind::Kind;
use super::labels;
use super::node::{Errors, Node, peek, peek_text};
use super::{internal, metadata};

mod daemon_set;
mod deployment;
mod revision;
mod stateful_set;

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[
    deployment::DEPLOYMENT,
    deployment::REPLICA_SET,
    stateful_set::KIND,
    daemon_set::KIND,
    revision::KIND,
];

/// Takes out of an object's `metadata` what upstream makes when it converts the object from its internal
/// form: answers that hold metadata alone come from that form.
pub fn hide_converted_metadata(object: &Value, metadata: &mut Value) {
    if object["kind"] == "DaemonSet" && object["apiVersion"] == "apps/v1" {
        daemon_set::hide_template_generation(metadata);
    }
}

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    if kind == "DaemonSet" {
        daemon_set::show_template_generation(object);
    }
    let Some(spec) = field(object, "spec") else {
        return;
    };
    match kind {
        "Deployment" => {
            unset_default(spec, "replicas", 1);
            rolling_update(
                spec,
                "strategy",
                &[("maxUnavailable", json!("25%")), ("maxSurge", json!("25%"))],
            );
            unset_default(spec, "revisionHistoryLimit", 10);
            unset_default(spec, "progressDeadlineSeconds", 600);
        }
        "ReplicaSet" => unset_default(spec, "replicas", 1),
        "DaemonSet" => {
            rolling_update(
                spec,
                "updateStrategy",
                &[("maxUnavailable", json!(1)), ("maxSurge", json!(0))],
            );
            unset_default(spec, "revisionHistoryLimit", 10);
        }
        "StatefulSet" => stateful_set_defaults(spec),
        _ => {
            // A ControllerRevision has no spec.
            super::edit::remove(object, "spec");
            return;
        }
    }
    if let Some(template) = field(spec, "template") {
        default_pod_template(template);
    }
}

fn rolling_update(spec: &mut Value, name: &str, numbers: &[(&str, Value)]) {
    let Some(strategy) = field(spec, name) else {
        return;
    };
    zero_default(strategy, "type", "RollingUpdate");
    if peek_text(strategy, "type") != "RollingUpdate" {
        return;
    }
    unset_default(strategy, "rollingUpdate", Map::new());
    if let Some(update) = existing(strategy, "rollingUpdate") {
        for (name, value) in numbers {
            unset_default(update, name, value.clone());
        }
    }
}

fn stateful_set_defaults(spec: &mut Value) {
    zero_default(spec, "podManagementPolicy", "OrderedReady");
    if let Some(strategy) = field(spec, "updateStrategy") {
        if peek_text(strategy, "type").is_empty() {
            zero_default(strategy, "type", "RollingUpdate");
            unset_default(strategy, "rollingUpdate", Map::new());
        }
        if peek_text(strategy, "type") == "RollingUpdate"
            && let Some(update) = existing(strategy, "rollingUpdate")
        {
            unset_default(update, "partition", 0);
        }
    }
    if let Some(policy) = field(spec, "persistentVolumeClaimRetentionPolicy") {
        zero_default(policy, "whenDeleted", "Retain");
        zero_default(policy, "whenScaled", "Retain");
    }
    unset_default(spec, "replicas", 1);
    unset_default(spec, "revisionHistoryLimit", 10);
    for claim in items(spec, "volumeClaimTemplates") {
        // A template is a whole claim, kind and status included.
        unset_default(claim, "kind", "PersistentVolumeClaim");
        unset_default(claim, "apiVersion", "v1");
        super::core::default("PersistentVolumeClaim", claim);
    }
}

/// Drops what disabled features hide from `spec.template`.
fn drop_disabled(object: &mut Value, old: &Value) {
    if let Some(spec) = existing(object, "spec.template.spec") {
        pod::drop_disabled(spec, peek(old, "spec.template.spec"));
    }
}

/// Warnings about `spec.template` if the generation rose.
fn warn_of_new_template(new: &Node<'_>, old: &Node<'_>, all: &mut Vec<String>) {
    if new.get("metadata.generation").int() != old.get("metadata.generation").int() {
        warnings::of_template(&new.get("spec.template"), all);
    }
}

/// A selector that has to be there and select something.
fn validate_selector(errors: &mut Errors, selector: &Node<'_>, kind: &str) {
    if !selector.is_set() {
        return errors.required(selector, "");
    }
    labels::validate_selector(errors, selector);
    if labels::is_empty(selector.raw()) {
        let detail = format!("empty selector is invalid for {kind}");
        errors.invalid_shown(selector, &shown_selector(selector.raw()), &detail);
    }
}

/// How an error shows a selector.
fn shown_selector(selector: &Value) -> String {
    internal::json("*v1.LabelSelector", selector)
}

/// Labels of a template that its own selector does not select.
fn validate_labels_match(errors: &mut Errors, selector: &Node<'_>, template: &Node<'_>) {
    let own = template.get("metadata.labels");
    if !labels::is_empty(selector.raw()) && !labels::matches(selector.raw(), own.raw()) {
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&own, own.raw().clone(), detail);
    }
}

/// Templates of controllers whose pods run forever.
fn validate_endless(errors: &mut Errors, template: &Node<'_>, kind: &str) {
    errors.one_of(&template.get("spec.restartPolicy"), &["Always"]);
    let deadline = template.get("spec.activeDeadlineSeconds");
    if deadline.is_set() {
        errors.forbidden(
            &deadline,
            &format!("activeDeadlineSeconds in {kind} is not Supported"),
        );
    }
}

/// A selector that may not change.
fn immutable_selector(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let (new, old) = (new.get("spec.selector"), old.get("spec.selector"));
    if !super::equality::equal(new.raw(), old.raw()) {
        errors.invalid_shown(&new, &shown_selector(new.raw()), metadata::IMMUTABLE);
    }
}

/// A counter that only rises.
fn collision_count(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let (new, old) = (
        new.get("status.collisionCount"),
        old.get("status.collisionCount"),
    );
    if old.is_set() && (!new.is_set() || new.int() < old.int()) {
        errors.invalid(&new, new.int(), "cannot be decremented");
    }
}

/// Numbers of a status that may not be more than another.
fn not_above(errors: &mut Errors, status: &Node<'_>, fields: &[&str], bound: &str, shown: &str) {
    for field in fields {
        let node = status.get(field);
        if node.int() > status.get(bound).int() {
            errors.invalid(&node, node.int(), format!("cannot be greater than {shown}"));
        }
    }
}
