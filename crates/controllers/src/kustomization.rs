//! Kustomizations.
//!
//! ```text
//! source, dependencies ─► tree ─► build ─► apply ─► prune ─► health ─► status, events
//!                                 memo     what has changed only
//! ```
//!
//! Start reading at `reconcile.rs`.

mod build;
mod decryption;
mod dependencies;
mod engine;
mod finalize;
mod reconcile;
mod remote;
mod settings;
mod source;
mod spec;
mod unwritten;
mod variables;
mod wakes;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use api::constants::managers::KUSTOMIZE_CONTROLLER;
use api::kustomize::v1::{Kustomization, KustomizationSpec};
use api::meta::{ObjectId, Spec as _};
use parking_lot::Mutex;
use runtime::{
    Context, Controller, Failure, Manager, ObjectKey, Outcome, Reconcile, Trigger, Wake,
};
use tokio_util::sync::CancellationToken;

use crate::Trees;
use crate::fetch::Fetcher;
use build::Build;
use engine::Engine;
pub use settings::Settings;
use source::Sources;
use unwritten::Unwritten;
use wakes::Wakes;
use work::Work;

/// The field manager of status and finalizers.
const STATUS_MANAGER: &str = "gotk-kustomize-controller";

/// Runs the controller of Kustomizations until `stop`.
pub async fn run(manager: Manager, settings: Settings, trees: Trees, stop: CancellationToken) {
    let cache = manager.reconciled::<KustomizationSpec>();
    let sources = Sources::new(&manager, &settings);
    let wakes = Wakes::new(&cache);
    let reconciler = KustomizationReconciler {
        sources: sources.clone(),
        wakes: wakes.clone(),
        fetcher: Fetcher::new(trees, settings.http_retry),
        engine: Engine::new(manager.connection(), &settings),
        builds: Mutex::default(),
        unwritten: Unwritten::new(settings.history_lag),
        settings: settings.clone(),
    };
    let controller = Controller::new(
        &manager,
        Arc::clone(&cache),
        KUSTOMIZE_CONTROLLER,
        STATUS_MANAGER,
        reconciler,
        settings.run,
    );
    macro_rules! wake_on {
        ($cache:expr) => {{
            let wakes = wakes.clone();
            controller.wake_on($cache, move |change| wakes.of_source(change));
        }};
    }
    wake_on!(&sources.git);
    wake_on!(&sources.oci);
    wake_on!(&sources.buckets);
    if let Some(external) = &sources.external {
        wake_on!(external);
    }
    let queue = controller.queue().clone();
    controller.reconciler().engine.on_drift(move |key| {
        queue.add(
            &key,
            Wake::following(Trigger::new(KustomizationSpec::NAMES.kind, key.clone())),
        );
    });
    wakes.wake_dependants(controller.queue().clone());
    for kind in ["Secret", "ConfigMap"] {
        let wakes = wakes.clone();
        controller.wake_on_configs(kind, move |key| wakes.of_config(kind, key));
    }
    sources.synced().await;
    controller.run(stop).await;
}

/// Reconciles Kustomizations.
struct KustomizationReconciler {
    settings: Settings,
    sources: Sources,
    wakes: Wakes,
    fetcher: Fetcher,
    engine: Engine,
    /// Histories that are newer than what is written.
    unwritten: Unwritten,
    /// What was built last, by object.
    builds: Mutex<HashMap<ObjectKey, Arc<Build>>>,
}

impl KustomizationReconciler {
    fn remembered(&self, object: &Kustomization) -> Option<Arc<Build>> {
        self.builds.lock().get(&ObjectKey::of(object)).cloned()
    }

    fn remember(&self, object: &Kustomization, build: &Arc<Build>) {
        self.builds
            .lock()
            .insert(ObjectKey::of(object), Arc::clone(build));
    }

    /// Whether another Kustomization builds the object, too: it is handed over then, not deleted.
    fn is_wanted_elsewhere(&self, work: &Work, id: &ObjectId) -> bool {
        let own = work.context.key();
        self.builds
            .lock()
            .iter()
            .any(|(key, build)| key != own && build.has(id))
    }

    fn forget_object(&self, key: &ObjectKey) {
        self.builds.lock().remove(key);
        self.unwritten.forget(key);
        self.wakes.set_waiting(key, false);
        self.engine.forget(key);
    }
}

impl Reconcile for KustomizationReconciler {
    type Spec = KustomizationSpec;

    async fn reconcile(
        &self,
        object: Arc<Kustomization>,
        context: Context<KustomizationSpec>,
    ) -> Result<Outcome, Failure> {
        let (metrics, started, key) = (
            context.manager().metrics().clone(),
            context.started(),
            context.key().clone(),
        );
        let mut work = Work::new(&object, context);
        if let Some(history) = self.unwritten.get(&key) {
            work.status().history = Some(history);
        }
        let ended = self.run(&mut work).await;
        let written = work.finish(&self.unwritten).await;
        metrics.reconciled(KustomizationSpec::NAMES.kind, &key, started.elapsed());
        match (ended, written) {
            (ended, Ok(())) => ended,
            (Ok(_), Err(error)) => Err(Failure::retry(error)),
            (Err(failure), Err(error)) => {
                tracing::error!(%error, "failed to update status");
                Err(failure)
            }
        }
    }

    fn forget(&self, key: &ObjectKey) {
        self.forget_object(key);
    }
}
