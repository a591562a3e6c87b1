//! PersistentVolumes.

use object::names;
use serde_json::{Value, json};

use super::claim::access_modes;
use super::pod::affinity::node_selector;
use super::pod::warnings;
use super::quantities::{validate_basic, validate_positive};
use super::volume_source::{PERSISTENT, validate_sources};
use crate::strategy::edit::{keep, remove, set};
use crate::strategy::equality::equal;
use crate::strategy::kind::{Kind, Subresource, keep_spec};
use crate::strategy::node::{Errors, Node, peek, peek_text};
use crate::strategy::{Context, ResetFields, internal, metadata};

pub(crate) const KIND: Kind = Kind {
    namespaced: false,
    status: Some("{}"),
    prepare_create: |cx, volume| {
        let status = json!({ "phase": "Pending", "lastPhaseTransitionTime": cx.now });
        set(volume, "status", status);
    },
    validate: |_, volume, errors| validate(errors, volume),
    validate_update,
    warn,
    warn_update: |new, _, warnings| warn(new, warnings),
    subresources: &[Subresource {
        name: "status",
        prepare: prepare_status,
        validate: |_, new, old, errors| {
            metadata::validate_update(errors, new, old);
            if new.get("metadata.resourceVersion").is_empty() {
                errors.required(&new.path().child("resourceVersion"), "");
            }
        },
        warn: |_, _, _| {},
        reset: ResetFields::Except(&[&["spec"]]),
    }],
    ..Kind::new("", "persistentvolumes")
};

fn prepare_status(cx: &Context<'_>, new: &mut Value, old: &Value) {
    const TIME: &str = "status.lastPhaseTransitionTime";
    keep_spec(cx, new, old);
    let (time, before) = (peek(new, TIME), peek(old, TIME));
    if peek_text(new, "status.phase") == peek_text(old, "status.phase") {
        if time.is_null() {
            keep(new, old, TIME);
        }
    } else if (time.is_null() || time == before)
        && let Some(status) = crate::strategy::edit::field(new, "status")
    {
        set(status, "lastPhaseTransitionTime", cx.now);
    }
}

fn validate(errors: &mut Errors, volume: &Node<'_>) {
    validate_volume(errors, volume);
    mount_options(errors, volume);
}

fn validate_volume(errors: &mut Errors, volume: &Node<'_>) {
    metadata::validate(errors, volume, false, names::name_is_dns_subdomain);
    validate_spec(
        errors,
        &volume.get("spec"),
        volume.get("metadata.name").text(),
        false,
    );
}

/// The spec of a volume, also of one that is part of an attachment (`inline`).
pub(crate) fn validate_spec(errors: &mut Errors, spec: &Node<'_>, name: &str, inline: bool) {
    const INLINE: &str = "may not be specified in the context of inline volumes";
    if inline {
        for field in ["claimRef", "capacity"] {
            if !spec.get(field).is_empty() {
                errors.forbidden(&spec.get(field), INLINE);
            }
        }
        if !spec.get("csi").is_set() {
            let detail = "has to be specified in the context of inline volumes";
            errors.required(&spec.get("csi"), detail);
        }
    }
    errors.present(&spec.get("accessModes"));
    access_modes(errors, &spec.get("accessModes"));
    if !inline {
        capacity(errors, &spec.get("capacity"));
    }
    reclaim_policy(errors, &spec.get("persistentVolumeReclaimPolicy"), inline);
    let affinity = spec.get("nodeAffinity");
    if affinity.is_set() && inline {
        errors.forbidden(&affinity, INLINE);
    } else if affinity.is_set() {
        let required = affinity.get("required");
        if required.is_set() {
            node_selector(errors, &required, false);
        } else {
            errors.required(&required, "must specify required node constraints");
        }
    }
    sources(errors, spec, name, affinity.is_set() && !inline);
    class_and_mode(errors, spec, inline);
}

fn capacity(errors: &mut Errors, capacity: &Node<'_>) {
    errors.present(capacity);
    if !capacity.has("storage") || capacity.len() > 1 {
        errors.unsupported(capacity, capacity.raw().clone(), &["storage"]);
    }
    for (_, amount) in capacity.entries() {
        validate_basic(errors, &amount);
        validate_positive(errors, &amount);
    }
}

fn reclaim_policy(errors: &mut Errors, policy: &Node<'_>, inline: bool) {
    if policy.is_empty() {
        return;
    }
    if !inline {
        errors.one_of(policy, &["Delete", "Recycle", "Retain"]);
    } else if !policy.is("Retain") {
        errors.forbidden(
            policy,
            "may only be Retain in the context of inline volumes",
        );
    }
}

fn sources(errors: &mut Errors, spec: &Node<'_>, name: &str, has_affinity: bool) {
    let before = errors.len();
    let count = validate_sources(errors, spec, PERSISTENT, 0);
    let is_only_local = errors.len() == before || count == 1;
    if spec.get("local").is_set() && is_only_local && !has_affinity {
        errors.required(
            &spec.get("nodeAffinity"),
            "Local volume requires node affinity",
        );
    }
    let iscsi = spec.get("iscsi");
    let target = iscsi.get("targetPortal");
    if iscsi.get("initiatorName").is_set() && name.len() + 1 + target.len() > 64 {
        let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
        errors.invalid(&iscsi.path().child("targetportal"), target.text(), detail);
    }
    if count == 0 {
        errors.required(spec, "must specify a volume type");
    }
    let policy = spec.get("persistentVolumeReclaimPolicy");
    let is_root = spec
        .get("hostPath.path")
        .text()
        .trim_end_matches(['/', '.'])
        .is_empty();
    if spec.get("hostPath").is_set() && is_root && policy.is("Recycle") {
        errors.forbidden(&policy, "may not be 'recycle' for a hostPath mount of '/'");
    }
}

