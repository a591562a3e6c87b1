//! Reasons of conditions and events.

// Shared by all controllers.

/// It went well.
pub const SUCCEEDED: &str = "Succeeded";
/// It went wrong.
pub const FAILED: &str = "Failed";
/// It has begun.
pub const PROGRESSING: &str = "Progressing";
/// It went wrong and is tried again.
pub const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
/// The object is suspended.
pub const SUSPENDED: &str = "Suspended";
/// The reconciliation went well.
pub const RECONCILIATION_SUCCEEDED: &str = "ReconciliationSucceeded";
/// The reconciliation went wrong.
pub const RECONCILIATION_FAILED: &str = "ReconciliationFailed";
/// An object that this one depends on is not ready.
pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
/// The artifact of the source could not be had.
pub const ARTIFACT_FAILED: &str = "ArtifactFailed";
/// The manifests could not be built.
pub const BUILD_FAILED: &str = "BuildFailed";
/// Objects that are no longer desired could not be deleted.
pub const PRUNE_FAILED: &str = "PruneFailed";
/// An object is not healthy, or was not in time.
pub const HEALTH_CHECK_FAILED: &str = "HealthCheckFailed";
/// The health check gave way to a new revision.
pub const HEALTH_CHECK_CANCELED: &str = "HealthCheckCanceled";
/// A feature is used whose gate is off.
pub const FEATURE_GATE_DISABLED: &str = "FeatureGateDisabled";
/// A CEL expression of the spec is wrong.
pub const INVALID_CEL_EXPRESSION: &str = "InvalidCELExpression";
/// A path is wrong.
pub const INVALID_PATH: &str = "InvalidPath";
/// A URL is wrong.
pub const INVALID_URL: &str = "InvalidURL";
/// Plain HTTP is not allowed.
pub const INSECURE_CONNECTIONS_DISALLOWED: &str = "InsecureConnectionsDisallowed";
/// The protocol is not supported.
pub const UNSUPPORTED_CONNECTION_TYPE: &str = "UnsupportedConnectionType";
/// An access list denies the reference.
pub const ACCESS_DENIED: &str = "AccessDenied";
/// The login is refused, or its Secret lacks a key.
pub const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
/// The spec is wrong.
pub const VALIDATION_FAILED: &str = "ValidationFailed";
/// Something could not be read.
pub const READ_OPERATION_FAILED: &str = "ReadOperationFailed";
// source-controller.

