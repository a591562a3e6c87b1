//! HelmChart.

use api_derive::shape;

use crate::kind::HOURS;
use crate::meta::{AccessFrom, Artifact, Condition, Duration, Object};
use crate::source::v1::{LocalHelmChartSourceReference, OciVerification, ReconcileStrategy};

/// A Helm chart out of a source.
pub type HelmChart = Object<HelmChartSpec>;

/// A Helm chart, taken from a repository of charts or packaged from a folder of another source.
#[shape]
pub struct HelmChartSpec {
    /// Which other namespaces may refer to this object. It never had an effect.
    pub access_from: Option<AccessFrom>,
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
    /// A values file; merged before those of `valuesFiles`, which take its place.
    pub values_file: Option<String>,
    /// Values files by their path in the source, merged in this order; without `values.yaml` unless named.
    pub values_files: Option<Vec<String>>,
    /// How to check the signature of a chart in a registry.
    pub verify: Option<OciVerification>,
    /// The version, or a range of versions of which the newest is taken. Only for a HelmRepository.
    #[shape(default("*"))]
    pub version: Option<String>,
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
