//! The reconciliation of one Kustomization, step by step. Source: kustomize-controller,
//! `internal/controller/kustomization_controller.go`; words and order of what users see are its.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::constants::conditions::{HEALTHY, READY};
use api::constants::finalizers::FLUX;
use api::constants::reasons;
use api::kustomize::v1::Kustomization;
use api::meta::{Artifact, ConditionStatus, Duration as Span};
use apply::inventory;
use runtime::{EventType, Failure, Interrupted, Outcome, Trigger};
use tree::{FileSystem as _, Tree};

use super::build::{self, Build, BuildError, Inputs};
use super::dependencies::{self, DependencyError};
use super::engine::{Applied, ApplyError, Engine};
use super::remote::{self, Target};
use super::source::{self, SourceError};
use super::work::Work;
use super::{KustomizationReconciler, decryption, finalize, spec, variables};
use crate::errors::api_message;
use crate::fetch::FetchError;

/// What begins the message about a spec that cannot work.
pub(super) const TERMINAL: &str = "Reconciliation failed terminally due to configuration error";
/// Work that takes longer than this is announced in the status before it is done.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(1);

/// Why the latest revision is not applied.
#[derive(Debug)]
pub(super) enum Stop {
    /// The conditions say why; the text goes into an event, and it is tried again at the retry interval.
    Failed(String),
    /// The artifact has gone; there will be another.
    ArtifactGone,
    /// A change makes going on pointless.
    Superseded(Trigger),
    /// There is a newer artifact, which comes next.
    Outdated,
    /// The process ends.
    ShuttingDown,
    /// The status could not be written.
    Unwritten(String),
}

impl KustomizationReconciler {
    /// Everything but the writing of the final state.
    pub(super) async fn run(&self, work: &mut Work) -> Result<Outcome, Failure> {
        if work.object.metadata.deletion_timestamp.is_some() {
            return finalize::run(self, work).await;
        }
        if add_finalizer(&mut work.object) {
            work.write().await?;
        }
        if spec::is_suspended(&work.object) {
            tracing::info!("Reconciliation is suspended for this object");
            work.is_quiet = true;
            return Ok(Outcome::Settled);
        }
        if let Err(error) = Engine::check_expressions(&work.object) {
            let message = format!("{TERMINAL}: {error}");
            stall(work, reasons::INVALID_CEL_EXPRESSION, &message);
            work.event(EventType::Warning, &message);
            return Err(Failure::terminal(error));
        }
        if let Some(message) = self.needs_gate(&work.object) {
            work.not_ready(reasons::FEATURE_GATE_DISABLED, &message);
            work.stalled(reasons::FEATURE_GATE_DISABLED, &message);
            tracing::error!("{message}");
            work.event(EventType::Warning, &message);
            return Ok(Outcome::Settled);
        }
        let artifact = match self.artifact(work)? {
            Ok(artifact) => artifact,
            Err(outcome) => return Ok(outcome),
        };
        work.revision.clone_from(&artifact.revision);
        work.origin_revision = source::origin_revision(&artifact);
        if let Some(outcome) = self.wait_for_dependencies(work, &artifact).await? {
            return Ok(outcome);
        }
        let ended = self.reconcile_revision(work, &artifact).await;
        self.follow(work, ended)
    }

    fn needs_gate(&self, object: &Kustomization) -> Option<String> {
        let account = object
            .spec
            .decryption
            .as_ref()?
            .service_account_name
            .as_deref()?;
        if account.is_empty() || self.settings.object_level_identity {
            return None;
        }
        Some(
            "to use spec.decryption.serviceAccountName for decryption authentication please enable the \
             ObjectLevelWorkloadIdentity feature gate in the controller"
                .to_owned(),
        )
    }

