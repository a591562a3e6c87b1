//! The last reconciliations of a Kustomization.

use std::collections::BTreeMap;

use api_derive::shape;

use super::{Duration, Time};

/// How many snapshots a history holds.
pub const HISTORY_MAX_SIZE: usize = 5;

/// One state that was reconciled, once or more often.
#[shape]
pub struct Snapshot {
    /// The digest of what was reconciled, as `<algorithm>:<checksum>`.
    pub digest: String,
    /// When it was reconciled first.
    pub first_reconciled: Time,
    /// When it was reconciled last.
    pub last_reconciled: Time,
    /// How long the last reconciliation took.
    pub last_reconciled_duration: Duration,
    /// The reason of the Ready condition after the last reconciliation.
    pub last_reconciled_status: String,
    /// Further facts, such as the revision.
    pub metadata: Option<BTreeMap<String, String>>,
    /// How often it was reconciled.
    pub total_reconciliations: i64,
}

/// Enters a reconciliation in `history`, newest first: it counts for the snapshot with the same digest
/// and status, or makes a new one. Source: fluxcd/pkg `apis/meta`, `History.Upsert`.
pub fn record(history: &mut Vec<Snapshot>, mut latest: Snapshot) {
    latest.total_reconciliations = 1;
    latest.first_reconciled = latest.last_reconciled;
    let same = history.iter().position(|snapshot| {
        snapshot.digest == latest.digest
            && snapshot.last_reconciled_status == latest.last_reconciled_status
    });
    if let Some(index) = same {
        let earlier = history.remove(index);
        latest.first_reconciled = earlier.first_reconciled;
        latest.total_reconciliations = earlier.total_reconciliations.saturating_add(1);
    }
    history.insert(0, latest);
    history.truncate(HISTORY_MAX_SIZE);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(digest: &str, status: &str, at: i64) -> Snapshot {
        Snapshot {
            digest: digest.to_owned(),
            last_reconciled_status: status.to_owned(),
            last_reconciled: Time::from_unix(at),
            ..Snapshot::default()
        }
    }

    #[test]
    fn counts_what_is_reconciled_again_and_moves_it_to_the_front() {
        let mut history = Vec::new();
        record(&mut history, snapshot("a", "ok", 1));
        record(&mut history, snapshot("b", "ok", 2));
        record(&mut history, snapshot("a", "ok", 3));
        record(&mut history, snapshot("a", "failed", 4));
        let seen: Vec<_> = history
            .iter()
            .map(|s| {
                (
                    s.digest.as_str(),
                    s.total_reconciliations,
                    s.first_reconciled.timestamp().as_second(),
                )
            })
            .collect();
        assert_eq!(seen, [("a", 1, 4), ("a", 2, 1), ("b", 1, 2)]);
    }

    #[test]
    fn forgets_the_oldest() {
        let mut history = Vec::new();
        for at in 0..7 {
            record(&mut history, snapshot(&at.to_string(), "ok", at));
        }
        let seen: Vec<_> = history.iter().map(|s| s.digest.as_str()).collect();
        assert_eq!(seen, ["6", "5", "4", "3", "2"]);
    }
}
