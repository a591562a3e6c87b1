//! Histories of reconciliations that found nothing to do: counts and times that are not worth a request each.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use api::meta::Snapshot;
use parking_lot::Mutex;
use runtime::ObjectKey;

/// Histories that are newer than what is written. Lost with the process; what counts is written.
pub(super) struct Unwritten {
    lag: Duration,
    histories: Mutex<HashMap<ObjectKey, (Instant, Vec<Snapshot>)>>,
}

impl Unwritten {
    /// Histories may lag behind by so much.
    pub(super) fn new(lag: Duration) -> Self {
        Self {
            lag,
            histories: Mutex::default(),
        }
    }

    /// The history of an object, if it is newer than what is written.
    pub(super) fn get(&self, key: &ObjectKey) -> Option<Vec<Snapshot>> {
        self.histories
            .lock()
            .get(key)
            .map(|(_, history)| history.clone())
    }

    /// Keeps a history back; tells whether that may be. If not, it is to be written now.
    pub(super) fn keep(&self, key: &ObjectKey, history: Vec<Snapshot>) -> bool {
        let mut histories = self.histories.lock();
        let entry = histories
            .entry(key.clone())
            .or_insert_with(|| (Instant::now(), Vec::new()));
        entry.1 = history;
        entry.0.elapsed() < self.lag
    }

    /// The history is written, or the object is gone.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.histories.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_are_kept_until_it_is_time() {
        let key = ObjectKey::new("ns", "app");
        let unwritten = Unwritten::new(Duration::from_secs(600));
        assert!(unwritten.keep(&key, vec![Snapshot::default()]));
        assert_eq!(unwritten.get(&key).map(|history| history.len()), Some(1));
        unwritten.forget(&key);
        assert_eq!(unwritten.get(&key), None);
        assert!(!Unwritten::new(Duration::ZERO).keep(&key, Vec::new()));
    }
}