    /// The artifact to apply, or what comes next when there is none.
    fn artifact(&self, work: &mut Work) -> Result<Result<Artifact, Outcome>, Failure> {
        let retry = Outcome::After(self.settings.requeue_dependency);
        match self.sources.artifact(&work.object, &self.settings) {
            Ok(Some(artifact)) => Ok(Ok(artifact)),
            Ok(None) => {
                let message = format!(
                    "Source artifact not found, retrying in {}",
                    Span::from(self.settings.requeue_dependency)
                );
                work.not_ready(reasons::ARTIFACT_FAILED, &message);
                tracing::info!("{message}");
                Ok(Err(retry))
            }
            Err(error) => {
                let message = error.to_string();
                work.not_ready(reasons::ARTIFACT_FAILED, &message);
                match error {
                    SourceError::NotFound { .. } => {
                        tracing::info!(
                            "Source '{}' not found",
                            spec::source_text(&work.object.spec.source_ref)
                        );
                        Ok(Err(Outcome::After(
                            spec::retry_interval(&work.object).to_std(),
                        )))
                    }
                    SourceError::Denied { .. } => {
                        work.not_ready(reasons::ACCESS_DENIED, &message);
                        work.stalled(reasons::ACCESS_DENIED, &message);
                        work.event(EventType::Warning, &message);
                        Err(Failure::terminal(message))
                    }
                    SourceError::Unsupported { .. } => Err(Failure::retry(message)),
                }
            }
        }
    }

    async fn wait_for_dependencies(
        &self,
        work: &mut Work,
        artifact: &Artifact,
    ) -> Result<Option<Outcome>, Failure> {
        let references = work.object.spec.depends_on.clone().unwrap_or_default();
        if references.is_empty() {
            return Ok(None);
        }
        self.wakes.set_waiting(work.context.key(), true);
        let mut found = Ok(());
        for reference in &references {
            let key = spec::dependency_key(&work.object, reference);
            found = match self.dependency(work, &key).await {
                Ok(dependency) => dependencies::check(
                    &work.object,
                    reference,
                    &dependency,
                    artifact,
                    self.settings.additive_dependency_check,
                ),
                Err(why) => Err(DependencyError::NotFound { key, why }),
            };
            if found.is_err() {
                break;
            }
        }
        let Err(error) = found else {
            self.wakes.set_waiting(work.context.key(), false);
            tracing::info!("All dependencies are ready, proceeding with reconciliation");
            return Ok(None);
        };
        if matches!(error, DependencyError::Expression { .. }) {
            let message = format!("{TERMINAL}: {error}");
            stall(work, reasons::INVALID_CEL_EXPRESSION, &message);
            work.event(EventType::Warning, &message);
            return Err(Failure::terminal(error));
        }
        work.not_ready(reasons::DEPENDENCY_NOT_READY, &error.to_string());
        let pause = Span::from(self.settings.requeue_dependency);
        let message = format!("Dependencies do not meet ready condition, retrying in {pause}");
        tracing::info!("{message}");
        work.event(EventType::Normal, &message);
        Ok(Some(Outcome::After(self.settings.requeue_dependency)))
    }

    /// A dependency. One that is not known here may still be in another shard.
    async fn dependency(
        &self,
        work: &Work,
        key: &runtime::ObjectKey,
    ) -> Result<Arc<Kustomization>, String> {
        if let Some(object) = work.context.cache().get(key) {
            return Ok(object);
        }
        let missing = || {
            format!(
                "kustomizations.kustomize.toolkit.fluxcd.io \"{}\" not found",
                key.name
            )
        };
        if work.context.manager().options().label_selector.is_empty() {
            return Err(missing());
        }
        let fetched = work.context.manager().fetch(key).await;
        fetched.map(Arc::new).map_err(|error| api_message(&error))
    }

    /// Says what came of it, and what comes next.
    fn follow(&self, work: &mut Work, ended: Result<(), Stop>) -> Result<Outcome, Failure> {
        match ended {
            Ok(()) => Ok(Outcome::After(
                work.context
                    .manager()
                    .jittered(work.object.spec.interval.to_std()),
            )),
            Err(Stop::ArtifactGone) => {
                let pause = Span::from(self.settings.requeue_dependency);
                let message =
                    format!("Source is not ready, artifact not found, retrying in {pause}");
                work.not_ready(reasons::ARTIFACT_FAILED, &message);
                tracing::info!("{message}");
                Ok(Outcome::After(self.settings.requeue_dependency))
            }
            Err(Stop::Superseded(trigger)) => {
                work.not_ready(
                    reasons::HEALTH_CHECK_CANCELED,
                    &format!("New reconciliation triggered by {trigger}"),
                );
                tracing::info!(%trigger, "New reconciliation triggered, canceling health checks");
                work.event(
                    EventType::Normal,
                    &format!(
                        "Health checks canceled due to new reconciliation triggered by {trigger}"
                    ),
                );
                // It is in the queue already.
                Ok(Outcome::Settled)
            }
            Err(Stop::Failed(message)) => {
                let retry = spec::retry_interval(&work.object);
                let took = Span::from(work.context.started().elapsed());
                tracing::error!(
                    error = message,
                    revision = work.revision,
                    "Reconciliation failed after {took}, next try in {retry}"
                );
                work.event(EventType::Warning, &message);
                let details = work.details.take().filter(|details| {
                    self.settings.provenance && !details.is_empty() && *details != message
                });
                if let Some(details) = details {
                    work.event(EventType::Warning, &details);
                }
                Ok(Outcome::After(retry.to_std()))
            }
            // It is in the queue already; what has been marked so far is of no interest.
            Err(Stop::Outdated) => {
                work.is_quiet = true;
                Ok(Outcome::Settled)
            }
            Err(Stop::ShuttingDown) => Ok(Outcome::Settled),
            Err(Stop::Unwritten(error)) => {
                Err(Failure::retry(format!("failed to update status: {error}")))
            }
        }
    }

