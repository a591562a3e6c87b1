//! Finalizers.

/// Of all kinds but ArtifactGenerator, Alert and Provider.
pub const FLUX: &str = "finalizers.fluxcd.io";
/// Of ArtifactGenerator.
pub const ARTIFACT_GENERATOR: &str = "source.extensions.fluxcd.io/finalizer";
