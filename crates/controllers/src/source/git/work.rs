//! A GitRepository while it is reconciled: its conditions, its events, and when they are written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::constants::annotations::RECONCILE_REQUEST;
use api::constants::conditions as c;
use api::constants::events::{DIGEST, REVISION};
use api::constants::reasons;
use api::meta::{Artifact, Condition, ConditionStatus, Conditions as _, Spec as _, Time};
use api::source::v1::{GitRepository, GitRepositorySpec, GitRepositoryStatus};
use runtime::{Context, EventType, Failure, Outcome, PatchError, Patcher};

use super::End;
use crate::source::summary::{self, Summary};
use crate::source::trouble::{Kind, Trouble};

/// The object with what has become of it.
pub(in crate::source) struct Work {
    pub(super) object: GitRepository,
    pub(super) context: Context<GitRepositorySpec>,
    patcher: Patcher<GitRepositorySpec>,
}

fn now() -> Time {
    jiff::Timestamp::now().into()
}

static NONE: Vec<Condition> = Vec::new();

impl Work {
    pub(super) fn new(object: &Arc<GitRepository>, context: Context<GitRepositorySpec>) -> Self {
        let patcher = context.patcher(object);
        Self {
            object: GitRepository::clone(object),
            context,
            patcher,
        }
    }

    pub(super) fn status(&mut self) -> &mut GitRepositoryStatus {
        self.object.status_mut()
    }

    pub(super) fn conditions(&self) -> &Vec<Condition> {
        self.object
            .status
            .as_ref()
            .and_then(|status| status.conditions.as_ref())
            .unwrap_or(&NONE)
    }

    pub(super) fn artifact(&self) -> Option<&Artifact> {
        self.object.status.as_ref()?.artifact.as_ref()
    }

    pub(super) fn included(&self) -> &[Artifact] {
        self.object
            .status
            .as_ref()
            .and_then(|status| status.included_artifacts.as_deref())
            .unwrap_or_default()
    }

    fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or(0)
    }

    fn set(&mut self, condition: Condition) {
        let generation = self.generation();
        self.status()
            .conditions
            .get_or_insert_default()
            .set(condition, generation, now());
    }

    pub(super) fn mark(
        &mut self,
        r#type: &str,
        status: ConditionStatus,
        reason: &str,
        message: &str,
    ) {
        self.set(Condition::new(r#type, status, reason, message));
    }

    /// Marks what `trouble` is about, and hands it on.
    pub(super) fn fail(&mut self, r#type: &str, trouble: Trouble) -> Trouble {
        if trouble.kind != Kind::Interrupted {
            self.mark(
                r#type,
                ConditionStatus::True,
                &trouble.reason,
                &trouble.message,
            );
        }
        trouble
    }

    pub(super) fn mark_stored(&mut self, revision: &str) {
        let message = format!("stored artifact for revision '{revision}'");
        self.mark(
            c::ARTIFACT_IN_STORAGE,
            ConditionStatus::True,
            reasons::SUCCEEDED,
            &message,
        );
    }

    pub(super) fn delete(&mut self, r#type: &str) {
        if let Some(conditions) = self
            .object
            .status
            .as_mut()
            .and_then(|status| status.conditions.as_mut())
        {
            conditions.delete(r#type);
        }
    }

    /// Source: fluxcd/pkg `runtime/reconcile`, `ProgressiveStatus`.
    pub(super) fn progress(&mut self, has_drifted: bool, message: &str) {
        let generation = self.generation();
        let conditions = self.status().conditions.get_or_insert_default();
        conditions.mark_reconciling(reasons::PROGRESSING, message, generation, now());
        if has_drifted || conditions.is_unknown(c::READY) {
            self.mark(
                c::READY,
                ConditionStatus::Unknown,
                reasons::PROGRESSING,
                message,
            );
        }
    }

    /// The state at the beginning.
    pub(super) fn begin(&mut self) {
        self.progress(false, "reconciliation in progress");
        let observed = self
            .object
            .status
            .as_ref()
            .and_then(|status| status.observed_generation)
            .unwrap_or(0);
        let generation = self.generation();
        if observed != generation {
            self.progress(
                false,
                &format!("processing object: new generation {observed} -> {generation}"),
            );
        }
        self.delete(c::STORAGE_OPERATION_FAILED);
    }

    pub(super) fn add_finalizer(&mut self, finalizer: &str) -> bool {
        let finalizers = self.object.metadata.finalizers.get_or_insert_default();
        if finalizers.iter().any(|known| known == finalizer) {
            return false;
        }
        finalizers.push(finalizer.to_owned());
        true
    }

    pub(super) fn remove_finalizer(&mut self, finalizer: &str) {
        let finalizers = &mut self.object.metadata.finalizers;
        if let Some(known) = finalizers {
            known.retain(|known| known != finalizer);
        }
        if finalizers.as_ref().is_some_and(Vec::is_empty) {
            *finalizers = None;
        }
    }

    /// Writes what has changed.
    pub(super) async fn write(&mut self) -> Result<(), PatchError> {
        self.patcher.patch(&self.object).await.map(drop)
    }

    pub(super) fn event(&self, r#type: EventType, reason: &str, message: &str) {
        self.context
            .recorder()
            .event(&self.object, r#type, reason, message, BTreeMap::new());
    }

    /// An event that only the API server is told of, and the log.
    pub(super) fn trace(&self, reason: &str, message: &str) {
        tracing::info!("{message}");
        self.event(EventType::Trace, reason, message);
    }

    pub(super) fn event_of_artifact(&self, reason: &str, message: &str, artifact: &Artifact) {
        let key = |name: &str| format!("{}/{name}", GitRepositorySpec::NAMES.group);
        let metadata = BTreeMap::from([
            (key(REVISION), artifact.revision.clone()),
            (key(DIGEST), artifact.digest.clone()),
        ]);
        self.context
            .recorder()
            .event(&self.object, EventType::Normal, reason, message, metadata);
    }

    /// The event and the log of an error.
    pub(super) fn tell(&self, trouble: &Trouble) {
        let (reason, message) = (&trouble.reason, &trouble.message);
        match trouble.kind {
            Kind::Generic => self.event(EventType::Warning, reason, message),
            Kind::Stalling => {
                tracing::error!(error = %message, "reconciliation stalled");
                self.event(EventType::Warning, reason, message);
            }
            Kind::Nothing => self.trace(reason, message),
            Kind::Waiting(delay) => {
                tracing::info!(reason = %message, duration = ?delay, "reconciliation waiting");
                self.event(EventType::Trace, reason, message);
            }
            Kind::Silent | Kind::Interrupted => {}
        }
    }

    /// Notes that the request by annotation was heard.
    pub(super) fn record_request(&mut self) {
        let annotations = self.object.metadata.annotations.as_ref();
        if let Some(request) =
            annotations.and_then(|annotations| annotations.get(RECONCILE_REQUEST).cloned())
        {
            self.status().last_handled_reconcile_at = Some(request);
        }
    }

    fn observe_generation(&mut self) {
        if !self.conditions().is_empty() {
            let generation = self.generation();
            self.status().observed_generation = Some(generation);
        }
    }

    /// What follows from the end of the reconciliation. Source: source-controller, `ComputeReconcileResult`.
    pub(super) fn conclude(
        &mut self,
        ended: &Result<End, Trouble>,
        interval: Duration,
    ) -> Result<Outcome, Failure> {
        if *ended == Ok(End::Success) {
            self.delete(c::RECONCILING);
        }
        if self.conditions().is_reconciling()
            && let Some(mut condition) = self.conditions().condition(c::RECONCILING).cloned()
        {
            condition.reason = reasons::PROGRESSING_WITH_RETRY.to_owned();
            self.set(condition);
        }
        let trouble = match ended {
            Ok(end) => {
                self.observe_generation();
                self.delete(c::STALLED);
                return Ok(if *end == End::Success {
                    Outcome::After(interval)
                } else {
                    Outcome::Settled
                });
            }
            Err(trouble) => trouble,
        };
        match trouble.kind {
            Kind::Stalling => {
                let generation = self.generation();
                let conditions = self.status().conditions.get_or_insert_default();
                conditions.mark_stalled(&trouble.reason, &trouble.message, generation, now());
                self.observe_generation();
                Ok(Outcome::Settled)
            }
            Kind::Waiting(delay) => {
                self.delete(c::STALLED);
                Ok(Outcome::After(delay))
            }
            Kind::Nothing => {
                self.delete(c::STALLED);
                self.observe_generation();
                self.delete(c::RECONCILING);
                Ok(Outcome::After(interval))
            }
            Kind::Generic | Kind::Silent | Kind::Interrupted => {
                self.delete(c::STALLED);
                Err(Failure::retry(trouble.message.clone()))
            }
        }
    }

    /// Sets Ready.
    pub(super) fn summarize(&mut self, which: Summary) {
        if let Some(ready) = summary::ready(self.conditions(), which) {
            self.set(ready);
        }
    }
}
