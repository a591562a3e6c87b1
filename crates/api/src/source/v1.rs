//! The current version.

mod bucket;
mod external_artifact;
mod git_repository;
mod helm_chart;
mod helm_repository;
mod oci_repository;
mod verification;

pub use bucket::{Bucket, BucketSpec, BucketStatus, BucketStsSpec};
pub use external_artifact::{ExternalArtifact, ExternalArtifactSpec, ExternalArtifactStatus};
pub use git_repository::{
    GitRepository, GitRepositoryInclude, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus,
    GitRepositoryVerification, GitVerificationMode,
};
pub use helm_chart::{
    HelmChart, HelmChartSpec, HelmChartStatus, LocalHelmChartSourceReference, ReconcileStrategy,
};
pub use helm_repository::{HelmRepository, HelmRepositorySpec, HelmRepositoryStatus};
pub use oci_repository::{
    OciLayerOperation, OciLayerSelector, OciRepository, OciRepositoryRef, OciRepositorySpec,
    OciRepositoryStatus, OciRepositoryVerification,
};
pub use verification::{OciIdentity, OciVerification};

use super::{
    BUCKET, EXTERNAL_ARTIFACT, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY,
};

crate::kind::specs! {
    GitRepositorySpec => GIT_REPOSITORY, "v1", GitRepositoryStatus;
    OciRepositorySpec => OCI_REPOSITORY, "v1", OciRepositoryStatus;
    HelmRepositorySpec => HELM_REPOSITORY, "v1", HelmRepositoryStatus;
    HelmChartSpec => HELM_CHART, "v1", HelmChartStatus;
    BucketSpec => BUCKET, "v1", BucketStatus;
    ExternalArtifactSpec => EXTERNAL_ARTIFACT, "v1", ExternalArtifactStatus;
}
