//! The revisions of a release: which counts, which may go.

use super::{Release, Status};

/// The revisions of one release, in any order.
pub type History = [Release];

/// The newest revision.
pub fn latest(history: &History) -> Option<&Release> {
    history.iter().max_by_key(|release| release.version)
}

/// The newest revision that is deployed.
pub fn deployed(history: &History) -> Option<&Release> {
    let deployed = history
        .iter()
        .filter(|release| release.info.status == Status::Deployed);
    deployed.max_by_key(|release| release.version)
}

/// The revisions to remove so that `keep` remain. The one that is deployed is never among them.
///
/// The oldest go first. Source: Helm `Storage.removeLeastRecent`.
pub fn to_remove(history: &History, keep: usize) -> Vec<i64> {
    let current = deployed(history).map(|release| release.version);
    let mut versions: Vec<i64> = history.iter().map(|release| release.version).collect();
    versions.sort_unstable();
    let surplus = versions.len().saturating_sub(keep);
    let candidates = versions
        .into_iter()
        .filter(|version| Some(*version) != current);
    candidates.take(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(statuses: &[Status]) -> Vec<Release> {
        let numbered = (1..).zip(statuses);
        let release = |(version, status): (i64, &Status)| {
            let mut release = Release {
                version,
                ..Release::default()
            };
            release.set_status(*status, "");
            release
        };
        numbered.map(release).collect()
    }

    #[test]
    fn the_deployed_revision_is_kept() {
        use Status::{Deployed, Failed, Superseded};
        let all = history(&[Superseded, Deployed, Failed, Failed, Failed]);
        assert_eq!(to_remove(&all, 3), [1, 3]);
        assert_eq!(to_remove(&all, 5), [0; 0]);
        assert_eq!(to_remove(&all, 0), [1, 3, 4, 5]);
        assert_eq!(deployed(&all).map(|release| release.version), Some(2));
        assert_eq!(latest(&all).map(|release| release.version), Some(5));
    }
}
