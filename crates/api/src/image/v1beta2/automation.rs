//! ImageUpdateAutomation.

use std::collections::BTreeMap;

use api_derive::shape;

use crate::image::v1::{CommitUser, GitCheckoutSpec, ImageRef, SourceReference, UpdateStrategy};
use crate::kind::HOURS;
use crate::meta::{Condition, Duration, LabelSelector, LocalObjectReference, Object, Time};

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
    /// The ImagePolicies to look at; by default all of the namespace.
    pub policy_selector: Option<LabelSelector>,
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
    /// Values for the template.
    pub message_template_values: Option<BTreeMap<String, String>>,
    /// The key to sign with.
    pub signing_key: Option<SigningKey>,
}

/// The key to sign commits with.
#[shape]
pub struct SigningKey {
    /// A Secret with the key: `git.asc` and `passphrase`, or `identity` and `password`.
    pub secret_ref: LocalObjectReference,
}

/// Where to push.
#[shape]
pub struct PushSpec {
    /// The branch; it is made if it does not exist.
    pub branch: Option<String>,
    /// Options for the server, as of `git push -o`.
    pub options: Option<BTreeMap<String, String>>,
    /// The references, as `<from>:<to>`; added to the branch if that is set as well.
    pub refspec: Option<String>,
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
    /// The images of the policies, by the name of the policy, as they were.
    pub observed_policies: Option<BTreeMap<String, ImageRef>>,
    /// The revision of the source that was checked out last.
    pub observed_source_revision: Option<String>,
}
