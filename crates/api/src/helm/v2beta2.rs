//! Version v2beta2, no longer current.

use std::collections::BTreeMap;

use api_derive::shape;
use serde_json::Value;

use super::HELM_RELEASE;
use crate::helm::v2::{
    CrdsPolicy, CrossNamespaceObjectReference, DriftDetection, HelmChartTemplateVerification,
    InstallRemediation, ReleaseAction, Test, TestHookStatus, Uninstall, UpgradeRemediation,
};
use crate::kind::HOURS;
use crate::meta::{
    CommonMetadata, Condition, Duration, Image, JsonPatch, KubeConfigReference,
    NamespacedObjectReference, Object, Patch, Time,
};
use crate::source::v1::ReconcileStrategy;

crate::kind::specs! {
    HelmReleaseSpec => HELM_RELEASE, "v2beta2", HelmReleaseStatus;
}

/// A release of a Helm chart.
pub type HelmRelease = Object<HelmReleaseSpec>;

/// A Helm chart with its values, installed in a cluster and kept there.
#[shape(rule(
    "(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))",
    "either chart or chartRef must be set"
))]
pub struct HelmReleaseSpec {
    /// The HelmChart to make for this release.
    pub chart: Option<HelmChartTemplate>,
    /// The source that holds the chart, in place of `chart`.
    pub chart_ref: Option<CrossNamespaceSourceReference>,
    /// HelmReleases that have to be ready first.
    pub depends_on: Option<Vec<NamespacedObjectReference>>,
    /// Whether to look for, and correct, changes that others make to the objects.
    pub drift_detection: Option<DriftDetection>,
    /// How to install.
    pub install: Option<Install>,
    /// How often to reconcile.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// The cluster to install in; by default the one this object lives in.
    pub kube_config: Option<KubeConfigReference>,
    /// How many revisions of the release Helm keeps; 5 by default, 0 for all.
    #[shape(int)]
    pub max_history: Option<i64>,
    /// Whether one client serves all of a reconciliation. On by default; off helps charts that change CRDs
    /// outside of Helm.
    pub persistent_client: Option<bool>,
    /// What to do with the manifests after rendering, in this order.
    pub post_renderers: Option<Vec<PostRenderer>>,
    /// The name of the release; by default made of the target namespace and the name of this object.
    #[shape(min_length = 1, max_length = 53)]
    pub release_name: Option<String>,
    /// How to roll back.
    pub rollback: Option<Rollback>,
    /// The ServiceAccount to act as.
    #[shape(min_length = 1, max_length = 253)]
    pub service_account_name: Option<String>,
    /// The namespace in which Helm keeps its records; by default that of this object.
    #[shape(min_length = 1, max_length = 63)]
    pub storage_namespace: Option<String>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// The namespace to install in; by default that of this object.
    #[shape(min_length = 1, max_length = 63)]
    pub target_namespace: Option<String>,
    /// How to test.
    pub test: Option<Test>,
    /// How long an action, or a hook, may take; 5m by default.
    #[shape(pattern = HOURS)]
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
    /// Its labels and annotations.
    pub metadata: Option<CommonMetadata>,
    /// Its desired state.
    pub spec: HelmChartTemplateSpec,
}

/// The desired state of the HelmChart.
#[shape]
pub struct HelmChartTemplateSpec {
    /// The chart's name in the repository, or its path in the source.
    #[shape(min_length = 1, max_length = 2048)]
    pub chart: String,
    /// Whether missing values files are passed over.
    pub ignore_missing_values_files: Option<bool>,
    /// How often to look for changes; by default the interval of the release.
    #[shape(pattern = HOURS)]
    pub interval: Option<Duration>,
    /// What makes a new artifact.
    #[shape(default("ChartVersion"))]
    pub reconcile_strategy: Option<ReconcileStrategy>,
    /// The source that holds the chart.
    pub source_ref: CrossNamespaceObjectReference,
    /// A values file; merged before those of `valuesFiles`, which take its place.
    pub values_file: Option<String>,
    /// Values files by their path in the source, merged in this order; without `values.yaml` unless named.
    pub values_files: Option<Vec<String>>,
    /// How to check the signature of a chart in a registry.
    pub verify: Option<HelmChartTemplateVerification>,
    /// The version, or a range of versions of which the newest is taken. Only for a HelmRepository.
    #[shape(default("*"))]
    pub version: Option<String>,
}

/// A source whose artifact is a chart.
#[shape]
pub struct CrossNamespaceSourceReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("OCIRepository", "HelmChart"))]
    pub kind: String,
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
    /// What to do with the CRDs of the chart; `Create` by default.
    pub crds: Option<CrdsPolicy>,
    /// Whether to make the target namespace if it is missing.
    pub create_namespace: Option<bool>,
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether to leave out the check of manifests against the cluster's schemas.
    #[shape(name = "disableOpenAPIValidation")]
    pub disable_openapi_validation: Option<bool>,
    /// Whether not to wait for objects to be ready.
    pub disable_wait: Option<bool>,
    /// Whether not to wait for jobs to be done.
    pub disable_wait_for_jobs: Option<bool>,
    /// What to do when installing fails.
    pub remediation: Option<InstallRemediation>,
    /// Whether to use again the name of a deleted release that is still in the records.
    pub replace: Option<bool>,
    /// Whether to leave out the CRDs of the chart; `crds: Skip` in old words.
    #[shape(name = "skipCRDs")]
    pub skip_crds: Option<bool>,
    /// How long a step may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
}

/// One step after rendering.
#[shape]
pub struct PostRenderer {
    /// A change by means of Kustomize.
    pub kustomize: Option<Kustomize>,
}

/// A change by means of Kustomize.
#[shape]
pub struct Kustomize {
    /// Images to replace.
    pub images: Option<Vec<Image>>,
    /// Patches to apply to the objects.
    pub patches: Option<Vec<Patch>>,
    /// JSON 6902 patches; `patches` take their place.
    pub patches_json6902: Option<Vec<JsonPatch>>,
    /// Strategic merge patches; `patches` take their place.
    pub patches_strategic_merge: Option<Vec<Value>>,
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
    /// How long a step may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
}

/// How to upgrade.
#[shape]
pub struct Upgrade {
    /// Whether to delete new objects when the upgrade fails.
    pub cleanup_on_fail: Option<bool>,
    /// What to do with the CRDs of the chart; `Skip` by default.
    pub crds: Option<CrdsPolicy>,
    /// Whether to leave out hooks.
    pub disable_hooks: Option<bool>,
    /// Whether to leave out the check of manifests against the cluster's schemas.
    #[shape(name = "disableOpenAPIValidation")]
    pub disable_openapi_validation: Option<bool>,
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
    /// How long a step may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
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
    #[shape(
        pattern = "^([a-zA-Z0-9_\\-.\\\\\\/]|\\[[0-9]{1,5}\\])+$",
        max_length = 250
    )]
    pub target_path: Option<String>,
    /// The key of the text; `values.yaml` by default.
    #[shape(pattern = "^[\\-._a-zA-Z0-9]+$", max_length = 253)]
    pub values_key: Option<String>,
}

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
    /// The version of the chart that was released last with success.
    pub last_applied_revision: Option<String>,
    /// The digest of the values that were tried last.
    pub last_attempted_config_digest: Option<String>,
    /// The generation that was tried last.
    pub last_attempted_generation: Option<i64>,
    /// The action that was tried last.
    pub last_attempted_release_action: Option<ReleaseAction>,
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

/// One revision of a release.
#[shape]
pub struct ReleaseSnapshot {
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
