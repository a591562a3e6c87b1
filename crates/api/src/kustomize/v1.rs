//! The current version.

use std::collections::BTreeMap;

use api_derive::shape;

use super::KUSTOMIZATION;
use crate::kind::HOURS;
use crate::meta::{
    CommonMetadata, Condition, CustomHealthCheck, DependencyReference, Duration, IgnoreRule, Image,
    Inventory, KubeConfigReference, LocalObjectReference, NamespacedObjectKindReference, Object,
    Patch, Snapshot,
};

crate::kind::specs! {
    KustomizationSpec => KUSTOMIZATION, "v1", KustomizationStatus;
}

/// A path of manifests to apply.
pub type Kustomization = Object<KustomizationSpec>;

/// A path of manifests in a source, built with Kustomize and applied to a cluster.
#[shape]
pub struct KustomizationSpec {
    /// Annotations by which Kustomize notes where objects come from.
    pub build_metadata: Option<Vec<BuildMetadata>>,
    /// Labels and annotations that every object gets.
    pub common_metadata: Option<CommonMetadata>,
    /// Kustomize components to add, as paths relative to `path`.
    pub components: Option<Vec<String>>,
    /// How to decrypt Secrets.
    pub decryption: Option<Decryption>,
    /// What happens to the objects when this one is deleted.
    pub deletion_policy: Option<DeletionPolicy>,
    /// Kustomizations that have to be ready first.
    pub depends_on: Option<Vec<DependencyReference>>,
    /// Whether to recreate objects when a field that cannot change has changed.
    #[shape(default(false))]
    pub force: Option<bool>,
    /// How to see whether custom resources are healthy.
    pub health_check_exprs: Option<Vec<CustomHealthCheck>>,
    /// Objects that have to be healthy for this one to be ready.
    pub health_checks: Option<Vec<NamespacedObjectKindReference>>,
    /// Fields that are left to others when objects are applied.
    pub ignore: Option<Vec<IgnoreRule>>,
    /// Whether components whose path does not exist are passed over.
    pub ignore_missing_components: Option<bool>,
    /// Images to replace.
    pub images: Option<Vec<Image>>,
    /// How often to reconcile.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// The cluster to apply to; by default the one this object lives in.
    pub kube_config: Option<KubeConfigReference>,
    /// A prefix for the names of all objects.
    #[shape(min_length = 1, max_length = 200)]
    pub name_prefix: Option<String>,
    /// A suffix for the names of all objects.
    #[shape(min_length = 1, max_length = 200)]
    pub name_suffix: Option<String>,
    /// Patches to apply to the objects.
    pub patches: Option<Vec<Patch>>,
    /// The folder in the source; by default its root. Without a kustomization.yaml there, one with all
    /// manifests below is made up.
    pub path: Option<String>,
    /// What to substitute in the manifests once they are built.
    pub post_build: Option<PostBuild>,
    /// Whether to delete objects that are no longer in the source.
    pub prune: bool,
    /// How often to retry after a failure; by default the interval.
    #[shape(pattern = HOURS)]
    pub retry_interval: Option<Duration>,
    /// The ServiceAccount to act as.
    pub service_account_name: Option<String>,
    /// The source of the manifests.
    pub source_ref: CrossNamespaceSourceReference,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// The namespace that all objects are put in.
    #[shape(min_length = 1, max_length = 63)]
    pub target_namespace: Option<String>,
    /// How long building, applying and waiting for health may take; by default the interval.
    #[shape(pattern = HOURS)]
    pub timeout: Option<Duration>,
    /// Whether to wait for all objects to be healthy; `healthChecks` is then not looked at.
    pub wait: Option<bool>,
}

/// What Kustomize notes about where objects come from.
#[shape]
pub enum BuildMetadata {
    /// The file each object comes from.
    #[shape(name = "originAnnotations")]
    OriginAnnotations,
    /// The transformers that changed it.
    #[shape(name = "transformerAnnotations")]
    TransformerAnnotations,
}

/// What happens to the objects when the Kustomization is deleted.
#[shape]
pub enum DeletionPolicy {
    /// They are deleted if `prune` is on. The default.
    MirrorPrune,
    /// They are deleted.
    Delete,
    /// They are deleted, and the Kustomization stays until they are gone.
    WaitForTermination,
    /// They stay.
    Orphan,
}

/// How to decrypt Secrets.
#[shape]
pub struct Decryption {
    /// The form of encryption.
    #[shape(one_of("sops"))]
    pub provider: String,
    /// A Secret with the keys, or with the login for a key service.
    pub secret_ref: Option<LocalObjectReference>,
    /// The ServiceAccount whose identity logs in with a cloud's key service.
    pub service_account_name: Option<String>,
}

/// What to substitute in the manifests once they are built.
#[shape]
pub struct PostBuild {
    /// Variables and their values. They win over those of `substituteFrom`.
    pub substitute: Option<BTreeMap<String, String>>,
    /// ConfigMaps and Secrets whose data are variables. The later ones win.
    pub substitute_from: Option<Vec<SubstituteReference>>,
    /// Whether to substitute also when there are no variables.
    pub substitute_strategy: Option<SubstituteStrategy>,
}

/// When to substitute.
#[shape]
pub enum SubstituteStrategy {
    /// When there are variables. The default.
    WithVariables,
    /// Always, so that defaults in the manifests take effect.
    Always,
}

/// A ConfigMap or Secret whose data are variables.
#[shape]
pub struct SubstituteReference {
    /// Its kind.
    #[shape(one_of("Secret", "ConfigMap"))]
    pub kind: String,
    /// Its name.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// Whether it may be missing.
    #[shape(default(false))]
    pub optional: Option<bool>,
}

/// The source of the manifests.
#[shape]
pub struct CrossNamespaceSourceReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"))]
    pub kind: String,
    /// The name of the source.
    pub name: String,
    /// The namespace of the source; by default that of the Kustomization.
    pub namespace: Option<String>,
}

/// What was applied last.
#[shape(default({"observedGeneration": -1}))]
pub struct KustomizationStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last reconciliations, newest first.
    pub history: Option<Vec<Snapshot>>,
    /// The objects that were applied.
    pub inventory: Option<Inventory>,
    /// The origin revision of the artifact that was applied last.
    pub last_applied_origin_revision: Option<String>,
    /// The revision that was applied last with success.
    pub last_applied_revision: Option<String>,
    /// The revision that was tried last.
    pub last_attempted_revision: Option<String>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
}
