//! The store: what etcd and the watch cache are to kube-apiserver.
//!
//! All objects are in memory, as the bytes that clients get; reads never leave it. A write is checked
//! against the index and given the next revision under one short lock, then handed to the one thread
//! that writes SQLite in group commits. The writer is answered, and watchers hear of it, after the
//! commit. A write that cannot be committed, as on a full disk, is taken back and refused, so that what
//! memory holds and what the disk holds do not drift apart; the next one is tried anew.

mod bucket;
mod checkpoint;
mod database;
mod encode;
mod history;
mod list;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use object::GroupResource;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

pub use bucket::{Bucket, Snapshot};
pub use encode::{Encoded, Stored};
pub(crate) use history::frame;
pub use history::{Event, EventKind, Gap};
pub use list::{Range, key_of};

use database::{Contents, Database};
use writer::{Job, Progress, Writer};

/// Why the store cannot be opened or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the directory.
    #[error("{0} is in use by another process")]
    InUse(String),
    /// The file was written by a newer version.
    #[error("the database has schema version {found}, this program knows up to {known}")]
    TooNew {
        /// The version in the file.
        found: i64,
        /// The newest version this program reads.
        known: i64,
    },
    /// SQLite failed.
    #[error("database: {0}")]
    Database(String),
    /// The file system failed.
    #[error("{path}: {message}")]
    Io {
        /// What was to be read or written.
        path: String,
        /// What the system said.
        message: String,
    },
    /// An earlier write could not be committed.
    #[error("the store stopped after a failed write: {0}")]
    Stopped(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// What a write expects to find under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// The object at exactly this revision.
    Revision(i64),
}

/// Why a write was not made.
#[derive(Debug, Clone)]
pub enum WriteError {
    /// The key does not hold what was expected; this is what it holds.
    Mismatch(Option<Arc<Stored>>),
    /// The store is not writable.
    Store(StoreError),
}

/// The store. See the [module](self).
pub struct Store {
    buckets: RwLock<HashMap<GroupResource, Arc<Bucket>>>,
    /// Held while a revision is given out, so that the writer gets them in order.
    sequence: Arc<Mutex<()>>,
    revision: Arc<AtomicI64>,
    published: Arc<AtomicI64>,
    /// Changes with every event of any resource.
    changed: Arc<watch::Sender<i64>>,
    writer: Option<Writer>,
}

/// A write that is in the index and waits for its commit.
pub struct Pending {
    stored: Arc<Stored>,
    done: Option<oneshot::Receiver<Result<(), StoreError>>>,
}

impl Pending {
    /// Waits until the write is durable.
    pub async fn committed(self) -> Result<Arc<Stored>, WriteError> {
        if let Some(done) = self.done {
            done.await
                .unwrap_or_else(|_| Err(StoreError::Stopped("the writer ended".to_owned())))
                .map_err(WriteError::Store)?;
        }
        Ok(self.stored)
    }
}

impl Store {
    /// A store that lives in memory only.
    pub fn in_memory() -> Self {
        Self {
            buckets: RwLock::default(),
            sequence: Arc::default(),
            revision: Arc::new(AtomicI64::new(history::FIRST_REVISION)),
            published: Arc::new(AtomicI64::new(history::FIRST_REVISION)),
            changed: Arc::new(watch::Sender::new(1)),
            writer: None,
        }
    }

    /// Opens, or makes, the database in a directory and reads all objects.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let (database, contents) = Database::open(directory)?;
        Ok(Self::over(database, contents))
    }

    fn over(database: Database, contents: Contents) -> Self {
        let mut store = Self::in_memory();
        store.revision.store(contents.revision, Ordering::SeqCst);
        store.published.store(contents.revision, Ordering::SeqCst);
        contents.load(&store);
        let progress = Progress {
            sequence: Arc::clone(&store.sequence),
            published: Arc::clone(&store.published),
        };
        store.writer = Some(Writer::start(database, progress));
        store
    }

    /// The objects of one resource; made on first use.
    pub fn bucket(&self, resource: &GroupResource) -> Arc<Bucket> {
        if let Some(bucket) = self.buckets.read().get(resource) {
            return Arc::clone(bucket);
        }
        let mut buckets = self.buckets.write();
        let made = buckets.entry(resource.clone()).or_insert_with(|| {
            Arc::new(Bucket::new(
                resource.clone(),
                Arc::clone(&self.revision),
                Arc::clone(&self.published),
                Arc::clone(&self.changed),
            ))
        });
        Arc::clone(made)
    }

    /// All resources that were ever stored.
    pub fn resources(&self) -> Vec<GroupResource> {
        self.buckets.read().keys().cloned().collect()
    }

    /// Something to wait on: it changes whenever there are new events of any resource.
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.changed.subscribe()
    }

    /// The newest revision given out.
    pub fn revision(&self) -> i64 {
        self.revision.load(Ordering::SeqCst)
    }

    /// The newest revision that watchers have been told of.
    pub fn published(&self) -> i64 {
        self.published.load(Ordering::SeqCst)
    }

    /// Writes an object; the revision it gets is spliced into its bytes.
    pub fn put(
        &self,
        bucket: &Arc<Bucket>,
        key: &str,
        expected: Expected,
        object: &Encoded,
    ) -> Result<Pending, WriteError> {
        self.write(bucket, key, expected, EventKind::Modified, object)
    }

    /// Removes an object. `last` is its final state, which watchers get, with the revision of the
    /// removal.
    pub fn remove(
        &self,
        bucket: &Arc<Bucket>,
        key: &str,
        expected: Expected,
        last: &Encoded,
    ) -> Result<Pending, WriteError> {
        self.write(bucket, key, expected, EventKind::Deleted, last)
    }

    fn write(
        &self,
        bucket: &Arc<Bucket>,
        key: &str,
        expected: Expected,
        kind: EventKind,
        object: &Encoded,
    ) -> Result<Pending, WriteError> {
        if let Some(error) = self.writer.as_ref().and_then(Writer::failure) {
            return Err(WriteError::Store(error));
        }
        let sequence = self.sequence.lock();
        let event = bucket.write(key, expected, kind, object)?;
        let stored = Arc::clone(&event.object);
        let Some(writer) = &self.writer else {
            let revision = event.revision;
            bucket.publish(event);
            self.published.store(revision, Ordering::SeqCst);
            return Ok(Pending { stored, done: None });
        };
        let (sender, receiver) = oneshot::channel();
        writer.push(Job {
            bucket: Arc::clone(bucket),
            event,
            done: sender,
        });
        drop(sequence);
        Ok(Pending {
            stored,
            done: Some(receiver),
        })
    }

    /// Waits for all writes and closes the database.
    pub fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }
}

#[cfg(test)]
mod tests;