fn class_and_mode(errors: &mut Errors, spec: &Node<'_>, inline: bool) {
    let class = spec.get("storageClassName");
    if !class.is_empty() && inline {
        let detail = "may not be specified in the context of inline volumes";
        errors.forbidden(&class, detail);
    } else if !class.is_empty() {
        errors.name(&class, names::name_is_dns_subdomain);
    }
    let mode = spec.get("volumeMode");
    if !inline {
        errors.opt_one_of(&mode, &["Block", "Filesystem"]);
    } else if mode.is_set() && !mode.is("Filesystem") {
        let detail =
            "may not specify volumeMode other than Filesystem in the context of inline volumes";
        errors.forbidden(&mode, detail);
    }
    let attributes = spec.get("volumeAttributesClassName");
    if attributes.is_set() && !inline {
        if attributes.is_empty() {
            errors.required(&attributes, "an empty string is disallowed");
        } else {
            errors.name(&attributes, names::name_is_dns_subdomain);
        }
        if !spec.get("csi").is_set() {
            let detail = "has to be specified when using volumeAttributesClassName";
            errors.required(&spec.get("csi"), detail);
        }
    }
}

/// Mount options by annotation, which not every source knows.
fn mount_options(errors: &mut Errors, volume: &Node<'_>) {
    const ANNOTATION: &str = "volume.beta.kubernetes.io/mount-options";
    const KNOWN: &[&str] = &[
        "gcePersistentDisk",
        "awsElasticBlockStore",
        "glusterfs",
        "nfs",
        "rbd",
        "quobyte",
        "iscsi",
        "cinder",
        "cephfs",
        "azureFile",
        "vsphereVolume",
        "azureDisk",
        "photonPersistentDisk",
    ];
    let annotations = volume.get("metadata.annotations");
    let is_known = KNOWN
        .iter()
        .any(|source| volume.get("spec").get(source).is_set());
    if annotations.has(ANNOTATION) && !is_known {
        let place = annotations.path().child(ANNOTATION);
        errors.forbidden(&place, "may not specify mount options for this volume type");
    }
}

/// The part of a spec that is the volume's source.
fn source_of(spec: &Value) -> Value {
    let mut source = json!({});
    for kind in PERSISTENT {
        let value = peek(spec, kind.field);
        if !value.is_null() {
            set(&mut source, kind.field, value.clone());
        }
    }
    source
}

fn validate_update(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    validate(errors, new);
    validate_volume(errors, new);
    let (mut source, before) = (
        source_of(new.get("spec").raw()),
        source_of(old.get("spec").raw()),
    );
    let secret = "csi.controllerExpandSecretRef";
    if !peek(&before, "csi").is_null() && peek(&before, secret).is_null() {
        remove(&mut source, secret);
    }
    if !equal(&source, &before) {
        let difference = internal::difference("core.PersistentVolumeSource", &before, &source);
        let detail =
            format!("spec.persistentvolumesource is immutable after creation\n{difference}");
        errors.forbidden(
            &new.path().child("spec").child("persistentvolumesource"),
            &detail,
        );
    }
    // Upstream names these two from the root, kept.
    let mode = new
        .get("spec.volumeMode")
        .placed(new.path().child("volumeMode"));
    errors.immutable(&mode, &old.get("spec.volumeMode"));
    let (affinity, before) = (new.get("spec.nodeAffinity"), old.get("spec.nodeAffinity"));
    if before.is_set() && !equal(affinity.raw(), before.raw()) {
        let shown = internal::json("*core.VolumeNodeAffinity", affinity.raw());
        let detail = "field is immutable, except for updating from beta label to GA";
        errors.invalid_shown(&new.path().child("nodeAffinity"), &shown, detail);
    }
    let class = new.get("spec.volumeAttributesClassName");
    if old.get("spec.volumeAttributesClassName").is_set() && !class.is_set() {
        errors.forbidden(&class, "update from non-nil value to nil is forbidden");
    }
}

fn warn(volume: &Node<'_>, all: &mut Vec<String>) {
    let annotations = volume.get("metadata.annotations");
    for (key, message) in [
        (
            "volume.beta.kubernetes.io/storage-class",
            "deprecated since v1.8; use \"storageClassName\" attribute instead",
        ),
        (
            "volume.beta.kubernetes.io/mount-options",
            "deprecated since v1.31; use \"mountOptions\" attribute instead",
        ),
    ] {
        if annotations.has(key) {
            all.push(format!("{}: {message}", annotations.path().key(key)));
        }
    }
    let spec = volume.get("spec");
    let policy = spec.get("persistentVolumeReclaimPolicy");
    if policy.is("Recycle") {
        all.push(format!(
            "{}: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
            policy.path()
        ));
    }
    for term in spec.get("nodeAffinity.required.nodeSelectorTerms").items() {
        warnings::of_node_term(&term, false, all);
    }
    for (field, shown, since) in [
        ("cephfs", "cephfs", "v1.28, non-functional in v1.31+"),
        (
            "photonPersistentDisk",
            "photonPersistentDisk",
            "v1.11, non-functional in v1.16+",
        ),
        ("scaleIO", "scaleIO", "v1.16, non-functional in v1.22+"),
        ("storageos", "storageOS", "v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "v1.25, non-functional in v1.26+"),
        ("rbd", "rbd", "v1.28, non-functional in v1.31+"),
    ] {
        if spec.get(field).is_set() {
            all.push(format!(
                "{}: deprecated in {since}",
                spec.path().child(shown)
            ));
        }
    }
}
