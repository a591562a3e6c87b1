//! Strategic merge patches: merge patches that know which lists are merged, and by which key.
//!
//! ```text
//! original ─┐
//! modified ─┼─ create_two_way, create_three_way ─► patch ─ apply ─► patched object
//! current ──┘                                       └─ have_conflicts, merge_patches
//! ```
//!
//! How a field is patched comes from a [`PatchSchema`]; [`PatchTypes`] makes one of an OpenAPI document.
//! Source: apimachinery `util/strategicpatch` and `util/mergepatch` (v0.35), with the lookups and error
//! texts of its Go types, which the API server and Helm use. Where upstream's outcome depends on the
//! random order of Go maps, fields are taken in the order of the object. Known differences: where
//! upstream panics (null items in merged lists), there is an error; lists of more than twelve items of
//! which some have the same merge key may be compared in another order; a list with repeated scalars is
//! merged as upstream does on the API server (outside of it, spare memory of Go's slices changes the
//! order).

mod conflict;
mod diff;
mod directive;
mod error;
mod list;
mod merge;
mod openapi;
mod order;
mod schema;

use serde_json::{Map, Value};

use crate::precondition::{self, Conflict, Precondition};

pub use error::StrategicError;
pub use openapi::{PatchTypes, TypeRef};
pub use schema::{PatchField, PatchSchema};

use diff::DiffOptions;
use merge::MergeOptions;

/// A JSON object.
type Object = Map<String, Value>;

/// Applies a patch to an object (`StrategicMergeMapPatch`).
pub fn apply(
    original: Object,
    patch: Object,
    schema: impl PatchSchema,
) -> Result<Object, StrategicError> {
    let options = MergeOptions {
        merge_parallel_lists: true,
        ignore_unmatched_nulls: true,
    };
    merge::merge_maps(original, patch, &schema, options)
}

/// Merges patches into one that does what all do one after the other
/// (`MergeStrategicMergeMapPatchUsingLookupPatchMeta`). The later wins; look for conflicts before.
pub fn merge_patches(
    patches: impl IntoIterator<Item = Object>,
    schema: impl PatchSchema,
) -> Result<Object, StrategicError> {
    patches
        .into_iter()
        .try_fold(Object::new(), |merged, patch| {
            merge::merge_maps(merged, patch, &schema, MergeOptions::default())
        })
}

/// Makes the patch that leads from `original` to `modified` (`CreateTwoWayMergeMapPatch`).
pub fn create_two_way(
    mut original: Object,
    modified: &Object,
    schema: impl PatchSchema,
    preconditions: &[Precondition<'_>],
) -> Result<Object, StrategicError> {
    let options = DiffOptions {
        set_element_order: true,
        ..DiffOptions::default()
    };
    let patch = diff::diff_maps(&mut original, modified, &schema, options)?;
    precondition::check(&patch, preconditions)?;
    Ok(patch)
}

/// Makes the patch that brings `current` to `modified`, but leaves alone what `original`, the version
/// applied last, did not have (`CreateThreeWayMergePatch`).
///
/// Without `overwrite`, a field that was changed in another way than `modified` does is a conflict.
pub fn create_three_way(
    mut original: Object,
    modified: &Object,
    mut current: Object,
    schema: impl PatchSchema,
    overwrite: bool,
    preconditions: &[Precondition<'_>],
) -> Result<Object, StrategicError> {
    let additions = DiffOptions {
        set_element_order: true,
        ignore_deletions: true,
        ..DiffOptions::default()
    };
    let additions = diff::diff_maps(&mut current, modified, &schema, additions)?;
    let deletions = DiffOptions {
        set_element_order: true,
        ignore_changes_and_additions: true,
        ..DiffOptions::default()
    };
    let deletions = diff::diff_maps(&mut original, modified, &schema, deletions)?;
    let patch = merge::merge_maps(deletions, additions, &schema, MergeOptions::default())?;
    precondition::check(&patch, preconditions)?;
    if !overwrite {
        let changes = diff::diff_maps(&mut original, &current, &schema, DiffOptions::default())?;
        if have_conflicts(&patch, &changes, schema)? {
            return Err(StrategicError::Conflict(Conflict {
                patch: patch.into(),
                changes: changes.into(),
            }));
        }
    }
    Ok(patch)
}

/// Whether two patches do different things to a field (`MergingMapsHaveConflicts`).
pub fn have_conflicts(
    left: &Object,
    right: &Object,
    schema: impl PatchSchema,
) -> Result<bool, StrategicError> {
    conflict::patches_have_conflicts(left, right, &schema)
}

#[cfg(test)]
mod tests;
