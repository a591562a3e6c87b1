//! Watches of objects that someone waits for.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use api::meta::ObjectId;
use futures::StreamExt as _;
use kube::api::{Api, DynamicObject, ListParams, TypeMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use object::status::Status;
use object::time::Time;
use object::{GroupVersionKind, Value, meta};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::health::{HealthChecks, ObjectHealth};
use crate::memory::Pause;
use crate::rest::{Form, Resource, Rest, Target, chain};

/// How long a watch stays after the last one has waited.
const LINGER: Duration = Duration::from_secs(10);

/// All watches; cheap to clone.
#[derive(Clone)]
pub(super) struct Scopes(Arc<Shared>);

struct Shared {
    client: kube::Client,
    scopes: Mutex<HashMap<Place, Scope>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        for scope in self.scopes.get_mut().values() {
            scope.stop.cancel();
        }
    }
}

/// What one watch is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    gvk: GroupVersionKind,
    namespace: String,
    /// The only object, for objects of the cluster.
    name: Option<String>,
}

struct Scope {
    slots: HashMap<String, Vec<Weak<Slot>>>,
    users: usize,
    /// Whether the first list is in.
    is_synced: bool,
    stop: CancellationToken,
}

/// One object that one set waits for.
pub(super) struct Slot {
    checks: Arc<HealthChecks>,
    /// States of before this version are of before it was applied.
    at_least: u64,
    changed: Arc<Notify>,
    state: Mutex<State>,
}

struct State {
    health: ObjectHealth,
    version: u64,
    /// The selector of the pods of a workload that is not ready.
    pods: Option<String>,
}

/// A slot that is registered with a watch; dropping it ends that.
pub(super) struct Registration {
    scopes: Scopes,
    place: Place,
    resource: Arc<Resource>,
    slot: Arc<Slot>,
}

impl Slot {
    pub(super) fn new(
        id: &ObjectId,
        checks: &Arc<HealthChecks>,
        at_least: u64,
        changed: &Arc<Notify>,
    ) -> Self {
        Self {
            checks: Arc::clone(checks),
            at_least,
            changed: Arc::clone(changed),
            state: Mutex::new(State {
                health: ObjectHealth::unknown(id.clone()),
                version: 0,
                pods: None,
            }),
        }
    }

    /// Judges a state of the object.
    fn see(&self, object: &Value) {
        let version: u64 = meta::resource_version(object).parse().unwrap_or(0);
        let now = Time::from_unix(unix_seconds(), 0);
        let mut state = self.state.lock();
        if version != 0 && (version < state.version || version < self.at_least) {
            return;
        }
        state.version = version;
        let id = state.health.id.clone();
        let health = match self.checks.health(object, now) {
            Ok(health) => ObjectHealth {
                id,
                status: health.status,
                message: health.message,
                error: None,
            },
            Err(error) => ObjectHealth {
                error: Some(error.to_string()),
                ..ObjectHealth::unknown(id)
            },
        };
        state.pods = (health.status == Status::InProgress)
            .then(|| pods_of(object))
            .flatten();
        self.set(&mut state, health);
    }

    /// The object is not there. `version` is that of its end, where it is known.
    fn miss(&self, version: u64) {
        let mut state = self.state.lock();
        if version != 0 && version < state.version.max(self.at_least) {
            return;
        }
        state.pods = None;
        let health = ObjectHealth {
            status: Status::NotFound,
            message: "Resource not found".to_owned(),
            ..ObjectHealth::unknown(state.health.id.clone())
        };
        self.set(&mut state, health);
    }

    fn fail(&self, error: &str) {
        let mut state = self.state.lock();
        let health = ObjectHealth {
            error: Some(error.to_owned()),
            ..ObjectHealth::unknown(state.health.id.clone())
        };
        self.set(&mut state, health);
    }

    fn set(&self, state: &mut State, health: ObjectHealth) {
        if state.health != health {
            state.health = health;
            self.changed.notify_one();
        }
    }

    fn is_unseen(&self) -> bool {
        self.state.lock().version == 0
    }
}

fn unix_seconds() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

/// The selector of the pods whose failures count for a workload. Source: cli-utils, `statusreaders`.
fn pods_of(object: &Value) -> Option<String> {
    let gvk = meta::gvk(object);
    if gvk.group != "apps" || !matches!(gvk.kind.as_str(), "StatefulSet" | "ReplicaSet") {
        return None;
    }
    let selector = object.pointer("/spec/selector")?;
    Some(object::selector::format_label_selector(selector))
}

