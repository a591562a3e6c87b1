//! GitRepositories: the reconciliation of one, step by step.
//!
//! Source: source-controller, `internal/controller/gitrepository_controller.go`; words and order of what users see
//! are its. Between the first and the last state nothing is written, unless it takes long.

mod auth;
mod config;
mod fetch;
pub(super) mod github;
mod include;
mod verify;
mod work;

use std::sync::Arc;

use api::constants::conditions as c;
use api::constants::finalizers::FLUX;
use api::constants::reasons;
use api::meta::{Artifact, Conditions as _, Duration as Span};
use api::source::v1::{GitRepository, GitRepositorySpec};
use artifact::Store;
use runtime::{Cache, Context, EventType, Failure, ObjectKey, Outcome, Reconcile};
use tree::{Ignore, Tree};

use self::fetch::Found;
use self::work::Work;
use super::mirrors::Mirrors;
use super::summary::Summary;
use super::trouble::{Kind, Trouble};
use super::{Settings, blocking};
use crate::Trees;

/// The kind, as in paths and events.
const KIND: &str = "GitRepository";

pub(super) const SUMMARY: Summary = Summary {
    types: &[
        c::STORAGE_OPERATION_FAILED,
        c::FETCH_FAILED,
        c::INCLUDE_UNAVAILABLE,
        c::ARTIFACT_OUTDATED,
        c::ARTIFACT_IN_STORAGE,
        c::SOURCE_VERIFIED,
        c::STALLED,
        c::RECONCILING,
    ],
    negative: &[
        c::STORAGE_OPERATION_FAILED,
        c::FETCH_FAILED,
        c::INCLUDE_UNAVAILABLE,
        c::ARTIFACT_OUTDATED,
        c::STALLED,
        c::RECONCILING,
    ],
    both: &[c::SOURCE_VERIFIED],
};

/// What makes a success after it worth telling.
const FAILURES: [&str; 3] = [
    c::FETCH_FAILED,
    c::INCLUDE_UNAVAILABLE,
    c::STORAGE_OPERATION_FAILED,
];

/// Reconciles GitRepositories.
pub(super) struct GitRepositoryReconciler {
    pub(super) store: Arc<Store>,
    pub(super) mirrors: Mirrors,
    pub(super) trees: Trees,
    pub(super) cache: Arc<Cache<GitRepositorySpec>>,
    pub(super) settings: Settings,
    pub(super) tokens: github::Tokens,
}

/// How a reconciliation has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Without anything to say.
    Empty,
    /// Well; the next comes at the interval.
    Success,
}

impl Reconcile for GitRepositoryReconciler {
    type Spec = GitRepositorySpec;

    async fn reconcile(
        &self,
        object: Arc<GitRepository>,
        context: Context<GitRepositorySpec>,
    ) -> Result<Outcome, Failure> {
        let mut work = Work::new(&object, context);
        let ended = self.run(&mut work).await;
        self.finish(work, ended).await
    }

    fn forget(&self, key: &ObjectKey) {
        self.mirrors.forget(key);
        self.trees.retain(&format!("{}/", folder(key)), |_| false);
    }
}

fn folder(key: &ObjectKey) -> String {
    Store::folder_of(KIND, &key.namespace, &key.name)
}

impl GitRepositoryReconciler {
    /// Everything but the final writing of the state.
    async fn run(&self, work: &mut Work) -> Result<End, Trouble> {
        if work.object.metadata.deletion_timestamp.is_some() {
            return self.delete(work).await;
        }
        if work.add_finalizer(FLUX) {
            work.write()
                .await
                .map_err(|error| Trouble::silent(error.to_string()))?;
        }
        if work.object.spec.suspend.unwrap_or(false) {
            tracing::info!("reconciliation is suspended for this object");
            return Ok(End::Empty);
        }
        let before = work.object.clone();
        work.begin();
        let mut found = None;
        let ended = self.steps(work, &mut found).await;
        notify(work, &before, found.as_ref(), &ended);
        ended
    }

    async fn steps(&self, work: &mut Work, found: &mut Option<Found>) -> Result<End, Trouble> {
        self.reconcile_storage(work).await?;
        let includes = self.reconcile_source(work, found).await?;
        let Some(Found::Commit(checkout)) = found.as_ref() else {
            return Ok(End::Success);
        };
        let tree = match self.include(work, checkout.tree.clone(), &includes).await {
            Ok(tree) => tree,
            Err(trouble) => return Err(work.fail(c::STORAGE_OPERATION_FAILED, trouble)),
        };
        work.delete(c::INCLUDE_UNAVAILABLE);
        let revision = config::revision(&work.object, &checkout.revision);
        let file = format!("{}.tar.gz", checkout.revision.id);
        let stored = self
            .reconcile_artifact(work, tree, &includes, &revision, &file)
            .await;
        if stored.is_ok() && !is_outdated(work, &revision, &includes) {
            work.delete(c::ARTIFACT_OUTDATED);
            work.mark_stored(&revision);
        }
        stored
    }

