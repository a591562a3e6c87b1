//! Removing what an applier no longer declares.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ConvertError, Converter, Managers, Updater, VersionedSet};
use crate::smd::fieldset::Set;
use crate::smd::typed::TypedValue;

/// A conversion whose failure has a name; a version that is gone is told apart.
fn convert<'a, C: Converter>(
    converter: &C,
    object: TypedValue<'a>,
    version: &str,
    what: impl FnOnce() -> String,
) -> Result<Option<TypedValue<'a>>, String> {
    match converter.convert(object, version) {
        Ok(object) => Ok(Some(object)),
        Err(ConvertError::MissingVersion(_)) => Ok(None),
        Err(ConvertError::Failed(why)) => Err(format!("{}: {why}", what())),
    }
}

/// The fields of `object`, with the declared fields above them.
fn named_set(object: &TypedValue<'_>, what: impl FnOnce() -> String) -> Result<Set, String> {
    let set = object
        .to_field_set()
        .map_err(|why| format!("{}: {why}", what()))?;
    Ok(with_named_fields(&set, object))
}

fn with_named_fields(set: &Set, object: &TypedValue<'_>) -> Set {
    let type_ = object.type_();
    set.ensure_named_fields_are_members(type_.schema(), Some(type_.id()))
}

impl<C: Converter> Updater<C> {
    /// Removes the fields and items that `applier` declared last, does not declare now, and nobody
    /// else owns.
    pub(super) fn prune<'a>(
        &self,
        merged: TypedValue<'a>,
        managers: &Managers,
        applier: &str,
        last: &VersionedSet,
    ) -> Result<TypedValue<'a>, String> {
        let version = &last.api_version;
        let Some(converted) = convert(&self.converter, merged.by_ref(), version, || {
            "failed to convert merged object to last applied version".to_owned()
        })?
        else {
            return Ok(merged);
        };
        let pruned = converted.remove_items(&with_named_fields(&last.set, &converted));
        let pruned = self
            .add_back_owned_items(&converted, pruned, version, managers)
            .map_err(|why| format!("failed add back owned items: {why}"))?;
        let pruned = self
            .add_back_dangling_items(&converted, pruned, last)
            .map_err(|why| format!("failed add back dangling items: {why}"))?;
        let version = managers
            .get(applier)
            .map_or(version, |declared| &declared.api_version);
        self.converter
            .convert(pruned, version)
            .map(TypedValue::into_owned)
            .map_err(|why| why.to_string())
    }

    /// Adds back what `prune` took away but managers own: first in the version that was pruned, as
    /// other fields may be needed for the conversion.
    fn add_back_owned_items(
        &self,
        merged: &TypedValue<'_>,
        pruned: TypedValue<'static>,
        pruned_version: &Arc<str>,
        managers: &Managers,
    ) -> Result<TypedValue<'static>, String> {
        let mut owned_by_version: BTreeMap<&Arc<str>, Set> = BTreeMap::new();
        for owned in managers.values() {
            let set = owned_by_version.entry(&owned.api_version).or_default();
            *set = set.union(&owned.set);
        }
        let first = owned_by_version.remove_entry(pruned_version);
        let mut merged = merged.by_ref();
        let mut pruned = pruned;
        for (version, owned) in first.into_iter().chain(owned_by_version) {
            let what = |object: &str, doing: &str| {
                format!("failed to {doing} {object} object at version {version}")
            };
            let Some(converted) = convert(&self.converter, merged.clone(), version, || {
                what("merged", "convert")
            })?
            else {
                continue;
            };
            merged = converted;
            let Some(converted) = convert(&self.converter, pruned.clone(), version, || {
                what("pruned", "convert")
            })?
            else {
                continue;
            };
            let merged_set = named_set(&merged, || what("merged", "create field set from"))?;
            let pruned_set = named_set(&converted, || what("pruned", "create field set from"))?;
            let kept = pruned_set.union(&with_named_fields(&owned, &merged));
            pruned = merged.remove_items(&merged_set.difference(&kept));
        }
        Ok(pruned)
    }

    /// Adds back what `prune` took away although the applier did not own it: what nobody owns.
    fn add_back_dangling_items(
        &self,
        merged: &TypedValue<'_>,
        pruned: TypedValue<'static>,
        last: &VersionedSet,
    ) -> Result<TypedValue<'static>, String> {
        let Some(pruned) = convert(&self.converter, pruned, &last.api_version, || {
            "failed to convert pruned object to last applied version".to_owned()
        })?
        else {
            return Ok(merged.clone().into_owned());
        };
        let field_set = |object: &str| {
            format!("failed to create field set from {object} object in last applied version")
        };
        let pruned_set = named_set(&pruned, || field_set("pruned"))?;
        let merged_set = named_set(merged, || field_set("merged"))?;
        let last = with_named_fields(&last.set, merged);
        Ok(merged.remove_items(&merged_set.difference(&pruned_set).intersection(&last)))
    }
}
