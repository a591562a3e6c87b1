//! Condition types.

/// The object is reconciled: what is observed is what is desired.
pub const READY: &str = "Ready";
/// The controller is at work on the latest change, or tries again. Only there when true.
pub const RECONCILING: &str = "Reconciling";
/// Reconciliation has stopped until the object is changed. Only there when true.
pub const STALLED: &str = "Stalled";
/// The health of what was applied, as it was seen last.
pub const HEALTHY: &str = "Healthy";
/// An access list denies the reference. Only there when true.
pub const ACCESS_DENIED: &str = "AccessDenied";
/// The artifact of the last fetch is stored.
pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
/// The stored artifact is not of the latest revision. Only there when true.
pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
/// The artifact, or chart, could not be made. Only there when true.
pub const BUILD_FAILED: &str = "BuildFailed";
/// The upstream could not be fetched. Only there when true.
pub const FETCH_FAILED: &str = "FetchFailed";
/// An artifact to include is missing. Only there when true.
pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";
/// The signatures were checked. Only there when that is asked for.
pub const SOURCE_VERIFIED: &str = "SourceVerified";
/// The artifact storage failed. Only there when true.
pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
/// The outcome of the last release attempt: install, upgrade or test.
pub const RELEASED: &str = "Released";
/// The outcome of the last remediation: rollback or uninstall.
pub const REMEDIATED: &str = "Remediated";
/// The outcome of the last tests.
pub const TEST_SUCCESS: &str = "TestSuccess";
/// The release in the cluster is not as desired.
pub const DRIFTED: &str = "Drifted";
