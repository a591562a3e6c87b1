//! ImageUpdateAutomation.

use std::collections::BTreeMap;

use api_derive::shape;

use super::ImageRef;
use crate::kind::HOURS;
use crate::meta::{Condition, Duration, LabelSelector, LocalObjectReference, Object, Time};
use crate::source::v1::GitRepositoryRef;

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
    /// The namespace of the source; by default that of the automation.
    pub namespace: Option<String>,
}

/// How files are changed.
#[shape]
pub struct UpdateStrategy {
    /// The folder in which files are changed; by default the root.
    pub path: Option<String>,
    /// The way: fields that a comment marks.
    #[shape(one_of("Setters"), default("Setters"))]
    pub strategy: Option<String>,
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

/// What to check out.
#[shape]
pub struct GitCheckoutSpec {
    /// The reference, usually a branch.
    #[shape(name = "ref")]
    pub reference: GitRepositoryRef,
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

/// The author of a commit.
#[shape]
pub struct CommitUser {
    /// The address.
    pub email: String,
    /// The name.
    pub name: Option<String>,
}

/// The key to sign commits with.
#[shape]
pub struct SigningKey {
    /// A Secret with the key: `git.asc` and `passphrase`, or `identity` and `password`.
    pub secret_ref: LocalObjectReference,
    /// The technology; GPG by default.
    #[shape(one_of("gpg", "ssh"))]
    pub r#type: Option<String>,
}

/// Where to push.
#[shape]
pub struct PushSpec {
    /// The branch; it is made if it does not exist.
    pub branch: Option<String>,
    /// Options for the server, as of `git push -o`.
    pub options: Option<BTreeMap<String, String>>,
    /// The references, as `<from>:<to>`; added to the branch if that is set as well.
    #[shape(pattern = "^$|^[^+:]")]
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
