//! Which objects belong to which: controllers and their objects, services and pods.
//!
//! A step asks for the pods of one ReplicaSet among thousands, or for the services of one pod. Reading
//! every object of the namespace each time would make the work grow with the square of their number, so
//! what the questions are about is kept for each object and brought up to date from the events of the
//! store before each answer. What the simulator itself has written is in there: events are told before a
//! write is answered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use object::GroupResource;
use parking_lot::Mutex;
use serde::Deserialize;

use crate::store::{Bucket, EventKind, Range, Stored};

/// How many events are read at a time.
const BATCH: usize = 1000;

type Labels = BTreeMap<String, String>;

/// What is read of an object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Facts {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    labels: Option<Labels>,
    owner_references: Option<Vec<Owner>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Owner {
    uid: String,
    controller: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    // Those of services are plain maps; what other kinds have under this name is not looked at.
    selector: Option<serde_json::Value>,
}

/// What is kept of an object.
struct Entry {
    controller: Option<String>,
    labels: Labels,
    selector: Labels,
}

impl Entry {
    fn read(stored: &Stored) -> Self {
        // What the server stored can be read.
        let facts: Facts = serde_json::from_slice(&stored.raw).unwrap_or_default();
        let owners = facts.metadata.owner_references.unwrap_or_default();
        let controller = owners
            .into_iter()
            .find(|owner| owner.controller == Some(true));
        let selector = facts.spec.selector.unwrap_or_default();
        Self {
            controller: controller.map(|owner| owner.uid),
            labels: facts.metadata.labels.unwrap_or_default(),
            selector: Labels::deserialize(selector).unwrap_or_default(),
        }
    }
}

/// The objects of one resource.
#[derive(Default)]
struct Resource {
    seen: Option<i64>,
    entries: BTreeMap<Box<str>, Entry>,
    by_controller: HashMap<String, BTreeSet<Box<str>>>,
}

impl Resource {
    fn remove(&mut self, key: &str) {
        let Some(old) = self.entries.remove(key) else {
            return;
        };
        if let Some(uid) = old.controller
            && let Some(keys) = self.by_controller.get_mut(&uid)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.by_controller.remove(&uid);
            }
        }
    }

    fn insert(&mut self, stored: &Stored) {
        self.remove(&stored.key);
        let entry = Entry::read(stored);
        if let Some(uid) = &entry.controller {
            let keys = self.by_controller.entry(uid.clone()).or_default();
            keys.insert(stored.key.clone());
        }
        self.entries.insert(stored.key.clone(), entry);
    }

    /// Reads what has happened since the last time.
    fn catch_up(&mut self, bucket: &Bucket) {
        while self.seen.is_none_or(|seen| seen < bucket.last_change()) {
            let events = self
                .seen
                .and_then(|seen| bucket.events_since(seen, BATCH).ok());
            let Some(events) = events else {
                *self = Self::default();
                let listed = bucket.list(&Range::all());
                for stored in &listed.objects {
                    self.insert(stored);
                }
                self.seen = Some(listed.revision);
                continue;
            };
            let Some(last) = events.last() else { return };
            self.seen = Some(last.revision);
            for event in &events {
                if event.kind == EventKind::Deleted {
                    self.remove(&event.object.key);
                } else {
                    self.insert(&event.object);
                }
            }
        }
    }
}

/// See the [module](self).
#[derive(Default)]
pub(super) struct Index {
    resources: Mutex<HashMap<GroupResource, Resource>>,
}

impl Index {
    fn keys<'a>(
        &self,
        bucket: &Bucket,
        chosen: impl FnOnce(&Resource) -> Vec<Box<str>> + 'a,
    ) -> Vec<Box<str>> {
        let mut resources = self.resources.lock();
        let resource = resources.entry(bucket.resource().clone()).or_default();
        resource.catch_up(bucket);
        chosen(resource)
    }

    /// The objects that an object, named by its uid, controls.
    pub(super) fn controlled(&self, bucket: &Bucket, uid: &str) -> Vec<Arc<Stored>> {
        let keys = self.keys(bucket, |resource| {
            let keys = resource.by_controller.get(uid);
            keys.into_iter().flatten().cloned().collect()
        });
        live(bucket, keys)
    }

    /// The objects in a namespace that have all of some labels (and there are some).
    pub(super) fn labelled(
        &self,
        bucket: &Bucket,
        namespace: &str,
        wanted: &serde_json::Map<String, serde_json::Value>,
    ) -> Vec<Arc<Stored>> {
        let prefix = format!("{namespace}/");
        let keys = self.keys(bucket, |resource| {
            within(resource, &prefix)
                .filter(|(_, entry)| {
                    !wanted.is_empty()
                        && wanted.iter().all(|(key, value)| {
                            entry.labels.get(key).map(String::as_str) == value.as_str()
                        })
                })
                .map(|(key, _)| key.clone())
                .collect()
        });
        live(bucket, keys)
    }

    /// The keys of the objects in a namespace whose (plain, not empty) selectors match labels.
    pub(super) fn selecting(
        &self,
        bucket: &Bucket,
        namespace: &str,
        labels: &serde_json::Map<String, serde_json::Value>,
    ) -> Vec<Box<str>> {
        let prefix = format!("{namespace}/");
        self.keys(bucket, |resource| {
            within(resource, &prefix)
                .filter(|(_, entry)| {
                    !entry.selector.is_empty()
                        && entry.selector.iter().all(|(key, value)| {
                            labels.get(key).and_then(serde_json::Value::as_str) == Some(value)
                        })
                })
                .map(|(key, _)| key.clone())
                .collect()
        })
    }
}

fn within<'a>(
    resource: &'a Resource,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a Box<str>, &'a Entry)> {
    resource
        .entries
        .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(prefix))
}

fn live(bucket: &Bucket, keys: Vec<Box<str>>) -> Vec<Arc<Stored>> {
    keys.iter().filter_map(|key| bucket.get(key)).collect()
}
