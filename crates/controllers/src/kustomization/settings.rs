//! What the flags say about Kustomizations.

use std::time::Duration;

use runtime::Options;

/// Settings of the controller of Kustomizations; the defaults are Flux's, but for what makes waiting free.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many are at work at once, and how failures are slowed down.
    pub run: Options,
    /// How many objects of one Kustomization are applied at once (`--concurrent-ssa`).
    pub concurrent_apply: usize,
    /// How often dependencies and sources that are not ready are looked at again, besides when they change
    /// (`--requeue-dependency`).
    pub requeue_dependency: Duration,
    /// The account to act as where the spec names none (`--default-service-account`).
    pub default_service_account: String,
    /// Whether sources in other namespaces are refused (`--no-cross-namespace-refs`).
    pub no_cross_namespace_refs: bool,
    /// Whether remote bases are refused (`--no-remote-bases`).
    pub no_remote_bases: bool,
    /// Whether kubeconfigs may turn off the verification of TLS (`--insecure-kubeconfig-tls`).
    pub insecure_kubeconfig_tls: bool,
    /// Field managers whose fields are taken over (`--override-manager`).
    pub override_managers: Vec<String>,
    /// Kinds, as `<group>/<kind>`, that are applied before the namespaced rest (`--custom-apply-stage-kinds`).
    pub custom_stage_kinds: Vec<String>,
    /// How often the download of an artifact is tried again (`--http-retry`).
    pub http_retry: u32,
    /// A Secret in the namespace of the controller with an age key for all (`--sops-age-secret`).
    pub sops_age_secret: String,
    /// The namespace of the controller (`RUNTIME_NAMESPACE`).
    pub runtime_namespace: String,
    /// Whether changes of applied objects are seen and undone at once (`--drift-watch`); else at the interval.
    pub drift_watch: bool,
    /// Whether errors end in the file and line that the object comes from.
    pub provenance: bool,
    /// Feature gate `AdditiveCELDependencyCheck`.
    pub additive_dependency_check: bool,
    /// Feature gate `ExternalArtifact`.
    pub allow_external_artifact: bool,
    /// Feature gate `DisableFailFastBehavior`, the other way round.
    pub fail_fast: bool,
    /// Feature gate `StrictPostBuildSubstitutions`.
    pub strict_substitutions: bool,
    /// Feature gate `MigrateAPIVersion`.
    pub migrate_api_version: bool,
    /// Feature gate `ObjectLevelWorkloadIdentity`.
    pub object_level_identity: bool,
    /// How long an unchanged state may stay unwritten: counts and times of the history lag behind by this.
    pub history_lag: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run: Options::default(),
            concurrent_apply: 4,
            requeue_dependency: Duration::from_secs(30),
            default_service_account: String::new(),
            no_cross_namespace_refs: false,
            no_remote_bases: false,
            insecure_kubeconfig_tls: false,
            override_managers: Vec::new(),
            custom_stage_kinds: Vec::new(),
            http_retry: 9,
            sops_age_secret: String::new(),
            runtime_namespace: String::new(),
            drift_watch: true,
            provenance: true,
            additive_dependency_check: false,
            allow_external_artifact: false,
            fail_fast: true,
            strict_substitutions: true,
            migrate_api_version: false,
            object_level_identity: false,
            history_lag: Duration::from_secs(600),
        }
    }
}
