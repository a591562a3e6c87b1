//! GitRepository.

use api_derive::shape;

use crate::meta::{Duration, EarlyCondition, LooseObjectReference, Object, Time};
use crate::source::v1beta1::GitRepositoryRef;

/// A Git repository.
pub type GitRepository = Object<GitRepositorySpec>;

/// A Git repository, fetched at an interval and kept as an artifact.
#[shape]
pub struct GitRepositorySpec {
    /// Patterns in the form of .gitignore for what is left out of the artifact, in place of the default
    /// ones; `.sourceignore` files in the repository add to them.
    pub ignore: Option<String>,
    /// How often to look for changes.
    pub interval: Duration,
    /// What to check out; by default the branch `master`.
    #[shape(name = "ref")]
    pub reference: Option<GitRepositoryRef>,
    /// A Secret with the login: `username` and `password` or `bearerToken`, and `ca.crt`, for HTTPS;
    /// `identity` and `known_hosts` for SSH; the keys of a GitHub App.
    pub secret_ref: Option<LooseObjectReference>,
    /// How long an operation on the remote repository may take.
    pub timeout: Option<Duration>,
    /// The address: HTTP, HTTPS or SSH.
    #[shape(pattern = "^(http|https|ssh)://")]
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
    pub secret_ref: Option<LooseObjectReference>,
}

/// What was fetched last.
#[shape]
pub struct GitRepositoryStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
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
    pub last_update_time: Option<Time>,
    /// The path of the file below the root of the artifact storage.
    pub path: String,
    /// What the artifact was made of: a commit, a tag, a chart version, a digest.
    pub revision: Option<String>,
    /// The HTTP address at which the file is served.
    pub url: String,
}
