//! Version v2alpha1, no longer current.

use api_derive::shape;
use serde_json::Value;

use super::HELM_RELEASE;
use crate::helm::v2::{InstallRemediation, UpgradeRemediation};
use crate::meta::{Duration, EarlyCondition, NamespacedObjectReference, Object, Time};

crate::kind::specs! {
    HelmReleaseSpec => HELM_RELEASE, "v2alpha1", HelmReleaseStatus;
}

/// A release of a Helm chart.
pub type HelmRelease = Object<HelmReleaseSpec>;

/// A Helm chart with its values, installed in a cluster and kept there.
#[shape]
pub struct HelmReleaseSpec {
    /// The HelmChart to make for this release.
    pub chart: HelmChartTemplate,
    /// HelmReleases that have to be ready first.
    pub depends_on: Option<Vec<NamespacedObjectReference>>,
    /// How to install.
    pub install: Option<Install>,
    /// How often to reconcile.
    pub interval: Duration,
    /// How many revisions of the release Helm keeps; 5 by default, 0 for all.
    #[shape(int)]
    pub max_history: Option<i64>,
    /// The name of the release; by default made of the target namespace and the name of this object.
    #[shape(min_length = 1, max_length = 53)]
    pub release_name: Option<String>,
    /// How to roll back.
    pub rollback: Option<Rollback>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// The namespace to install in; by default that of this object.
    #[shape(min_length = 1, max_length = 63)]
    pub target_namespace: Option<String>,
    /// How to test.
    pub test: Option<Test>,
    /// How long an action, or a hook, may take; 5m by default.
    pub timeout: Option<Duration>,
    /// How to uninstall.
    pub uninstall: Option<Uninstall>,
    /// How to upgrade.
    pub upgrade: Option<Upgrade>,
    /// The values. They win over those of `valuesFrom`.
    pub values: Option<Value>,
    /// ConfigMaps and Secrets with values. The later ones win.
    pub values_from: Option<Vec<ValuesReference>>,
}

/// The HelmChart to make for a release.
#[shape]
pub struct HelmChartTemplate {
    /// Its desired state.
    pub spec: HelmChartTemplateSpec,
}

/// The desired state of the HelmChart.
#[shape]
pub struct HelmChartTemplateSpec {
    /// The chart's name in the repository, or its path in the source.
    pub chart: String,
    /// How often to look for changes; by default the interval of the release.
    pub interval: Option<Duration>,
    /// The source that holds the chart.
    pub source_ref: CrossNamespaceObjectReference,
    /// A values file; merged before those of `valuesFiles`, which take its place.
    pub values_file: Option<String>,
    /// The version, or a range of versions of which the newest is taken. Only for a HelmRepository.
    pub version: Option<String>,
}

/// The source that holds the chart.
#[shape]
pub struct CrossNamespaceObjectReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("HelmRepository", "GitRepository", "Bucket"))]
    pub kind: Option<String>,
    /// The name of the source.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// The namespace of the source; by default that of the release.
    #[shape(min_length = 1, max_length = 63)]
    pub namespace: Option<String>,
}

/// How to install.
#[shape]
pub struct Install {
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether to leave out the check of manifests against the cluster's schemas.
    #[shape(name = "disableOpenAPIValidation")]
    pub disable_openapi_validation: Option<bool>,
    /// Whether not to wait for objects to be ready.
    pub disable_wait: Option<bool>,
    /// What to do when installing fails.
    pub remediation: Option<InstallRemediation>,
    /// Whether to use again the name of a deleted release that is still in the records.
    pub replace: Option<bool>,
    /// Whether to leave out the CRDs of the chart; `crds: Skip` in old words.
    #[shape(name = "skipCRDs")]
    pub skip_crds: Option<bool>,
    /// How long a step may take; by default the timeout of the release.
    pub timeout: Option<Duration>,
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
    /// Whether to replace objects that cannot be changed.
    pub force: Option<bool>,
    /// Whether to restart the pods. Without effect.
    pub recreate: Option<bool>,
    /// How long a step may take; by default the timeout of the release.
    pub timeout: Option<Duration>,
}

/// How to test.
#[shape]
pub struct Test {
    /// Whether to run the tests of the chart after installing and upgrading.
    pub enable: Option<bool>,
    /// Whether failing tests do not count as a failure.
    pub ignore_failures: Option<bool>,
    /// How long a test may take; by default the timeout of the release.
    pub timeout: Option<Duration>,
}

/// How to uninstall.
#[shape]
pub struct Uninstall {
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether to keep the records of the release.
    pub keep_history: Option<bool>,
    /// How long a step may take; by default the timeout of the release.
    pub timeout: Option<Duration>,
}

/// How to upgrade.
#[shape]
pub struct Upgrade {
    /// Whether to delete new objects when the upgrade fails.
    pub cleanup_on_fail: Option<bool>,
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether to leave out the check of manifests against the cluster's schemas.
    #[shape(name = "disableOpenAPIValidation")]
    pub disable_openapi_validation: Option<bool>,
    /// Whether not to wait for objects to be ready.
    pub disable_wait: Option<bool>,
    /// Whether to replace objects that cannot be changed.
    pub force: Option<bool>,
    /// Whether to keep the values of the last release and merge the new ones into them.
    pub preserve_values: Option<bool>,
    /// What to do when upgrading fails.
    pub remediation: Option<UpgradeRemediation>,
    /// How long a step may take; by default the timeout of the release.
    pub timeout: Option<Duration>,
}

/// A ConfigMap or Secret with values.
#[shape]
pub struct ValuesReference {
    /// Its kind.
    #[shape(one_of("Secret", "ConfigMap"))]
    pub kind: String,
    /// Its name.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// Whether it may be missing.
    pub optional: Option<bool>,
    /// Where to put the text among the values, in dots; without it, the text is YAML and merged at the top.
    pub target_path: Option<String>,
    /// The key of the text; `values.yaml` by default.
    pub values_key: Option<String>,
}

/// What was released last.
#[shape]
pub struct HelmReleaseStatus {
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
    /// How often reconciliation failed since the last success.
    pub failures: Option<i64>,
    /// The HelmChart that was made, as `<namespace>/<name>`.
    pub helm_chart: Option<String>,
    /// How often installing failed since the last success.
    pub install_failures: Option<i64>,
    /// The version of the chart that was released last with success.
    pub last_applied_revision: Option<String>,
    /// The version of the chart that was tried last.
    pub last_attempted_revision: Option<String>,
    /// The SHA-1 of the values that were tried last, as old versions wrote it.
    pub last_attempted_values_checksum: Option<String>,
    /// When the object was reconciled last.
    pub last_observed_time: Option<Time>,
    /// The revision of the release, as old versions wrote it.
    #[shape(int)]
    pub last_release_revision: Option<i64>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// How often upgrading failed since the last success.
    pub upgrade_failures: Option<i64>,
}
