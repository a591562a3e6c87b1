//! A Kustomization while it is reconciled: its conditions, its events, and when they are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::constants::annotations::RECONCILE_REQUEST;
use api::constants::conditions::{READY, RECONCILING};
use api::constants::events::{COMMIT_STATUS, COMMIT_STATUS_UPDATE, ORIGIN_REVISION, REVISION};
use api::constants::reasons::PROGRESSING_WITH_RETRY;
use api::kustomize::v1::{Kustomization, KustomizationSpec, KustomizationStatus};
use api::meta::{
    Condition, ConditionStatus, Conditions as _, Duration, Inventory, Snapshot, Spec as _, Time,
};
use runtime::{Context, EventType, PatchError, Patcher};
use serde_json::Value;

use super::spec;
use super::unwritten::Unwritten;

/// The object with what has become of it.
pub(super) struct Work {
    pub(super) object: Kustomization,
    pub(super) context: Context<KustomizationSpec>,
    /// The revision that is worked on, and where that comes from; empty until they are known.
    pub(super) revision: String,
    pub(super) origin_revision: String,
    patcher: Patcher<KustomizationSpec>,
    /// The status that was written last, without what changes with every reconciliation.
    written: Value,
    /// Nothing has changed, so that nothing need be written or told.
    pub(super) is_quiet: bool,
    /// The inventory as it was before this reconciliation.
    pub(super) inventory_before: Inventory,
    /// More about a failure than Flux says.
    pub(super) details: Option<String>,
}

pub(super) fn now() -> Time {
    jiff::Timestamp::now().into()
}

impl Work {
    pub(super) fn new(object: &Arc<Kustomization>, context: Context<KustomizationSpec>) -> Self {
        let patcher = context.patcher(object);
        let written = lasting(object.status.as_ref());
        Self {
            object: Kustomization::clone(object),
            context,
            revision: String::new(),
            origin_revision: String::new(),
            patcher,
            written,
            is_quiet: false,
            inventory_before: object
                .status
                .as_ref()
                .and_then(|status| status.inventory.clone())
                .unwrap_or_default(),
            details: None,
        }
    }

    pub(super) fn status(&mut self) -> &mut KustomizationStatus {
        self.object.status_mut()
    }

    /// The conditions.
    pub(super) fn conditions(&self) -> &[Condition] {
        self.object
            .status
            .as_ref()
            .and_then(|status| status.conditions.as_deref())
            .unwrap_or_default()
    }

