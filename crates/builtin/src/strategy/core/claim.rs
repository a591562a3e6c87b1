//! PersistentVolumeClaims.

use object::names;
use serde_json::{Value, json};

use super::pod::warnings::fraction;
use super::quantities::{is_native, quantity, validate_amount, validate_basic, validate_positive};
use crate::strategy::edit::{existing, keep, remove, set};
use crate::strategy::equality::equal;
use crate::strategy::kind::{Kind, status};
use crate::strategy::labels::{validate_labels, validate_selector};
use crate::strategy::node::{Errors, Node, peek, peek_text};
use crate::strategy::{Context, internal, metadata};

const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

pub(crate) const KIND: Kind = Kind {
    status: Some("{}"),
    prepare_create: |_, claim| prepare(claim, &Value::Null),
    prepare_update: |_, new, old| prepare(new, peek(old, "spec")),
    validate: |_, claim, errors| validate(errors, claim),
    validate_update,
    warn,
    warn_update: |new, _, warnings| warn(new, warnings),
    subresources: &[status(validate_status)],
    ..Kind::new("", "persistentvolumeclaims")
};

/// `dataSource` and `dataSourceRef` are made to say the same.
fn prepare(claim: &mut Value, old_spec: &Value) {
    let Some(spec) = existing(claim, "spec") else {
        return;
    };
    let had_ref = !peek(old_spec, "dataSourceRef").is_null();
    let had_source = had_ref || !peek(old_spec, "dataSource").is_null();
    if !peek_text(spec, "dataSourceRef.namespace").is_empty() && !had_ref {
        remove(spec, "dataSourceRef");
    }
    if !had_source && peek(spec, "dataSourceRef").is_null() {
        let group = peek_text(spec, "dataSource.apiGroup");
        let kind = peek_text(spec, "dataSource.kind");
        let is_known = (kind == "PersistentVolumeClaim" && group.is_empty())
            || (kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io");
        if !is_known {
            remove(spec, "dataSource");
        }
    }
    let (source, reference) = (
        peek(spec, "dataSource").clone(),
        peek(spec, "dataSourceRef").clone(),
    );
    if !source.is_null() && reference.is_null() {
        set(spec, "dataSourceRef", source);
    } else if source.is_null()
        && !reference.is_null()
        && peek_text(&reference, "namespace").is_empty()
    {
        let mut source = reference;
        remove(&mut source, "namespace");
        set(spec, "dataSource", source);
    }
}

fn validate(errors: &mut Errors, claim: &Node<'_>) {
    metadata::validate(errors, claim, true, names::name_is_dns_subdomain);
    validate_spec(errors, &claim.get("spec"));
}

/// Modes of access to a volume.
pub(crate) fn access_modes(errors: &mut Errors, modes: &Node<'_>) {
    const MODES: &[&str] = &[
        "ReadOnlyMany",
        "ReadWriteMany",
        "ReadWriteOnce",
        "ReadWriteOncePod",
    ];
    let all = modes.texts();
    for mode in &all {
        if !MODES.contains(mode) {
            errors.unsupported(modes, *mode, MODES);
        }
    }
    let has_other = all.iter().any(|mode| MODES[..3].contains(mode));
    if all.contains(&"ReadWriteOncePod") && has_other {
        errors.forbidden(
            modes,
            "may not use ReadWriteOncePod with other access modes",
        );
    }
}

/// The spec of a claim.
pub(crate) fn validate_spec(errors: &mut Errors, spec: &Node<'_>) {
    let modes = spec.get("accessModes");
    if modes.is_empty() {
        errors.required(&modes, "at least 1 access mode is required");
    }
    validate_selector(errors, &spec.get("selector"));
    access_modes(errors, &modes);
    let request = spec.get("resources.requests").key("storage");
    let amount = request.placed(spec.path().child("resources").key("storage"));
    if !request.is_set() {
        errors.required(&amount, "");
    } else if quantity(request.raw()).sign() <= 0 {
        validate_positive(errors, &amount);
    } else {
        validate_amount(errors, &amount, "storage");
    }
    let class = spec.get("storageClassName");
    if !class.is_empty() {
        errors.name(&class, names::name_is_dns_subdomain);
    }
    errors.opt_one_of(&spec.get("volumeMode"), &["Block", "Filesystem"]);
    data_sources(errors, spec);
    let attributes = spec.get("volumeAttributesClassName");
    if !attributes.is_empty() {
        errors.name(&attributes, names::name_is_dns_subdomain);
    }
}

fn data_sources(errors: &mut Errors, spec: &Node<'_>) {
    let (source, reference) = (spec.get("dataSource"), spec.get("dataSourceRef"));
    for node in [&source, &reference] {
        if node.is_set() {
            data_source(errors, node);
        }
    }
    if !source.is_set() || !reference.is_set() {
        return;
    }
    let is_same = ["apiGroup", "kind", "name"]
        .iter()
        .all(|field| source.get(field).opt_text() == reference.get(field).opt_text());
    let detail = if !reference.get("namespace").is_empty() {
        "may not be specified when dataSourceRef.namespace is specified"
    } else if !is_same {
        "must match dataSourceRef"
    } else {
        return;
    };
    // Upstream shows the path of the field as the value, an object without visible fields.
    errors.invalid(spec, json!({}), detail);
}

fn data_source(errors: &mut Errors, source: &Node<'_>) {
    let (group, kind) = (source.get("apiGroup"), source.get("kind"));
    errors.present(&source.get("name"));
    errors.present(&kind);
    if group.is_empty() && !kind.is("PersistentVolumeClaim") {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.invalid(source, kind.text(), detail);
    }
    if !group.is_empty() {
        errors.format(&group, names::dns1123_subdomain);
    }
    let namespace = source.get("namespace");
    if !namespace.is_empty() {
        errors.name(&namespace, names::name_is_dns_label);
    }
}

/// A claim that is made for each pod.
pub(crate) fn validate_template(errors: &mut Errors, template: &Node<'_>) {
    validate_template_metadata(errors, &template.get("metadata"));
    validate_spec(errors, &template.get("spec"));
}

/// The metadata that objects made of a template get: annotations and labels only.
pub(crate) fn validate_template_metadata(errors: &mut Errors, meta: &Node<'_>) {
    metadata::validate_annotations(errors, &meta.get("annotations"));
    validate_labels(errors, &meta.get("labels"));
    for (key, _) in meta.entries() {
        let node = meta.get(key);
        if key != "annotations" && key != "labels" && node.is_set() {
            errors.forbidden(&node, "cannot be set");
        }
    }
}

fn validate_update(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    validate(errors, new);
    let mut spec = new.get("spec").raw().clone();
    let mut before = old.get("spec").raw().clone();
    if peek_text(&before, "volumeName").is_empty() {
        keep(&mut before, &spec, "volumeName");
    }
    storage_class(errors, &mut spec, new, old);
    if new.get("status.phase").is("Bound") {
        keep(&mut spec, &before, "resources.requests.storage");
        keep(&mut spec, &before, "volumeAttributesClassName");
    }
    if !equal(&spec, &before) {
        let difference = internal::difference("core.PersistentVolumeClaimSpec", &before, &spec);
        let detail = format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{difference}"
        );
        errors.forbidden(&new.get("spec"), &detail);
    }
    sizes(errors, new, old);
    let mode = new
        .get("spec.volumeMode")
        .placed(new.path().child("volumeMode"));
    errors.immutable(&mode, &old.get("spec.volumeMode"));
    let (class, was) = (
        new.get("spec.volumeAttributesClassName"),
        old.get("spec.volumeAttributesClassName"),
    );
    if class.opt_text() != was.opt_text()
        && old.get("status.currentVolumeAttributesClassName").is_set()
    {
        let what = match class.opt_text() {
            None => "nil",
            Some("") => "empty string",
            Some(_) => return,
        };
        let detail = format!(
            "update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil"
        );
        errors.forbidden(&class, &detail);
    }
}