    /// Brings storage and status in line.
    async fn reconcile_storage(&self, work: &mut Work) -> Result<(), Trouble> {
        let Some(mut artifact) = work.artifact().cloned() else {
            return without_artifact(work, false);
        };
        let (store, current) = (Arc::clone(&self.store), artifact.clone());
        let (garbage, checked) = blocking(move || {
            let garbage = store
                .collect_garbage(&current)
                .map_or(0, |removed| removed.len());
            let checked = if store.exists(&current) {
                store.verify(&current).map(|()| true)
            } else {
                Ok(false)
            };
            (garbage, checked)
        })
        .await;
        if garbage > 0 {
            work.trace(
                reasons::GARBAGE_COLLECTION_SUCCEEDED,
                &format!("garbage collected {garbage} artifacts"),
            );
        }
        match checked {
            Ok(true) => {
                self.store.set_url(&mut artifact);
                self.keep_tree(&artifact).await;
                work.status().artifact = Some(artifact);
                Ok(())
            }
            Ok(false) => without_artifact(work, true),
            Err(error) => {
                let message = format!("failed to verify integrity of artifact: {error}");
                work.event(
                    EventType::Warning,
                    reasons::ARTIFACT_VERIFICATION_FAILED,
                    &message,
                );
                self.store.remove(&artifact).map_err(|error| {
                    Trouble::silent(format!(
                        "failed to remove artifact after digest mismatch: {error}"
                    ))
                })?;
                without_artifact(work, true)
            }
        }
    }

    /// After a restart the tree of an artifact is read from its archive.
    async fn keep_tree(&self, artifact: &Artifact) {
        if self.trees.get(artifact).is_some() {
            return;
        }
        let (store, current) = (Arc::clone(&self.store), artifact.clone());
        match blocking(move || store.read(&current)).await {
            Ok(tree) => self.trees.put(artifact, tree),
            Err(error) => tracing::warn!(error = %error, "cannot read the stored artifact"),
        }
    }

    /// Archives the tree, if it is not there already.
    async fn reconcile_artifact(
        &self,
        work: &mut Work,
        tree: Tree,
        includes: &[Artifact],
        revision: &str,
        file: &str,
    ) -> Result<End, Trouble> {
        if !is_outdated(work, revision, includes) {
            let message = format!("artifact up-to-date with remote revision: '{revision}'");
            work.trace(reasons::ARTIFACT_UP_TO_DATE, &message);
            return Ok(End::Success);
        }
        let key = work.context.key().clone();
        let mut artifact = self
            .store
            .new_artifact(KIND, &key.namespace, &key.name, revision, file);
        let (store, own) = (Arc::clone(&self.store), work.object.spec.ignore.clone());
        let archived = blocking(move || {
            let ignore = ignore(&tree, own.as_deref())?;
            store
                .write(&mut artifact, &tree, &ignore)
                .map_err(|error| {
                    let message = format!("unable to archive artifact to storage: {error}");
                    Trouble::generic(reasons::ARCHIVE_OPERATION_FAILED, message)
                })?;
            Ok((artifact, tree.archived(&ignore)))
        })
        .await;
        let (artifact, tree) = archived.map_err(|trouble: Trouble| {
            if trouble.reason == reasons::ARCHIVE_OPERATION_FAILED {
                work.fail(c::STORAGE_OPERATION_FAILED, trouble)
            } else {
                trouble
            }
        })?;
        self.trees.put(&artifact, tree);
        let path = artifact.path.clone();
        self.trees
            .retain(&format!("{}/", folder(&key)), |known| known == path);
        let spec = work.object.spec.clone();
        let status = work.status();
        status.artifact = Some(artifact);
        status.included_artifacts = (!includes.is_empty()).then(|| includes.to_vec());
        status.observed_ignore = spec.ignore;
        status.observed_recurse_submodules = spec.recurse_submodules.filter(|recurse| *recurse);
        status.observed_include = spec.include.filter(|include| !include.is_empty());
        status.observed_sparse_checkout = spec.sparse_checkout.filter(|sparse| !sparse.is_empty());
        work.delete(c::STORAGE_OPERATION_FAILED);
        Ok(End::Success)
    }

