//! Media types of OCI artifacts.

/// The configuration of an artifact that Flux pushed.
pub const CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
/// The content of an artifact that Flux pushed.
pub const CONTENT: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