impl Scopes {
    pub(super) fn new(client: kube::Client) -> Self {
        Self(Arc::new(Shared {
            client,
            scopes: Mutex::default(),
        }))
    }

    /// Registers a slot with the watch of its place, which is opened if there is none. Returns whether the watch is past
    /// its first list, which then does not tell of the object.
    pub(super) fn register(&self, resource: &Arc<Resource>, slot: Slot) -> (Registration, bool) {
        let (namespace, name) = {
            let state = slot.state.lock();
            (
                state.health.id.namespace.clone(),
                state.health.id.name.clone(),
            )
        };
        let place = Place {
            gvk: resource.gvk.clone(),
            namespace: if resource.is_namespaced {
                namespace
            } else {
                String::new()
            },
            name: (!resource.is_namespaced).then(|| name.clone()),
        };
        let slot = Arc::new(slot);
        let mut scopes = self.0.scopes.lock();
        let mut is_new = false;
        let scope = scopes.entry(place.clone()).or_insert_with(|| {
            is_new = true;
            Scope {
                slots: HashMap::new(),
                users: 0,
                is_synced: false,
                stop: CancellationToken::new(),
            }
        });
        scope.users += 1;
        scope
            .slots
            .entry(name)
            .or_default()
            .push(Arc::downgrade(&slot));
        let (is_running, stop) = (scope.is_synced, scope.stop.clone());
        drop(scopes);
        if is_new {
            self.start(place.clone(), resource, stop);
        }
        let registration = Registration {
            scopes: self.clone(),
            place,
            resource: Arc::clone(resource),
            slot,
        };
        (registration, is_running)
    }

    fn start(&self, place: Place, resource: &Resource, stop: CancellationToken) {
        let (client, kind) = (self.0.client.clone(), resource.api_resource());
        let api: Api<DynamicObject> = if place.namespace.is_empty() {
            Api::all_with(client, &kind)
        } else {
            Api::namespaced_with(client, &place.namespace, &kind)
        };
        let mut config = watcher::Config::default();
        if let Some(name) = &place.name {
            config = config.fields(&format!("metadata.name={name}"));
        }
        let shared = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::select! {
                () = follow(&shared, &place, api, config) => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Ends a watch that nobody needs any more, after a while.
    fn release(&self, place: &Place) {
        let is_unused = {
            let mut scopes = self.0.scopes.lock();
            let Some(scope) = scopes.get_mut(place) else {
                return;
            };
            scope.users -= 1;
            scope.slots.retain(|_, slots| {
                slots.retain(|slot| slot.strong_count() > 0);
                !slots.is_empty()
            });
            scope.users == 0
        };
        if !is_unused {
            return;
        }
        // Outside of a runtime the process ends, and with it the watch.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (shared, place) = (Arc::downgrade(&self.0), place.clone());
        runtime.spawn(async move {
            tokio::time::sleep(LINGER).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let mut scopes = shared.scopes.lock();
            if scopes.get(&place).is_some_and(|scope| scope.users == 0)
                && let Some(scope) = scopes.remove(&place)
            {
                scope.stop.cancel();
            }
        });
    }

    /// How many pods of a workload have failed for good.
    async fn failed_pods(&self, namespace: &str, selector: &str) -> Result<usize, kube::Error> {
        let pods = kube::api::ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(self.0.client.clone(), namespace, &pods);
        let list = api.list(&ListParams::default().labels(selector)).await?;
        let now = Time::from_unix(unix_seconds(), 0);
        let gvk = GroupVersionKind::new("", "v1", "Pod");
        let failed = list.items.into_iter().filter(|pod| {
            let pod = to_value(pod.clone(), &gvk);
            object::status::of(&pod, now).status == Status::Failed
                && !meta::is_terminating(&pod)
                && !is_unschedulable(&pod)
        });
        Ok(failed.count())
    }
}

/// Whether a pod waits for a node, which an autoscaler may bring.
fn is_unschedulable(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        [
            ("type", "PodScheduled"),
            ("status", "False"),
            ("reason", "Unschedulable"),
        ]
        .iter()
        .all(|(key, word)| condition.get(key).and_then(Value::as_str) == Some(word))
    })
}