    fn condition(&self, r#type: &str) -> Option<&Condition> {
        self.conditions()
            .iter()
            .find(|condition| condition.r#type == r#type)
    }

    fn has(&self, r#type: &str, status: &ConditionStatus) -> bool {
        self.condition(r#type)
            .is_some_and(|condition| condition.status == *status)
    }

    /// Whether the condition is true.
    pub(super) fn is_true(&self, r#type: &str) -> bool {
        self.has(r#type, &ConditionStatus::True)
    }

    pub(super) fn mark(
        &mut self,
        r#type: &str,
        status: ConditionStatus,
        reason: &str,
        message: &str,
    ) {
        let generation = self.object.metadata.generation.unwrap_or_default();
        let conditions = self.status().conditions.get_or_insert_default();
        conditions.set(
            Condition::new(r#type, status, reason, message),
            generation,
            now(),
        );
    }

    pub(super) fn delete(&mut self, r#type: &str) {
        self.status()
            .conditions
            .get_or_insert_default()
            .delete(r#type);
    }

    /// `Ready` is false.
    pub(super) fn not_ready(&mut self, reason: &str, message: &str) {
        self.mark(READY, ConditionStatus::False, reason, message);
    }

    pub(super) fn reconciling(&mut self, reason: &str, message: &str) {
        let generation = self.object.metadata.generation.unwrap_or_default();
        self.status()
            .conditions
            .get_or_insert_default()
            .mark_reconciling(reason, message, generation, now());
    }

    pub(super) fn stalled(&mut self, reason: &str, message: &str) {
        let generation = self.object.metadata.generation.unwrap_or_default();
        self.status()
            .conditions
            .get_or_insert_default()
            .mark_stalled(reason, message, generation, now());
    }

    /// Enters an attempt in the history.
    pub(super) fn record(&mut self, digest: &str, status: &str, took: std::time::Duration) {
        let mut metadata = BTreeMap::from([(REVISION.to_owned(), self.revision.clone())]);
        if !self.origin_revision.is_empty() {
            metadata.insert(ORIGIN_REVISION.to_owned(), self.origin_revision.clone());
        }
        let snapshot = Snapshot {
            digest: digest.to_owned(),
            last_reconciled: now(),
            last_reconciled_duration: Duration::from(took),
            last_reconciled_status: status.to_owned(),
            metadata: Some(metadata),
            ..Snapshot::default()
        };
        api::meta::record(self.status().history.get_or_insert_default(), snapshot);
    }

    /// Writes what has changed.
    pub(super) async fn write(&mut self) -> Result<(), PatchError> {
        self.patcher.patch(&self.object).await?;
        self.written = lasting(self.object.status.as_ref());
        Ok(())
    }

    /// Records an event with the reason of the Ready condition.
    pub(super) fn event(&self, r#type: EventType, message: &str) {
        self.event_with(
            r#type,
            &self.revision,
            &self.origin_revision,
            message,
            BTreeMap::new(),
        );
    }

    /// The same, for a revision of its own.
    pub(super) fn event_with(
        &self,
        r#type: EventType,
        revision: &str,
        origin: &str,
        message: &str,
        mut metadata: BTreeMap<String, String>,
    ) {
        let group = KustomizationSpec::NAMES.group;
        for (key, value) in [(REVISION, revision), (ORIGIN_REVISION, origin)] {
            if !value.is_empty() {
                metadata.insert(format!("{group}/{key}"), value.to_owned());
            }
        }
        let severity = if r#type == EventType::Warning {
            "error"
        } else {
            "info"
        };
        let reason = self
            .condition(READY)
            .map_or(severity, |ready| ready.reason.as_str());
        self.context
            .recorder()
            .event(&self.object, r#type, reason, message, metadata);
    }

    /// Writes the final state, tells of success. Source: kustomize-controller, `finalizeStatus`.
    pub(super) async fn finish(&mut self, unwritten: &Unwritten) -> Result<(), PatchError> {
        self.settle();
        let requested = self.requested();
        let handled = self
            .object
            .status
            .as_ref()
            .and_then(|status| status.last_handled_reconcile_at.clone());
        let is_handled_now = requested.is_some() && requested != handled;
        if requested.is_some() {
            self.status().last_handled_reconcile_at = requested;
        }
        let has_news = is_handled_now || lasting(self.object.status.as_ref()) != self.written;
        let has_changes = has_news || self.patcher.has_metadata_changes(&self.object);
        let history = self
            .object
            .status
            .as_ref()
            .and_then(|status| status.history.clone());
        let may_wait = self.is_quiet && !has_changes;
        if !may_wait || !unwritten.keep(self.context.key(), history.unwrap_or_default()) {
            self.is_quiet = may_wait;
            self.write().await?;
            unwritten.forget(self.context.key());
        }
        if spec::is_suspended(&self.object) || self.is_quiet {
            return Ok(());
        }
        let ready = self
            .object
            .status
            .as_ref()
            .and_then(|status| status.conditions.as_ref());
        if ready.is_some_and(api::meta::Conditions::is_ready) {
            self.tell_success();
        }
        Ok(())
    }

    fn settle(&mut self) {
        if self.is_true(READY) {
            self.delete(RECONCILING);
            let generation = self.object.metadata.generation;
            self.status().observed_generation = generation;
        }
        if self.has(READY, &ConditionStatus::False)
            && let Some(reconciling) = self.condition(RECONCILING).cloned()
        {
            self.mark(
                RECONCILING,
                reconciling.status,
                PROGRESSING_WITH_RETRY,
                &reconciling.message,
            );
        }
    }

    fn tell_success(&self) {
        let took = Duration::from(self.context.started().elapsed());
        let message = format!(
            "Reconciliation finished in {took}, next run in {}",
            self.object.spec.interval
        );
        let status = self.object.status.clone().unwrap_or_default();
        tracing::info!(
            revision = status.last_attempted_revision.unwrap_or_default(),
            "{message}"
        );
        let key = format!("{}/{COMMIT_STATUS}", KustomizationSpec::NAMES.group);
        let metadata = BTreeMap::from([(key, COMMIT_STATUS_UPDATE.to_owned())]);
        let revision = status.last_applied_revision.unwrap_or_default();
        let origin = status.last_applied_origin_revision.unwrap_or_default();
        self.event_with(EventType::Normal, &revision, &origin, &message, metadata);
    }

    /// The value of the annotation that asks for a reconciliation.
    pub(super) fn requested(&self) -> Option<String> {
        self.object
            .metadata
            .annotations
            .as_ref()?
            .get(RECONCILE_REQUEST)
            .cloned()
    }
}

/// A status without what changes with every reconciliation: the history, and when conditions changed.
fn lasting(status: Option<&KustomizationStatus>) -> Value {
    let mut status = status.cloned().unwrap_or_default();
    status.history = None;
    for condition in status.conditions.iter_mut().flatten() {
        condition.last_transition_time = Time::default();
    }
    serde_json::to_value(status).unwrap_or_default()
}
