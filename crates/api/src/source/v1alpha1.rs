//! Version v1alpha1, no longer current.

mod bucket;
mod git_repository;
mod helm_chart;
mod helm_repository;

pub use bucket::{Bucket, BucketSpec, BucketStatus};
pub use git_repository::{
    Artifact, GitRepository, GitRepositorySpec, GitRepositoryStatus, GitRepositoryVerification,
};
pub use helm_chart::{HelmChart, HelmChartSpec, HelmChartStatus};
pub use helm_repository::{HelmRepository, HelmRepositorySpec, HelmRepositoryStatus};

use super::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY};

crate::kind::specs! {
    GitRepositorySpec => GIT_REPOSITORY, "v1alpha1", GitRepositoryStatus;
    HelmRepositorySpec => HELM_REPOSITORY, "v1alpha1", HelmRepositoryStatus;
    HelmChartSpec => HELM_CHART, "v1alpha1", HelmChartStatus;
    BucketSpec => BUCKET, "v1alpha1", BucketStatus;
}
