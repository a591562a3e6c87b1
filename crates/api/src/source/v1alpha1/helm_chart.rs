//! HelmChart.

use api_derive::shape;

use super::Artifact;
use crate::meta::{Duration, EarlyCondition, Object};
use crate::source::v1::LocalHelmChartSourceReference;

/// A Helm chart out of a source.
pub type HelmChart = Object<HelmChartSpec>;

/// A Helm chart, taken from a repository of charts or packaged from a folder of another source.
#[shape]
pub struct HelmChartSpec {
    /// The chart's name in the repository, or its path in the source.
    pub chart: String,
    /// How often to look for changes.
    pub interval: Duration,
    /// The source that holds the chart.
    pub source_ref: LocalHelmChartSourceReference,
    /// A values file; merged before those of `valuesFiles`, which take its place.
    pub values_file: Option<String>,
    /// The version, or a range of versions of which the newest is taken. Only for a HelmRepository.
    pub version: Option<String>,
}

/// The chart that was fetched last.
#[shape]
pub struct HelmChartStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
