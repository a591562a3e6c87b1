//! ImageUpdateAutomation.

use api_derive::shape;

use crate::image::v1alpha2::{PushSpec, SigningKey};
use crate::image::v1beta1::UpdateStrategy;
use crate::meta::{Condition, Duration, LocalObjectReference, Object, Time};

/// Writing new images to Git.
pub type ImageUpdateAutomation = Object<ImageUpdateAutomationSpec>;

/// Writes the images that policies choose into the manifests of a Git repository.
#[shape]
pub struct ImageUpdateAutomationSpec {
    /// What to check out, and of which GitRepository.
    pub checkout: GitCheckoutSpec,
    /// How to commit.
    pub commit: CommitSpec,
    /// How often to reconcile.
    pub interval: Duration,
    /// Where to push; by default to the branch that was checked out.
    pub push: Option<PushSpec>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How to change the files.
    #[shape(default({"strategy": "Setters"}))]
    pub update: Option<UpdateStrategy>,
}

/// What to check out, and of which GitRepository.
#[shape]
pub struct GitCheckoutSpec {
    /// The branch; changes are pushed back to it unless `push` says otherwise.
    pub branch: String,
    /// The GitRepository.
    pub git_repository_ref: LocalObjectReference,
}

/// How to commit.
#[shape]
pub struct CommitSpec {
    /// The author's address.
    pub author_email: String,
    /// The author's name.
    pub author_name: String,
    /// The message, a Go template.
    pub message_template: Option<String>,
    /// The key to sign with.
    pub signing_key: Option<SigningKey>,
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