/// The lock of the artifact could not be had.
pub const ACQUIRE_LOCK_FAILED: &str = "AcquireLockFailed";
/// The archive could not be written.
pub const ARCHIVE_OPERATION_FAILED: &str = "ArchiveOperationFailed";
/// The stored artifact is of the latest revision.
pub const ARTIFACT_UP_TO_DATE: &str = "ArtifactUpToDate";
/// A stored artifact is not as its digest says.
pub const ARTIFACT_VERIFICATION_FAILED: &str = "ArtifactVerificationFailed";
/// The bucket could not be listed or fetched.
pub const BUCKET_OPERATION_FAILED: &str = "BucketOperationFailed";
/// The bucket was listed and fetched.
pub const BUCKET_OPERATION_SUCCEEDED: &str = "BucketOperationSucceeded";
/// The cache of indexes failed.
pub const CACHE_OPERATION_FAILED: &str = "CacheOperationFailed";
/// The chart was packaged.
pub const CHART_PACKAGE_SUCCEEDED: &str = "ChartPackageSucceeded";
/// The chart was pulled.
pub const CHART_PULL_SUCCEEDED: &str = "ChartPullSucceeded";
/// The files of an included artifact could not be copied.
pub const COPY_FAILURE: &str = "CopyFailure";
/// A folder could not be made.
pub const DIRECTORY_CREATION_FAILED: &str = "DirectoryCreationFailed";
/// The Git repository has no commit.
pub const EMPTY_GIT_REPOSITORY: &str = "EmptyGitRepository";
/// Old artifacts could not be deleted.
pub const GARBAGE_COLLECTION_FAILED: &str = "GarbageCollectionFailed";
/// Old artifacts were deleted.
pub const GARBAGE_COLLECTION_SUCCEEDED: &str = "GarbageCollectionSucceeded";
/// Git could not clone, check out or push.
pub const GIT_OPERATION_FAILED: &str = "GitOperationFailed";
/// Git could.
pub const GIT_OPERATION_SUCCEEDED: &str = "GitOperationSucceeded";
/// The path of an inclusion leads out of the artifact.
pub const ILLEGAL_PATH: &str = "IllegalPath";
/// An included artifact has changed.
pub const INCLUDE_CHANGE: &str = "IncludeChange";
/// The index of charts could not be fetched or read.
pub const INDEXATION_FAILED: &str = "IndexationFailed";
/// The signature of the commit is wrong.
pub const INVALID_COMMIT_SIGNATURE: &str = "InvalidCommitSignature";
/// The tag is not signed.
pub const INVALID_GIT_OBJECT: &str = "InvalidGitObject";
/// The provider does not go with the other settings.
pub const INVALID_PROVIDER_CONFIGURATION: &str = "InvalidProviderConfiguration";
/// The security token service does not go with the other settings.
pub const INVALID_STS_CONFIGURATION: &str = "InvalidSTSConfiguration";
/// The signature of the tag is wrong.
pub const INVALID_TAG_SIGNATURE: &str = "InvalidTagSignature";
/// What is to be verified is not there to be verified.
pub const INVALID_VERIFICATION_MODE: &str = "InvalidVerificationMode";
/// An artifact was stored.
pub const NEW_ARTIFACT: &str = "NewArtifact";
/// There is a new chart.
pub const NEW_CHART: &str = "NewChart";
/// There is a new revision.
pub const NEW_REVISION: &str = "NewRevision";
/// The GitRepository to include has no artifact.
pub const NO_ARTIFACT: &str = "NoArtifact";
/// The source of the chart has no artifact.
pub const NO_SOURCE_ARTIFACT: &str = "NoSourceArtifact";
/// The GitRepository to include is not there.
pub const NOT_FOUND: &str = "NotFound";
/// The layer could not be taken out of the OCI artifact.
pub const OCI_ARTIFACT_LAYER_OPERATION_FAILED: &str = "OCIArtifactLayerOperationFailed";
/// The OCI artifact could not be pulled.
pub const OCI_ARTIFACT_PULL_FAILED: &str = "OCIArtifactPullFailed";
/// The object could not be patched.
pub const PATCH_OPERATION_FAILED: &str = "PatchOperationFailed";
/// The dependencies of the chart were added.
pub const RESOLVED_DEPENDENCIES: &str = "ResolvedDependencies";
/// The patterns of .sourceignore could not be read.
pub const SOURCE_IGNORE_ERROR: &str = "SourceIgnoreError";
/// The source of the chart is not there.
pub const SOURCE_UNAVAILABLE: &str = "SourceUnavailable";
/// A file could not be looked at.
pub const STAT_OPERATION_FAILED: &str = "StatOperationFailed";
/// The link to the latest artifact could not be set.
pub const SYMLINK_UPDATE_FAILED: &str = "SymlinkUpdateFailed";
/// The URL of the source is wrong.
pub const URL_INVALID: &str = "URLInvalid";
/// The source is of a kind that holds no charts.
pub const UNSUPPORTED_SOURCE_KIND: &str = "UnsupportedSourceKind";
/// The signature could not be checked, or is wrong.
pub const VERIFICATION_ERROR: &str = "VerificationError";
// helm-controller.

