//! ImageUpdateAutomation.

use api_derive::shape;

use crate::image::v1::{CommitUser, GitCheckoutSpec, SourceReference};
use crate::image::v1beta2::{PushSpec, SigningKey};
use crate::kind::HOURS;
use crate::meta::{Condition, Duration, Object, Time};

/// Writing new images to Git.
pub type ImageUpdateAutomation = Object<ImageUpdateAutomationSpec>;

/// Writes the images that policies choose into the manifests of a Git repository.
#[shape]
pub struct ImageUpdateAutomationSpec {
    /// What to check out, how to commit, and where to push.
    pub git: Option<GitSpec>,
    /// How often to reconcile.
    #[shape(pattern = HOURS)]
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

/// How files are changed.
#[shape]
pub struct UpdateStrategy {
    /// The folder in which files are changed; by default the root.
    pub path: Option<String>,
    /// The way: fields that a comment marks.
    #[shape(one_of("Setters"), default("Setters"))]
    pub strategy: String,
}

/// What was pushed last.
#[shape(default({"observedGeneration": -1}))]
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
