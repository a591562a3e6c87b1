//! The objects of one resource, and what lately happened to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use object::GroupResource;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::encode::{Encoded, Stored};
use super::history::{Event, EventKind, Gap, History};
use super::list::Range;
use super::{Expected, WriteError};

/// All objects of one resource, by key, in the order in which etcd lists them.
pub struct Bucket {
    resource: GroupResource,
    objects: RwLock<BTreeMap<Box<str>, Arc<Stored>>>,
    history: RwLock<History>,
    revision: Arc<AtomicI64>,
    published: Arc<AtomicI64>,
    changed: watch::Sender<i64>,
    any_changed: Arc<watch::Sender<i64>>,
}

/// What a list saw: the objects, and the revision it saw them at.
pub struct Snapshot {
    /// The revision of the whole store at that moment.
    pub revision: i64,
    /// The objects, in key order.
    pub objects: Vec<Arc<Stored>>,
}

impl Bucket {
    pub(super) fn new(
        resource: GroupResource,
        revision: Arc<AtomicI64>,
        published: Arc<AtomicI64>,
        any_changed: Arc<watch::Sender<i64>>,
    ) -> Self {
        let start = revision.load(Ordering::SeqCst);
        Self {
            resource,
            objects: RwLock::default(),
            history: RwLock::new(History::new()),
            revision,
            published,
            changed: watch::Sender::new(start),
            any_changed,
        }
    }

    /// The resource.
    pub fn resource(&self) -> &GroupResource {
        &self.resource
    }

    /// The object under a key.
    pub fn get(&self, key: &str) -> Option<Arc<Stored>> {
        self.objects.read().get(key).cloned()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.read().is_empty()
    }

    /// All objects of a range, as they are now.
    pub fn list(&self, range: &Range) -> Snapshot {
        let objects = self.objects.read();
        // Read under the lock: every write of this resource up to that revision is in the index.
        let revision = self.revision.load(Ordering::SeqCst);
        Snapshot {
            revision,
            objects: range.of(&objects).cloned().collect(),
        }
    }

    /// All objects of a range as they were at a revision; [`Gap`] if that is no longer known.
    pub fn list_at(&self, range: &Range, revision: i64) -> Result<Snapshot, Gap> {
        let mut state: BTreeMap<Box<str>, Arc<Stored>>;
        {
            let objects = self.objects.read();
            state = range
                .of(&objects)
                .map(|stored| (stored.key.clone(), Arc::clone(stored)))
                .collect();
        }
        let history = self.history.read();
        // What is newer than the revision is undone, newest first.
        for event in history.since(revision)?.rev() {
            if range.contains(&event.object.key) {
                match &event.previous {
                    Some(previous) => state.insert(previous.key.clone(), Arc::clone(previous)),
                    None => state.remove(&event.object.key),
                };
            }
        }
        Ok(Snapshot {
            revision,
            objects: state.into_values().collect(),
        })
    }

    /// Puts an object in the index as it is read from the database.
    pub(super) fn load(&self, stored: Arc<Stored>) {
        self.objects.write().insert(stored.key.clone(), stored);
    }

    /// Adds an event that the database remembers.
    pub(super) fn load_event(&self, event: Arc<Event>) {
        self.history.write().push(event);
    }

    /// Forgets what happened up to a revision: a watch from before it is told so.
    pub(super) fn compact(&self, revision: i64) {
        self.history.write().compact(revision);
    }

    /// Checks and makes one write in the index. Called with the sequence lock held.
    pub(super) fn write(
        &self,
        key: &str,
        expected: Expected,
        kind: EventKind,
        object: &Encoded,
    ) -> Result<Arc<Event>, WriteError> {
        let mut objects = self.objects.write();
        let current = objects.get(key).cloned();
        let fits = match (expected, &current) {
            (Expected::Absent, None) => true,
            (Expected::Revision(revision), Some(current)) => current.revision == revision,
            _ => false,
        };
        if !fits {
            return Err(WriteError::Mismatch(current));
        }
        let revision = self.revision.load(Ordering::SeqCst) + 1;
        let stored = Arc::new(object.stored(key, revision));
        let kind = match (kind, &current) {
            (EventKind::Deleted, _) => {
                objects.remove(key);
                EventKind::Deleted
            }
            (_, None) => {
                objects.insert(key.into(), Arc::clone(&stored));
                EventKind::Added
            }
            (_, Some(_)) => {
                objects.insert(key.into(), Arc::clone(&stored));
                EventKind::Modified
            }
        };
        // Under both locks, so that a list sees the write and its revision together.
        self.revision.store(revision, Ordering::SeqCst);
        Ok(Arc::new(Event::new(revision, kind, stored, current)))
    }

    /// Takes back writes that could not be committed, the newest first. Called with the sequence lock held.
    ///
    /// A list may have shown them: whoever watches from a revision up to now is told to list again.
    pub(super) fn undo(&self, event: &Event) {
        let mut objects = self.objects.write();
        match &event.previous {
            Some(previous) => objects.insert(previous.key.clone(), Arc::clone(previous)),
            None => objects.remove(&event.object.key),
        };
        drop(objects);
        let revision = self.revision.load(Ordering::SeqCst);
        self.history.write().compact(revision);
        // Wakes the watches, which then find out.
        self.changed.send_replace(revision);
        self.any_changed.send_replace(revision);
    }

    /// Tells watchers of a committed write.
    pub(super) fn publish(&self, event: Arc<Event>) {
        let revision = event.revision;
        self.history.write().push(event);
        self.changed.send_replace(revision);
        self.any_changed.send_replace(revision);
    }

    /// The events after a revision, in order; at most `limit`.
    pub fn events_since(&self, revision: i64, limit: usize) -> Result<Vec<Arc<Event>>, Gap> {
        let history = self.history.read();
        Ok(history.since(revision)?.take(limit).cloned().collect())
    }

    /// The newest revision that watchers of any resource have been told of.
    pub fn published(&self) -> i64 {
        self.published.load(Ordering::SeqCst)
    }

    /// The newest revision of all.
    pub fn revision(&self) -> i64 {
        self.revision.load(Ordering::SeqCst)
    }

    /// The revision of the newest event of this resource.
    pub fn last_change(&self) -> i64 {
        *self.changed.borrow()
    }

    /// Something to wait on: it changes whenever there are new events.
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.changed.subscribe()
    }
}
