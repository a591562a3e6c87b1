//! GitRepository.

use api_derive::shape;

use crate::kind::{HOURS, MINUTES};
use crate::meta::{AccessFrom, Artifact, Condition, Duration, LocalObjectReference, Object};
use crate::source::v1::{GitRepositoryInclude, GitRepositoryRef};

/// A Git repository.
pub type GitRepository = Object<GitRepositorySpec>;

/// A Git repository, fetched at an interval and kept as an artifact.
#[shape]
pub struct GitRepositorySpec {
    /// Which other namespaces may refer to this object. It never had an effect.
    pub access_from: Option<AccessFrom>,
    /// The library to fetch with. Without effect.
    #[shape(one_of("go-git", "libgit2"), default("go-git"))]
    pub git_implementation: Option<String>,
    /// Patterns in the form of .gitignore for what is left out of the artifact, in place of the default
    /// ones; `.sourceignore` files in the repository add to them.
    pub ignore: Option<String>,
    /// Other GitRepositories whose artifacts become part of this one.
    pub include: Option<Vec<GitRepositoryInclude>>,
    /// How often to look for changes.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// Whether to fetch submodules, with the same login.
    pub recurse_submodules: Option<bool>,
    /// What to check out; by default the branch `master`.
    #[shape(name = "ref")]
    pub reference: Option<GitRepositoryRef>,
    /// A Secret with the login: `username` and `password` or `bearerToken`, and `ca.crt`, for HTTPS;
    /// `identity` and `known_hosts` for SSH; the keys of a GitHub App.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long an operation on the remote repository may take.
    #[shape(pattern = MINUTES, default("60s"))]
    pub timeout: Option<Duration>,
    /// The address: HTTP, HTTPS or SSH.
    #[shape(pattern = "^(http|https|ssh)://.*$")]
    pub url: String,
    /// Which signatures to check, and against which keys.
    pub verify: Option<GitRepositoryVerification>,
}

/// Which signatures to check.
#[shape]
pub struct GitRepositoryVerification {
    /// What has to be signed.
    #[shape(one_of("head"))]
    pub mode: String,
    /// A Secret with the public keys of trusted authors.
    pub secret_ref: LocalObjectReference,
}

/// What was fetched last.
#[shape(default({"observedGeneration": -1}))]
pub struct GitRepositoryStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// A digest of the settings the artifact was made with.
    pub content_config_checksum: Option<String>,
    /// The included artifacts as they were.
    pub included_artifacts: Option<Vec<Artifact>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The patterns the artifact was made with.
    pub observed_ignore: Option<String>,
    /// The inclusions the artifact was made with.
    pub observed_include: Option<Vec<GitRepositoryInclude>>,
    /// Whether the artifact was made with submodules.
    pub observed_recurse_submodules: Option<bool>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
