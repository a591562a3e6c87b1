//! What is kept of a live object.

use std::hash::{DefaultHasher, Hash, Hasher};

use api::constants::annotations;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use object::Value;

use super::Policy;
use crate::managed::Entry;
use crate::manifest::matches;
use crate::options::Operation;

/// The digest of a manifest as it is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest([u8; 16]);

impl Digest {
    /// The digest of a manifest, together with what else decides how it is applied.
    pub(crate) fn of(manifest: &Value, salt: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(salt);
        // Maps are sorted, so equal manifests have equal texts. Writing to a hasher cannot fail.
        let _ = serde_json::to_writer(Writer(&mut hasher), manifest);
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(digest)
    }
}

struct Writer<'a>(&'a mut blake3::Hasher);

impl std::io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Labels and annotations by which an object in the cluster is left alone.
const EXCLUSIONS: [(&str, &str); 3] = [
    (annotations::RECONCILE, annotations::DISABLED),
    (annotations::SSA, annotations::SSA_IGNORE),
    (annotations::DRIFT_DETECTION, annotations::DISABLED),
];

/// Which of the exclusions an object has; a bit for each.
pub(crate) fn exclusion_bits(get: impl Fn(&str) -> [Option<String>; 2]) -> u8 {
    let mut bits = 0;
    for (place, (key, value)) in EXCLUSIONS.iter().enumerate() {
        if get(key).iter().flatten().any(|found| matches(found, value)) {
            bits |= 1 << place;
        }
    }
    bits
}

/// The bits of a selection; `None` if it has other pairs, so that the object itself has to be looked at.
pub(crate) fn bits_of(selection: &[(String, String)]) -> Option<u8> {
    selection.iter().try_fold(0, |bits, (key, value)| {
        let place = EXCLUSIONS
            .iter()
            .position(|(known, word)| known == key && word.eq_ignore_ascii_case(value))?;
        Some(bits | 1 << place)
    })
}

/// What is kept of a live object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) uid: u64,
    pub(crate) version: u64,
    /// The hash of our entry in the managed fields.
    pub(super) own: u64,
    pub(super) needs_cleanup: bool,
    pub(crate) excluded: u8,
    pub(crate) is_terminating: bool,
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The version as a number; 0 if it is none.
fn number(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

impl Live {
    /// Of an object, or of its metadata as an object.
    pub(crate) fn of(object: &Value, policy: &Policy) -> Self {
        let empty = Vec::new();
        let entries = object
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array)
            .unwrap_or(&empty);
        let entries = entries
            .iter()
            .map(|entry| (Entry::of(entry), entry.get("fieldsV1")));
        let (own, takes_over) = managed(entries, policy);
        let text = |part: &str, key: &str| {
            let value = object.get("metadata")?.get(part)?.get(key)?;
            value.as_str().map(str::to_owned)
        };
        let has = |part: &str, keys: &[String]| keys.iter().any(|key| text(part, key).is_some());
        let cleanup = &policy.cleanup;
        let is_left = cleanup.exclusions.iter().any(|(key, value)| {
            [text("labels", key), text("annotations", key)]
                .iter()
                .flatten()
                .any(|found| matches(found, value))
        });
        Self {
            uid: hash(object::meta::uid(object)),
            version: number(object::meta::resource_version(object)),
            own,
            needs_cleanup: !is_left
                && (takes_over
                    || has("annotations", &cleanup.annotations)
                    || has("labels", &cleanup.labels)),
            excluded: exclusion_bits(|key| [text("labels", key), text("annotations", key)]),
            is_terminating: object::meta::is_terminating(object),
        }
    }

    /// Of metadata from a watch.
    pub(crate) fn of_metadata(metadata: &ObjectMeta, policy: &Policy) -> Self {
        let entries = metadata.managed_fields.iter().flatten().map(|entry| {
            let text = |text: &'_ Option<String>| -> String { text.clone().unwrap_or_default() };
            (
                text(&entry.manager),
                text(&entry.operation),
                text(&entry.subresource),
                entry.fields_v1.as_ref().map(|fields| &fields.0),
            )
        });
        let entries: Vec<_> = entries.collect();
        let entries = entries
            .iter()
            .map(|(manager, operation, subresource, fields)| {
                (
                    Entry {
                        manager,
                        operation,
                        subresource,
                    },
                    *fields,
                )
            });
        let (own, takes_over) = managed(entries, policy);
        let label = |key: &str| metadata.labels.as_ref()?.get(key).cloned();
        let annotation = |key: &str| metadata.annotations.as_ref()?.get(key).cloned();
        let cleanup = &policy.cleanup;
        let is_left = cleanup.exclusions.iter().any(|(key, value)| {
            [label(key), annotation(key)]
                .iter()
                .flatten()
                .any(|found| matches(found, value))
        });
        let needs_cleanup = !is_left
            && (takes_over
                || cleanup
                    .annotations
                    .iter()
                    .any(|key| annotation(key).is_some())
                || cleanup.labels.iter().any(|key| label(key).is_some()));
        Self {
            uid: hash(metadata.uid.as_deref().unwrap_or_default()),
            version: version_of(metadata),
            own,
            needs_cleanup,
            excluded: excluded(metadata),
            is_terminating: metadata.deletion_timestamp.is_some(),
        }
    }

    /// Whether the object may be other than it was applied.
    pub(crate) fn differs(&self, applied: &Self) -> bool {
        self.uid != applied.uid
            || self.own != applied.own
            || self.excluded != applied.excluded
            || self.needs_cleanup
    }
}

/// The version of an object from a watch.
pub(crate) fn version_of(metadata: &ObjectMeta) -> u64 {
    number(metadata.resource_version.as_deref().unwrap_or_default())
}

/// The exclusions of an object from a watch.
pub(crate) fn excluded(metadata: &ObjectMeta) -> u8 {
    exclusion_bits(|key| {
        [
            metadata
                .labels
                .as_ref()
                .and_then(|map| map.get(key).cloned()),
            metadata
                .annotations
                .as_ref()
                .and_then(|map| map.get(key).cloned()),
        ]
    })
}

/// The hash of our own entry, and whether there are entries whose fields should be ours.
fn managed<'a>(
    entries: impl Iterator<Item = (Entry<'a>, Option<&'a Value>)>,
    policy: &Policy,
) -> (u64, bool) {
    let (mut own, mut takes_over) = (0, false);
    for (entry, fields) in entries {
        let is_ours = entry.manager == policy.field_manager
            && entry.operation == Operation::Apply.name()
            && entry.subresource.is_empty();
        if is_ours {
            own = fields.map_or(1, |fields| hash(&fields.to_string()));
        }
        takes_over |= policy
            .cleanup
            .managers
            .iter()
            .any(|manager| manager.matches(&entry));
    }
    (own, takes_over)
}
