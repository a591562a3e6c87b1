//! Deployments and ReplicaSets.

use object::names;

use super::{
    collision_count, drop_disabled, immutable_selector, not_above, shown_selector,
    validate_endless, validate_labels_match, validate_selector, warn_of_new_template,
};
use crate::strategy::core::pod::{Options, validate_template, warnings};
use crate::strategy::edit::keep;
use crate::strategy::kind::{Generation, Kind, Subresource, keep_spec, status};
use crate::strategy::labels;
use crate::strategy::node::{Errors, Node};
use crate::strategy::{ResetFields, int_or_percent, internal, metadata};

pub(crate) const DEPLOYMENT: Kind = Kind {
    status: Some("{}"),
    generation: Generation::On(&["spec", "metadata.annotations"]),
    prepare_create: |_, object| drop_disabled(object, &serde_json::Value::Null),
    prepare_update: |_, new, old| drop_disabled(new, old),
    validate: |_, object, errors| {
        metadata::validate(errors, object, true, names::name_is_dns_subdomain);
        validate_deployment(errors, &object.get("spec"), Options::template());
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        let options = Options::template().updating(old.get("spec.template").raw());
        validate_deployment(errors, &new.get("spec"), options);
        immutable_selector(errors, new, old);
    },
    warn,
    warn_update: warn_of_new_template,
    subresources: &[Subresource {
        name: "status",
        prepare: |cx, new, old| {
            keep_spec(cx, new, old);
            keep(new, old, "metadata.labels");
        },
        validate: |_, new, old, errors| {
            metadata::validate_update(errors, new, old);
            deployment_status(errors, &new.get("status"));
            collision_count(errors, new, old);
        },
        warn: |_, _, _| {},
        reset: ResetFields::Except(&[&["spec"], &["metadata", "labels"]]),
    }],
    ..Kind::new("apps", "deployments")
};

pub(crate) const REPLICA_SET: Kind = Kind {
    status: Some(r#"{"replicas":0}"#),
    generation: Generation::On(&["spec"]),
    prepare_create: |_, object| drop_disabled(object, &serde_json::Value::Null),
    prepare_update: |_, new, old| drop_disabled(new, old),
    validate: |_, object, errors| {
        metadata::validate(errors, object, true, names::name_is_dns_subdomain);
        validate_replica_set(errors, &object.get("spec"), Options::template());
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        let options = Options::template().updating(old.get("spec.template").raw());
        validate_replica_set(errors, &new.get("spec"), options);
        immutable_selector(errors, new, old);
    },
    warn,
    warn_update: warn_of_new_template,
    subresources: &[status(|_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        replica_set_status(errors, &new.get("status"));
    })],
    ..Kind::new("apps", "replicasets")
};

fn warn(object: &Node<'_>, all: &mut Vec<String>) {
    warnings::of_workload_name(object, all);
    warnings::of_template(&object.get("spec.template"), all);
}

fn validate_deployment(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    errors.non_negative(&spec.get("replicas"));
    selector_and_template(errors, spec, options);
    validate_strategy(errors, &spec.get("strategy"));
    let (ready, deadline) = (
        spec.get("minReadySeconds"),
        spec.get("progressDeadlineSeconds"),
    );
    errors.non_negative(&ready);
    errors.non_negative(&spec.get("revisionHistoryLimit"));
    if deadline.is_set() {
        errors.non_negative(&deadline);
        if deadline.int() <= ready.int() {
            errors.invalid(
                &deadline,
                deadline.int(),
                "must be greater than minReadySeconds",
            );
        }
    }
}

fn validate_replica_set(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    errors.non_negative(&spec.get("replicas"));
    errors.non_negative(&spec.get("minReadySeconds"));
    selector_and_template(errors, spec, options);
}

fn selector_and_template(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    let (selector, template) = (spec.get("selector"), spec.get("template"));
    // Upstream says "deployment" of ReplicaSets too, kept.
    validate_selector(errors, &selector, "deployment");
    if !labels::is_valid(selector.raw()) {
        let shown = shown_selector(selector.raw());
        return errors.invalid_shown(&selector, &shown, "invalid label selector");
    }
    validate_labels_match(errors, &selector, &template);
    validate_template(errors, &template, options);
    validate_endless(errors, &template, "ReplicaSet");
}

fn validate_strategy(errors: &mut Errors, strategy: &Node<'_>) {
    let update = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "Recreate" => {
            if update.is_set() {
                let detail = "may not be specified when strategy `type` is 'Recreate'";
                errors.forbidden(&update, detail);
            }
        }
        "RollingUpdate" => {
            if !update.is_set() {
                let detail = "this should be defaulted and never be nil";
                return errors.required(&update, detail);
            }
            let (unavailable, surge) = (update.get("maxUnavailable"), update.get("maxSurge"));
            int_or_percent::validate(errors, &unavailable);
            int_or_percent::validate(errors, &surge);
            if int_or_percent::amount(unavailable.raw()) == 0
                && int_or_percent::amount(surge.raw()) == 0
            {
                let detail = "may not be 0 when `maxSurge` is 0";
                errors.invalid(&unavailable, unavailable.raw().clone(), detail);
            }
            int_or_percent::at_most_all(errors, &unavailable);
        }
        _ => {
            let shown = internal::json("apps.DeploymentStrategy", strategy.raw());
            errors.unsupported_shown(strategy, &shown, &["Recreate", "RollingUpdate"]);
        }
    }
}

fn deployment_status(errors: &mut Errors, status: &Node<'_>) {
    for field in [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ] {
        errors.non_negative(&status.get(field));
    }
    let fields = ["updatedReplicas", "readyReplicas", "availableReplicas"];
    not_above(errors, status, &fields, "replicas", "status.replicas");
    not_above(
        errors,
        status,
        &["availableReplicas"],
        "readyReplicas",
        "readyReplicas",
    );
}

fn replica_set_status(errors: &mut Errors, status: &Node<'_>) {
    for field in [
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
        "terminatingReplicas",
    ] {
        errors.non_negative(&status.get(field));
    }
    let fields = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
    not_above(errors, status, &fields, "replicas", "status.replicas");
    not_above(
        errors,
        status,
        &["availableReplicas"],
        "readyReplicas",
        "readyReplicas",
    );
}
