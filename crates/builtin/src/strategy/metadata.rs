//! Validation of an object's metadata, of built-in kinds and of custom resources.
//!
//! Source: apimachinery `api/validation` (`ValidateObjectMeta`, `ValidateObjectMetaUpdate`) and, for the
//! built-in kinds, the finalizer rule of `pkg/apis/core/validation`.

use object::field::{ErrorList, Path};
use object::names;
use serde_json::Value;

use super::internal;
use super::labels::validate_labels;
use super::node::{Errors, Node};

/// The detail of a number below zero.
pub const NEGATIVE: &str = "must be greater than or equal to 0";
/// The detail of a field that may not change.
pub const IMMUTABLE: &str = "field is immutable";
/// The most bytes that all annotations of an object may have together.
pub const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// A rule for the names of a kind: the messages about a name, or about a prefix (`generateName`).
pub type NameRule = fn(&str, bool) -> Vec<String>;

/// Validates the metadata of a new object: name, namespace, labels, annotations, owners, finalizers.
///
/// `namespaced` says whether the kind lives in namespaces; `rule` is the kind's rule for names.
/// Source: apimachinery `ValidateObjectMetaAccessor`.
pub fn validate_object_meta(object: &Value, namespaced: bool, rule: NameRule) -> ErrorList {
    Errors::of(|errors| {
        object_meta(
            errors,
            &Node::root(object).get("metadata"),
            namespaced,
            rule,
        );
    })
}

/// Validates the metadata of a changed object against what it was.
///
/// Source: apimachinery `ValidateObjectMetaAccessorUpdate`.
pub fn validate_object_meta_update(new: &Value, old: &Value) -> ErrorList {
    Errors::of(|errors| object_meta_update(errors, &Node::root(new), &Node::root(old)))
}

/// The metadata of an object of a core kind (whose finalizers have to be qualified or known).
pub(crate) fn validate(errors: &mut Errors, object: &Node<'_>, namespaced: bool, rule: NameRule) {
    let metadata = object.get("metadata");
    object_meta(errors, &metadata, namespaced, rule);
    known_finalizers(errors, &metadata);
}

/// The metadata of a changed object of a core kind.
pub(crate) fn validate_update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    object_meta_update(errors, new, old);
    known_finalizers(errors, &new.get("metadata"));
}

/// [`validate_object_meta`], at a place.
pub(crate) fn object_meta(
    errors: &mut Errors,
    metadata: &Node<'_>,
    namespaced: bool,
    rule: NameRule,
) {
    let generate_name = metadata.get("generateName");
    if !generate_name.is_empty() {
        let text = generate_name.text();
        errors.messages(&generate_name, text, rule(text, true));
    }
    let name = metadata.get("name");
    if name.is_empty() {
        errors.required(&name, "name or generateName is required");
    } else {
        errors.name(&name, rule);
    }
    let namespace = metadata.get("namespace");
    if !namespaced {
        if !namespace.is_empty() {
            errors.forbidden(&namespace, "not allowed on this type");
        }
    } else if namespace.is_empty() {
        errors.required(&namespace, "");
    } else {
        errors.name(&namespace, names::name_is_dns_label);
    }
    errors.non_negative(&metadata.get("generation"));
    labels_annotations_owners(errors, metadata);
    finalizers(errors, &metadata.get("finalizers"));
    managed_fields(errors, &metadata.get("managedFields"));
}

fn object_meta_update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let (new, old) = (new.get("metadata"), old.get("metadata"));
    if old.get("deletionTimestamp").is_set() {
        no_new_finalizers(errors, &new.get("finalizers"), &old.get("finalizers"));
    }
    let version = new.get("resourceVersion");
    if version.is_empty() {
        errors.invalid(&version, "", "must be specified for an update");
    }
    let generation = new.get("generation");
    if generation.int() < old.get("generation").int() {
        errors.invalid(&generation, generation.int(), "must not be decremented");
    }
    for field in ["name", "namespace", "uid"] {
        let (new, old) = (new.get(field), old.get(field));
        if new.text() != old.text() {
            errors.invalid(&new, new.text(), IMMUTABLE);
        }
    }
    for field in [
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        errors.immutable(&new.get(field), &old.get(field));
    }
    labels_annotations_owners(errors, &new);
    managed_fields(errors, &new.get("managedFields"));
}

fn labels_annotations_owners(errors: &mut Errors, metadata: &Node<'_>) {
    validate_labels(errors, &metadata.get("labels"));
    validate_annotations(errors, &metadata.get("annotations"));
    owner_references(errors, &metadata.get("ownerReferences"));
}

