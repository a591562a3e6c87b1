//! Where the chart of a release comes from.

use api_derive::shape;

use crate::kind::HOURS;
use crate::meta::{CommonMetadata, Duration, LocalObjectReference};
use crate::source::v1::ReconcileStrategy;

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
    #[shape(one_of("cosign", "notation"), default("cosign"))]
    pub provider: String,
    /// A Secret with the public keys, or the trust policy, that signatures are checked against.
    pub secret_ref: Option<LocalObjectReference>,
}

/// The source that holds the chart.
#[shape]
pub struct CrossNamespaceObjectReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("HelmRepository", "GitRepository", "Bucket"))]
    pub kind: String,
    /// The name of the source.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// The namespace of the source; by default that of the release.
    #[shape(min_length = 1, max_length = 63)]
    pub namespace: Option<String>,
}

/// A source whose artifact is a chart.
#[shape]
pub struct CrossNamespaceSourceReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("OCIRepository", "HelmChart", "ExternalArtifact"))]
    pub kind: String,
    /// The name of the source.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// The namespace of the source; by default that of the release.
    #[shape(min_length = 1, max_length = 63)]
    pub namespace: Option<String>,
}
