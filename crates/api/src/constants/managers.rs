//! The controllers by name, as field managers and holders of leases.

/// GitRepository, OCIRepository, HelmRepository, HelmChart, Bucket.
pub const SOURCE_CONTROLLER: &str = "source-controller";
/// Kustomization, and the objects it applies.
pub const KUSTOMIZE_CONTROLLER: &str = "kustomize-controller";
/// HelmRelease, and the objects it applies.
pub const HELM_CONTROLLER: &str = "helm-controller";
/// Alert, Provider, Receiver.
pub const NOTIFICATION_CONTROLLER: &str = "notification-controller";
/// ImageRepository, ImagePolicy.
pub const IMAGE_REFLECTOR_CONTROLLER: &str = "image-reflector-controller";
/// ImageUpdateAutomation.
pub const IMAGE_AUTOMATION_CONTROLLER: &str = "image-automation-controller";
/// ArtifactGenerator.
pub const SOURCE_WATCHER: &str = "source-watcher";
/// The CLI, for what it installs.
pub const FLUX: &str = "flux";
/// The owner group of what the CLI installs.
pub const OWNER_GROUP: &str = "fluxcd.io";
/// What follows the name of a controller in the name of its lease.
pub const LEASE_SUFFIX: &str = "-leader-election";
