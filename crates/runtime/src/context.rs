//! What a reconciliation is given besides the object.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use api::meta::Object;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::{Cache, Connection, Kind, Manager, ObjectKey, Patcher, Recorder, Trigger};

/// Why a wait ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// A change makes this reconciliation pointless; the next one follows as soon as this one returns.
    Superseded(Trigger),
    /// The process ends.
    ShuttingDown,
}

/// The surroundings of one reconciliation; cheap to clone.
#[derive(Clone)]
pub struct Context<S: Kind> {
    pub(crate) key: ObjectKey,
    pub(crate) manager: Manager,
    pub(crate) cache: Arc<Cache<S>>,
    pub(crate) recorder: Recorder,
    pub(crate) field_manager: Arc<str>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) superseded: watch::Receiver<Option<Trigger>>,
    pub(crate) stop: CancellationToken,
    pub(crate) started: Instant,
}

/// The worker that the reconciliation holds while it works.
pub(crate) struct Slot {
    pub(crate) workers: Arc<Semaphore>,
    pub(crate) held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl<S: Kind> Context<S> {
    /// The key of the object.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The API server.
    pub fn connection(&self) -> &Connection {
        self.manager.connection()
    }

    /// The client for the API server.
    pub fn client(&self) -> &kube::Client {
        self.connection().client()
    }

    /// What all controllers share.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// The objects of the kind.
    pub fn cache(&self) -> &Arc<Cache<S>> {
        &self.cache
    }

    /// The recorder of events.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// When the reconciliation began.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// A patcher that starts from `object`.
    pub fn patcher(&self, object: &Object<S>) -> Patcher<S> {
        Patcher::new(
            self.client().clone(),
            Arc::clone(&self.cache),
            &self.field_manager,
            object,
        )
    }

    /// The change that superseded this reconciliation, if one has.
    pub fn superseded_by(&self) -> Option<Trigger> {
        self.superseded.borrow().clone()
    }

    /// Cancelled when the process ends.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Waits for what others do (health, termination, a remote that is slow) without holding a worker.
    ///
    /// # Errors
    /// The wait ended early; `future` is dropped then.
    pub async fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Interrupted> {
        drop(self.slot.held.lock().take());
        let mut superseded = self.superseded.clone();
        let ended = tokio::select! {
            biased;
            value = future => Ok(value),
            () = self.stop.cancelled() => Err(Interrupted::ShuttingDown),
            trigger = superseding(&mut superseded) => Err(Interrupted::Superseded(trigger)),
        };
        // Closed only when the controller ends; then nobody counts workers any more.
        if let Ok(permit) = Arc::clone(&self.slot.workers).acquire_owned().await {
            *self.slot.held.lock() = Some(permit);
        }
        ended
    }
}

/// Waits for the change that supersedes.
async fn superseding(superseded: &mut watch::Receiver<Option<Trigger>>) -> Trigger {
    loop {
        let seen = superseded.borrow_and_update().clone();
        if let Some(trigger) = seen {
            return trigger;
        }
        if superseded.changed().await.is_err() {
            // The queue has let go of the job: nothing can supersede any more.
            std::future::pending::<()>().await;
        }
    }
}
