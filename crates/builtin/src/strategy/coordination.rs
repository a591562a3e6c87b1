//! The kinds of the group `coordination.k8s.io`.
//!
//! Source: `pkg/apis/coordination` and `pkg/registry/coordination`.

use object::names;

use super::kind::{Kind, drop_unless_used};
use super::metadata;
use super::node::{Errors, Node};

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    create_on_update: true,
    unconditional_update: false,
    prepare_create: |_, lease| {
        for field in GATED {
            drop_unless_used(lease, &serde_json::Value::Null, field);
        }
    },
    prepare_update: |_, new, old| {
        for field in GATED {
            drop_unless_used(new, old, field);
        }
    },
    validate: |_, lease, errors| {
        metadata::object_meta(
            errors,
            &lease.get("metadata"),
            true,
            names::name_is_dns_subdomain,
        );
        validate(errors, &lease.get("spec"));
    },
    validate_update: |_, new, old, errors| {
        errors.extend(metadata::validate_object_meta_update(new.raw(), old.raw()));
        validate(errors, &new.get("spec"));
    },
    ..Kind::new("coordination.k8s.io", "leases")
}];

/// Fields of coordinated leader election.
const GATED: &[&str] = &["spec.strategy", "spec.preferredHolder"];

fn validate(errors: &mut Errors, spec: &Node<'_>) {
    let duration = spec.get("leaseDurationSeconds");
    if duration.is_set() && duration.int() <= 0 {
        errors.invalid(&duration, duration.int(), "must be greater than 0");
    }
    let transitions = spec.get("leaseTransitions");
    if transitions.int() < 0 {
        errors.invalid(
            &transitions,
            transitions.int(),
            "must be greater than or equal to 0",
        );
    }
    let strategy = spec.get("strategy");
    if strategy.is_set() {
        if strategy.text().contains('/') {
            let place = strategy.placed(strategy.path().child("strategy"));
            errors.format(&place, names::qualified_name);
        } else {
            let place = strategy.placed(strategy.path().child("strategy"));
            errors.one_of(&place, &["OldestEmulationVersion"]);
        }
    }
    let holder = spec.get("preferredHolder");
    if !holder.is_empty() && strategy.is_empty() {
        errors.forbidden(&holder, "may only be specified if `strategy` is defined");
    }
}
