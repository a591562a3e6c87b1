//! The current version.

mod action;
mod chart;
mod status;

use api_derive::shape;
use serde_json::Value;

pub use action::{
    ChartNameChangeStrategy, CrdsPolicy, DeletionPropagation, Filter, Install, InstallRemediation,
    InstallStrategy, RemediationStrategy, Rollback, ServerSideApplyMode, StrategyName, Test,
    Uninstall, Upgrade, UpgradeRemediation, UpgradeStrategy,
};
pub use chart::{
    CrossNamespaceObjectReference, CrossNamespaceSourceReference, HelmChartTemplate,
    HelmChartTemplateSpec, HelmChartTemplateVerification,
};
pub use status::{HelmReleaseStatus, ReleaseAction, ReleaseSnapshot, TestHookStatus};

use super::HELM_RELEASE;
use crate::kind::HOURS;
use crate::meta::{
    CommonMetadata, CustomHealthCheck, DependencyReference, Duration, IgnoreRule, Image,
    KubeConfigReference, Object, Patch,
};

crate::kind::specs! {
    HelmReleaseSpec => HELM_RELEASE, "v2", HelmReleaseStatus;
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
    /// Labels and annotations that every object gets.
    pub common_metadata: Option<CommonMetadata>,
    /// HelmReleases that have to be ready first.
    pub depends_on: Option<Vec<DependencyReference>>,
    /// Whether to look for, and correct, changes that others make to the objects.
    pub drift_detection: Option<DriftDetection>,
    /// How to see whether custom resources are healthy.
    pub health_check_exprs: Option<Vec<CustomHealthCheck>>,
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
    /// Whether hooks go through the post-renderers, and how.
    pub post_render_strategy: Option<PostRenderStrategy>,
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
    /// How Helm waits for objects.
    pub wait_strategy: Option<WaitStrategy>,
}

/// Whether to look for, and correct, changes that others make.
#[shape]
pub struct DriftDetection {
    /// Fields that others may change.
    pub ignore: Option<Vec<IgnoreRule>>,
    /// What to do about changes; nothing by default.
    pub mode: Option<DriftDetectionMode>,
}

/// What to do about changes that others made.
#[shape]
pub enum DriftDetectionMode {
    /// Report and correct them.
    #[shape(name = "enabled")]
    Enabled,
    /// Report them.
    #[shape(name = "warn")]
    Warn,
    /// Do not look for them.
    #[shape(name = "disabled")]
    Disabled,
}

/// Which hooks go through the post-renderers.
#[shape]
pub enum PostRenderStrategy {
    /// None.
    #[shape(name = "nohooks")]
    NoHooks,
    /// All, together with the other manifests.
    #[shape(name = "combined")]
    Combined,
    /// All, on their own.
    #[shape(name = "separate")]
    Separate,
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
}

/// A ConfigMap or Secret with values.
#[shape]
pub struct ValuesReference {
    /// Its kind.
    #[shape(one_of("Secret", "ConfigMap"))]
    pub kind: String,
    /// Whether the text at `targetPath` is taken as it is, without the syntax of Helm's `--set`.
    pub literal: Option<bool>,
    /// Its name.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// Whether it may be missing.
    pub optional: Option<bool>,
    /// Where to put the text among the values, in dots; without it, the text is YAML and merged at the top.
    #[shape(
        max_length = 250,
        pattern = "^([a-zA-Z0-9_\\-.\\\\\\/]|\\[[0-9]{1,5}\\])+$"
    )]
    pub target_path: Option<String>,
    /// The key of the text; `values.yaml` by default.
    #[shape(max_length = 253, pattern = "^[\\-._a-zA-Z0-9]+$")]
    pub values_key: Option<String>,
}

/// How Helm waits for objects.
#[shape]
pub struct WaitStrategy {
    /// The way: by asking for their status, or that of Helm 3.
    #[shape(one_of("poller", "legacy"))]
    pub name: String,
}
