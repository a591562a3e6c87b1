//! Updating and applying objects that several managers own.
//!
//! Source: structured-merge-diff `merge`.

mod conflict;
mod prune;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use conflict::{Conflict, Conflicts};

use super::fieldset::{Filter, Set};
use super::typed::{Comparison, TypedValue, ValidationErrors};
use super::value::equal;

/// What one manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedSet {
    /// The fields.
    pub set: Arc<Set>,
    /// The version of the object that the fields belong to.
    pub api_version: Arc<str>,
    /// Whether the manager applied them, rather than updated the object.
    pub applied: bool,
}

/// Who owns what, by the identifier of the manager.
pub type Managers = BTreeMap<String, VersionedSet>;

/// Converts objects between the versions of their kind.
pub trait Converter {
    /// The object in `version`; the object itself if that is its version.
    ///
    /// # Errors
    /// The version is gone ([`ConvertError::MissingVersion`]), or the object cannot be converted.
    fn convert<'a>(
        &self,
        object: TypedValue<'a>,
        version: &str,
    ) -> Result<TypedValue<'a>, ConvertError>;
}

/// An object that cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// There is no such version (any more): what managers own in it is forgotten.
    #[error("{0}")]
    MissingVersion(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// An update or an apply that fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// Other managers own fields that would change.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl UpdateError {
    fn failed(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Failed(format!("{what}: {why}"))
    }
}

/// The outcome of [`Updater::apply`].
#[derive(Debug)]
pub struct Applied<'a> {
    /// The merged object; `None` if it equals the live one.
    pub object: Option<TypedValue<'a>>,
    /// Who owns what now.
    pub managers: Managers,
}

/// Computes who owns what, and merges what is applied.
#[derive(Debug)]
pub struct Updater<C> {
    converter: C,
    filters: BTreeMap<String, Filter>,
    return_input_on_noop: bool,
}

impl<C: Converter> Updater<C> {
    /// An updater that has no filters.
    pub fn new(converter: C) -> Self {
        Self {
            converter,
            filters: BTreeMap::new(),
            return_input_on_noop: false,
        }
    }

    /// Has managers own only what the filter of their version leaves: the fields that a request
    /// resets are not theirs.
    #[must_use]
    pub fn with_filters(mut self, filters: BTreeMap<String, Filter>) -> Self {
        self.filters = filters;
        self
    }

    /// Has [`Updater::apply`] return the merged object even if it equals the live one.
    #[must_use]
    pub fn returning_input_on_noop(mut self) -> Self {
        self.return_input_on_noop = true;
        self
    }

    /// The converter.
    pub fn converter(&self) -> &C {
        &self.converter
    }

    /// Records that `manager` changed the object from `live` to `new`, in `version`.
    ///
    /// # Errors
    /// An object does not conform to its type, or cannot be converted.
    pub fn update(
        &self,
        live: &TypedValue<'_>,
        new: &TypedValue<'_>,
        version: &str,
        managers: Managers,
        manager: &str,
    ) -> Result<Managers, UpdateError> {
        let managers = self.reconcile(live, managers)?;
        let change = Change {
            live,
            new,
            version,
            manager,
            force: true,
        };
        let (mut managers, comparison) = self.transfer(&change, managers)?;
        let owned = managers.remove(manager);
        let owned = owned
            .as_ref()
            .map_or(const { &Set::new() }, |owned| &owned.set);
        let set = owned
            .difference(&comparison.removed)
            .union(&comparison.modified)
            .union(&comparison.added);
        let set = self.filter(set, version);
        if !set.is_empty() {
            let owned = VersionedSet {
                set: Arc::new(set),
                api_version: version.into(),
                applied: false,
            };
            managers.insert(manager.to_owned(), owned);
        }
        Ok(managers)
    }

