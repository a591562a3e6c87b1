//! The kinds of the group `policy`.
//!
//! Source: `pkg/apis/policy` and `pkg/registry/policy`.

use super::kind::{Generation, Kind, status};
use super::node::{Errors, Node};
use super::{conditions, int_or_percent, internal, labels};

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    unconditional_update: false,
    status: Some(
        r#"{"disruptionsAllowed":0,"currentHealthy":0,"desiredHealthy":0,"expectedPods":0}"#,
    ),
    generation: Generation::On(&["spec"]),
    validate: |_, budget, errors| validate(errors, &budget.get("spec"), false),
    validate_update: |_, new, old, errors| {
        let was_invalid = !labels::is_valid(old.get("spec.selector").raw());
        validate(errors, &new.get("spec"), was_invalid);
    },
    subresources: &[status(|_, new, _, errors| {
        conditions::validate(errors, &new.get("status.conditions"));
        for field in [
            "disruptionsAllowed",
            "currentHealthy",
            "desiredHealthy",
            "expectedPods",
        ] {
            errors.non_negative(&new.get("status").get(field));
        }
    })],
    ..Kind::new("policy", "poddisruptionbudgets")
}];

fn validate(errors: &mut Errors, spec: &Node<'_>, allow_invalid_values: bool) {
    let amounts = [spec.get("minAvailable"), spec.get("maxUnavailable")];
    if amounts.iter().all(Node::is_set) {
        let shown = internal::json("policy.PodDisruptionBudgetSpec", spec.raw());
        let detail = "minAvailable and maxUnavailable cannot be both set";
        errors.invalid_shown(spec, &shown, detail);
    }
    for amount in amounts.iter().filter(|amount| amount.is_set()) {
        int_or_percent::validate(errors, amount);
        int_or_percent::at_most_all(errors, amount);
    }
    labels::validate_selector_with(errors, &spec.get("selector"), allow_invalid_values);
    errors.opt_one_of(
        &spec.get("unhealthyPodEvictionPolicy"),
        &["AlwaysAllow", "IfHealthyBudget"],
    );
}
