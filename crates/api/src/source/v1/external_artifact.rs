//! ExternalArtifact.

use api_derive::shape;

use crate::meta::{Artifact, Condition, NamespacedObjectKindReference, Object};

/// An artifact made by another controller.
pub type ExternalArtifact = Object<ExternalArtifactSpec>;

/// An artifact that a controller outside of Flux makes and keeps.
#[shape]
pub struct ExternalArtifactSpec {
    /// The object that the artifact is made of.
    pub source_ref: Option<NamespacedObjectKindReference>,
}

/// What the other controller made last.
#[shape]
pub struct ExternalArtifactStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
}
