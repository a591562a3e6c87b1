//! PriorityLevelConfigurations.

use super::{fixed_spec, validate_meta, validate_status};
use crate::strategy::node::{Errors, Node};

const PRESERVE_ZERO: &str = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

/// A whole configuration.
pub(super) fn validate(errors: &mut Errors, level: &Node<'_>) {
    validate_meta(errors, level);
    let annotations = level.get("metadata").get("annotations");
    if annotations.has(PRESERVE_ZERO) {
        errors.forbidden(
            &annotations,
            &format!("annotation '{PRESERVE_ZERO}' is forbidden"),
        );
    }
    validate_spec(
        errors,
        &level.get("spec"),
        level.get("metadata.name").text(),
    );
    let shape = "flowcontrol.PriorityLevelConfigurationSpec";
    fixed_spec(errors, level, shape, Some("exempt"));
    validate_status(errors, level);
}

fn validate_spec(errors: &mut Errors, spec: &Node<'_>, name: &str) {
    let (kind, limited, exempt) = (spec.get("type"), spec.get("limited"), spec.get("exempt"));
    if (name == "exempt") != kind.is("Exempt") {
        let detail = "must be 'Exempt' if and only if `name` is 'exempt'";
        errors.invalid(&kind, kind.text(), detail);
    }
    match kind.text() {
        "Exempt" => {
            if limited.is_set() {
                errors.forbidden(&limited, "must be nil if the type is not Limited");
            }
            shares(errors, &exempt);
            lendable(errors, &exempt);
        }
        "Limited" => {
            if exempt.is_set() {
                errors.forbidden(&exempt, "must be nil if the type is Limited");
            }
            if limited.is_set() {
                validate_limited(errors, &limited);
            } else {
                errors.required(&limited, "must not be empty when type is Limited");
            }
        }
        _ => errors.one_of(&kind, &["Exempt", "Limited"]),
    }
}

fn shares(errors: &mut Errors, level: &Node<'_>) {
    let shares = level.get("nominalConcurrencyShares");
    if shares.int() < 0 {
        errors.invalid(&shares, shares.int(), "must be a non-negative integer");
    }
}

fn lendable(errors: &mut Errors, level: &Node<'_>) {
    let percent = level.get("lendablePercent");
    if !(0..=100).contains(&percent.int()) {
        errors.invalid(
            &percent,
            percent.int(),
            "must be between 0 and 100, inclusive",
        );
    }
}

fn validate_limited(errors: &mut Errors, limited: &Node<'_>) {
    shares(errors, limited);
    let response = limited.get("limitResponse");
    let (kind, queuing) = (response.get("type"), response.get("queuing"));
    match kind.text() {
        "Reject" => {
            if queuing.is_set() {
                let detail = "must be nil if limited.limitResponse.type is not Limited";
                errors.forbidden(&queuing, detail);
            }
        }
        "Queue" => {
            if queuing.is_set() {
                validate_queuing(errors, &queuing);
            } else {
                let detail = "must not be empty if limited.limitResponse.type is Limited";
                errors.required(&queuing, detail);
            }
        }
        _ => errors.one_of(&kind, &["Queue", "Reject"]),
    }
    lendable(errors, limited);
    let borrowing = limited.get("borrowingLimitPercent");
    if borrowing.int() < 0 {
        let detail = "if specified, must be a non-negative integer";
        errors.invalid(&borrowing, borrowing.int(), detail);
    }
}

fn validate_queuing(errors: &mut Errors, queuing: &Node<'_>) {
    const MOST: i64 = 10_000_000;
    const HASH_BITS: i64 = 60;
    let (queues, hand) = (queuing.get("queues"), queuing.get("handSize"));
    for node in [queuing.get("queueLengthLimit"), queues.clone()] {
        if node.int() <= 0 {
            errors.invalid(&node, node.int(), "must be positive");
        }
    }
    if queues.int() > MOST {
        errors.invalid(
            &queues,
            queues.int(),
            format!("must not be greater than {MOST}"),
        );
    }
    if hand.int() <= 0 {
        errors.invalid(&hand, hand.int(), "must be positive");
    } else if hand.int() > queues.int() {
        let detail = format!("should not be greater than queues ({})", queues.int());
        errors.invalid(&hand, hand.int(), detail);
    } else if needs_more_bits(queues.int(), hand.int(), HASH_BITS) {
        let detail = format!(
            "required entropy bits of deckSize {} and handSize {} should not be greater than {HASH_BITS}",
            queues.int(),
            hand.int()
        );
        errors.invalid(&hand, hand.int(), detail);
    }
}

/// Whether choosing `hand` of `deck` takes more bits than `limit` (both are far below 2^52).
fn needs_more_bits(deck: i64, hand: i64, limit: i64) -> bool {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Go computes in floating point, too"
    )]
    let (deck, hand, limit) = (deck as f64, hand as f64, limit as f64);
    (deck.log2() * hand).ceil() > limit
}
