//! Version v1beta1, no longer current.

use std::collections::BTreeMap;

use api_derive::shape;
use serde_json::Value;

use super::KUSTOMIZATION;
use crate::kustomize::v1beta2::Decryption;
use crate::meta::{
    Condition, Duration, Image, JsonPatch, LocalObjectReference, NamespacedObjectKindReference,
    NamespacedObjectReference, Object, Patch,
};

crate::kind::specs! {
    KustomizationSpec => KUSTOMIZATION, "v1beta1", KustomizationStatus;
}

/// A path of manifests to apply.
pub type Kustomization = Object<KustomizationSpec>;

/// A path of manifests in a source, built with Kustomize and applied to a cluster.
#[shape]
pub struct KustomizationSpec {
    /// How to decrypt Secrets.
    pub decryption: Option<Decryption>,
    /// Kustomizations that have to be ready first.
    pub depends_on: Option<Vec<NamespacedObjectReference>>,
    /// Whether to recreate objects when a field that cannot change has changed.
    #[shape(default(false))]
    pub force: Option<bool>,
    /// Objects that have to be healthy for this one to be ready.
    pub health_checks: Option<Vec<NamespacedObjectKindReference>>,
    /// Images to replace.
    pub images: Option<Vec<Image>>,
    /// How often to reconcile.
    pub interval: Duration,
    /// The cluster to apply to; by default the one this object lives in.
    pub kube_config: Option<KubeConfigReference>,
    /// Patches to apply to the objects.
    pub patches: Option<Vec<Patch>>,
    /// JSON 6902 patches; `patches` take their place.
    pub patches_json6902: Option<Vec<JsonPatch>>,
    /// Strategic merge patches; `patches` take their place.
    pub patches_strategic_merge: Option<Vec<Value>>,
    /// The folder in the source; by default its root. Without a kustomization.yaml there, one with all
    /// manifests below is made up.
    pub path: Option<String>,
    /// What to substitute in the manifests once they are built.
    pub post_build: Option<PostBuild>,
    /// Whether to delete objects that are no longer in the source.
    pub prune: bool,
    /// How often to retry after a failure; by default the interval.
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
    pub timeout: Option<Duration>,
    /// How manifests were checked before server-side apply. Without effect.
    #[shape(one_of("none", "client", "server"))]
    pub validation: Option<String>,
}

/// How to reach another cluster.
#[shape]
pub struct KubeConfigReference {
    /// A Secret that holds a kubeconfig file, by default under the key `value`, else `value.yaml`.
    /// Programs for logging in that it names are not available to the controller.
    pub secret_ref: LocalObjectReference,
}

/// What to substitute in the manifests once they are built.
#[shape]
pub struct PostBuild {
    /// Variables and their values. They win over those of `substituteFrom`.
    pub substitute: Option<BTreeMap<String, String>>,
    /// ConfigMaps and Secrets whose data are variables. The later ones win.
    pub substitute_from: Option<Vec<SubstituteReference>>,
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
}

/// The source of the manifests.
#[shape]
pub struct CrossNamespaceSourceReference {
    /// The group and version of the source.
    pub api_version: Option<String>,
    /// The kind of the source.
    #[shape(one_of("GitRepository", "Bucket"))]
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
    /// The revision that was applied last with success.
    pub last_applied_revision: Option<String>,
    /// The revision that was tried last.
    pub last_attempted_revision: Option<String>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The kinds that were applied last, by namespace.
    pub snapshot: Option<AppliedKinds>,
}

/// The kinds that were applied, by namespace.
#[shape]
pub struct AppliedKinds {
    /// A SHA-1 of the manifests.
    pub checksum: String,
    /// The kinds, by namespace.
    pub entries: Vec<AppliedKindsEntry>,
}

/// The kinds that were applied to one namespace.
#[shape]
pub struct AppliedKindsEntry {
    /// The kinds, by group and version.
    pub kinds: BTreeMap<String, String>,
    /// The namespace; empty for objects of the cluster.
    pub namespace: Option<String>,
}
