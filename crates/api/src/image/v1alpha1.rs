//! Version v1alpha1, no longer current.

mod automation;
mod policy;
mod repository;

pub use automation::{
    CommitSpec, GitCheckoutSpec, ImageUpdateAutomation, ImageUpdateAutomationSpec,
    ImageUpdateAutomationStatus,
};
pub use policy::{ImagePolicy, ImagePolicySpec, ImagePolicyStatus};
pub use repository::{ImageRepository, ImageRepositorySpec, ImageRepositoryStatus};

use super::{IMAGE_POLICY, IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION};

crate::kind::specs! {
    ImagePolicySpec => IMAGE_POLICY, "v1alpha1", ImagePolicyStatus;
    ImageRepositorySpec => IMAGE_REPOSITORY, "v1alpha1", ImageRepositoryStatus;
    ImageUpdateAutomationSpec => IMAGE_UPDATE_AUTOMATION, "v1alpha1", ImageUpdateAutomationStatus;
}
