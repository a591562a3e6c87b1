//! Version v1alpha1, no longer current.

use api_derive::shape;

use super::KUSTOMIZATION;
use crate::kustomize::v1beta1::{AppliedKinds, CrossNamespaceSourceReference};
use crate::meta::{
    Duration, EarlyCondition, LooseObjectReference, NamespacedObjectKindReference,
    NamespacedObjectReference, Object,
};

crate::kind::specs! {
    KustomizationSpec => KUSTOMIZATION, "v1alpha1", KustomizationStatus;
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
    /// Objects that have to be healthy for this one to be ready.
    pub health_checks: Option<Vec<NamespacedObjectKindReference>>,
    /// How often to reconcile.
    pub interval: Duration,
    /// The folder in the source; by default its root. Without a kustomization.yaml there, one with all
    /// manifests below is made up.
    #[shape(pattern = "^\\./")]
    pub path: String,
    /// Whether to delete objects that are no longer in the source.
    pub prune: bool,
    /// The ServiceAccount to act as.
    pub service_account: Option<ServiceAccount>,
    /// The source of the manifests.
    pub source_ref: CrossNamespaceSourceReference,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long building, applying and waiting for health may take; by default the interval.
    pub timeout: Option<Duration>,
    /// How manifests were checked before server-side apply. Without effect.
    #[shape(one_of("client", "server"))]
    pub validation: Option<String>,
}

/// How to decrypt Secrets.
#[shape]
pub struct Decryption {
    /// The form of encryption.
    #[shape(one_of("sops"))]
    pub provider: String,
    /// A Secret with the keys, or with the login for a key service.
    pub secret_ref: Option<LooseObjectReference>,
}

/// A ServiceAccount.
#[shape]
pub struct ServiceAccount {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// What was applied last.
#[shape]
pub struct KustomizationStatus {
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
    /// The revision that was applied last with success.
    pub last_applied_revision: Option<String>,
    /// The revision that was tried last.
    pub last_attempted_revision: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The kinds that were applied last, by namespace.
    pub snapshot: Option<AppliedKinds>,
}
