//! Coming from client-side apply, and going back.
//!
//! `kubectl apply --server-side` (the manager `kubectl`) may take over, without a conflict, what
//! `kubectl apply` recorded in its annotation; and it keeps that annotation up to date.
//! Source: apimachinery `pkg/util/managedfields/internal` (`lastapplied*.go`).

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::GroupVersionKind;
use crate::smd::fieldset::Set;
use crate::smd::schema::Type;
use crate::smd::typed::{Duplicates, TypedValue};
use crate::smd::value::write_go_json;

/// The annotation of client-side apply.
pub const LAST_APPLIED_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The manager for which the annotation counts.
pub(super) const KUBECTL: &str = "kubectl";

/// How large all annotations of an object may be together, in bytes.
const TOTAL_ANNOTATION_SIZE: usize = 256 * 1024;

fn annotations(object: &Value) -> Option<&Map<String, Value>> {
    object.pointer("/metadata/annotations")?.as_object()
}

fn last_applied(object: &Value) -> Option<&str> {
    let text = annotations(object)?
        .get(LAST_APPLIED_ANNOTATION)?
        .as_str()?;
    (!text.is_empty()).then_some(text)
}

/// The fields that client-side apply declared and that still have the declared values: those may be
/// taken over. `None` if the annotation is absent or unusable.
pub(super) fn allowed_conflicts(
    live: &Value,
    type_: &Type,
    kind: &GroupVersionKind,
) -> Option<Set> {
    let text = last_applied(live)?;
    let live = TypedValue::new(Cow::Borrowed(live), type_, Duplicates::Forbidden).ok()?;
    let declared: Value = serde_json::from_str(text).ok()?;
    if GroupVersionKind::of(&declared) != *kind {
        return None;
    }
    let declared = TypedValue::new(Cow::Owned(declared), type_, Duplicates::Forbidden).ok()?;
    let set = declared.to_field_set().ok()?;
    let comparison = declared.compare(&live).ok()?;
    Some(
        set.difference(&comparison.modified)
            .difference(&comparison.added)
            .difference(&comparison.removed),
    )
}

/// Writes what was applied into the annotation, if `object` has it.
pub(super) fn update_annotation(object: &mut Value, applied: &Value) {
    if last_applied(object).is_none() {
        return;
    }
    let mut applied = applied.clone();
    if let Some(Value::Object(metadata)) = applied.get_mut("metadata") {
        match metadata.get_mut("annotations") {
            Some(Value::Object(annotations)) => {
                annotations.remove(LAST_APPLIED_ANNOTATION);
            }
            _ => {
                metadata.remove("annotations");
            }
        }
    }
    let mut text = String::new();
    write_go_json(&mut text, &applied);
    text.push('\n');
    let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") else {
        return;
    };
    annotations.insert(LAST_APPLIED_ANNOTATION.to_owned(), Value::String(text));
    let size: usize = annotations
        .iter()
        .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len))
        .sum();
    if size > TOTAL_ANNOTATION_SIZE {
        annotations.remove(LAST_APPLIED_ANNOTATION);
    }
}