/// The class may move from the annotation to the field, or be set where there was none.
fn storage_class(errors: &mut Errors, spec: &mut Value, new: &Node<'_>, old: &Node<'_>) {
    let notes = |claim: &Node<'_>| {
        claim
            .get("metadata.annotations")
            .key(CLASS_ANNOTATION)
            .raw()
            .clone()
    };
    let (note, old_note) = (notes(new), notes(old));
    let (class, old_class) = (
        new.get("spec.storageClassName"),
        old.get("spec.storageClassName"),
    );
    let moves = old_note.is_string()
        && !old_class.is_set()
        && class.raw() == &old_note
        && (note.is_null() || note == old_note);
    if moves {
        return remove(spec, "storageClassName");
    }
    if note.as_str().unwrap_or_default() != old_note.as_str().unwrap_or_default() {
        let place = new
            .path()
            .child("metadata")
            .child("annotations")
            .child(CLASS_ANNOTATION);
        errors.invalid(
            &place,
            note.as_str().unwrap_or_default(),
            metadata::IMMUTABLE,
        );
    }
    let is_first = class.is_set() && !old_class.is_set();
    if is_first && (old_note.is_null() || class.raw() == &old_note) {
        remove(spec, "storageClassName");
    }
}

fn sizes(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let size = |claim: &Node<'_>, list: &str| quantity(claim.get(list).key("storage").raw());
    let now = size(new, "spec.resources.requests");
    if now < size(old, "spec.resources.requests") && now <= size(old, "status.capacity") {
        let place = new.get("spec.resources.requests.storage");
        errors.forbidden(&place, "field can not be less than status.capacity");
    }
}

