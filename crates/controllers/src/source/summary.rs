//! How the conditions of a source make its Ready condition.
//!
//! Source: fluxcd/pkg `runtime/conditions/merge.go` and source-controller `internal/reconcile/summarize`.

use api::meta::{Condition, ConditionStatus, Conditions as _};

/// Which conditions count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    /// The conditions, the most telling first.
    pub(super) types: &'static [&'static str],
    /// Those that are bad when they are true.
    pub(super) negative: &'static [&'static str],
    /// Those that are bad when they are false, and then decide.
    pub(super) both: &'static [&'static str],
}

/// Status, reason and message of Ready; none if no condition is there.
pub(super) fn ready(conditions: &Vec<Condition>, summary: Summary) -> Option<Condition> {
    for r#type in summary.both {
        if let Some(condition) = conditions
            .condition(r#type)
            .filter(|c| c.status == ConditionStatus::False)
        {
            return Some(of(ConditionStatus::False, condition));
        }
    }
    let is_negative = |condition: &Condition| summary.negative.contains(&condition.r#type.as_str());
    // The lower, the more it counts.
    let priority = |condition: &Condition| match (&condition.status, is_negative(condition)) {
        (ConditionStatus::True, true) => 0,
        (ConditionStatus::False, false) => 1,
        (ConditionStatus::True, false) => 2,
        (ConditionStatus::False, true) => 3,
        _ => 4,
    };
    let counted = summary
        .types
        .iter()
        .filter_map(|r#type| conditions.condition(r#type));
    // The first of equals wins.
    let top = counted.min_by_key(|condition| priority(condition))?;
    let status = match priority(top) {
        0 | 1 => ConditionStatus::False,
        2 | 3 => ConditionStatus::True,
        _ => ConditionStatus::Unknown,
    };
    Some(of(status, top))
}

fn of(status: ConditionStatus, condition: &Condition) -> Condition {
    Condition::new(
        api::constants::conditions::READY,
        status,
        &condition.reason,
        &condition.message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConditionStatus::{False, True};

    const SUMMARY: Summary = Summary {
        types: &[
            "FetchFailed",
            "ArtifactInStorage",
            "SourceVerified",
            "Reconciling",
        ],
        negative: &["FetchFailed", "Reconciling"],
        both: &["SourceVerified"],
    };

    fn check(given: &[(&str, ConditionStatus)], expected: Option<(ConditionStatus, &str)>) {
        let conditions = given
            .iter()
            .map(|(r#type, status)| Condition::new(r#type, status.clone(), r#type, ""))
            .collect();
        let ready = ready(&conditions, SUMMARY).map(|ready| (ready.status, ready.reason));
        assert_eq!(
            ready,
            expected.map(|(status, reason)| (status, reason.to_owned())),
            "{given:?}"
        );
    }

    #[test]
    fn the_worst_condition_decides() {
        check(&[], None);
        check(&[("Other", True)], None);
        check(
            &[("ArtifactInStorage", True)],
            Some((True, "ArtifactInStorage")),
        );
        check(
            &[("ArtifactInStorage", True), ("Reconciling", True)],
            Some((False, "Reconciling")),
        );
        check(
            &[("Reconciling", True), ("FetchFailed", True)],
            Some((False, "FetchFailed")),
        );
        check(
            &[("SourceVerified", True), ("ArtifactInStorage", True)],
            Some((True, "ArtifactInStorage")),
        );
        check(
            &[("SourceVerified", False), ("FetchFailed", True)],
            Some((False, "SourceVerified")),
        );
        check(&[("FetchFailed", False)], Some((True, "FetchFailed")));
    }
}