/// The keys and the size of annotations.
pub(crate) fn validate_annotations(errors: &mut Errors, annotations: &Node<'_>) {
    let mut size = 0;
    for (key, value) in annotations.entries() {
        errors.messages(annotations, key, names::qualified_name(&key.to_lowercase()));
        size += key.len() + value.text().len();
    }
    if size > ANNOTATIONS_LIMIT {
        errors.too_long(annotations, ANNOTATIONS_LIMIT);
    }
}

fn owner_references(errors: &mut Errors, owners: &Node<'_>) {
    let mut controller: Option<String> = None;
    for owner in owners.items() {
        owner_reference(errors, &owner.placed(owners.path().clone()));
        if !owner.get("controller").truth() {
            continue;
        }
        let name = format!("{}/{}", owner.get("kind").text(), owner.get("name").text());
        if let Some(first) = &controller {
            let shown = internal::json("[]v1.OwnerReference", owners.raw());
            let detail = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
            );
            errors.invalid_shown(owners, &shown, &detail);
        } else {
            controller = Some(name);
        }
    }
}

fn owner_reference(errors: &mut Errors, owner: &Node<'_>) {
    let version = owner.get("apiVersion");
    let kind = owner.get("kind");
    let parsed = object::GroupVersion::parse(version.text()).unwrap_or_default();
    if parsed.version.is_empty() {
        errors.invalid(&version, version.text(), "version must not be empty");
    }
    for field in ["kind", "name", "uid"] {
        let field = owner.get(field);
        if field.is_empty() {
            errors.invalid(&field, "", "must not be empty");
        }
    }
    if version.is("v1") && kind.is("Event") {
        let shown = internal::json("v1.OwnerReference", owner.raw());
        let detail = "/v1, Kind=Event is disallowed from being an owner";
        errors.invalid_shown(owner, &shown, detail);
    }
}

fn finalizers(errors: &mut Errors, finalizers: &Node<'_>) {
    for finalizer in finalizers.texts() {
        errors.messages(finalizers, finalizer, names::qualified_name(finalizer));
    }
    let texts = finalizers.texts();
    if texts.contains(&"orphan") && texts.contains(&"foregroundDeletion") {
        errors.invalid(
            finalizers,
            finalizers.raw().clone(),
            "finalizer orphan and foregroundDeletion cannot be both set",
        );
    }
}

fn no_new_finalizers(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let before = old.texts();
    let mut extra: Vec<&str> = new.texts();
    extra.retain(|finalizer| !before.contains(finalizer));
    extra.sort_unstable();
    extra.dedup();
    if !extra.is_empty() {
        let quoted: Vec<String> = extra
            .iter()
            .map(|text| object::field::quote(text))
            .collect();
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            quoted.join(", ")
        );
        errors.forbidden(new, &detail);
    }
}

/// Finalizers of core kinds without a slash have to be known ones.
fn known_finalizers(errors: &mut Errors, metadata: &Node<'_>) {
    for finalizer in metadata.get("finalizers").items() {
        known_finalizer(errors, &finalizer, finalizer.path());
    }
}

/// One finalizer, with its errors at `path`.
pub(crate) fn known_finalizer(errors: &mut Errors, finalizer: &Node<'_>, path: &Path) {
    let text = finalizer.text();
    if !text.contains('/') && !["kubernetes", "orphan", "foregroundDeletion"].contains(&text) {
        errors.invalid(
            path,
            text,
            "name is neither a standard finalizer name nor is it fully qualified",
        );
    }
}

fn managed_fields(errors: &mut Errors, managed: &Node<'_>) {
    for entry in managed.items() {
        let operation = entry.get("operation");
        if !["Apply", "Update"].contains(&operation.text()) {
            errors.invalid(&operation, operation.text(), "must be `Apply` or `Update`");
        }
        let fields_type = entry.get("fieldsType");
        if !fields_type.is_empty() && !fields_type.is("FieldsV1") {
            errors.invalid(&fields_type, fields_type.text(), "must be `FieldsV1`");
        }
        validate_field_manager(errors, &entry.get("manager"));
        let subresource = entry.get("subresource");
        if subresource.len() > 256 {
            errors.too_long(&subresource, 256);
        }
    }
}

/// The name of a field manager.
fn validate_field_manager(errors: &mut Errors, manager: &Node<'_>) {
    if manager.len() > 128 {
        errors.too_long(manager, 128);
    }
    for (position, c) in manager.text().char_indices() {
        if c.is_control() {
            let detail = format!(
                "invalid character U+{:04X} (at position {position})",
                c as u32
            );
            errors.invalid(manager, manager.text(), detail);
        }
    }
}
