//! GitRepository.

use api_derive::shape;

use crate::meta::{AccessFrom, Condition, Duration, LocalObjectReference, Object, Time};
use crate::source::v1::GitRepositoryInclude;

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
    #[shape(default("60s"))]
    pub timeout: Option<Duration>,
    /// The address: HTTP, HTTPS or SSH.
    #[shape(pattern = "^(http|https|ssh)://.*$")]
    pub url: String,
    /// Which signatures to check, and against which keys.
    pub verify: Option<GitRepositoryVerification>,
}

/// What to check out. In order of precedence: commit, name, semver, tag, branch.
#[shape]
pub struct GitRepositoryRef {
    /// The branch; `master` if nothing else is said.
    pub branch: Option<String>,
    /// The commit, by its full hash.
    pub commit: Option<String>,
    /// The range of versions of which the newest tag is taken.
    pub semver: Option<String>,
    /// The tag.
    pub tag: Option<String>,
}

/// Which signatures to check.
#[shape]
pub struct GitRepositoryVerification {
    /// What has to be signed.
    #[shape(one_of("head"))]
    pub mode: String,
    /// A Secret with the public keys of trusted authors.
    pub secret_ref: Option<LocalObjectReference>,
}

/// What was fetched last.
#[shape(default({"observedGeneration": -1}))]
pub struct GitRepositoryStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The included artifacts as they were.
    pub included_artifacts: Option<Vec<Artifact>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}

/// The archive that a source produced in its last successful reconciliation.
#[shape]
pub struct Artifact {
    /// The checksum of the file: SHA-256, or SHA-1 in the first versions.
    pub checksum: Option<String>,
    /// When the artifact last changed.
    pub last_update_time: Time,
    /// The path of the file below the root of the artifact storage.
    pub path: String,
    /// What the artifact was made of: a commit, a tag, a chart version, a digest.
    pub revision: Option<String>,
    /// The HTTP address at which the file is served.
    pub url: String,
}
