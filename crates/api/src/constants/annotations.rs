//! Annotations, and labels that have the same keys.

/// Any change of its value asks for a reconciliation; copied to `.status.lastHandledReconcileAt`.
pub const RECONCILE_REQUEST: &str = "reconcile.fluxcd.io/requestedAt";
/// With the value of [`RECONCILE_REQUEST`], forces an upgrade of a HelmRelease once.
pub const FORCE_REQUEST: &str = "reconcile.fluxcd.io/forceAt";
/// With the value of [`RECONCILE_REQUEST`], resets the failure counts of a HelmRelease.
pub const RESET_REQUEST: &str = "reconcile.fluxcd.io/resetAt";
/// [`DISABLED`] stops the reconciliation of an ArtifactGenerator.
pub const GENERATOR_RECONCILE: &str = "source.extensions.fluxcd.io/reconcile";
/// [`DISABLED`]: the object is never deleted by its Kustomization. Also as a label.
pub const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
/// [`DISABLED`]: the object is neither applied nor deleted. Also as a label.
pub const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
/// How the object is applied: one of the `SSA_` values. Also as a label.
pub const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// Fields that others own are taken over. The default.
pub const SSA_OVERRIDE: &str = "Override";
/// Fields that others add are kept.
pub const SSA_MERGE: &str = "Merge";
/// The object is only created.
pub const SSA_IF_NOT_PRESENT: &str = "IfNotPresent";
/// The object is left alone.
pub const SSA_IGNORE: &str = "Ignore";
/// [`ENABLED`]: the object is made anew when a field that cannot change has changed. Also as a label.
pub const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// [`DISABLED`]: variables in the manifest are left alone. Also as a label.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
/// [`DISABLED`]: the manifest is not decrypted.
pub const DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
/// [`DISABLED`]: changes of the object by others are no drift.
pub const DRIFT_DETECTION: &str = "helm.toolkit.fluxcd.io/driftDetection";
/// What follows is a key in the metadata of the events of the object.
pub const EVENT_PREFIX: &str = "event.toolkit.fluxcd.io/";
/// The URL of a receiver, on the Secret that holds its token.
pub const WEBHOOK: &str = "notification.toolkit.fluxcd.io/webhook";
/// The identity provider of a ServiceAccount for Google Cloud.
pub const GCP_IDENTITY_PROVIDER: &str = "gcp.auth.fluxcd.io/workload-identity-provider";
/// Where the content of an OCI artifact comes from.
pub const OCI_SOURCE: &str = "org.opencontainers.image.source";
/// The revision of that; becomes the origin revision.
pub const OCI_REVISION: &str = "org.opencontainers.image.revision";
/// When the OCI artifact was made.
pub const OCI_CREATED: &str = "org.opencontainers.image.created";
/// The release that an object belongs to.
pub const HELM_RELEASE_NAME: &str = "meta.helm.sh/release-name";
/// The namespace of that release.
pub const HELM_RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
/// kubectl's copy of the manifest; removed when Flux applies the object.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Of early versions; removed when the object is applied.
pub const CHECKSUM: &str = "kustomize.toolkit.fluxcd.io/checksum";
/// Of Flux v1; removed when the object is applied.
pub const SYNC_CHECKSUM: &str = "fluxcd.io/sync-checksum";
/// On.
pub const ENABLED: &str = "enabled";
/// Off.
pub const DISABLED: &str = "disabled";
