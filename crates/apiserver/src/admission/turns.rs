//! One after the other: writes whose admission depends on what other writes have just stored.
//!
//! A service gets an address that no other has, and a quota is compared with what there is. Between the
//! look and the write nobody else may do the same; so such writes wait for each other. All others go on
//! side by side.

use tokio::sync::{Mutex, MutexGuard};

use super::{Attributes, quota};
use crate::core::Core;

/// The locks, in the order in which they are taken.
#[derive(Default)]
pub(crate) struct Turns {
    services: Mutex<()>,
    quotas: Mutex<()>,
}

/// Held from before the look until the object is in the store; others go on when it is dropped.
pub(crate) type Turn<'a> = [Option<MutexGuard<'a, ()>>; 2];

/// Waits until it is a write's turn to look at what there is of its kind; most need not wait.
pub(crate) async fn turn<'a>(core: &'a Core, attributes: &Attributes<'_>) -> Turn<'a> {
    if attributes.dry_run {
        return [None, None];
    }
    let turns = &core.admission.turns;
    let call = attributes.call;
    let resource = &call.resource.gvr;
    let is_service = resource.group.is_empty() && resource.resource == "services";
    let services = if is_service && call.subresource.is_empty() {
        Some(turns.services.lock().await)
    } else {
        None
    };
    [services, None]
}

/// Waits until it is a write's turn to look at its quotas. Webhooks have been asked before: one that
/// writes to the same namespace before it answers would wait for itself.
pub(super) async fn quota_turn<'a>(
    core: &'a Core,
    attributes: &Attributes<'_>,
    turn: &mut Turn<'a>,
) {
    if !attributes.dry_run && quota::concerns(attributes) {
        turn[1] = Some(core.admission.turns.quotas.lock().await);
    }
}
