//! What a patch must not touch, and conflicts between patches.
//!
//! Source: apimachinery `util/mergepatch` (v0.35).

use std::fmt;

use serde_json::{Map, Value};

use crate::goprint;

/// A part of the object that a patch must leave alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition<'a> {
    /// A field at the root (`RequireKeyUnchanged`).
    KeyUnchanged(&'a str),
    /// A field of the metadata (`RequireMetadataKeyUnchanged`).
    MetadataKeyUnchanged(&'a str),
}

impl Precondition<'_> {
    /// Whether the patch leaves it alone.
    pub fn holds(self, patch: &Map<String, Value>) -> bool {
        match self {
            Self::KeyUnchanged(key) => !patch.contains_key(key),
            Self::MetadataKeyUnchanged(key) => patch
                .get("metadata")
                .and_then(Value::as_object)
                .is_none_or(|metadata| !metadata.contains_key(key)),
        }
    }
}

/// A patch touches what it must leave alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("precondition failed for: {0}")]
pub struct PreconditionFailed(String);

/// Checks all preconditions.
pub fn check(
    patch: &Map<String, Value>,
    preconditions: &[Precondition<'_>],
) -> Result<(), PreconditionFailed> {
    if preconditions.iter().all(|one| one.holds(patch)) {
        return Ok(());
    }
    Err(PreconditionFailed(goprint::map_v(patch)))
}

/// Someone else has changed what a patch changes. It prints both sides in YAML.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The patch.
    pub patch: Value,
    /// The changes made meanwhile, as a patch.
    pub changes: Value,
}

impl std::error::Error for Conflict {}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "patch:\n{}\nconflicts with changes made from original to current:\n{}\n",
            yaml::from_json(&self.patch),
            yaml::from_json(&self.changes)
        )
    }
}

/// Whether two JSON merge patches give different values to a field (`HasConflicts`).
pub fn have_conflicts(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => left.iter().any(|(key, left)| {
            right
                .get(key)
                .is_some_and(|right| have_conflicts(left, right))
        }),
        (Value::Array(left), Value::Array(right)) => {
            left.len() != right.len()
                || left
                    .iter()
                    .zip(right)
                    .any(|(left, right)| have_conflicts(left, right))
        }
        (left, right) => left != right,
    }
}
