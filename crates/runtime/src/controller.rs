//! The loop that runs the reconciliations of one kind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::constants::annotations::RECONCILE_REQUEST;
use api::meta::{Object, Spec as _};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::context::Slot;
use crate::queue::Job;
use crate::{
    Backoff, Cache, Change, Context, Failure, Kind, Manager, ObjectKey, Outcome, Priority, Queue,
    Reconcile, Recorder, Trigger, Wake,
};

/// How a controller runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many reconciliations are at work at once (`--concurrent`); those that wait do not count.
    pub concurrent: usize,
    /// The delays after failures.
    pub backoff: Backoff,
    /// How long reconciliations may take to end when the process ends.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrent: 4,
            backoff: Backoff::default(),
            grace: Duration::from_secs(25),
        }
    }
}

/// Runs the reconciliations of one kind.
pub struct Controller<R: Reconcile> {
    manager: Manager,
    cache: Arc<Cache<R::Spec>>,
    reconciler: Arc<R>,
    queue: Queue,
    recorder: Recorder,
    field_manager: Arc<str>,
    options: Options,
}

impl<R: Reconcile> Controller<R> {
    /// A controller over `cache`; events come from `component` (such as `source-controller`), status is
    /// written by `field_manager`.
    ///
    /// Objects that are there and those that change (see [`needs_work`]) are queued from now on.
    pub fn new(
        manager: &Manager,
        cache: Arc<Cache<R::Spec>>,
        component: &str,
        field_manager: &str,
        reconciler: R,
        options: Options,
    ) -> Self {
        let queue = Queue::default();
        let reconciler = Arc::new(reconciler);
        let (sender, forgets) = (queue.clone(), Arc::clone(&reconciler));
        cache.listen(move |change| {
            if change.new.is_none() {
                sender.forget(change.key);
                forgets.forget(change.key);
            } else if needs_work(change) {
                let trigger = Trigger::new(R::Spec::NAMES.kind, change.key.clone());
                let priority = if change.is_initial {
                    Priority::Low
                } else {
                    Priority::Normal
                };
                sender.add(
                    change.key,
                    Wake {
                        priority,
                        ..Wake::superseding(trigger)
                    },
                );
            }
        });
        Self {
            manager: manager.clone(),
            cache,
            reconciler,
            queue,
            recorder: manager.recorder(component),
            field_manager: field_manager.into(),
            options,
        }
    }

    /// The queue, for mappings that wake objects of this kind.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The reconciler.
    pub fn reconciler(&self) -> &Arc<R> {
        &self.reconciler
    }

    /// The cache.
    pub fn cache(&self) -> &Arc<Cache<R::Spec>> {
        &self.cache
    }

