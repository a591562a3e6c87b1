//! What an update may change in a pod.

use object::names;
use serde_json::Value;

use super::spec::validate_metadata_and_spec;
use super::{Options, affinity, annotations};
use crate::strategy::edit::{existing, keep};
use crate::strategy::equality::equal;
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};
use crate::strategy::{Context, internal, metadata};

const UPDATABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
    `spec.tolerations` (only additions to existing tolerations),\
    `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// An update of a pod.
pub(crate) fn validate(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    validate_metadata_and_spec(errors, new, Options::pod().updating(old.raw()));
    let (new_notes, old_notes) = (
        new.get("metadata.annotations"),
        old.get("metadata.annotations"),
    );
    annotations::validate_update(errors, &new_notes, &old_notes);
    let any_cost = annotations::has_bad_deletion_cost(&old_notes);
    annotations::validate(errors, &new_notes, &new.get("spec"), any_cost);
    let (spec, old_spec) = (new.get("spec"), old.get("spec"));
    for field in ["containers", "initContainers"] {
        if !same_containers(errors, &spec.get(field), &old_spec.get(field)) {
            return;
        }
    }
    if !deadline(errors, &spec, &old_spec) {
        return;
    }
    added_tolerations(
        errors,
        &spec.get("tolerations"),
        &old_spec.get("tolerations"),
    );
    deleted_gates(
        errors,
        &spec.get("schedulingGates"),
        &old_spec.get("schedulingGates"),
    );
    if equal(spec.raw(), old_spec.raw()) {
        return;
    }
    let mut munged = spec.raw().clone();
    munge(errors, &mut munged, &spec, old_spec.raw());
    if !equal(&munged, old_spec.raw()) {
        let difference = internal::difference("core.PodSpec", old_spec.raw(), &munged);
        errors.forbidden(&spec, &format!("{UPDATABLE}\n{difference}"));
    }
}

fn same_containers(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) -> bool {
    if new.len() != old.len() {
        errors.forbidden(new, "pod updates may not add or remove containers");
        return false;
    }
    for container in new.items() {
        errors.present(&container.get("image"));
        super::containers::image_padding(errors, &container);
    }
    true
}

fn deadline(errors: &mut Errors, spec: &Node<'_>, old_spec: &Node<'_>) -> bool {
    let (new, old) = (
        spec.get("activeDeadlineSeconds"),
        old_spec.get("activeDeadlineSeconds"),
    );
    match (new.opt_int(), old.opt_int()) {
        (Some(seconds), _) if !(0..=i64::from(i32::MAX)).contains(&seconds) => {
            errors.invalid(&new, seconds, names::range_message(0, i64::from(i32::MAX)));
            false
        }
        (Some(seconds), Some(before)) if before < seconds => {
            errors.invalid(
                &new,
                seconds,
                "must be less than or equal to previous value",
            );
            false
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            errors.invalid(&new, Value::Null, detail);
            true
        }
        _ => true,
    }
}

fn added_tolerations(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let without_seconds = |toleration: &Value| {
        let mut toleration = toleration.clone();
        crate::strategy::edit::remove(&mut toleration, "tolerationSeconds");
        toleration
    };
    let kept = old.items().all(|old| {
        let old = without_seconds(old.raw());
        new.items().any(|new| without_seconds(new.raw()) == old)
    });
    if !kept {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        return errors.forbidden(new, detail);
    }
    affinity::tolerations(errors, new);
}

fn deleted_gates(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    for gate in new.items() {
        let name = gate.get("name");
        if !old.items().any(|old| old.get("name").is(name.text())) {
            let detail = format!(
                "only deletion is allowed, but found new scheduling gate '{}'",
                name.text()
            );
            errors.forbidden(&name, &detail);
        }
    }
}

/// Takes back what may change.
fn munge(errors: &mut Errors, munged: &mut Value, spec: &Node<'_>, old: &Value) {
    for field in ["containers", "initContainers"] {
        let before = peek_items(old, field);
        for (container, old) in crate::strategy::edit::items(munged, field).zip(before) {
            keep(container, old, "image");
        }
    }
    for field in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        keep(munged, old, field);
    }
    let grace = "terminationGracePeriodSeconds";
    if peek(old, grace).as_i64().is_some_and(|seconds| seconds < 0)
        && peek(munged, grace).as_i64() == Some(1)
    {
        keep(munged, old, grace);
    }
    if peek_items(old, "schedulingGates").is_empty() {
        return;
    }
    let selector = spec.get("nodeSelector");
    let is_narrowed = Node::root(old)
        .get("nodeSelector")
        .entries()
        .all(|(key, value)| selector.raw().get(key) == Some(value.raw()));
    if !is_narrowed {
        let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.invalid(&selector, selector.raw().clone(), detail);
    }
    keep(munged, old, "nodeSelector");
    node_affinity(errors, munged, spec, old);
}

fn node_affinity(errors: &mut Errors, munged: &mut Value, spec: &Node<'_>, old: &Value) {
    const TERMS: &str =
        "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    let before = peek(old, "affinity.nodeAffinity");
    if equal(before, spec.get("affinity.nodeAffinity").raw()) {
        return;
    }
    let (terms, old_terms) = (spec.get(TERMS), peek_items(old, TERMS));
    if !old_terms.is_empty() && old_terms.len() != terms.len() {
        let shown = internal::json("[]core.NodeSelectorTerm", terms.raw());
        let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        errors.invalid_shown(&terms, &shown, detail);
    } else {
        for (term, old) in terms.items().zip(old_terms) {
            if !only_adds(term.raw(), old) {
                let shown = internal::json("core.NodeSelectorTerm", term.raw());
                let detail = "only additions are allowed (no mutations or deletions)";
                errors.invalid_shown(&term, &shown, detail);
            }
        }
    }
    if existing(munged, "affinity").is_some() || !before.is_null() {
        keep(munged, old, "affinity.nodeAffinity");
    }
}

fn only_adds(new: &Value, old: &Value) -> bool {
    let lists = ["matchExpressions", "matchFields"];
    if lists.iter().all(|list| peek_items(old, list).is_empty()) {
        return lists.iter().all(|list| peek_items(new, list).is_empty());
    }
    lists.iter().all(|list| {
        let (new, old) = (peek_items(new, list), peek_items(old, list));
        new.len() >= old.len() && new.iter().zip(old).all(|(new, old)| equal(new, old))
    })
}

/// An update of `ephemeralcontainers`.
pub(crate) fn validate_ephemeral(
    _: &Context<'_>,
    new: &Node<'_>,
    old: &Node<'_>,
    errors: &mut Errors,
) {
    metadata::validate_update(errors, new, old);
    validate_metadata_and_spec(errors, new, Options::pod().updating(old.raw()));
    let place = new.get("spec.ephemeralContainers");
    for before in old.get("spec.ephemeralContainers").items() {
        let name = before.get("name").text();
        let quoted = object::field::quote(name);
        match place
            .items()
            .find(|container| peek_text(container.raw(), "name") == name)
        {
            None => {
                let detail = format!("existing ephemeral containers {quoted} may not be removed\n");
                errors.forbidden(&place, &detail);
            }
            Some(now) if !equal(now.raw(), before.raw()) => {
                let difference =
                    internal::difference("core.EphemeralContainer", before.raw(), now.raw());
                let detail = format!(
                    "existing ephemeral containers {quoted} may not be changed\n{difference}"
                );
                errors.forbidden(&place, &detail);
            }
            Some(_) => {}
        }
    }
}
