//! Namespaces.

use object::names;
use serde_json::{Value, json};

use super::set_metadata;
use crate::strategy::edit::{field, keep, set};
use crate::strategy::kind::{Kind, Subresource, status};
use crate::strategy::metadata::{self, known_finalizer};
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};
use crate::strategy::{Context, ResetFields};

pub(crate) const KIND: Kind = Kind {
    namespaced: false,
    status: Some(r#"{"phase":"Active"}"#),
    prepare_create,
    prepare_update: |_, new, old| keep(new, old, "spec.finalizers"),
    validate: |_, object, errors| validate(errors, object),
    validate_update: |_, new, old, errors| {
        validate(errors, new);
        metadata::validate_update(errors, new, old);
    },
    canonicalize: label_with_name,
    subresources: &[
        status(validate_status),
        Subresource {
            name: "finalize",
            prepare: |_, new, old| keep(new, old, "status"),
            validate: validate_finalize,
            warn: |_, _, _| {},
            reset: ResetFields::Except(&[&["status"]]),
        },
    ],
    ..Kind::new("", "namespaces")
};

fn prepare_create(_: &Context<'_>, object: &mut Value) {
    let has = peek_items(object, "spec.finalizers")
        .iter()
        .any(|name| name == "kubernetes");
    if !has && let Some(spec) = field(object, "spec") {
        let mut finalizers = peek_items(spec, "finalizers").to_vec();
        finalizers.push(json!("kubernetes"));
        set(spec, "finalizers", finalizers);
    }
}

/// Every namespace has its name as a label.
pub(crate) fn label_with_name(object: &mut Value) {
    let name = peek_text(object, "metadata.name").to_owned();
    if name.is_empty() {
        return;
    }
    let mut labels = peek(object, "metadata.labels").clone();
    set(&mut labels, "kubernetes.io/metadata.name", name);
    set_metadata(object, "labels", labels);
}

fn validate(errors: &mut Errors, object: &Node<'_>) {
    metadata::validate(errors, object, false, names::name_is_dns_label);
    let finalizers = object.get("spec.finalizers");
    for finalizer in finalizers.items() {
        finalizer_name(errors, &finalizer.placed(finalizers.path().clone()));
    }
}

fn finalizer_name(errors: &mut Errors, finalizer: &Node<'_>) {
    errors.format(finalizer, names::qualified_name);
    known_finalizer(errors, finalizer, finalizer.path());
}

fn validate_status(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    // Upstream names the field so.
    let phase = new.get("status.phase");
    let place = new.path().child("status").child("Phase");
    if new.get("metadata.deletionTimestamp").is_set() {
        if !phase.is("Terminating") {
            let detail = "may only be 'Terminating' if `deletionTimestamp` is not empty";
            errors.invalid(&place, phase.text(), detail);
        }
    } else if !phase.is("Active") {
        let detail = "may only be 'Active' if `deletionTimestamp` is empty";
        errors.invalid(&place, phase.text(), detail);
    }
}

fn validate_finalize(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    for finalizer in new.get("spec.finalizers").items() {
        finalizer_name(errors, &finalizer);
    }
}
