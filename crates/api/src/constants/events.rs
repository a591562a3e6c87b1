//! Metadata of events. The first ones follow the API group of the kind and a slash.

/// The revision.
pub const REVISION: &str = "revision";
/// The checksum of the artifact.
pub const CHECKSUM: &str = "checksum";
/// The digest of the artifact.
pub const DIGEST: &str = "digest";
/// What tells events apart that are otherwise the same.
pub const TOKEN: &str = "token";
/// The revision of the origin of an OCI artifact.
pub const ORIGIN_REVISION: &str = "originRevision";
/// [`COMMIT_STATUS_UPDATE`] on an event of progress that sets a commit status.
pub const COMMIT_STATUS: &str = "commit_status";
/// The value of [`COMMIT_STATUS`].
pub const COMMIT_STATUS_UPDATE: &str = "update";
/// The commit whose status to set.
pub const COMMIT: &str = "event.toolkit.fluxcd.io/commit";
/// The pull or merge request to comment on.
pub const CHANGE_REQUEST: &str = "event.toolkit.fluxcd.io/change_request";
/// The digest of the chart of a release.
pub const HELM_OCI_DIGEST: &str = "helm.toolkit.fluxcd.io/oci-digest";
/// The version of the application of a release.
pub const HELM_APP_VERSION: &str = "helm.toolkit.fluxcd.io/app-version";