fn validate_status(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    const STATES: &[&str] = &[
        "ControllerResizeInProgress",
        "ControllerResizeInfeasible",
        "NodeResizeInProgress",
        "NodeResizeInfeasible",
        "NodeResizePending",
    ];
    metadata::validate_update(errors, new, old);
    if new.get("metadata.resourceVersion").is_empty() {
        errors.required(&new.path().child("resourceVersion"), "");
    }
    if new.get("spec.accessModes").is_empty() {
        errors.required(&new.path().child("Spec").child("accessModes"), "");
    }
    for (_, amount) in new.get("status.capacity").entries() {
        validate_basic(errors, &amount);
    }
    let states = new.get("status.allocatedResourceStatuses");
    for (name, state) in states.entries() {
        resource_key(errors, &states, name);
        if !STATES.contains(&state.text()) {
            errors.unsupported(&states, name, STATES);
        }
    }
    let allocated = new.get("status.allocatedResources");
    for (name, amount) in allocated.entries() {
        if !resource_key(errors, &allocated, name) {
            continue;
        }
        if quantity(amount.raw()).value() < 0 {
            validate_basic(errors, &amount);
        } else {
            validate_amount(errors, &amount, "storage");
        }
    }
}

fn resource_key(errors: &mut Errors, at: &Node<'_>, name: &str) -> bool {
    let messages = names::qualified_name(name);
    let is_sound = messages.is_empty();
    errors.messages(at, name, messages);
    if is_sound && is_native(name) && name != "storage" {
        errors.unsupported(at, name, &["storage"]);
        return false;
    }
    is_sound
}

fn warn(claim: &Node<'_>, warnings: &mut Vec<String>) {
    let annotations = claim.get("metadata.annotations");
    if annotations.has(CLASS_ANNOTATION) {
        warnings.push(format!(
            "{}: deprecated since v1.8; use \"storageClassName\" attribute instead",
            annotations.path().key(CLASS_ANNOTATION)
        ));
    }
    warn_of_spec(&claim.get("spec"), warnings);
}

/// Warnings about the spec of a claim.
pub(crate) fn warn_of_spec(spec: &Node<'_>, warnings: &mut Vec<String>) {
    for list in ["requests", "limits"] {
        let list = spec.get("resources").get(list);
        fraction(&list, "storage", list.path(), warnings);
    }
}