    /// Merges `config`, which `manager` declares in `version`, into the live object.
    ///
    /// What the manager declared before and does not declare any more is removed, unless others own
    /// it. With `force`, other managers lose the fields that change.
    ///
    /// # Errors
    /// Other managers own fields that would change; or an object does not conform to its type or
    /// cannot be converted.
    pub fn apply<'a>(
        &self,
        live: &'a TypedValue<'_>,
        config: &'a TypedValue<'_>,
        version: &str,
        managers: Managers,
        manager: &str,
        force: bool,
    ) -> Result<Applied<'a>, UpdateError> {
        let mut managers = self.reconcile(live, managers)?;
        let merged = live
            .merge(config)
            .map_err(|why| UpdateError::failed("failed to merge config", why))?;
        let set = config
            .to_field_set()
            .map_err(|why| UpdateError::failed("failed to get field set", why))?;
        let declared = VersionedSet {
            set: Arc::new(self.filter(set, version)),
            api_version: version.into(),
            applied: true,
        };
        let last = managers.insert(manager.to_owned(), declared.clone());
        let merged = match last {
            Some(last) if !last.set.is_empty() && !declared.covers(&last) => self
                .prune(merged, &managers, manager, &last)
                .map_err(|why| UpdateError::failed("failed to prune fields", why))?,
            _ => merged,
        };
        let change = Change {
            live,
            new: &merged,
            version,
            manager,
            force,
        };
        let (managers, _) = self.transfer(&change, managers)?;
        let is_noop = !self.return_input_on_noop
            && (std::ptr::eq(live.value(), merged.value()) || equal(live.value(), merged.value()));
        Ok(Applied {
            object: (!is_noop).then_some(merged),
            managers,
        })
    }

    fn filter(&self, set: Set, version: &str) -> Set {
        match self.filters.get(version) {
            Some(filter) => filter.apply(&set),
            None => set,
        }
    }

    fn filter_comparison(&self, comparison: Comparison, version: &str) -> Comparison {
        match self.filters.get(version) {
            Some(filter) => comparison.filtered(filter),
            None => comparison,
        }
    }

    /// Adapts what managers own to the schema of today, and drops what they own in versions that
    /// are gone.
    fn reconcile(
        &self,
        live: &TypedValue<'_>,
        managers: Managers,
    ) -> Result<Managers, UpdateError> {
        let mut reconciled = Managers::new();
        for (manager, mut owned) in managers {
            let live = match self.converter.convert(live.by_ref(), &owned.api_version) {
                Ok(live) => live,
                Err(ConvertError::MissingVersion(_)) => continue,
                Err(ConvertError::Failed(why)) => return Err(UpdateError::Failed(why)),
            };
            let set = live.reconcile_field_set(&owned.set).map_err(|why| {
                UpdateError::failed("errors reconciling field set with schema", why)
            })?;
            if let Some(set) = set {
                owned.set = Arc::new(set);
            }
            reconciled.insert(manager, owned);
        }
        Ok(reconciled)
    }

    /// Takes from the other managers what the change removes and, by force, what it changes.
    fn transfer(
        &self,
        change: &Change<'_>,
        mut managers: Managers,
    ) -> Result<(Managers, Comparison), UpdateError> {
        let comparison = self.filter_comparison(change.compare()?, change.version);
        if comparison.is_same() && change.is_same_value() {
            managers.retain(|_, owned| !owned.set.is_empty());
            return Ok((managers, comparison));
        }
        let others = self.compare_in_versions_of(change, &managers)?;
        let comparison_in = |version: &str| {
            if version == change.version {
                Some(&comparison)
            } else {
                others.get(version)?.as_ref()
            }
        };
        // Who owns fields in a version that is gone is forgotten.
        managers.retain(|manager, owned| {
            manager == change.manager || comparison_in(&owned.api_version).is_some()
        });
        let mut conflicts = Managers::new();
        for (manager, owned) in &managers {
            let comparison = comparison_in(&owned.api_version);
            let Some(comparison) = comparison.filter(|_| manager != change.manager) else {
                continue;
            };
            let changed = comparison.modified.union(&comparison.added);
            let set = owned.set.intersection(&changed);
            if !set.is_empty() {
                let conflict = VersionedSet {
                    set: Arc::new(set),
                    ..owned.clone()
                };
                conflicts.insert(manager.clone(), conflict);
            }
        }
        if !change.force && !conflicts.is_empty() {
            return Err(Conflicts::of_managers(&conflicts).into());
        }
        for (manager, owned) in &mut managers {
            let comparison = comparison_in(&owned.api_version);
            let Some(comparison) = comparison.filter(|_| manager != change.manager) else {
                continue;
            };
            if let Some(conflict) = conflicts.get(manager) {
                owned.set = Arc::new(owned.set.difference(&conflict.set));
            }
            if !comparison.removed.is_empty() {
                owned.set = Arc::new(owned.set.difference(&comparison.removed));
            }
        }
        managers.retain(|_, owned| !owned.set.is_empty());
        Ok((managers, comparison))
    }

    /// The change in the other versions that managers own fields in; `None` for versions that are
    /// gone.
    fn compare_in_versions_of(
        &self,
        change: &Change<'_>,
        managers: &Managers,
    ) -> Result<BTreeMap<Arc<str>, Option<Comparison>>, UpdateError> {
        let mut comparisons = BTreeMap::new();
        for (manager, owned) in managers {
            let version = &owned.api_version;
            if manager != change.manager
                && **version != *change.version
                && !comparisons.contains_key(version)
            {
                comparisons.insert(Arc::clone(version), self.compare_in(change, version)?);
            }
        }
        Ok(comparisons)
    }

    /// The change in another version; `None` if that version is gone.
    fn compare_in(
        &self,
        change: &Change<'_>,
        version: &str,
    ) -> Result<Option<Comparison>, UpdateError> {
        let convert = |object: &'_ TypedValue<'_>, what: &str| match self
            .converter
            .convert(object.by_ref(), version)
        {
            Ok(object) => Ok(Some(object.into_owned())),
            Err(ConvertError::MissingVersion(_)) => Ok(None),
            Err(ConvertError::Failed(why)) => Err(UpdateError::failed(what, why)),
        };
        let Some(live) = convert(change.live, "failed to convert old object")? else {
            return Ok(None);
        };
        let Some(new) = convert(change.new, "failed to convert new object")? else {
            return Ok(None);
        };
        let comparison = live
            .compare(&new)
            .map_err(|why| UpdateError::failed("failed to compare objects", why))?;
        Ok(Some(self.filter_comparison(comparison, version)))
    }
}

impl VersionedSet {
    /// Whether all that was declared before is declared again, in the same version: then there is
    /// nothing to prune.
    fn covers(&self, last: &Self) -> bool {
        self.api_version == last.api_version && last.set.is_subset(&self.set)
    }
}

/// A change of an object by a manager.
struct Change<'a> {
    live: &'a TypedValue<'a>,
    new: &'a TypedValue<'a>,
    version: &'a str,
    manager: &'a str,
    force: bool,
}

impl Change<'_> {
    fn is_same_value(&self) -> bool {
        std::ptr::eq(self.live.value(), self.new.value())
    }

    fn compare(&self) -> Result<Comparison, UpdateError> {
        self.live
            .compare(self.new)
            .map_err(|why: ValidationErrors| UpdateError::failed("failed to compare objects", why))
    }
}

#[cfg(test)]
mod tests;
