//! ImagePolicy.

use api_derive::shape;

use crate::image::v1::{ImagePolicyChoice, TagFilter};
use crate::meta::{Condition, NamespacedObjectReference, Object};

/// Which tag to use.
pub type ImagePolicy = Object<ImagePolicySpec>;

/// Chooses the tag to use out of those of an ImageRepository.
#[shape]
pub struct ImagePolicySpec {
    /// Which tags to look at, and which part of them.
    pub filter_tags: Option<TagFilter>,
    /// The ImageRepository.
    pub image_repository_ref: NamespacedObjectReference,
    /// How to choose.
    pub policy: ImagePolicyChoice,
}

/// The choice.
#[shape(default({"observedGeneration": -1}))]
pub struct ImagePolicyStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The image that was chosen, as `<name>:<tag>`.
    pub latest_image: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
}
