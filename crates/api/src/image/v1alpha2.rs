//! Version v1alpha2, no longer current.

mod automation;
mod policy;
mod repository;

pub use automation::{
    CommitSpec, GitCheckoutSpec, GitRepositoryRef, GitSpec, ImageUpdateAutomation,
    ImageUpdateAutomationSpec, ImageUpdateAutomationStatus, PushSpec, SigningKey, SourceReference,
};
pub use policy::{ImagePolicy, ImagePolicySpec, ImagePolicyStatus};
pub use repository::{ImageRepository, ImageRepositorySpec, ImageRepositoryStatus};

use super::{IMAGE_POLICY, IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION};

crate::kind::specs! {
    ImagePolicySpec => IMAGE_POLICY, "v1alpha2", ImagePolicyStatus;
    ImageRepositorySpec => IMAGE_REPOSITORY, "v1alpha2", ImageRepositoryStatus;
    ImageUpdateAutomationSpec => IMAGE_UPDATE_AUTOMATION, "v1alpha2", ImageUpdateAutomationStatus;
}