    async fn reconcile_revision(&self, work: &mut Work, artifact: &Artifact) -> Result<(), Stop> {
        let started = Instant::now();
        let timeout = spec::timeout(&work.object);
        work.mark(
            READY,
            ConditionStatus::Unknown,
            reasons::PROGRESSING,
            "Reconciliation in progress",
        );
        work.reconciling(
            reasons::PROGRESSING,
            &format!(
                "Fetching manifests for revision {} with a timeout of {timeout}",
                artifact.revision
            ),
        );
        let tree = self.tree(work, artifact).await?;
        let revision = artifact.revision.clone();
        work.status().last_attempted_revision = Some(revision);
        work.reconciling(
            reasons::PROGRESSING,
            &format!(
                "Building manifests for revision {} with a timeout of {timeout}",
                artifact.revision
            ),
        );
        let target = self.target(work).await?;
        let last = self.remembered(&work.object);
        let build = self.build(work, tree, last.clone()).await?;
        let is_same_build = last.is_some_and(|last| Arc::ptr_eq(&last, &build));
        self.remember(&work.object, &build);
        work.reconciling(
            reasons::PROGRESSING,
            &format!(
                "Detecting drift for revision {} with a timeout of {timeout}",
                artifact.revision
            ),
        );
        let applied = self.apply(work, &target, &build, started).await?;
        self.prune(work, &target, &build, &applied, started).await?;
        self.check_health(work, &target, &build, &applied, started)
            .await?;
        succeed(work, &build, started);
        work.is_quiet = is_same_build && !applied.has_changed();
        Ok(())
    }

