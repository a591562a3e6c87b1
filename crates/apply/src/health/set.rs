//! What is waited for, and how far it is.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use api::meta::ObjectId;
use object::Value;
use object::status::Status;

use super::HealthChecks;
use crate::change::{id_of, subject};
use crate::manifest::Manifest;

/// The objects that have to become ready.
#[derive(Clone, Debug, Default)]
pub struct HealthSet {
    pub(super) ids: Vec<ObjectId>,
    /// Jobs that delete themselves after they have ended: if they are gone, they have succeeded.
    pub(super) vanishing: HashSet<ObjectId>,
    pub(super) checks: Arc<HealthChecks>,
}

impl HealthSet {
    /// A set of objects.
    pub fn new(ids: Vec<ObjectId>) -> Self {
        let mut seen = HashSet::new();
        let ids = ids
            .into_iter()
            .filter(|id| seen.insert(id.clone()))
            .collect();
        Self {
            ids,
            ..Self::default()
        }
    }

    /// Tells by `checks` how the objects stand.
    #[must_use]
    pub fn with_checks(mut self, checks: &Arc<HealthChecks>) -> Self {
        self.checks = Arc::clone(checks);
        self
    }

    /// Takes Jobs among the manifests that have `spec.ttlSecondsAfterFinished` for completed when they are gone.
    #[must_use]
    pub fn with_jobs_of(mut self, manifests: &[Manifest]) -> Self {
        let jobs = manifests
            .iter()
            .filter(|manifest| is_vanishing(&manifest.object));
        self.vanishing = jobs.map(|manifest| id_of(&manifest.object)).collect();
        self
    }

    /// Whether there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

fn is_vanishing(object: &Value) -> bool {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "Job"
        && text("apiVersion").starts_with("batch/")
        && object
            .pointer("/spec/ttlSecondsAfterFinished")
            .is_some_and(Value::is_i64)
}

/// How to wait.
#[derive(Clone, Copy, Debug)]
pub struct WaitOptions {
    /// How long at most.
    pub timeout: Duration,
    /// Whether to end as soon as one object has failed.
    pub fail_fast: bool,
}

/// How one object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHealth {
    /// The object.
    pub id: ObjectId,
    /// How it stands.
    pub status: Status,
    /// In words, as kstatus has it.
    pub message: String,
    /// Why that is not known.
    pub error: Option<String>,
}

impl ObjectHealth {
    pub(super) fn unknown(id: ObjectId) -> Self {
        Self {
            id,
            status: Status::Unknown,
            message: String::new(),
            error: None,
        }
    }
}

/// Prints as Flux's messages have it: `Deployment/apps/web status: 'InProgress'`.
impl fmt::Display for ObjectHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} status: '{}'", subject(&self.id), self.status.name())?;
        match &self.error {
            Some(error) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}

/// How far a set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All objects are ready.
    Current,
    /// Some are not yet; these.
    Pending(Vec<ObjectHealth>),
    /// It will not become ready: these have failed.
    Failed(Vec<ObjectHealth>),
}

/// Why a set did not become ready. Prints in Flux's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// Objects have failed.
    #[error("failed early due to stalled resources: [{}]", join(.0))]
    Stalled(Vec<ObjectHealth>),
    /// It took too long.
    #[error("timeout waiting for: [{}]", join(.0))]
    Timeout(Vec<ObjectHealth>),
    /// The set cannot be waited for.
    #[error("{0}")]
    Invalid(String),
}

impl HealthError {
    /// The objects that are not ready.
    pub fn objects(&self) -> &[ObjectHealth] {
        match self {
            Self::Stalled(objects) | Self::Timeout(objects) => objects,
            Self::Invalid(_) => &[],
        }
    }

    /// The objects that are not ready with what kstatus says of them, one a line.
    pub fn detailed(&self) -> String {
        let lines: Vec<String> = self
            .objects()
            .iter()
            .map(|object| format!("{object}: {}", object.message))
            .collect();
        lines.join("\n")
    }
}

fn join(objects: &[ObjectHealth]) -> String {
    let texts: Vec<String> = objects.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// How far a set is, given how its objects stand.
///
/// Source: fluxcd/pkg, `WaitForSetWithContext`; cli-utils, `aggregator.AggregateStatus`.
pub(super) fn progress(
    objects: Vec<ObjectHealth>,
    vanishing: &HashSet<ObjectId>,
    fail_fast: bool,
) -> Progress {
    let is_current = |object: &ObjectHealth| {
        object.status == Status::Current
            || (object.status == Status::NotFound && vanishing.contains(&object.id))
    };
    let has_failed = objects.iter().any(|object| object.status == Status::Failed);
    // What only consists of objects that are ready or have failed stays so.
    let is_final = objects
        .iter()
        .all(|object| object.status == Status::Failed || is_current(object));
    let left: Vec<ObjectHealth> = objects
        .into_iter()
        .filter(|object| !is_current(object))
        .collect();
    if left.is_empty() {
        return Progress::Current;
    }
    if has_failed && (is_final || fail_fast) {
        let failed = left
            .into_iter()
            .filter(|object| object.status == Status::Failed);
        return Progress::Failed(failed.collect());
    }
    Progress::Pending(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, status: Status) -> ObjectHealth {
        ObjectHealth {
            status,
            ..ObjectHealth::unknown(format!("ns_{name}_apps_Deployment").parse().unwrap())
        }
    }

    #[test]
    fn a_set_is_as_far_as_its_objects() {
        use Status::{Current, Failed, InProgress, NotFound, Unknown};
        for (statuses, fail_fast, expected) in [
            (vec![Current, Current], true, "ready"),
            (vec![Current, InProgress], true, "pending 1"),
            (vec![Failed, InProgress], true, "failed 1"),
            (vec![Failed, InProgress], false, "pending 2"),
            (vec![Failed, Current], false, "failed 1"),
            (vec![Unknown, NotFound], true, "pending 2"),
        ] {
            let objects = statuses.iter().map(|status| object("a", *status)).collect();
            let found = match progress(objects, &HashSet::new(), fail_fast) {
                Progress::Current => "ready".to_owned(),
                Progress::Pending(left) => format!("pending {}", left.len()),
                Progress::Failed(failed) => format!("failed {}", failed.len()),
            };
            assert_eq!(found, expected, "{statuses:?}");
        }
        let gone = object("job", NotFound);
        let vanishing = HashSet::from([gone.id.clone()]);
        assert_eq!(progress(vec![gone], &vanishing, false), Progress::Current);
    }

    #[test]
    fn errors_are_in_the_words_of_flux() {
        let mut unknown = object("b", Status::Unknown);
        unknown.error = Some("boom".to_owned());
        let objects = vec![object("a", Status::InProgress), unknown];
        assert_eq!(
            HealthError::Timeout(objects).to_string(),
            "timeout waiting for: [Deployment/ns/a status: 'InProgress', Deployment/ns/b status: 'Unknown': boom]"
        );
        assert_eq!(
            HealthError::Stalled(vec![object("a", Status::Failed)]).to_string(),
            "failed early due to stalled resources: [Deployment/ns/a status: 'Failed']"
        );
    }
}
