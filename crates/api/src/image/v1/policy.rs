//! ImagePolicy.

use api_derive::shape;

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

/// When to look up the digest of a tag.
#[shape]
pub enum ReflectionPolicy {
    /// At each interval.
    Always,
    /// When the tag is new.
    IfNotPresent,
    /// Not at all.
    Never,
}

/// Which tags to look at.
#[shape]
pub struct TagFilter {
    /// What to choose by, in terms of the groups of the pattern, such as `$ts`.
    pub extract: Option<String>,
    /// A regular expression for the tags.
    pub pattern: Option<String>,
}

/// How to choose. One of them is set.
#[shape]
pub struct ImagePolicyChoice {
    /// By the alphabet.
    pub alphabetical: Option<AlphabeticalPolicy>,
    /// By number.
    pub numerical: Option<NumericalPolicy>,
    /// By semantic version.
    pub semver: Option<SemVerPolicy>,
}

/// The newest version in a range.
#[shape]
pub struct SemVerPolicy {
    /// The range.
    pub range: String,
}

/// The last tag in the order of the alphabet.
#[shape]
pub struct AlphabeticalPolicy {
    /// Upwards or downwards; the last one is chosen.
    #[shape(one_of("asc", "desc"), default("asc"))]
    pub order: Option<String>,
}

/// The last tag in the order of numbers.
#[shape]
pub struct NumericalPolicy {
    /// Upwards or downwards; the last one is chosen.
    #[shape(one_of("asc", "desc"), default("asc"))]
    pub order: Option<String>,
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

/// An image.
#[shape]
pub struct ImageRef {
    /// Its digest.
    pub digest: Option<String>,
    /// Its name without tag.
    pub name: String,
    /// Its tag.
    pub tag: String,
}
