//! Version v1beta1, no longer current.

mod automation;
mod policy;
mod repository;

pub use automation::{
    CommitSpec, GitSpec, ImageUpdateAutomation, ImageUpdateAutomationSpec,
    ImageUpdateAutomationStatus, UpdateStrategy,
};
pub use policy::{ImagePolicy, ImagePolicySpec, ImagePolicyStatus};
pub use repository::{ImageRepository, ImageRepositorySpec, ImageRepositoryStatus, ScanResult};

use super::{IMAGE_POLICY, IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION};

crate::kind::specs! {
    ImagePolicySpec => IMAGE_POLICY, "v1beta1", ImagePolicyStatus;
    ImageRepositorySpec => IMAGE_REPOSITORY, "v1beta1", ImageRepositoryStatus;
    ImageUpdateAutomationSpec => IMAGE_UPDATE_AUTOMATION, "v1beta1", ImageUpdateAutomationStatus;
}
