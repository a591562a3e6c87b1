//! Deleting objects that are no longer wanted.
//!
//! Source: fluxcd/pkg, `ssa/manager_delete.go`.

use std::time::{Duration, Instant};

use api::meta::ObjectId;
use futures::StreamExt as _;
use object::{GroupVersionKind, Value, meta};

use crate::applier::Applier;
use crate::change::{Action, Change, Outcome};
use crate::error::{ObjectError, Step};
use crate::manifest::any_in_metadata;
use crate::options::DeleteOptions;
use crate::order;
use crate::rest::{Failure, Form, Resource, Target};

/// How many objects are looked at, or waited for, at once.
const AT_ONCE: usize = 8;

impl Applier {
    /// Deletes objects in the reverse order of applying, those that carry the labels and annotations that `options`
    /// asks for; `is_wanted_elsewhere` names those that another owner holds now, which are handed over. One that is not
    /// there counts as deleted. Every object has an entry in the changes; those with [`Action::Unknown`] have to be tried
    /// again, so they stay in the inventory.
    pub async fn prune(
        &self,
        objects: &[(ObjectId, String)],
        options: &DeleteOptions,
        is_wanted_elsewhere: impl Fn(&ObjectId) -> bool,
    ) -> Outcome {
        let mut objects: Vec<&(ObjectId, String)> = objects.iter().collect();
        objects.sort_by(|left, right| order::compare(&right.0, &left.0));
        let mut outcome = Outcome::default();
        // Looking at the objects may be done in any order, deleting them not.
        // Over places, not references: the compiler could not tell that the future may move between threads.
        let looks = futures::stream::iter(0..objects.len())
            .map(|place| self.look(&objects[place].0, &objects[place].1))
            .buffered(AT_ONCE);
        let mut looks = std::pin::pin!(looks);
        let mut place = 0;
        while let Some(look) = looks.next().await {
            let (id, version) = objects[place];
            place += 1;
            let action = if is_wanted_elsewhere(id) {
                Ok(Action::Skipped)
            } else {
                self.delete(id, look, options).await
            };
            let action = action.unwrap_or_else(|error| {
                outcome.errors.push(error);
                Action::Unknown
            });
            if matches!(action, Action::Deleted | Action::Skipped) {
                self.cluster.memory().gone(id);
            }
            outcome
                .changes
                .push(Change::new(id.clone(), version.as_str(), action));
        }
        outcome.complete = outcome.changes.len();
        outcome
    }

    /// The resource of an object and its live metadata; `None` if it cannot be there.
    async fn look(
        &self,
        id: &ObjectId,
        version: &str,
    ) -> Result<Option<(std::sync::Arc<Resource>, Value)>, ObjectError> {
        let failed = |failure| error(id, Step::Query, failure);
        let gvk = GroupVersionKind::new(id.group.as_str(), version, id.kind.as_str());
        let mapper = self.cluster.mapper();
        let resource = match mapper.resource(&gvk).await {
            // The version in which it was applied is gone: then it is there in another one.
            Err(Failure::NoKind { .. }) => mapper.preferred(&gvk.group_kind()).await,
            found => found,
        };
        let resource = resource.map_err(failed)?;
        let target = target(&resource, id);
        let live = self
            .rest
            .get(&target, Form::Metadata)
            .await
            .map_err(failed)?;
        Ok(live.map(|live| (resource, live)))
    }

    async fn delete(
        &self,
        id: &ObjectId,
        look: Result<Option<(std::sync::Arc<Resource>, Value)>, ObjectError>,
        options: &DeleteOptions,
    ) -> Result<Action, ObjectError> {
        let Some((resource, live)) = look? else {
            return Ok(Action::Deleted);
        };
        let is_included = options
            .inclusions
            .iter()
            .all(|(key, value)| meta::label(&live, key) == Some(value.as_str()));
        if !is_included || any_in_metadata(&live, &options.exclusions) {
            return Ok(Action::Skipped);
        }
        let uid = Some(meta::uid(&live)).filter(|uid| !uid.is_empty());
        let propagation = options.propagation.name();
        let target = target(&resource, id);
        match self.rest.delete(&target, propagation, uid).await {
            Ok(()) => Ok(Action::Deleted),
            Err(failure) if failure.is_not_found() => Ok(Action::Deleted),
            Err(failure) => Err(error(id, Step::Delete, failure)),
        }
    }

    /// Waits until the objects that were deleted are gone.
    ///
    /// # Errors
    /// One is still there after `timeout`.
    pub async fn wait_for_termination(
        &self,
        outcome: &Outcome,
        timeout: Duration,
    ) -> Result<(), ObjectError> {
        let end = Instant::now() + timeout;
        let deleted: Vec<&Change> = outcome
            .changes
            .iter()
            .filter(|change| change.action == Action::Deleted)
            .collect();
        let mut waits = futures::stream::iter(0..deleted.len())
            .map(|place| self.gone(deleted[place], end))
            .buffered(AT_ONCE);
        while let Some(result) = waits.next().await {
            result?;
        }
        Ok(())
    }

    async fn gone(&self, change: &Change, end: Instant) -> Result<(), ObjectError> {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.look(&change.id, &change.version).await {
                Ok(None) => return Ok(()),
                Ok(Some(_)) => {}
                Err(error) if matches!(error.failure, Failure::NoKind { .. }) => return Ok(()),
                Err(mut error) => {
                    error.step = Step::Termination;
                    return Err(error);
                }
            }
            if Instant::now() + pause > end {
                return Err(error(&change.id, Step::Termination, Failure::Deadline));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
}

fn target<'a>(resource: &'a Resource, id: &'a ObjectId) -> Target<'a> {
    Target {
        resource,
        namespace: &id.namespace,
        name: &id.name,
    }
}

fn error(id: &ObjectId, step: Step, failure: Failure) -> ObjectError {
    ObjectError {
        id: id.clone(),
        step,
        failure,
        origin: None,
    }
}