    /// Whenever an object of another kind changes, wakes the objects of this kind that `wakes` names.
    pub fn wake_on<T: Kind>(
        &self,
        cache: &Cache<T>,
        wakes: impl Fn(&Change<'_, T>) -> Vec<(ObjectKey, Wake)> + Send + Sync + 'static,
    ) {
        let queue = self.queue.clone();
        cache.listen(move |change| {
            for (key, wake) in wakes(change) {
                queue.add(&key, wake);
            }
        });
    }

    /// Whenever a labelled Secret or ConfigMap (`kind`) changes, wakes the objects that `wakes` names.
    pub fn wake_on_configs(
        &self,
        kind: &'static str,
        wakes: impl Fn(&ObjectKey) -> Vec<(ObjectKey, Wake)> + Send + Sync + 'static,
    ) {
        let queue = self.queue.clone();
        self.manager.watch_configs(kind, move |changed| {
            for (key, wake) in wakes(changed) {
                queue.add(&key, wake);
            }
        });
    }

    /// Runs until `stop`; then waits for the reconciliations at work, at most the grace period.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = self.cache.synced() => {}
            () = stop.cancelled() => return,
        }
        let name = R::Spec::NAMES.kind.to_lowercase();
        let metrics = self.manager.metrics().clone();
        metrics.register_queue(&name, self.queue.clone(), self.options.concurrent);
        let workers = Arc::new(Semaphore::new(self.options.concurrent.max(1)));
        let this = Arc::new(self);
        let mut tasks: JoinSet<()> = JoinSet::new();
        loop {
            // No worker is held while there is nothing to do: those that end a wait need one.
            tokio::select! {
                () = this.queue.ready() => {}
                () = stop.cancelled() => break,
            }
            let permit = tokio::select! {
                permit = Arc::clone(&workers).acquire_owned() => permit,
                () = stop.cancelled() => break,
            };
            // It is never closed.
            let Ok(permit) = permit else { break };
            let job = tokio::select! {
                job = this.queue.next() => job,
                () = stop.cancelled() => break,
            };
            while tasks.try_join_next().is_some() {}
            let slot = Arc::new(Slot {
                workers: Arc::clone(&workers),
                held: Mutex::new(Some(permit)),
            });
            let (this, stop) = (Arc::clone(&this), stop.clone());
            tasks.spawn(async move { this.work(job, slot, stop).await });
        }
        let drained = tokio::time::timeout(this.options.grace, async {
            while tasks.join_next().await.is_some() {}
        })
        .await;
        if drained.is_err() {
            tracing::warn!(
                controller = name,
                "reconciliations were abandoned at the end"
            );
        }
    }

    async fn work(&self, job: Job, slot: Arc<Slot>, stop: CancellationToken) {
        let Job {
            key,
            superseded,
            queued_for,
        } = job;
        let name = R::Spec::NAMES.kind.to_lowercase();
        let metrics = self.manager.metrics();
        let Some(object) = self.cache.get(&key) else {
            self.queue.reset_failures(&key);
            self.queue.done(&key);
            return;
        };
        let started = Instant::now();
        let active = metrics.begin(&name, queued_for);
        let context = Context {
            key: key.clone(),
            manager: self.manager.clone(),
            cache: Arc::clone(&self.cache),
            recorder: self.recorder.clone(),
            field_manager: Arc::clone(&self.field_manager),
            slot: Arc::clone(&slot),
            superseded,
            stop,
            started,
        };
        let reconciler = Arc::clone(&self.reconciler);
        let span = tracing::info_span!(
            "reconcile",
            controller = %name,
            controllerGroup = R::Spec::NAMES.group,
            controllerKind = R::Spec::NAMES.kind,
            namespace = %key.namespace,
            name = %key.name,
            reconcileID = %uuid::Uuid::new_v4(),
        );
        // A task of its own, so that a panic ends nothing else.
        let task = tokio::spawn(
            async move { reconciler.reconcile(object, context).await }.instrument(span.clone()),
        );
        let ended = match task.await {
            Ok(ended) => ended,
            Err(error) => {
                metrics.panicked(&name);
                Err(Failure::Retry(format!("panic: {error} [recovered]").into()))
            }
        };
        active.end(started.elapsed(), &ended);
        span.in_scope(|| self.follow(&key, ended));
        self.queue.done(&key);
        drop(slot.held.lock().take());
    }

    /// Sets the timer that the outcome asks for.
    fn follow(&self, key: &ObjectKey, ended: Result<Outcome, Failure>) {
        match ended {
            Ok(Outcome::Settled) => self.queue.reset_failures(key),
            Ok(Outcome::After(delay)) => {
                self.queue.reset_failures(key);
                if self.cache.get(key).is_some() {
                    self.queue.add_after(key, delay);
                }
            }
            Ok(Outcome::Again) => {
                self.queue.add_after_failure(key, self.options.backoff);
            }
            Err(Failure::Retry(error)) => {
                tracing::error!(error = %error, "Reconciler error");
                self.queue.add_after_failure(key, self.options.backoff);
            }
            Err(Failure::Terminal(error)) => {
                self.queue.reset_failures(key);
                tracing::error!(error = %format!("terminal error: {error}"), "Reconciler error");
            }
        }
    }
}

/// Whether a change of the object asks for a reconciliation: it is new, its desired state has changed, it
/// is being deleted, or someone has asked for one by annotation. Source: Flux, `ReconcileRequestedPredicate`
/// and controller-runtime's `GenerationChangedPredicate`.
fn needs_work<S: Kind>(change: &Change<'_, S>) -> bool {
    let (Some(old), Some(new)) = (change.old, change.new) else {
        return true;
    };
    let request = |object: &Object<S>| {
        object
            .metadata
            .annotations
            .as_ref()
            .and_then(|annotations| annotations.get(RECONCILE_REQUEST).cloned())
    };
    old.metadata.uid != new.metadata.uid
        || old.metadata.generation != new.metadata.generation
        || old.metadata.deletion_timestamp != new.metadata.deletion_timestamp
        || request(new).is_some_and(|requested| request(old) != Some(requested))
}
