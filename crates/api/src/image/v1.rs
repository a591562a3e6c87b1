//! The current version.

mod automation;
mod policy;
mod repository;

pub use automation::{
    CommitSpec, CommitUser, GitCheckoutSpec, GitSpec, ImageUpdateAutomation,
    ImageUpdateAutomationSpec, ImageUpdateAutomationStatus, PushSpec, SigningKey, SourceReference,
    UpdateStrategy,
};
pub use policy::{
    AlphabeticalPolicy, ImagePolicy, ImagePolicyChoice, ImagePolicySpec, ImagePolicyStatus,
    ImageRef, NumericalPolicy, ReflectionPolicy, SemVerPolicy, TagFilter,
};
pub use repository::{ImageRepository, ImageRepositorySpec, ImageRepositoryStatus, ScanResult};

use super::{IMAGE_POLICY, IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION};

crate::kind::specs! {
    ImagePolicySpec => IMAGE_POLICY, "v1", ImagePolicyStatus;
    ImageRepositorySpec => IMAGE_REPOSITORY, "v1", ImageRepositoryStatus;
    ImageUpdateAutomationSpec => IMAGE_UPDATE_AUTOMATION, "v1", ImageUpdateAutomationStatus;
}