/// The object as JSON. Items of lists lack their kind.
fn to_value(mut object: DynamicObject, gvk: &GroupVersionKind) -> Value {
    object.metadata.managed_fields = None;
    object.types.get_or_insert_with(|| TypeMeta {
        api_version: gvk.api_version(),
        kind: gvk.kind.clone(),
    });
    serde_json::to_value(object).unwrap_or_default()
}

async fn follow(
    shared: &Weak<Shared>,
    place: &Place,
    api: Api<DynamicObject>,
    config: watcher::Config,
) {
    let stream = watcher::watcher(api, config).backoff(Pause::default());
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.next().await {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        match event {
            Ok(Event::Init) => {}
            Ok(Event::InitApply(object) | Event::Apply(object)) => {
                let slots = shared.slots(place, object.metadata.name.as_deref());
                if !slots.is_empty() {
                    let object = to_value(object, &place.gvk);
                    for slot in &slots {
                        slot.see(&object);
                    }
                }
            }
            Ok(Event::Delete(object)) => {
                let version = object
                    .metadata
                    .resource_version
                    .as_deref()
                    .unwrap_or_default();
                let version = version.parse().unwrap_or(0);
                let slots = shared.slots(place, object.metadata.name.as_deref());
                for slot in &slots {
                    slot.miss(version);
                }
            }
            Ok(Event::InitDone) => shared.synced(place),
            Err(error) => shared.failed(place, &error),
        }
    }
}

impl Shared {
    /// The slots of an object, or of all.
    fn slots(&self, place: &Place, name: Option<&str>) -> Vec<Arc<Slot>> {
        let scopes = self.scopes.lock();
        let Some(scope) = scopes.get(place) else {
            return Vec::new();
        };
        let live =
            |slots: &Vec<Weak<Slot>>| slots.iter().filter_map(Weak::upgrade).collect::<Vec<_>>();
        match name {
            Some(name) => scope.slots.get(name).map(live).unwrap_or_default(),
            None => scope.slots.values().flat_map(live).collect(),
        }
    }

    /// The list is complete: what was not in it is not there.
    fn synced(&self, place: &Place) {
        if let Some(scope) = self.scopes.lock().get_mut(place) {
            scope.is_synced = true;
        }
        for slot in self.slots(place, None) {
            if slot.is_unseen() {
                slot.miss(0);
            }
        }
    }

    fn failed(&self, place: &Place, error: &watcher::Error) {
        let refused = match error {
            watcher::Error::InitialListFailed(kube::Error::Api(status))
            | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => Some(&status.message),
            _ => None,
        };
        match refused {
            Some(message) => {
                for slot in self.slots(place, None) {
                    slot.fail(message);
                }
            }
            None => tracing::debug!(kind = %place.gvk, error = %chain(error), "watch ended"),
        }
    }
}

impl Registration {
    /// How the object stands.
    pub(super) fn health(&self) -> ObjectHealth {
        self.slot.state.lock().health.clone()
    }

    /// Reads the object, since the watch tells of it only when it changes.
    pub(super) async fn read(&self, rest: &Rest) {
        let id = self.health().id;
        let target = Target {
            resource: &self.resource,
            namespace: &id.namespace,
            name: &id.name,
        };
        match rest.get(&target, Form::Full).await {
            Ok(Some(object)) => self.slot.see(&object),
            Ok(None) if self.slot.is_unseen() => self.slot.miss(0),
            Ok(None) => {}
            Err(failure) => self.slot.fail(&failure.to_string()),
        }
    }

    /// Looks whether pods have failed, if the object is a workload that is not ready.
    pub(super) async fn look_at_pods(&self, scopes: &Scopes) {
        let (selector, namespace, version) = {
            let state = self.slot.state.lock();
            let Some(selector) = state.pods.clone() else {
                return;
            };
            (selector, state.health.id.namespace.clone(), state.version)
        };
        // If the pods cannot be read, the workload is judged by itself.
        let failed = scopes.failed_pods(&namespace, &selector).await.unwrap_or(0);
        let mut state = self.slot.state.lock();
        if failed > 0 && state.version == version {
            let health = ObjectHealth {
                status: Status::Failed,
                message: format!("{failed} pods have failed"),
                ..ObjectHealth::unknown(state.health.id.clone())
            };
            self.slot.set(&mut state, health);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.scopes.release(&self.place);
    }
}
