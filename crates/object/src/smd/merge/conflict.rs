//! Conflicts: fields that a declaration would change, but others own.

use std::collections::BTreeMap;
use std::fmt;

use super::Managers;
use crate::field::quote;
use crate::smd::fieldset::Set;
use crate::smd::path::Path;

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The identifier of the manager.
    pub manager: String,
    /// The field.
    pub path: Path,
}

/// Prints `conflict with "manager": .path`.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conflict with {}: {}", quote(&self.manager), self.path)
    }
}

/// All conflicts of an apply, sorted by manager; never empty where it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl Conflicts {
    /// One conflict for each field in the sets.
    pub fn of_managers(managers: &Managers) -> Self {
        let conflicts = managers.iter().flat_map(|(manager, owned)| {
            owned.set.paths().into_iter().map(|path| Conflict {
                manager: manager.clone(),
                path,
            })
        });
        Self(conflicts.collect())
    }

    /// All the fields.
    pub fn to_set(&self) -> Set {
        Set::of(self.0.iter().map(|conflict| &conflict.path))
    }

    /// The fields by manager.
    pub fn by_manager(&self) -> BTreeMap<&str, Vec<&Path>> {
        let mut managers: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
        for conflict in &self.0 {
            managers
                .entry(&conflict.manager)
                .or_default()
                .push(&conflict.path);
        }
        managers
    }
}

impl std::error::Error for Conflicts {}

/// Prints a single conflict as it is, and several grouped by manager.
impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [single] = self.0.as_slice() {
            return single.fmt(f);
        }
        for (index, (manager, paths)) in self.by_manager().into_iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "conflicts with {}:", quote(manager))?;
            paths.iter().try_for_each(|path| write!(f, "\n- {path}"))?;
        }
        Ok(())
    }
}
