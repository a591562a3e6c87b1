//! Version v1beta2, no longer current.

mod bucket;
mod git_repository;
mod helm_chart;
mod helm_repository;
mod oci_repository;

pub use bucket::{Bucket, BucketSpec, BucketStatus};
pub use git_repository::{
    GitRepository, GitRepositorySpec, GitRepositoryStatus, GitRepositoryVerification,
};
pub use helm_chart::{HelmChart, HelmChartSpec, HelmChartStatus};
pub use helm_repository::{HelmRepository, HelmRepositorySpec, HelmRepositoryStatus};
pub use oci_repository::{OciRepository, OciRepositorySpec, OciRepositoryStatus};

use super::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY};

crate::kind::specs! {
    GitRepositorySpec => GIT_REPOSITORY, "v1beta2", GitRepositoryStatus;
    OciRepositorySpec => OCI_REPOSITORY, "v1beta2", OciRepositoryStatus;
    HelmRepositorySpec => HELM_REPOSITORY, "v1beta2", HelmRepositoryStatus;
    HelmChartSpec => HELM_CHART, "v1beta2", HelmChartStatus;
    BucketSpec => BUCKET, "v1beta2", BucketStatus;
}
