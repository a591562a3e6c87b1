//! How Helm's actions are done.

use api_derive::shape;

use crate::kind::HOURS;
use crate::meta::Duration;

/// How to install.
#[shape]
pub struct Install {
    /// What to do with the CRDs of the chart; `Create` by default.
    pub crds: Option<CrdsPolicy>,
    /// Whether to make the target namespace if it is missing.
    pub create_namespace: Option<bool>,
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether to leave out the check of manifests against the cluster's schemas.
    #[shape(name = "disableOpenAPIValidation")]
    pub disable_openapi_validation: Option<bool>,
    /// Whether to leave out the check of values against the chart's schema.
    pub disable_schema_validation: Option<bool>,
    /// Whether to refuse objects that exist and belong to no release.
    pub disable_take_ownership: Option<bool>,
    /// Whether not to wait for objects to be ready.
    pub disable_wait: Option<bool>,
    /// Whether not to wait for jobs to be done.
    pub disable_wait_for_jobs: Option<bool>,
    /// What to do when installing fails.
    pub remediation: Option<InstallRemediation>,
    /// Whether to use again the name of a deleted release that is still in the records.
    pub replace: Option<bool>,
    /// Whether to apply on the server's side. On by default.
    pub server_side_apply: Option<bool>,
    /// Whether to leave out the CRDs of the chart; `crds: Skip` in old words.
    #[shape(name = "skipCRDs")]
    pub skip_crds: Option<bool>,
    /// What to do when installing fails, in one word.
    pub strategy: Option<InstallStrategy>,
    /// How long a step may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
}

/// What to do with the CRDs of a chart.
#[shape]
pub enum CrdsPolicy {
    /// Leave them out.
    Skip,
    /// Create those that are missing.
    Create,
    /// Create those that are missing, replace the others.
    CreateReplace,
}

/// What to do when installing fails.
#[shape]
pub struct InstallRemediation {
    /// Whether failing tests do not count as a failure.
    pub ignore_test_failures: Option<bool>,
    /// Whether to clean up also after the last retry.
    pub remediate_last_failure: Option<bool>,
    /// How often to try again; -1 for without end.
    #[shape(int)]
    pub retries: Option<i64>,
}

/// What to do when installing fails, in one word.
#[shape(rule(
    "!has(self.retryInterval) || self.name != 'RemediateOnFailure'",
    ".retryInterval cannot be set when .name is 'RemediateOnFailure'"
))]
pub struct InstallStrategy {
    /// The way.
    pub name: StrategyName,
    /// How long to wait before the next try; 5m by default.
    #[shape(pattern = HOURS)]
    pub retry_interval: Option<Duration>,
}

/// What to do when an action fails.
#[shape]
pub enum StrategyName {
    /// What `remediation` says.
    RemediateOnFailure,
    /// Upgrade again, without cleaning up.
    RetryOnFailure,
}

/// How to upgrade.
#[shape]
pub struct Upgrade {
    /// What to do when the chart has another name; install anew by default.
    pub chart_name_change_strategy: Option<ChartNameChangeStrategy>,
    /// Whether to delete new objects when the upgrade fails.
    pub cleanup_on_fail: Option<bool>,
    /// What to do with the CRDs of the chart; `Skip` by default.
    pub crds: Option<CrdsPolicy>,
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether to leave out the check of manifests against the cluster's schemas.
    #[shape(name = "disableOpenAPIValidation")]
    pub disable_openapi_validation: Option<bool>,
    /// Whether to leave out the check of values against the chart's schema.
    pub disable_schema_validation: Option<bool>,
    /// Whether to refuse objects that exist and belong to no release.
    pub disable_take_ownership: Option<bool>,
    /// Whether not to wait for objects to be ready.
    pub disable_wait: Option<bool>,
    /// Whether not to wait for jobs to be done.
    pub disable_wait_for_jobs: Option<bool>,
    /// Whether to replace objects that cannot be changed.
    pub force: Option<bool>,
    /// Whether to keep the values of the last release and merge the new ones into them.
    pub preserve_values: Option<bool>,
    /// What to do when upgrading fails.
    pub remediation: Option<UpgradeRemediation>,
    /// Whether to apply on the server's side.
    pub server_side_apply: Option<ServerSideApplyMode>,
    /// What to do when upgrading fails, in one word.
    pub strategy: Option<UpgradeStrategy>,
    /// How long a step may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
}

