//! Version v2beta1, no longer current.

use api_derive::shape;
use serde_json::Value;

use super::HELM_RELEASE;
use crate::helm::v2::{CrossNamespaceObjectReference, DriftDetection, Uninstall};
use crate::helm::v2beta2::{
    CrossNamespaceSourceReference, Install, PostRenderer, ReleaseSnapshot, Rollback, Upgrade,
    ValuesReference,
};
use crate::kind::HOURS;
use crate::meta::{
    CommonMetadata, Condition, Duration, LocalObjectReference, NamespacedObjectReference, Object,
    SecretKeyReference,
};
use crate::source::v1::ReconcileStrategy;

crate::kind::specs! {
    HelmReleaseSpec => HELM_RELEASE, "v2beta1", HelmReleaseStatus;
}

/// A release of a Helm chart.
pub type HelmRelease = Object<HelmReleaseSpec>;

/// A Helm chart with its values, installed in a cluster and kept there.
#[shape]
pub struct HelmReleaseSpec {
    /// The HelmChart to make for this release.
    pub chart: HelmChartTemplate,
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
    pub chart: String,
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

/// How to check the signature of a chart.
#[shape]
pub struct HelmChartTemplateVerification {
    /// The technology of the signature.
    #[shape(one_of("cosign"), default("cosign"))]
    pub provider: String,
    /// A Secret with the public keys, or the trust policy, that signatures are checked against.
    pub secret_ref: Option<LocalObjectReference>,
}

/// How to reach another cluster.
#[shape]
pub struct KubeConfigReference {
    /// A Secret that holds a kubeconfig file, by default under the key `value`, else `value.yaml`.
    /// Programs for logging in that it names are not available to the controller.
    pub secret_ref: SecretKeyReference,
}

/// How to test.
#[shape]
pub struct Test {
    /// Whether to run the tests of the chart after installing and upgrading.
    pub enable: Option<bool>,
    /// Whether failing tests do not count as a failure.
    pub ignore_failures: Option<bool>,
    /// How long a test may take; by default the timeout of the release.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
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
    pub last_attempted_release_action: Option<String>,
    /// The version of the chart that was tried last.
    pub last_attempted_revision: Option<String>,
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
    pub storage_namespace: Option<String>,
    /// How often upgrading failed since the last success.
    pub upgrade_failures: Option<i64>,
}
