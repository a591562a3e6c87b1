//! ImagePolicy.

use api_derive::shape;

use crate::image::v1::{ImagePolicyChoice, ImageRef, ReflectionPolicy, TagFilter};
use crate::kind::HOURS;
use crate::meta::{Condition, Duration, NamespacedObjectReference, Object};

/// Which tag to use.
pub type ImagePolicy = Object<ImagePolicySpec>;

/// Chooses the tag to use out of those of an ImageRepository.
#[shape(
    rule(
        "!has(self.interval) || (has(self.digestReflectionPolicy) && self.digestReflectionPolicy == 'Always')",
        "spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'"
    ),
    rule(
        "has(self.interval) || !has(self.digestReflectionPolicy) || self.digestReflectionPolicy != 'Always'",
        "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'"
    )
)]
pub struct ImagePolicySpec {
    /// When to look up the digest of the chosen tag.
    #[shape(default("Never"))]
    pub digest_reflection_policy: Option<ReflectionPolicy>,
    /// Which tags to look at, and which part of them.
    pub filter_tags: Option<TagFilter>,
    /// The ImageRepository.
    pub image_repository_ref: NamespacedObjectReference,
    /// How often to look up the digest when that is done always.
    #[shape(pattern = HOURS)]
    pub interval: Option<Duration>,
    /// How to choose.
    pub policy: ImagePolicyChoice,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
}

/// The choice.
#[shape(default({"observedGeneration": -1}))]
pub struct ImagePolicyStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The image that was chosen.
    pub latest_ref: Option<ImageRef>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The image that was chosen before.
    pub observed_previous_ref: Option<ImageRef>,
}
