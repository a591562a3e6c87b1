//! HelmChart.

use api_derive::shape;

use super::OciVerification;
use crate::kind::HOURS;
use crate::meta::{Artifact, Condition, Duration, Object};

/// A Helm chart out of a source.
pub type HelmChart = Object<HelmChartSpec>;

/// A Helm chart, taken from a repository of charts or packaged from a folder of another source.
#[shape(rule(
    "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'",
    "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'"
))]
pub struct HelmChartSpec {
    /// The chart's name in the repository, or its path in the source.
    pub chart: String,
    /// Whether missing values files are passed over.
    pub ignore_missing_values_files: Option<bool>,
    /// How often to look for changes.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// What makes a new artifact.
    #[shape(default("ChartVersion"))]
    pub reconcile_strategy: Option<ReconcileStrategy>,
    /// The source that holds the chart.
    pub source_ref: LocalHelmChartSourceReference,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// Values files by their path in the source, merged in this order; without `values.yaml` unless named.
    pub values_files: Option<Vec<String>>,
    /// How to check the signature of a chart in a registry.
    pub verify: Option<OciVerification>,
    /// The version, or a range of versions of which the newest is taken. Only for a HelmRepository.
    #[shape(default("*"))]
    pub version: Option<String>,
}

/// What makes a new artifact of a chart.
#[shape]
pub enum ReconcileStrategy {
    /// A new version of the chart.
    ChartVersion,
    /// A new revision of the source.
    Revision,
}

/// The source of a chart, in the same namespace.
#[shape]
pub struct LocalHelmChartSourceReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("HelmRepository", "GitRepository", "Bucket"))]
    pub kind: String,
    /// The name of the source.
    pub name: String,
}

/// The chart that was fetched last.
#[shape(default({"observedGeneration": -1}))]
pub struct HelmChartStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The name of the chart that was resolved last.
    pub observed_chart_name: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The revision of the source the chart was taken from.
    pub observed_source_artifact_revision: Option<String>,
    /// The values files the artifact was made with.
    pub observed_values_files: Option<Vec<String>>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
