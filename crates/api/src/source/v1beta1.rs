//! Version v1beta1, no longer current.

mod bucket;
mod git_repository;
mod helm_chart;
mod helm_repository;

pub use bucket::{Bucket, BucketSpec, BucketStatus};
pub use git_repository::{
    Artifact, GitRepository, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus,
    GitRepositoryVerification,
};
pub use helm_chart::{HelmChart, HelmChartSpec, HelmChartStatus};
pub use helm_repository::{HelmRepository, HelmRepositorySpec, HelmRepositoryStatus};

use super::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY};

crate::kind::specs! {
    GitRepositorySpec => GIT_REPOSITORY, "v1beta1", GitRepositoryStatus;
    HelmRepositorySpec => HELM_REPOSITORY, "v1beta1", HelmRepositoryStatus;
    HelmChartSpec => HELM_CHART, "v1beta1", HelmChartStatus;
    BucketSpec => BUCKET, "v1beta1", BucketStatus;
}
