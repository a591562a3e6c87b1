//! Labels.

/// [`WATCH_ENABLED`] on a ConfigMap or Secret: its changes wake the objects that refer to it.
pub const WATCH: &str = "reconcile.fluxcd.io/watch";
/// The value of [`WATCH`].
pub const WATCH_ENABLED: &str = "Enabled";
/// The shard that reconciles the object.
pub const SHARD: &str = "sharding.fluxcd.io/shard";
/// The UID of the ArtifactGenerator that made an ExternalArtifact.
pub const GENERATOR: &str = "source.extensions.fluxcd.io/generator";
/// The Kustomization that applied the object.
pub const KUSTOMIZATION_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
/// The namespace of that Kustomization.
pub const KUSTOMIZATION_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
/// The HelmRelease that applied the object.
pub const HELM_RELEASE_NAME: &str = "helm.toolkit.fluxcd.io/name";
/// The namespace of that HelmRelease.
pub const HELM_RELEASE_NAMESPACE: &str = "helm.toolkit.fluxcd.io/namespace";
/// Of Flux v1; removed when the object is applied.
pub const SYNC_GC_MARK: &str = "fluxcd.io/sync-gc-mark";
/// The tenant that the object belongs to.
pub const TENANT: &str = "toolkit.fluxcd.io/tenant";
/// [`PART_OF_FLUX`] on all objects of an installation.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// The value of [`PART_OF`].
pub const PART_OF_FLUX: &str = "flux";
/// The namespace of the installation.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// The version of the installation.
pub const VERSION: &str = "app.kubernetes.io/version";
/// The controller that an object of the installation belongs to.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The tool that made the installation.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The level of pod security of the namespace of the installation.
pub const POD_SECURITY_WARN: &str = "pod-security.kubernetes.io/warn";
/// The version of that level.
pub const POD_SECURITY_WARN_VERSION: &str = "pod-security.kubernetes.io/warn-version";
