//! Version v1beta2, no longer current.

mod automation;
mod policy;
mod repository;

pub use automation::{
    CommitSpec, GitSpec, ImageUpdateAutomation, ImageUpdateAutomationSpec,
    ImageUpdateAutomationStatus, PushSpec, SigningKey,
};
pub use policy::{ImagePolicy, ImagePolicySpec, ImagePolicyStatus};
pub use repository::{ImageRepository, ImageRepositorySpec, ImageRepositoryStatus};

use super::{IMAGE_POLICY, IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION};

crate::kind::specs! {
    ImagePolicySpec => IMAGE_POLICY, "v1beta2", ImagePolicyStatus;
    ImageRepositorySpec => IMAGE_REPOSITORY, "v1beta2", ImageRepositoryStatus;
    ImageUpdateAutomationSpec => IMAGE_UPDATE_AUTOMATION, "v1beta2", ImageUpdateAutomationStatus;
}
