//! GitRepository.

use api_derive::shape;

use crate::kind::{HOURS, MINUTES};
use crate::meta::{Artifact, Condition, Duration, LocalObjectReference, Object};

/// A Git repository.
pub type GitRepository = Object<GitRepositorySpec>;

/// A Git repository, fetched at an interval and kept as an artifact.
#[shape(rule(
    "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
    "serviceAccountName can only be set when provider is 'azure' or 'aws'"
))]
pub struct GitRepositorySpec {
    /// Patterns in the form of .gitignore for what is left out of the artifact, in place of the default
    /// ones; `.sourceignore` files in the repository add to them.
    pub ignore: Option<String>,
    /// Other GitRepositories whose artifacts become part of this one.
    pub include: Option<Vec<GitRepositoryInclude>>,
    /// How often to look for changes.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// How to log in; `generic` (the default) uses the Secret.
    #[shape(one_of("generic", "aws", "azure", "github"))]
    pub provider: Option<String>,
    /// A Secret with the address of a proxy and, if needed, the login for it.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Whether to fetch submodules, with the same login.
    pub recurse_submodules: Option<bool>,
    /// What to check out; by default the branch `master`.
    #[shape(name = "ref")]
    pub reference: Option<GitRepositoryRef>,
    /// A Secret with the login: `username` and `password` or `bearerToken`, and `ca.crt`, for HTTPS;
    /// `identity` and `known_hosts` for SSH; the keys of a GitHub App.
    pub secret_ref: Option<LocalObjectReference>,
    /// The ServiceAccount whose identity logs in with a cloud provider.
    pub service_account_name: Option<String>,
    /// The folders to check out; by default all.
    pub sparse_checkout: Option<Vec<String>>,
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

/// What to check out. In order of precedence: commit, name, semver, tag, branch.
#[shape]
pub struct GitRepositoryRef {
    /// The branch; `master` if nothing else is said.
    pub branch: Option<String>,
    /// The commit, by its full hash.
    pub commit: Option<String>,
    /// The reference by its full name, such as `refs/pull/420/head`.
    pub name: Option<String>,
    /// The range of versions of which the newest tag is taken.
    pub semver: Option<String>,
    /// The tag.
    pub tag: Option<String>,
}

/// An artifact that becomes part of another one.
#[shape]
pub struct GitRepositoryInclude {
    /// The folder to take; by default all.
    pub from_path: Option<String>,
    /// The GitRepository whose artifact it is.
    pub repository: LocalObjectReference,
    /// Where to put it; by default a folder with the name of the GitRepository.
    pub to_path: Option<String>,
}

/// Which signatures to check.
#[shape]
pub struct GitRepositoryVerification {
    /// What has to be signed.
    #[shape(default("HEAD"))]
    pub mode: Option<GitVerificationMode>,
    /// A Secret with the public keys of trusted authors.
    pub secret_ref: LocalObjectReference,
}

/// What has to be signed.
#[shape]
pub enum GitVerificationMode {
    /// The commit; the spelling of old versions.
    #[shape(name = "head")]
    OldHead,
    /// The commit.
    #[shape(name = "HEAD")]
    Head,
    /// The tag.
    Tag,
    /// Both.
    #[shape(name = "TagAndHEAD")]
    TagAndHead,
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
    /// The patterns the artifact was made with.
    pub observed_ignore: Option<String>,
    /// The inclusions the artifact was made with.
    pub observed_include: Option<Vec<GitRepositoryInclude>>,
    /// Whether the artifact was made with submodules.
    pub observed_recurse_submodules: Option<bool>,
    /// The folders the artifact was made of.
    pub observed_sparse_checkout: Option<Vec<String>>,
    /// What was signed when signatures were checked last.
    pub source_verification_mode: Option<String>,
}
