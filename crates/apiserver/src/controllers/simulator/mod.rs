//! The workload simulator: gives workloads the status that controllers and a kubelet would give them in
//! a healthy cluster of one node, so that health checks, rollouts and hooks can be seen without running
//! anything.
//!
//! ```text
//!  Deployment ─► ReplicaSet ─► Pod ─► Pending ─► Running, ready      Service ─► EndpointSlice
//!  StatefulSet, DaemonSet ───► Pod                                   Ingress, LoadBalancer ─► address
//!  CronJob ─► Job ───────────► Pod ─► Succeeded                      PersistentVolumeClaim ─► Bound
//! ```
//!
//! It reacts after a moment, as a cluster does, so that progress can be observed. Pods can be told to
//! misbehave: see [`behaviour`]. Nothing here is decided by time alone: each object is looked at when it,
//! or something it owns, changes, and once more when a transition is due.

mod behaviour;
mod claim;
mod cron;
mod daemon_set;
mod deployment;
mod index;
mod job;
mod network;
mod pod;
mod pods;
mod replica_set;
mod stateful_set;
mod template;
mod world;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use object::{GroupResource, Value, meta};

use super::feed::Feed;
use crate::core::Core;
use crate::error::ApiError;
use crate::store::{Event, EventKind};
use world::World;

/// How long after a change of its own, or of something it owns.
const FOLLOW_UP: Duration = Duration::from_millis(20);
/// How soon after a conflict.
const RETRY: Duration = Duration::from_millis(50);

/// An object's place.
type Place = (GroupResource, Box<str>);

/// When an object is to be looked at again, if nothing happens before.
type Next = Option<Duration>;

/// Runs until the server ends.
pub(super) async fn run(core: Arc<Core>) {
    let mut simulator = Simulator {
        world: World::new(&core),
        queue: Queue::default(),
    };
    if let Err(error) = simulator.world.ensure_node().await {
        tracing::warn!(%error, "making the simulated node failed");
    }
    let mut feed = Feed::new(&core, is_simulated);
    loop {
        let due = simulator.queue.next_due();
        let events = match due {
            Some(due) => {
                let wait = due.saturating_duration_since(Instant::now());
                tokio::time::timeout(wait, feed.next())
                    .await
                    .unwrap_or(Some(Vec::new()))
            }
            None => feed.next().await,
        };
        let Some(events) = events else { return };
        for (resource, event) in events {
            simulator.observe(&resource, &event);
        }
        simulator.work().await;
    }
}

/// Which resources are looked at.
fn is_simulated(resource: &GroupResource) -> bool {
    matches!(
        (resource.group.as_str(), resource.resource.as_str()),
        (
            "",
            "pods" | "services" | "persistentvolumeclaims" | "configmaps" | "secrets"
        ) | (
            "apps",
            "deployments" | "replicasets" | "statefulsets" | "daemonsets"
        ) | ("batch", "jobs" | "cronjobs")
            | ("networking.k8s.io", "ingresses")
    )
}

/// Whether the simulator knows of an object's present form: then the event is of its own making, and is
/// followed up at once. What a user has just made or changed is left alone for a moment.
fn is_settled(resource: &GroupResource, object: &Value) -> bool {
    if resource.resource == "pods" {
        // A pod that is to end does so after a moment, as with a kubelet.
        return !meta::is_terminating(object)
            && object
                .pointer("/spec/nodeName")
                .is_some_and(|node| node != "");
    }
    object
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64)
        == Some(meta::generation(object))
}

struct Simulator {
    world: World,
    queue: Queue,
}

impl Simulator {
    /// Takes note of an event: the object, its controller and the services around it are due.
    fn observe(&mut self, resource: &GroupResource, event: &Event) {
        let place: Place = (resource.clone(), event.object.key.clone());
        match resource.resource.as_str() {
            // Pods wait for these; they look again by themselves.
            "configmaps" | "secrets" => return,
            "pods" => {
                let pod = event.object.value();
                if let Some(owner) = world::controller_of(&pod) {
                    self.queue.push(owner, FOLLOW_UP);
                }
                for service in self.world.services_of(&pod) {
                    self.queue.push(service, FOLLOW_UP);
                }
            }
            "replicasets" | "jobs" => {
                if let Some(owner) = world::controller_of(&event.object.value()) {
                    self.queue.push(owner, FOLLOW_UP);
                }
            }
            _ => {}
        }
        if event.kind != EventKind::Deleted {
            let delay = if is_settled(resource, &event.object.value()) {
                FOLLOW_UP
            } else {
                self.world.core.config.pace.reaction
            };
            self.queue.push(place, delay);
        }
    }

    /// Looks at all objects that are due.
    async fn work(&mut self) {
        while let Some(place) = self.queue.pop_due() {
            match self.reconcile(&place).await {
                Ok(Some(next)) => self.queue.push(place, next),
                Ok(None) => {}
                Err(error) if error.is_conflict() || error.is_already_exists() => {
                    self.queue.push(place, RETRY)
                }
                Err(error) if error.is_not_found() || error.code() == 403 => {}
                Err(error) => {
                    tracing::debug!(resource = %place.0, key = %place.1, %error, "simulating failed")
                }
            }
        }
    }

    async fn reconcile(&self, place: &Place) -> Result<Next, ApiError> {
        let world = &self.world;
        let Some(object) = world.get(place) else {
            return Ok(None);
        };
        if meta::is_terminating(&object) {
            return if place.0.resource == "pods" {
                pod::end(world, &object).await
            } else {
                Ok(None)
            };
        }
        match place.0.resource.as_str() {
            "pods" => pod::step(world, &object).await,
            "replicasets" => replica_set::step(world, &object).await,
            "deployments" => deployment::step(world, &object).await,
            "statefulsets" => stateful_set::step(world, &object).await,
            "daemonsets" => daemon_set::step(world, &object).await,
            "jobs" => job::step(world, &object).await,
            "cronjobs" => cron::step(world, &object).await,
            "persistentvolumeclaims" => claim::step(world, &object).await,
            "services" => network::service(world, &object).await,
            "ingresses" => network::ingress(world, &object).await,
            _ => Ok(None),
        }
    }
}

/// Objects by the time they are due; each is in it once, at its earliest time.
#[derive(Default)]
struct Queue {
    by_time: BTreeMap<(Instant, u64), Place>,
    by_place: HashMap<Place, (Instant, u64)>,
    count: u64,
}

impl Queue {
    fn push(&mut self, place: Place, delay: Duration) {
        let at = Instant::now() + delay;
        if let Some(known) = self.by_place.get(&place) {
            if known.0 <= at {
                return;
            }
            self.by_time.remove(known);
        }
        self.count += 1;
        self.by_time.insert((at, self.count), place.clone());
        self.by_place.insert(place, (at, self.count));
    }

    fn next_due(&self) -> Option<Instant> {
        self.by_time.first_key_value().map(|((at, _), _)| *at)
    }

    fn pop_due(&mut self) -> Option<Place> {
        if self.next_due()? > Instant::now() {
            return None;
        }
        let (_, place) = self.by_time.pop_first()?;
        self.by_place.remove(&place);
        Some(place)
    }
}