/// What to do when the chart has another name.
#[shape]
pub enum ChartNameChangeStrategy {
    /// Upgrade as always.
    InPlaceUpdate,
    /// Uninstall the release, then install it.
    Reinstall,
}

/// Whether Helm applies on the server's side.
#[shape]
pub enum ServerSideApplyMode {
    /// Yes.
    #[shape(name = "enabled")]
    Enabled,
    /// No.
    #[shape(name = "disabled")]
    Disabled,
    /// As in the last revision of the release.
    #[shape(name = "auto")]
    Auto,
}

/// What to do when upgrading fails.
#[shape]
pub struct UpgradeRemediation {
    /// Whether failing tests do not count as a failure.
    pub ignore_test_failures: Option<bool>,
    /// Whether to remediate also after the last retry. On by default when there are retries.
    pub remediate_last_failure: Option<bool>,
    /// How often to try again; -1 for without end.
    #[shape(int)]
    pub retries: Option<i64>,
    /// What to do; roll back by default.
    pub strategy: Option<RemediationStrategy>,
}

/// What to do after a failed upgrade.
#[shape]
pub enum RemediationStrategy {
    /// Roll back.
    #[shape(name = "rollback")]
    Rollback,
    /// Uninstall.
    #[shape(name = "uninstall")]
    Uninstall,
}

/// What to do when upgrading fails, in one word.
#[shape(rule(
    "!has(self.retryInterval) || self.name == 'RetryOnFailure'",
    ".retryInterval can only be set when .name is 'RetryOnFailure'"
))]
pub struct UpgradeStrategy {
    /// The way.
    pub name: StrategyName,
    /// How long to wait before the next try; 5m by default.
    #[shape(pattern = HOURS)]
    pub retry_interval: Option<Duration>,
}

/// How to test.
#[shape]
pub struct Test {
    /// Whether to run the tests of the chart after installing and upgrading.
    pub enable: Option<bool>,
    /// Which tests to run; by default all.
    pub filters: Option<Vec<Filter>>,
    /// Whether failing tests do not count as a failure.
    pub ignore_failures: Option<bool>,
    /// How long a test may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
}

/// Chooses a test, or leaves it out.
#[shape]
pub struct Filter {
    /// Whether to leave it out.
    pub exclude: Option<bool>,
    /// The name of the test.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
}

/// How to roll back.
#[shape]
pub struct Rollback {
    /// Whether to delete new objects when the rollback fails.
    pub cleanup_on_fail: Option<bool>,
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether not to wait for objects to be ready.
    pub disable_wait: Option<bool>,
    /// Whether not to wait for jobs to be done.
    pub disable_wait_for_jobs: Option<bool>,
    /// Whether to replace objects that cannot be changed.
    pub force: Option<bool>,
    /// Whether to restart the pods. Without effect.
    pub recreate: Option<bool>,
    /// Whether to apply on the server's side.
    pub server_side_apply: Option<ServerSideApplyMode>,
    /// How long a step may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
}

/// How to uninstall.
#[shape]
pub struct Uninstall {
    /// How dependants of the objects are deleted.
    #[shape(default("background"))]
    pub deletion_propagation: Option<DeletionPropagation>,
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether not to wait until the objects are gone.
    pub disable_wait: Option<bool>,
    /// Whether to keep the records of the release.
    pub keep_history: Option<bool>,
    /// How long a step may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
}

/// How dependants of deleted objects are deleted.
#[shape]
pub enum DeletionPropagation {
    /// After the object.
    #[shape(name = "background")]
    Background,
    /// Before the object.
    #[shape(name = "foreground")]
    Foreground,
    /// Not at all.
    #[shape(name = "orphan")]
    Orphan,
}
