//! The one thread that writes the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::StoreError;
use super::bucket::Bucket;
use super::checkpoint::Checkpointer;
use super::database::Database;
use super::history::Event;

/// One write on its way to the disk.
pub(super) struct Job {
    pub(super) bucket: Arc<Bucket>,
    pub(super) event: Arc<Event>,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
}

/// What the writer shares with the store.
pub(super) struct Progress {
    /// Held while revisions are given out, and while failed writes are taken back.
    pub(super) sequence: Arc<Mutex<()>>,
    /// The newest revision that watchers have been told of.
    pub(super) published: Arc<AtomicI64>,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    closing: bool,
    failure: Option<StoreError>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// The handle of the writer thread.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(database: Database, progress: Progress) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&own, database, &progress))
            .ok();
        if thread.is_none() {
            shared.queue.lock().failure =
                Some(StoreError::Stopped("no thread for the writer".to_owned()));
        }
        Self {
            shared,
            thread: Mutex::new(thread),
        }
    }

    /// Hands a write over; writes are committed in the order in which they come.
    pub(super) fn push(&self, job: Job) {
        self.shared.queue.lock().jobs.push(job);
        self.shared.wake.notify_one();
    }

    /// Why nothing can be written any more, if that is so.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.shared.queue.lock().failure.clone()
    }

    /// Waits for all writes and ends the thread.
    pub(super) fn close(&self) {
        self.shared.queue.lock().closing = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(shared: &Shared, mut database: Database, progress: &Progress) {
    let published = &progress.published;
    let checkpointer = Checkpointer::start(&database);
    loop {
        let jobs = {
            let mut queue = shared.queue.lock();
            while queue.jobs.is_empty() && !queue.closing {
                shared.wake.wait(&mut queue);
            }
            if queue.jobs.is_empty() {
                queue
                    .failure
                    .get_or_insert_with(|| StoreError::Stopped("the store is closed".to_owned()));
                return;
            }
            std::mem::take(&mut queue.jobs)
        };
        let batch: Vec<_> = jobs
            .iter()
            .map(|job| (job.bucket.resource(), &*job.event))
            .collect();
        match database.commit(&batch) {
            Ok(()) => finish(jobs, published),
            Err(error) => take_back(shared, progress, jobs, &error),
        }
        if let Err(error) = database.compact(published.load(Ordering::SeqCst)) {
            tracing::warn!(%error, "compacting the database failed");
        }
        checkpointer.note(database.changed_rows());
    }
}

fn finish(jobs: Vec<Job>, published: &AtomicI64) {
    for job in jobs {
        let revision = job.event.revision;
        job.bucket.publish(job.event);
        // After the event can be read: a watch takes this as the end of what it has to look for.
        published.store(revision, Ordering::SeqCst);
        // Nobody waits any more when the request was given up.
        let _ = job.done.send(Ok(()));
    }
}

/// Refuses the writes of a failed transaction, and those that came meanwhile and build on them.
fn take_back(shared: &Shared, progress: &Progress, mut jobs: Vec<Job>, error: &StoreError) {
    tracing::error!(%error, writes = jobs.len(), "the database refused writes; they are taken back");
    let sequence = progress.sequence.lock();
    jobs.append(&mut shared.queue.lock().jobs);
    for job in jobs.iter().rev() {
        job.bucket.undo(&job.event);
    }
    drop(sequence);
    for job in jobs {
        let _ = job.done.send(Err(error.clone()));
    }
}
