//! Defaults of volumes.

use serde_json::{Map, Value};

use super::{claim_spec, pull_policy};
use crate::strategy::edit::{existing, field, items, set, unset_default, zero_default};
use crate::strategy::node::peek_text;

const FILE_MODE: i64 = 0o644;

/// A volume of a pod; without a source it is an empty directory.
pub(crate) fn pod_volume(volume: &mut Value) {
    let has_source = volume.as_object().is_some_and(|map| {
        map.iter()
            .any(|(key, value)| key != "name" && !value.is_null())
    });
    if !has_source {
        set(volume, "emptyDir", Map::new());
    }
    if let Some(image) = existing(volume, "image") {
        let policy = pull_policy(peek_text(image, "reference"));
        zero_default(image, "pullPolicy", policy);
    }
    source(volume);
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = existing(volume, name) {
            unset_default(source, "defaultMode", FILE_MODE);
        }
    }
    for file in items(volume, "downwardAPI.items") {
        field_reference(file);
    }
    for source in items(volume, "projected.sources") {
        for file in items(source, "downwardAPI.items") {
            field_reference(file);
        }
        if let Some(token) = existing(source, "serviceAccountToken") {
            unset_default(token, "expirationSeconds", 3600);
        }
    }
    if let Some(template) = existing(volume, "ephemeral.volumeClaimTemplate")
        && let Some(spec) = field(template, "spec")
    {
        claim_spec(spec);
    }
}

fn field_reference(file: &mut Value) {
    if let Some(reference) = existing(file, "fieldRef") {
        zero_default(reference, "apiVersion", "v1");
    }
}

/// The sources that volumes of pods and PersistentVolumes share.
pub(crate) fn source(volume: &mut Value) {
    if let Some(source) = existing(volume, "hostPath") {
        unset_default(source, "type", "");
    }
    if let Some(source) = existing(volume, "iscsi") {
        zero_default(source, "iscsiInterface", "default");
    }
    if let Some(source) = existing(volume, "rbd") {
        zero_default(source, "pool", "rbd");
        zero_default(source, "user", "admin");
        zero_default(source, "keyring", "/etc/ceph/keyring");
    }
    if let Some(source) = existing(volume, "azureDisk") {
        unset_default(source, "cachingMode", "ReadWrite");
        unset_default(source, "fsType", "ext4");
        unset_default(source, "readOnly", false);
        unset_default(source, "kind", "Shared");
    }
    if let Some(source) = existing(volume, "scaleIO") {
        zero_default(source, "storageMode", "ThinProvisioned");
        zero_default(source, "fsType", "xfs");
    }
}