/// The release waits for its tests.
pub const AWAITING_TESTS: &str = "AwaitingTests";
/// The chart could not be made ready for the release.
pub const CHART_MUTATE_ERROR: &str = "ChartMutateError";
/// Helm could not be set up.
pub const CONFIG_FACTORY_ERR: &str = "ConfigFactoryErr";
/// Changes that others made were undone.
pub const DRIFT_CORRECTED: &str = "DriftCorrected";
/// Changes that others made could not be undone.
pub const DRIFT_CORRECTION_FAILED: &str = "DriftCorrectionFailed";
/// Others have made changes.
pub const DRIFT_DETECTED: &str = "DriftDetected";
/// Nobody has made changes.
pub const NO_DRIFT_DETECTED: &str = "NoDriftDetected";
/// Helm could not be set up.
pub const FACTORY_ERROR: &str = "FactoryError";
/// The HelmChart of the release was deleted.
pub const HELM_CHART_DELETED: &str = "HelmChartDeleted";
/// The HelmChart of the release could not be made.
pub const HELM_CHART_SYNC_ERR: &str = "HelmChartSyncErr";
/// Installing went wrong.
pub const INSTALL_FAILED: &str = "InstallFailed";
/// It is installed.
pub const INSTALL_SUCCEEDED: &str = "InstallSucceeded";
/// The inventory could not be made.
pub const INVENTORY_BUILD_FAILED: &str = "InventoryBuildFailed";
/// There is no revision to roll back to.
pub const MISSING_ROLLBACK_TARGET: &str = "MissingRollbackTarget";
/// Whether objects have a namespace could not be found out.
pub const NAMESPACE_CHECK_SKIPPED: &str = "NamespaceCheckSkipped";
/// The release is locked by an action that did not end.
pub const PENDING_RELEASE: &str = "PendingRelease";
/// The cluster could not be reached.
pub const REST_CLIENT_ERROR: &str = "RESTClientError";
/// The action went wrong.
pub const RECONCILE_ERROR: &str = "ReconcileError";
/// The objects could not be compared or applied.
pub const RESOURCE_MANAGER_ERROR: &str = "ResourceManagerError";
/// It went wrong as often as it may.
pub const RETRIES_EXCEEDED: &str = "RetriesExceeded";
/// Rolling back went wrong.
pub const ROLLBACK_FAILED: &str = "RollbackFailed";
/// It is rolled back.
pub const ROLLBACK_SUCCEEDED: &str = "RollbackSucceeded";
/// The source of the chart is not ready.
pub const SOURCE_NOT_READY: &str = "SourceNotReady";
/// The state of the release could not be found out.
pub const STATE_ERROR: &str = "StateError";
/// A test failed.
pub const TEST_FAILED: &str = "TestFailed";
/// The tests passed.
pub const TEST_SUCCEEDED: &str = "TestSucceeded";
/// Uninstalling went wrong.
pub const UNINSTALL_FAILED: &str = "UninstallFailed";
/// It is uninstalled.
pub const UNINSTALL_SUCCEEDED: &str = "UninstallSucceeded";
/// Upgrading went wrong.
pub const UPGRADE_FAILED: &str = "UpgradeFailed";
/// It is upgraded.
pub const UPGRADE_SUCCEEDED: &str = "UpgradeSucceeded";
/// The values could not be put together.
pub const VALUES_ERROR: &str = "ValuesError";
// notification-controller.

/// The object is set up.
pub const INITIALIZED: &str = "Initialized";
/// A selector or expression of the alert is wrong.
pub const INVALID_CONFIG: &str = "InvalidConfig";
/// The metadata of the event could not be added.
pub const METADATA_APPEND_FAILED: &str = "MetadataAppendFailed";
/// The object was changed for a new version.
pub const MIGRATION: &str = "Migration";
/// The event could not be sent.
pub const NOTIFICATION_DISPATCH_FAILED: &str = "NotificationDispatchFailed";
/// The Secret has no token.
pub const TOKEN_NOT_FOUND: &str = "TokenNotFound";
// image-reflector-controller and image-automation-controller.

/// The image could not be looked up.
pub const FAILURE: &str = "Failure";
/// The image is no image.
pub const IMAGE_URL_INVALID: &str = "ImageURLInvalid";
/// The interval is missing.
pub const INTERVAL_NOT_CONFIGURED: &str = "IntervalNotConfigured";
/// The policy is wrong.
pub const INVALID_POLICY: &str = "InvalidPolicy";
/// The selector of policies is wrong.
pub const INVALID_POLICY_SELECTOR: &str = "InvalidPolicySelector";
/// The source is not one that can be written to.
pub const INVALID_SOURCE_CONFIG: &str = "InvalidSourceConfiguration";
/// The way of changing files is wrong.
pub const INVALID_UPDATE_STRATEGY: &str = "InvalidUpdateStrategy";
/// The template of the message uses a field that is no more.
pub const REMOVED_TEMPLATE_FIELD: &str = "RemovedTemplateField";
/// The source could not be opened.
pub const SOURCE_MANAGER_FAILED: &str = "SourceManagerFailed";
/// The files could not be changed.
pub const UPDATE_FAILED: &str = "UpdateFailed";
// source-watcher.

/// The annotation says not to reconcile.
pub const RECONCILIATION_DISABLED: &str = "ReconciliationDisabled";
/// A source could not be fetched.
pub const SOURCE_FETCH_FAILED: &str = "SourceFetchFailed";