    async fn delete(&self, work: &mut Work) -> Result<End, Trouble> {
        let (store, key) = (Arc::clone(&self.store), work.context.key().clone());
        let removed = blocking(move || store.remove_all(KIND, &key.namespace, &key.name)).await;
        let removed = removed.map_err(|error| {
            let message = format!("garbage collection for deleted resource failed: {error}");
            Trouble::generic(reasons::GARBAGE_COLLECTION_FAILED, message)
        })?;
        if removed {
            work.trace(
                reasons::GARBAGE_COLLECTION_SUCCEEDED,
                "garbage collected artifacts for deleted resource",
            );
        }
        self.trees
            .retain(&format!("{}/", folder(work.context.key())), |_| false);
        if let Some(status) = &mut work.object.status {
            status.artifact = None;
        }
        work.remove_finalizer(FLUX);
        Ok(End::Empty)
    }

    /// Sums the conditions up, writes the state, and says what comes next.
    async fn finish(
        &self,
        mut work: Work,
        ended: Result<End, Trouble>,
    ) -> Result<Outcome, Failure> {
        if matches!(&ended, Err(trouble) if trouble.kind == Kind::Interrupted) {
            return Ok(Outcome::Settled);
        }
        if let Err(trouble) = &ended {
            work.tell(trouble);
        }
        work.record_request();
        let interval = work
            .context
            .manager()
            .jittered(work.object.spec.interval.to_std());
        let mut outcome = work.conclude(&ended, interval);
        work.summarize(SUMMARY);
        if matches!(outcome, Ok(Outcome::After(delay)) if delay == interval)
            && !work.conditions().is_stalled()
            && !work.conditions().is_ready()
        {
            let message = work
                .conditions()
                .condition(c::READY)
                .map(|ready| ready.message.clone());
            outcome = Err(Failure::retry(message.unwrap_or_default()));
        }
        if let Err(error) = work.write().await {
            return Err(match outcome {
                Err(Failure::Retry(before) | Failure::Terminal(before)) => {
                    Failure::retry(format!("[{before}, {error}]"))
                }
                Ok(_) => Failure::retry(error),
            });
        }
        outcome
    }
}

/// What is left out of an archive of `tree`.
fn ignore(tree: &Tree, own: Option<&str>) -> Result<Ignore, Trouble> {
    let root = std::path::Path::new("/");
    let mut ignore = Ignore::default();
    ignore.add_files(tree, root).map_err(|error| {
        let message = format!("failed to load source ignore patterns from repository: {error}");
        Trouble::generic(reasons::SOURCE_IGNORE_ERROR, message)
    })?;
    if let Some(own) = own {
        ignore.add(own, std::path::Path::new(""));
    }
    // Patterns of one's own replace the defaults, but for the files of version control.
    let mut all = if ignore.is_empty() {
        Ignore::defaults()
    } else {
        Ignore::version_control()
    };
    all.extend(ignore);
    Ok(all)
}

/// The time that a fetch may take.
fn timeout(object: &GitRepository) -> std::time::Duration {
    object
        .spec
        .timeout
        .map_or(std::time::Duration::from_secs(60), Span::to_std)
}

fn is_outdated(work: &Work, revision: &str, includes: &[Artifact]) -> bool {
    !work
        .artifact()
        .is_some_and(|artifact| artifact.has_revision(revision))
        || config::differ(includes, work.included())
        || config::has_changed(&work.object, includes)
}

fn without_artifact(work: &mut Work, has_disappeared: bool) -> Result<(), Trouble> {
    work.status().artifact = None;
    let message = if has_disappeared {
        "building artifact: disappeared from storage"
    } else {
        "building artifact"
    };
    work.progress(true, message);
    work.delete(c::ARTIFACT_IN_STORAGE);
    Ok(())
}

/// Tells of a new artifact, and of a recovery.
fn notify(
    work: &Work,
    before: &GitRepository,
    found: Option<&Found>,
    ended: &Result<End, Trouble>,
) {
    let is_good = match ended {
        Ok(end) => *end == End::Success,
        Err(trouble) => trouble.kind == Kind::Nothing,
    };
    let (Some(artifact), true) = (work.artifact(), is_good) else {
        return;
    };
    let subject = match found {
        Some(Found::Commit(checkout)) => checkout.commit.short_message(),
        Some(Found::Unchanged(revision)) => config::revision(&work.object, revision),
        None => return,
    };
    let message = format!("stored artifact for commit '{subject}'");
    let old = before.status.as_ref();
    let is_new = !old
        .and_then(|s| s.artifact.as_ref())
        .is_some_and(|old| old.has_digest(&artifact.digest));
    let had_failed = old.and_then(|s| s.conditions.as_ref()).is_some_and(|old| {
        FAILURES
            .iter()
            .any(|r#type| old.condition(r#type).is_some())
    });
    let has_failed = FAILURES
        .iter()
        .any(|r#type| work.conditions().condition(r#type).is_some());
    let reason = match (is_new, had_failed && !has_failed) {
        (true, _) => reasons::NEW_ARTIFACT,
        (false, true) => reasons::SUCCEEDED,
        (false, false) => return,
    };
    tracing::info!("{message}");
    work.event_of_artifact(reason, &message, artifact);
}
