//! What is installed.

use std::collections::BTreeMap;

use api_derive::shape;

use crate::meta::{Condition, Inventory, Time};

/// What was released last.
#[shape(default({"observedGeneration": -1}))]
pub struct HelmReleaseStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// How often reconciliation failed since the last success.
    pub failures: Option<i64>,
    /// The HelmChart that was made, as `<namespace>/<name>`.
    pub helm_chart: Option<String>,
    /// The revisions of the release, newest first, back to the last success.
    pub history: Option<Vec<ReleaseSnapshot>>,
    /// How often installing failed since the last success.
    pub install_failures: Option<i64>,
    /// The objects of the release.
    pub inventory: Option<Inventory>,
    /// The digest of the values that were tried last.
    pub last_attempted_config_digest: Option<String>,
    /// The generation that was tried last.
    pub last_attempted_generation: Option<i64>,
    /// The action that was tried last.
    pub last_attempted_release_action: Option<ReleaseAction>,
    /// How long that took.
    pub last_attempted_release_action_duration: Option<String>,
    /// The version of the chart that was tried last.
    pub last_attempted_revision: Option<String>,
    /// The digest of the chart that was tried last, where it comes from an OCIRepository.
    pub last_attempted_revision_digest: Option<String>,
    /// The SHA-1 of the values that were tried last, as old versions wrote it.
    pub last_attempted_values_checksum: Option<String>,
    /// The last value of the annotation reconcile.fluxcd.io/forceAt that was handled.
    pub last_handled_force_at: Option<String>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The last value of the annotation reconcile.fluxcd.io/resetAt that was handled.
    pub last_handled_reset_at: Option<String>,
    /// The revision of the release, as old versions wrote it.
    #[shape(int)]
    pub last_release_revision: Option<i64>,
    /// The digest of the common metadata of the last success.
    pub observed_common_metadata_digest: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The digest of the post-renderers of the last success.
    pub observed_post_renderers_digest: Option<String>,
    /// The namespace in which Helm keeps its records of this release.
    #[shape(min_length = 1, max_length = 63)]
    pub storage_namespace: Option<String>,
    /// How often upgrading failed since the last success.
    pub upgrade_failures: Option<i64>,
}

/// An action on a release.
#[shape]
pub enum ReleaseAction {
    /// It was installed.
    #[shape(name = "install")]
    Install,
    /// It was upgraded.
    #[shape(name = "upgrade")]
    Upgrade,
}

/// One revision of a release.
#[shape]
pub struct ReleaseSnapshot {
    /// The action that made it.
    pub action: Option<String>,
    /// The form of the digest.
    pub api_version: Option<String>,
    /// The version of the application, as the chart says.
    pub app_version: Option<String>,
    /// The name of the chart.
    pub chart_name: String,
    /// The version of the chart.
    pub chart_version: String,
    /// The digest of the values.
    pub config_digest: String,
    /// When the release was deleted.
    pub deleted: Option<Time>,
    /// The digest of the release in Helm's records.
    pub digest: String,
    /// When the release was installed.
    pub first_deployed: Time,
    /// When this revision was made.
    pub last_deployed: Time,
    /// The name of the release.
    pub name: String,
    /// The namespace of the release.
    pub namespace: String,
    /// The digest of the OCI artifact that held the chart.
    pub oci_digest: Option<String>,
    /// The status of the release in Helm's words.
    pub status: String,
    /// The tests that ran, by name.
    pub test_hooks: Option<BTreeMap<String, TestHookStatus>>,
    /// The number of the revision.
    #[shape(int)]
    pub version: i64,
}

/// How a test went.
#[shape]
pub struct TestHookStatus {
    /// When it ended.
    pub last_completed: Option<Time>,
    /// When it began.
    pub last_started: Option<Time>,
    /// Its phase in Helm's words.
    pub phase: Option<String>,
}
