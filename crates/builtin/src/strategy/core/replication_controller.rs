//! ReplicationControllers.

use object::names;

use super::pod::{self, Options};
use crate::strategy::edit::existing;
use crate::strategy::kind::{Generation, Kind, status};
use crate::strategy::labels::set_matches;
use crate::strategy::metadata;
use crate::strategy::node::{Errors, Node};

pub(crate) const KIND: Kind = Kind {
    status: Some(r#"{"replicas":0}"#),
    generation: Generation::On(&["spec"]),
    prepare_create: |_, object| {
        if let Some(spec) = existing(object, "spec.template.spec") {
            pod::drop_disabled(spec, &serde_json::Value::Null);
        }
    },
    validate: |_, object, errors| {
        metadata::validate(errors, object, true, names::name_is_dns_subdomain);
        validate_spec(errors, &object.get("spec"), Options::template());
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        let options = Options::template().updating(old.get("spec.template").raw());
        validate_spec(errors, &new.get("spec"), options);
    },
    warn: |object, warnings| {
        pod::warnings::of_workload_name(object, warnings);
        pod::warnings::of_template(&object.get("spec.template"), warnings);
    },
    warn_update: |new, old, warnings| {
        if new.get("metadata.generation").int() != old.get("metadata.generation").int() {
            // Upstream looks at the old template, kept.
            pod::warnings::of_template(&old.get("spec.template"), warnings);
        }
    },
    subresources: &[status(|_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate_status(errors, &new.get("status"));
    })],
    ..Kind::new("", "replicationcontrollers")
};

fn validate_spec(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    errors.non_negative(&spec.get("minReadySeconds"));
    let (selector, replicas, template) = (
        spec.get("selector"),
        spec.get("replicas"),
        spec.get("template"),
    );
    errors.present(&selector);
    if replicas.is_set() {
        errors.non_negative(&replicas);
    } else {
        errors.required(&replicas, "");
    }
    if !template.is_set() {
        return errors.required(&template, "");
    }
    let labels = template.get("metadata.labels");
    if !set_matches(selector.raw(), labels.raw()) {
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&labels, labels.raw().clone(), detail);
    }
    pod::validate_template(errors, &template, options);
    let restart = template.get("spec.restartPolicy");
    errors.one_of(&restart, &["Always"]);
    let deadline = template.get("spec.activeDeadlineSeconds");
    if deadline.is_set() {
        let detail = "activeDeadlineSeconds in ReplicationController is not Supported";
        errors.forbidden(&deadline, detail);
    }
}

/// The numbers in the status of a ReplicationController or ReplicaSet.
pub(crate) fn validate_status(errors: &mut Errors, status: &Node<'_>) {
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
    for field in ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"] {
        let node = status.get(field);
        if node.int() > status.get("replicas").int() {
            errors.invalid(&node, node.int(), "cannot be greater than status.replicas");
        }
    }
    let available = status.get("availableReplicas");
    if available.int() > status.get("readyReplicas").int() {
        errors.invalid(
            &available,
            available.int(),
            "cannot be greater than readyReplicas",
        );
    }
}
