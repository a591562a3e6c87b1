//! The garbage collector: what is owned goes with its owner.
//!
//! Source: Kubernetes `pkg/controller/garbagecollector`. Unlike upstream no graph of all objects is
//! kept: whether an owner is there is read from the store, so that only owned objects are remembered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use object::{GroupResource, GroupVersionKind, GroupVersionResource, Value, meta};
use serde_json::json;

use super::feed::Feed;
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::store::{Event, EventKind, Stored, key_of};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// An object's place.
type Place = (GroupResource, Box<str>);

/// Runs until the server ends.
pub(super) async fn run(core: Arc<Core>) {
    let local = Local::new(
        Arc::clone(&core),
        User::system("system:serviceaccount:kube-system:generic-garbage-collector"),
    )
    .with_manager("kube-controller-manager");
    let mut collector = Collector {
        core: Arc::clone(&core),
        local,
        owners: HashMap::new(),
        dependents: HashMap::new(),
    };
    let mut feed = Feed::new(&core, |resource| resource.resource != "events");
    while let Some(events) = feed.next().await {
        for (resource, event) in events {
            collector.observe(&resource, &event).await;
        }
    }
}

struct Collector {
    core: Arc<Core>,
    local: Local,
    /// The uids that own an object.
    owners: HashMap<Place, Vec<String>>,
    /// The objects that a uid owns.
    dependents: HashMap<String, HashSet<Place>>,
}

/// How an owner stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// It is there.
    Solid,
    /// It is not there, or another object has its name.
    Dangling,
    /// It waits for its dependents to go.
    Waiting,
}

impl Collector {
    async fn observe(&mut self, resource: &GroupResource, event: &Event) {
        let place: Place = (resource.clone(), event.object.key.clone());
        if event.kind == EventKind::Deleted {
            self.forget(&place);
            let uid = uid_of(&event.object);
            for dependent in self.dependents_of(&uid) {
                self.collect(&dependent).await;
            }
            // An owner that waits for its dependents may now have none left.
            if holds(&event.object, "ownerReferences") {
                self.revisit_owners(&event.object.value()).await;
            }
            return;
        }
        let owned = holds(&event.object, "ownerReferences");
        if owned {
            self.remember(&place, &event.object.value());
            self.collect(&place).await;
        } else {
            self.forget(&place);
        }
        if holds(&event.object, "deletionTimestamp")
            && (holds(&event.object, FOREGROUND) || holds(&event.object, "\"orphan\""))
        {
            self.finish(&place).await;
        }
    }

    fn remember(&mut self, place: &Place, object: &Value) {
        self.forget(place);
        let uids: Vec<String> = references(object)
            .map(|owner| text(owner, "uid").to_owned())
            .collect();
        for uid in &uids {
            self.dependents
                .entry(uid.clone())
                .or_default()
                .insert(place.clone());
        }
        self.owners.insert(place.clone(), uids);
    }

    fn forget(&mut self, place: &Place) {
        for uid in self.owners.remove(place).unwrap_or_default() {
            if let Some(dependents) = self.dependents.get_mut(&uid) {
                dependents.remove(place);
                if dependents.is_empty() {
                    self.dependents.remove(&uid);
                }
            }
        }
    }

    fn dependents_of(&self, uid: &str) -> Vec<Place> {
        self.dependents
            .get(uid)
            .map(|places| places.iter().cloned().collect())
            .unwrap_or_default()
    }

    fn live(&self, place: &Place) -> Option<Value> {
        self.core
            .store
            .bucket(&place.0)
            .get(&place.1)
            .map(|stored| stored.value())
    }

    fn gvr(&self, resource: &GroupResource) -> Option<GroupVersionResource> {
        self.core
            .registry()
            .preferred(resource)
            .map(|served| served.gvr.clone())
    }

    /// How the owner that a reference names stands.
    fn stands(&self, namespace: &str, reference: &Value) -> Owner {
        let gvk = GroupVersionKind::of(reference);
        let registry = self.core.registry();
        // A kind that is not served (yet) may come back; nothing is deleted on its account.
        let Some(served) = registry.resource_of(&gvk) else {
            return Owner::Solid;
        };
        let namespace = if served.namespaced { namespace } else { "" };
        if served.namespaced && namespace.is_empty() {
            return Owner::Solid;
        }
        let key = key_of(namespace, text(reference, "name"));
        let Some(owner) = self.core.store.bucket(&served.storage).get(&key) else {
            return Owner::Dangling;
        };
        if uid_of(&owner) != text(reference, "uid") {
            return Owner::Dangling;
        }
        let waits = holds(&owner, "deletionTimestamp") && has_finalizer(&owner.value(), FOREGROUND);
        if waits { Owner::Waiting } else { Owner::Solid }
    }