    async fn tree(&self, work: &mut Work, artifact: &Artifact) -> Result<Tree, Stop> {
        let fetched = match self.fetcher.at_hand(artifact) {
            Some(tree) => Ok(tree),
            // A server that is slow or away holds no worker, and a new artifact ends the wait.
            None => {
                let context = work.context.clone();
                let fetching = context.wait(self.fetcher.tree(artifact));
                match announced(work, fetching).await? {
                    Ok(fetched) => fetched,
                    Err(Interrupted::Superseded(_)) => return Err(Stop::Outdated),
                    Err(Interrupted::ShuttingDown) => return Err(Stop::ShuttingDown),
                }
            }
        };
        let tree = fetched.map_err(|error| match error {
            FetchError::NotFound => Stop::ArtifactGone,
            error => fail(work, reasons::ARTIFACT_FAILED, error.to_string()),
        })?;
        let folder = build::folder(work.object.spec.path.as_deref());
        if folder != Path::new("/") && tree.resolve(&folder).is_err() {
            // Flux unpacks into a folder with a random name; this one does not change from try to try.
            let place = work.object.metadata.uid.as_deref().unwrap_or_default();
            let number: u32 = place.bytes().fold(0, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u32::from(byte))
            });
            let message = format!(
                "kustomization path not found: stat /tmp/kustomization-{number}{}: no such file or directory",
                folder.display()
            );
            return Err(fail(work, reasons::ARTIFACT_FAILED, message));
        }
        Ok(tree)
    }

    async fn target(&self, work: &mut Work) -> Result<Target, Stop> {
        let own = work.context.connection().clone();
        let metrics = work.context.manager().metrics().clone();
        match remote::target(&own, &work.object, &self.settings, &metrics).await {
            Ok(target) => Ok(target),
            Err(error) => {
                work.not_ready(reasons::RECONCILIATION_FAILED, &error.to_string());
                Err(Stop::Failed(format!(
                    "failed to build kube client: {error}"
                )))
            }
        }
    }

    async fn build(
        &self,
        work: &mut Work,
        tree: Tree,
        last: Option<Arc<Build>>,
    ) -> Result<Arc<Build>, Stop> {
        let client = work.context.client().clone();
        let keys = decryption::keys(&client, &work.object, &self.settings).await;
        let keys = keys.map_err(|error| fail(work, reasons::BUILD_FAILED, error.to_string()))?;
        let variables = variables::load(&client, &work.object).await;
        let inputs = Inputs {
            path: build::folder(work.object.spec.path.as_deref()),
            variables: BTreeMap::new(),
            keys,
            is_strict: self.settings.strict_substitutions,
        };
        let built = match variables {
            Ok(variables) => {
                let object = work.object.clone();
                announced(
                    work,
                    build::build(
                        &object,
                        tree,
                        Inputs {
                            variables,
                            ..inputs
                        },
                        last,
                    ),
                )
                .await?
            }
            Err(error) => {
                let mut object = work.object.clone();
                object.spec.post_build = None;
                let built = build::build(&object, tree, inputs, None).await;
                Err(BuildError::of_variables(built, &error))
            }
        };
        built.map_err(|error| fail(work, reasons::BUILD_FAILED, error.to_string()))
    }

    async fn apply(
        &self,
        work: &mut Work,
        target: &Target,
        build: &Build,
        started: Instant,
    ) -> Result<Applied, Stop> {
        let object = work.object.clone();
        let applied = announced(work, self.engine.apply(target, &object, build)).await?;
        match applied {
            Ok(applied) => {
                let log = applied.change_log();
                if !log.is_empty() {
                    work.event(EventType::Normal, &log);
                }
                let drift = applied.drift_log();
                if self.settings.drift_watch && !drift.is_empty() {
                    tracing::info!("drift corrected: {drift}");
                    work.event(EventType::Normal, &format!("Drift corrected:\n{drift}"));
                }
                work.status().inventory = Some(applied.inventory());
                Ok(applied)
            }
            Err(error) => {
                work.record(
                    &build.digest,
                    reasons::RECONCILIATION_FAILED,
                    started.elapsed(),
                );
                let stop = fail(work, reasons::RECONCILIATION_FAILED, error.to_string());
                if let ApplyError::Refused {
                    details, outcome, ..
                } = error
                {
                    // What was applied beside the failure is ours now, and to be deleted some day.
                    let applied = outcome
                        .changed()
                        .map(|change| (&change.id, change.version.as_str()));
                    inventory::merge(work.status().inventory.get_or_insert_default(), applied);
                    work.details = Some(details);
                }
                Err(stop)
            }
        }
    }

    async fn prune(
        &self,
        work: &mut Work,
        target: &Target,
        build: &Build,
        applied: &Applied,
        started: Instant,
    ) -> Result<(), Stop> {
        let before = work.inventory_before.clone();
        let stale = match applied.stale(&before) {
            Ok(stale) => stale,
            Err(error) => {
                work.record(
                    &build.digest,
                    reasons::RECONCILIATION_FAILED,
                    started.elapsed(),
                );
                return Err(fail(
                    work,
                    reasons::RECONCILIATION_FAILED,
                    error.to_string(),
                ));
            }
        };
        if !work.object.spec.prune || stale.is_empty() {
            return Ok(());
        }
        let pruned = self
            .engine
            .delete(target, &work.object, &stale, |id| {
                self.is_wanted_elsewhere(work, id)
            })
            .await;
        if let Some(error) = pruned.error {
            let inventory = work.status().inventory.get_or_insert_default();
            inventory.entries.extend(pruned.survivors);
            work.record(&build.digest, reasons::PRUNE_FAILED, started.elapsed());
            return Err(fail(work, reasons::PRUNE_FAILED, error));
        }
        if !pruned.log.is_empty() {
            tracing::info!("garbage collection completed: {}", pruned.log);
            work.event(EventType::Normal, &pruned.log);
        }
        Ok(())
    }

    async fn check_health(
        &self,
        work: &mut Work,
        target: &Target,
        build: &Build,
        applied: &Applied,
        started: Instant,
    ) -> Result<(), Stop> {
        let wanted = Engine::health_set(&work.object, applied);
        if wanted.is_empty() {
            work.delete(HEALTHY);
            return Ok(());
        }
        let check_started = Instant::now();
        let was_healthy = work.is_true(HEALTHY);
        let timeout = spec::timeout(&work.object);
        let revision = work.revision.clone();
        let message =
            format!("Running health checks for revision {revision} with a timeout of {timeout}");
        work.reconciling(reasons::PROGRESSING, &message);
        work.mark(
            HEALTHY,
            ConditionStatus::Unknown,
            reasons::PROGRESSING,
            &message,
        );
        let context = work.context.clone();
        let object = work.object.clone();
        let check = context.wait(self.engine.wait_healthy(target, &object, &wanted));
        let mut check = std::pin::pin!(check);
        // What is healthy already need not be announced as being checked.
        let early =
            tokio::time::timeout(ANNOUNCE_AFTER.min(Duration::from_millis(150)), &mut check).await;
        let ended = match early {
            Ok(ended) => ended,
            Err(_) => {
                work.write()
                    .await
                    .map_err(|error| Stop::Unwritten(error.to_string()))?;
                check.await
            }
        };
        match ended {
            Err(Interrupted::Superseded(trigger)) => Err(Stop::Superseded(trigger)),
            Err(Interrupted::ShuttingDown) => Err(Stop::ShuttingDown),
            Ok(Err((error, details))) => {
                work.details = Some(details);
                work.mark(
                    HEALTHY,
                    ConditionStatus::False,
                    reasons::HEALTH_CHECK_FAILED,
                    &error,
                );
                let took = Span::from(check_started.elapsed());
                let message = format!("health check failed after {took}: {error}");
                work.record(
                    &build.digest,
                    reasons::HEALTH_CHECK_FAILED,
                    started.elapsed(),
                );
                Err(fail(work, reasons::HEALTH_CHECK_FAILED, message))
            }
            Ok(Ok(())) => {
                let message = format!(
                    "Health check passed in {}",
                    Span::from(check_started.elapsed())
                );
                let is_new = work.status().last_applied_revision.as_deref() != Some(&revision);
                if !was_healthy || (is_new && applied.has_changed()) {
                    work.event(EventType::Normal, &message);
                }
                work.mark(HEALTHY, ConditionStatus::True, reasons::SUCCEEDED, &message);
                Ok(())
            }
        }
    }
}

