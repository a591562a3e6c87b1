//! ImageUpdateAutomation.

use api_derive::shape;

use crate::image::v1::CommitUser;
use crate::image::v1beta1::UpdateStrategy;
use crate::meta::{Condition, Duration, LocalObjectReference, Object, Time};

/// Writing new images to Git.
pub type ImageUpdateAutomation = Object<ImageUpdateAutomationSpec>;

/// Writes the images that policies choose into the manifests of a Git repository.
#[shape]
pub struct ImageUpdateAutomationSpec {
    /// What to check out, how to commit, and where to push.
    pub git: Option<GitSpec>,
    /// How often to reconcile.
    pub interval: Duration,
    /// The repository to write to.
    pub source_ref: SourceReference,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How to change the files.
    #[shape(default({"strategy": "Setters"}))]
    pub update: Option<UpdateStrategy>,
}

/// What to check out, how to commit, and where to push.
#[shape]
pub struct GitSpec {
    /// What to check out; by default what the source does.
    pub checkout: Option<GitCheckoutSpec>,
    /// How to commit.
    pub commit: CommitSpec,
    /// Where to push; by default to the branch that was checked out.
    pub push: Option<PushSpec>,
}

/// What to check out, and of which GitRepository.
#[shape]
pub struct GitCheckoutSpec {
    /// The reference, usually a branch.
    #[shape(name = "ref")]
    pub reference: GitRepositoryRef,
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

/// How to commit.
#[shape]
pub struct CommitSpec {
    /// The author.
    pub author: CommitUser,
    /// The message, a Go template.
    pub message_template: Option<String>,
    /// The key to sign with.
    pub signing_key: Option<SigningKey>,
}

/// The key to sign commits with.
#[shape]
pub struct SigningKey {
    /// A Secret with the key: `git.asc` and `passphrase`, or `identity` and `password`.
    pub secret_ref: Option<LocalObjectReference>,
}

/// Where to push.
#[shape]
pub struct PushSpec {
    /// The branch; it is made if it does not exist.
    pub branch: String,
}

/// The repository to write to.
#[shape]
pub struct SourceReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("GitRepository"), default("GitRepository"))]
    pub kind: String,
    /// The name of the source.
    pub name: String,
}

/// What was pushed last.
#[shape]
pub struct ImageUpdateAutomationStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// When the automation ran last.
    pub last_automation_run_time: Option<Time>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The commit that was pushed last.
    pub last_push_commit: Option<String>,
    /// When it was pushed.
    pub last_push_time: Option<Time>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
}
