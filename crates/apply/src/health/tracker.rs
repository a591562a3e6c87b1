//! Waiting for objects by watching them.
//!
//! The objects of a kind in a namespace share one watch, which is there as long as someone waits for one of them;
//! objects of the cluster have one each, since CustomResourceDefinitions are large. A state is judged when it comes in
//! and not kept.

mod scope;

use std::sync::Arc;
use std::time::Duration;

use api::meta::ObjectId;
use builtin::facts::facts;
use object::status::Status;
use object::{GroupKind, GroupVersionKind};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::set::progress;
use super::{HealthError, HealthSet, ObjectHealth, Progress, WaitOptions};
use crate::mapper::Mapper;
use crate::memory::Memory;
use crate::rest::{Failure, Resource, Rest};
use scope::{Scopes, Slot};

/// How often to look at what no watch tells of: kinds that are not served yet, pods of workloads, the time.
const TICK: Duration = Duration::from_secs(2);

/// Tells when objects become ready; cheap to clone.
#[derive(Clone)]
pub struct HealthTracker(Arc<Inner>);

struct Inner {
    mapper: Mapper,
    memory: Memory,
    rest: Rest,
    scopes: Scopes,
}

/// A set that is waited for. While it lives, the objects are watched.
pub struct Waiting {
    tracker: HealthTracker,
    set: HealthSet,
    slots: Vec<Watched>,
    changed: Arc<Notify>,
}

/// How one object is followed.
enum Watched {
    /// It was just applied, and has no status.
    Ready(ObjectId),
    /// By a watch.
    Slot(scope::Registration),
    /// Not at all: its kind is not served.
    NoKind(ObjectHealth),
}

impl HealthTracker {
    pub(crate) fn new(client: kube::Client, mapper: Mapper, memory: Memory) -> Self {
        Self(Arc::new(Inner {
            mapper,
            memory,
            rest: Rest::new(client.clone(), ""),
            scopes: Scopes::new(client),
        }))
    }

    /// Waits until all objects of a set are ready. Dropping the future ends the wait.
    ///
    /// # Errors
    /// Objects have failed, or are not ready in time.
    pub async fn wait(&self, set: &HealthSet, options: &WaitOptions) -> Result<(), HealthError> {
        if set.is_empty() {
            return Ok(());
        }
        let end = Instant::now() + options.timeout;
        let Ok(waiting) = tokio::time::timeout_at(end, self.watch(set)).await else {
            let unknown = set.ids.iter().cloned().map(ObjectHealth::unknown);
            return Err(HealthError::Timeout(unknown.collect()));
        };
        let mut waiting = waiting?;
        loop {
            match waiting.poll(options.fail_fast) {
                Progress::Current => return Ok(()),
                Progress::Failed(failed) => return Err(HealthError::Stalled(failed)),
                Progress::Pending(left) => {
                    if tokio::time::timeout_at(end, waiting.changed())
                        .await
                        .is_err()
                    {
                        return Err(HealthError::Timeout(left));
                    }
                }
            }
        }
    }

    /// Begins to watch the objects of a set.
    ///
    /// # Errors
    /// An object lacks its namespace, or the discovery cannot be read.
    pub async fn watch(&self, set: &HealthSet) -> Result<Waiting, HealthError> {
        let changed = Arc::new(Notify::new());
        let mut slots = Vec::with_capacity(set.ids.len());
        for id in &set.ids {
            slots.push(self.follow(id, set, &changed).await?);
        }
        Ok(Waiting {
            tracker: self.clone(),
            set: set.clone(),
            slots,
            changed,
        })
    }

    async fn follow(
        &self,
        id: &ObjectId,
        set: &HealthSet,
        changed: &Arc<Notify>,
    ) -> Result<Watched, HealthError> {
        let kind = GroupKind::new(id.group.as_str(), id.kind.as_str());
        let resource = match self.0.mapper.preferred(&kind).await {
            Ok(resource) => resource,
            Err(failure @ Failure::NoKind { .. }) => {
                let mut health = ObjectHealth::unknown(id.clone());
                health.error = Some(failure.to_string());
                return Ok(Watched::NoKind(health));
            }
            Err(failure) => return Err(HealthError::Invalid(failure.to_string())),
        };
        if resource.is_namespaced && id.namespace.is_empty() {
            let text = format!(
                "resource {kind} {} is namespace scoped, but namespace is not set",
                id.name
            );
            return Err(HealthError::Invalid(text));
        }
        if !has_status(&resource.gvk) && !set.checks.has(&kind) && self.0.memory.is_present(id) {
            return Ok(Watched::Ready(id.clone()));
        }
        let at_least = self.0.memory.version_of(id);
        let slot = Slot::new(id, &set.checks, at_least, changed);
        Ok(Watched::Slot(self.register(&resource, slot).await))
    }

    /// Watches an object. If the watch is already there, its state is read once.
    async fn register(&self, resource: &Arc<Resource>, slot: Slot) -> scope::Registration {
        let (registration, is_running) = self.0.scopes.register(resource, slot);
        if is_running {
            registration.read(&self.0.rest).await;
        }
        registration
    }
}

/// Whether how an object of the kind stands can change after it was applied.
fn has_status(gvk: &GroupVersionKind) -> bool {
    // Its phase says only that it is being deleted.
    if gvk.group.is_empty() && gvk.kind == "Namespace" {
        return false;
    }
    facts()
        .type_of(gvk)
        .is_none_or(|type_id| facts().type_at(type_id).field("status").is_some())
}

impl Waiting {
    /// How far the set is.
    pub fn poll(&self, fail_fast: bool) -> Progress {
        progress(self.objects(), &self.set.vanishing, fail_fast)
    }

    /// How each object stands, in the order of the set.
    pub fn objects(&self) -> Vec<ObjectHealth> {
        self.slots
            .iter()
            .map(|watched| match watched {
                Watched::Ready(id) => ObjectHealth {
                    status: Status::Current,
                    ..ObjectHealth::unknown(id.clone())
                },
                Watched::Slot(registration) => registration.health(),
                Watched::NoKind(health) => health.clone(),
            })
            .collect()
    }

    /// Waits until an object may stand differently than at the last look.
    pub async fn changed(&mut self) {
        tokio::select! {
            () = self.changed.notified() => {}
            () = tokio::time::sleep(TICK) => self.look_around().await,
        }
    }

    /// Looks at what no watch tells of.
    async fn look_around(&mut self) {
        for place in 0..self.slots.len() {
            match &self.slots[place] {
                Watched::Ready(_) => {}
                Watched::Slot(registration) => {
                    registration.look_at_pods(&self.tracker.0.scopes).await;
                }
                Watched::NoKind(health) => {
                    let id = health.id.clone();
                    let found = self.tracker.follow(&id, &self.set, &self.changed).await;
                    if let Ok(found) = found {
                        self.slots[place] = found;
                    }
                }
            }
        }
    }
}