fn stall(work: &mut Work, reason: &str, message: &str) {
    work.not_ready(reason, message);
    work.stalled(reason, message);
    let generation = work.object.metadata.generation;
    work.status().observed_generation = generation;
}

fn succeed(work: &mut Work, build: &Build, started: Instant) {
    let (revision, origin) = (work.revision.clone(), work.origin_revision.clone());
    let message = format!("Applied revision: {revision}");
    let status = work.status();
    status.last_applied_revision = Some(revision);
    status.last_applied_origin_revision = Some(origin).filter(|origin| !origin.is_empty());
    work.mark(
        READY,
        ConditionStatus::True,
        reasons::RECONCILIATION_SUCCEEDED,
        &message,
    );
    work.record(
        &build.digest,
        reasons::RECONCILIATION_SUCCEEDED,
        started.elapsed(),
    );
}

fn add_finalizer(object: &mut Kustomization) -> bool {
    let finalizers = object.metadata.finalizers.get_or_insert_default();
    let is_missing = !finalizers.iter().any(|finalizer| finalizer == FLUX);
    if is_missing {
        finalizers.push(FLUX.to_owned());
    }
    is_missing
}

/// `Ready` is false, and the text goes into an event.
fn fail(work: &mut Work, reason: &str, message: String) -> Stop {
    work.not_ready(reason, &message);
    Stop::Failed(message)
}

/// Waits for `future`; when that takes long, the status tells what is going on.
async fn announced<T>(work: &mut Work, future: impl Future<Output = T>) -> Result<T, Stop> {
    let mut future = std::pin::pin!(future);
    match tokio::time::timeout(ANNOUNCE_AFTER, &mut future).await {
        Ok(value) => Ok(value),
        Err(_) => {
            work.write()
                .await
                .map_err(|error| Stop::Unwritten(error.to_string()))?;
            Ok(future.await)
        }
    }
}