    /// Deletes an object whose owners are gone, or takes the references to those that are from it.
    async fn collect(&self, place: &Place) {
        let Some(object) = self.live(place) else {
            return;
        };
        if meta::is_terminating(&object) && !has_finalizer(&object, FOREGROUND) {
            return;
        }
        let namespace = meta::namespace(&object).to_owned();
        let (mut solid, mut gone, mut waiting) = (Vec::new(), 0, false);
        for reference in references(&object) {
            match self.stands(&namespace, reference) {
                Owner::Solid => solid.push(reference.clone()),
                Owner::Dangling => gone += 1,
                Owner::Waiting => {
                    gone += 1;
                    waiting = true;
                }
            }
        }
        if gone == 0 {
            return;
        }
        let outcome = if solid.is_empty() {
            let has_dependents = !self.dependents_of(meta::uid(&object)).is_empty();
            let policy = if has_finalizer(&object, ORPHAN) {
                "Orphan"
            } else if has_finalizer(&object, FOREGROUND) || (waiting && has_dependents) {
                "Foreground"
            } else {
                "Background"
            };
            if meta::is_terminating(&object) {
                return;
            }
            self.delete(place, &object, policy).await
        } else {
            self.patch(place, &object, &json!({"ownerReferences": solid}))
                .await
        };
        report(place, outcome);
    }

    /// Takes an owner that waits for its dependents further.
    async fn finish(&self, place: &Place) {
        let Some(owner) = self.live(place).filter(meta::is_terminating) else {
            return;
        };
        let uid = meta::uid(&owner);
        let dependents = self.dependents_of(uid);
        if has_finalizer(&owner, ORPHAN) {
            for dependent in &dependents {
                self.orphan(dependent, uid).await;
            }
            report(place, self.remove_finalizer(place, &owner, ORPHAN).await);
        } else if has_finalizer(&owner, FOREGROUND) {
            let blocking =
                dependents
                    .iter()
                    .filter_map(|place| self.live(place))
                    .any(|dependent| {
                        references(&dependent).any(|reference| {
                            text(reference, "uid") == uid && reference["blockOwnerDeletion"] == true
                        })
                    });
            for dependent in &dependents {
                self.collect(dependent).await;
            }
            if !blocking {
                report(
                    place,
                    self.remove_finalizer(place, &owner, FOREGROUND).await,
                );
            }
        }
    }

    async fn revisit_owners(&self, object: &Value) {
        for reference in references(object) {
            if self.stands(meta::namespace(object), reference) != Owner::Waiting {
                continue;
            }
            let registry = self.core.registry();
            if let Some(served) = registry.resource_of(&GroupVersionKind::of(reference)) {
                let namespace = if served.namespaced {
                    meta::namespace(object)
                } else {
                    ""
                };
                let key = key_of(namespace, text(reference, "name"));
                self.finish(&(served.storage.clone(), key.into())).await;
            }
        }
    }

    async fn orphan(&self, place: &Place, uid: &str) {
        let Some(object) = self.live(place) else {
            return;
        };
        let rest: Vec<Value> = references(&object)
            .filter(|reference| text(reference, "uid") != uid)
            .cloned()
            .collect();
        let rest = if rest.is_empty() {
            Value::Null
        } else {
            Value::from(rest)
        };
        report(
            place,
            self.patch(place, &object, &json!({"ownerReferences": rest}))
                .await,
        );
    }

    async fn remove_finalizer(
        &self,
        place: &Place,
        object: &Value,
        finalizer: &str,
    ) -> Result<(), ApiError> {
        let rest: Vec<&str> = finalizers(object)
            .filter(|known| *known != finalizer)
            .collect();
        let rest = if rest.is_empty() {
            Value::Null
        } else {
            json!(rest)
        };
        self.patch(place, object, &json!({"finalizers": rest}))
            .await
    }

    /// Changes metadata of an object that is still what it was when it was read.
    async fn patch(&self, place: &Place, object: &Value, metadata: &Value) -> Result<(), ApiError> {
        let Some(gvr) = self.gvr(&place.0) else {
            return Ok(());
        };
        let mut metadata = metadata.clone();
        metadata["uid"] = json!(meta::uid(object));
        metadata["resourceVersion"] = json!(meta::resource_version(object));
        let target = (meta::namespace(object), meta::name(object), "");
        let patch = json!({"metadata": metadata});
        self.local
            .patch(&gvr, target, "application/merge-patch+json", &patch)
            .await
            .map(drop)
    }

    async fn delete(&self, place: &Place, object: &Value, policy: &str) -> Result<(), ApiError> {
        let Some(gvr) = self.gvr(&place.0) else {
            return Ok(());
        };
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy,
            "preconditions": {"uid": meta::uid(object)}});
        self.local
            .delete(&gvr, meta::namespace(object), meta::name(object), options)
            .await
            .map(drop)
    }
}

/// A conflict means that the object has changed: its next event brings it back here.
fn report(place: &Place, outcome: Result<(), ApiError>) {
    match outcome {
        Err(error) if !error.is_not_found() && !error.is_conflict() => {
            tracing::warn!(resource = %place.0, key = %place.1, %error, "garbage collection failed");
        }
        _ => {}
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn references(object: &Value) -> impl Iterator<Item = &Value> {
    object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    finalizers(object).any(|known| known == finalizer)
}

/// Whether the bytes hold a word: a cheap first look that may say yes too often.
fn holds(stored: &Stored, word: &str) -> bool {
    memchr::memmem::find(&stored.raw, word.as_bytes()).is_some()
}

/// The uid, without reading the object: only the kind, version, name and namespace come before it.
fn uid_of(stored: &Stored) -> String {
    const KEY: &[u8] = b"\"uid\":\"";
    let rest = memchr::memmem::find(&stored.raw, KEY).map(|at| &stored.raw[at + KEY.len()..]);
    let uid = rest
        .and_then(|rest| rest.split(|byte| *byte == b'"').next())
        .unwrap_or_default();
    String::from_utf8_lossy(uid).into_owned()
}
