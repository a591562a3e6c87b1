//! From the remote to a commit with its tree.

use std::path::Path;
use std::time::Duration;

use api::constants::conditions as c;
use api::constants::reasons;
use api::meta::{Artifact, ConditionStatus, Conditions as _};
use git::{Checkout, Fetched, GitError, Options, Remote, Revision, Scheme};
use tree::{Entry, Tree};

use super::work::Work;
use super::{GitRepositoryReconciler, auth, config, timeout};
use crate::source::trouble::Trouble;

/// Fetches that take longer than this are announced in the status.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(1);

/// What the reference leads to.
pub(in crate::source) enum Found {
    /// The commit of the artifact.
    Unchanged(Revision),
    /// A commit with its tree.
    Commit(Box<Checkout>),
}

impl GitRepositoryReconciler {
    /// Fetches and verifies. Gives the artifacts to include.
    pub(super) async fn reconcile_source(
        &self,
        work: &mut Work,
        found: &mut Option<Found>,
    ) -> Result<Vec<Artifact>, Trouble> {
        if work.conditions().is_false(c::SOURCE_VERIFIED) {
            work.delete(c::SOURCE_VERIFIED);
        }
        let remote = self.remote(work).await?;
        let includes = self.includes(work)?;
        if config::differ(&includes, work.included()) {
            work.progress(
                true,
                "building artifact: included artifacts differ from last observed includes",
            );
        }
        work.delete(c::ARTIFACT_OUTDATED);
        let mut fetched = self.checkout(work, &remote, true).await?;
        if let Found::Unchanged(revision) = &fetched {
            if !config::has_changed(&work.object, &includes) {
                let revision_text = config::revision(&work.object, revision);
                work.delete(c::FETCH_FAILED);
                work.mark_stored(&revision_text);
                let message = format!(
                    "no changes since last reconciliation: observed revision '{revision_text}'"
                );
                *found = Some(fetched);
                return Err(Trouble::nothing(reasons::GIT_OPERATION_SUCCEEDED, message));
            }
            fetched = self.checkout(work, &remote, false).await?;
        }
        work.delete(c::FETCH_FAILED);
        let Found::Commit(checkout) = &fetched else {
            return Err(Trouble::silent("the repository gave no commit"));
        };
        if let Err(message) =
            check_sparse(work.object.spec.sparse_checkout.as_deref(), &checkout.tree)
        {
            let message = format!("failed to sparse checkout directories : {message}");
            let trouble = Trouble::generic(reasons::GIT_OPERATION_FAILED, message);
            return Err(work.fail(c::FETCH_FAILED, trouble));
        }
        self.verify(work, checkout).await?;
        let revision = config::revision(&work.object, &checkout.revision);
        let known = work
            .artifact()
            .map(|artifact| artifact.has_revision(&revision));
        if known != Some(true) {
            let message = format!("new upstream revision '{revision}'");
            if known.is_some() {
                work.mark(
                    c::ARTIFACT_OUTDATED,
                    ConditionStatus::True,
                    reasons::NEW_REVISION,
                    &message,
                );
            }
            work.progress(true, &format!("building artifact: {message}"));
        }
        *found = Some(fetched);
        Ok(includes)
    }

    async fn checkout(
        &self,
        work: &mut Work,
        remote: &Remote,
        optimized: bool,
    ) -> Result<Found, Trouble> {
        let spec = &work.object.spec;
        let url = auth::masked(&spec.url);
        let is_stored = work.conditions().is_true(c::ARTIFACT_IN_STORAGE);
        let last_observed = work
            .artifact()
            .filter(|_| optimized && is_stored)
            .map(|artifact| config::modern(&artifact.revision));
        let sparse = spec
            .sparse_checkout
            .iter()
            .flatten()
            .map(|path| path.strip_prefix("./").unwrap_or(path).to_owned());
        let options = Options {
            last_observed,
            sparse: sparse.collect(),
            submodules: spec.recurse_submodules.unwrap_or(false),
            limits: self.settings.git_limits,
        };
        let failed = |error: GitError| {
            let message = format!("failed to checkout and determine revision: {error}");
            Trouble::generic(reasons::GIT_OPERATION_FAILED, message)
        };
        // The tokens of an app change by the hour.
        let app = spec
            .secret_ref
            .as_ref()
            .filter(|_| spec.provider.as_deref() == Some("github"));
        let app = app.map(|secret| format!("{}/{}", work.context.key().namespace, secret.name));
        let mirror = match self.mirrors.get(work.context.key(), remote, app.as_deref()) {
            Ok(mirror) => mirror,
            Err(error) => {
                let message = format!("failed to create Git client: {error}");
                let trouble = Trouble::generic(reasons::GIT_OPERATION_FAILED, message);
                return Err(work.fail(c::FETCH_FAILED, trouble));
            }
        };
        let (reference, limit) = (config::reference(&work.object), timeout(&work.object));
        let context = work.context.clone();
        let fetch = async {
            match tokio::time::timeout(limit, mirror.fetch(remote, &url, &reference, &options))
                .await
            {
                Ok(fetched) => fetched,
                Err(_) => Err(out_of_time(remote, &url, options.last_observed.is_some())),
            }
        };
        let mut waiting = std::pin::pin!(context.wait(fetch));
        let fetched = match tokio::time::timeout(ANNOUNCE_AFTER, &mut waiting).await {
            Ok(fetched) => fetched,
            Err(_) => {
                // What cannot be written now is written at the end.
                drop(work.write().await);
                waiting.await
            }
        };
        match fetched {
            Err(_) => Err(Trouble::interrupted()),
            Ok(Ok(Fetched::Unchanged(revision))) => Ok(Found::Unchanged(revision)),
            Ok(Ok(Fetched::Commit(checkout))) => Ok(Found::Commit(checkout)),
            Ok(Ok(Fetched::Empty)) => {
                let trouble =
                    Trouble::generic(reasons::EMPTY_GIT_REPOSITORY, "git repository is empty");
                Err(work.fail(c::FETCH_FAILED, trouble))
            }
            Ok(Err(error)) => Err(work.fail(c::FETCH_FAILED, failed(error))),
        }
    }
}

/// What Go says when the time is up, which happens to be while it waits for the first answer as a rule.
fn out_of_time(remote: &Remote, url: &str, was_listing: bool) -> GitError {
    let source = match remote.url.scheme {
        Scheme::Ssh => GitError::Timeout,
        Scheme::Http | Scheme::Https => GitError::Request {
            method: "Get",
            url: format!(
                "{}/info/refs?service=git-upload-pack",
                remote.url.without_login()
            ),
            reason: GitError::Timeout.to_string(),
        },
    };
    let (url, source) = (url.to_owned(), Box::new(source));
    if was_listing {
        GitError::List { url, source }
    } else {
        GitError::Clone { url, source }
    }
}

/// Whether what is asked for is there.
fn check_sparse(sparse: Option<&[String]>, tree: &Tree) -> Result<(), String> {
    for path in sparse.unwrap_or_default() {
        let relative: std::path::PathBuf = Path::new(path)
            .components()
            .filter(|part| matches!(part, std::path::Component::Normal(_)))
            .collect();
        let is_there = relative.as_os_str().is_empty()
            || tree
                .entry(&relative)
                .is_some_and(|entry| !matches!(entry, Entry::Link(_)))
            || !tree.below(&relative).is_empty();
        if !is_there {
            return Err(format!(
                "sparse checkout dir '{path}' does not exist in repository: lstat {}: no such file or directory",
                relative.display()
            ));
        }
    }
    Ok(())
}
