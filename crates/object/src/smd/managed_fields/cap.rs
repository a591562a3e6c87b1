//! Keeping the number of entries bounded.
//!
//! Source: apimachinery `pkg/util/managedfields/internal/capmanagers.go`.

use std::collections::HashMap;
use std::sync::Arc;

use super::entries::{Managed, ManagerId, Operation};
use super::times::unix_seconds;

/// How many managers of updates an object keeps.
pub(super) const MAX_UPDATE_MANAGERS: usize = 10;
/// The manager that takes over what the oldest ones own.
const OLD_UPDATES_MANAGER: &str = "ancient-changes";

impl Managed {
    /// Merges the oldest entries of updates, by version, until there are no more than `limit`.
    pub(super) fn cap_update_managers(&mut self, limit: usize) {
        let mut updaters: Vec<(i64, String)> = self
            .fields
            .iter()
            .filter(|(_, owned)| !owned.applied)
            .map(|(key, _)| {
                let seconds = self.times.get(key).map_or(0, |time| unix_seconds(time));
                (seconds, key.clone())
            })
            .collect();
        if updaters.len() <= limit {
            return;
        }
        updaters.sort();
        let mut count = updaters.len();
        let mut first_of_version: HashMap<Arc<str>, String> = HashMap::new();
        for (_, manager) in updaters {
            if count <= limit {
                return;
            }
            let Some(owned) = self.fields.get(&manager) else {
                continue;
            };
            let version = Arc::clone(&owned.api_version);
            let Some(first) = first_of_version.get(&version) else {
                first_of_version.insert(version, manager);
                continue;
            };
            let bucket =
                ManagerId::new(OLD_UPDATES_MANAGER, Operation::Update, &version, "").encode();
            if !self.fields.contains_key(&bucket)
                && let Some(owned) = self.fields.remove(first)
            {
                self.fields.insert(bucket.clone(), owned);
            }
            let Some(owned) = self.fields.get(&manager).cloned() else {
                continue;
            };
            if let Some(kept) = self.fields.get_mut(&bucket) {
                kept.set = Arc::new(owned.set.union(&kept.set));
                kept.applied = owned.applied;
            }
            self.fields.remove(&manager);
            count -= 1;
            // The later time counts.
            match self.times.get(&manager).cloned() {
                Some(time) => self.times.insert(bucket, time),
                None => self.times.remove(&bucket),
            };
        }
    }
}
