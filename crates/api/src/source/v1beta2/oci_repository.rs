//! OCIRepository.

use api_derive::shape;

use crate::kind::{HOURS, MINUTES};
use crate::meta::{Artifact, Condition, Duration, LocalObjectReference, Object};
use crate::source::v1::{OciLayerSelector, OciRepositoryRef, OciVerification};

/// An OCI artifact.
pub type OciRepository = Object<OciRepositorySpec>;

/// An artifact in a container registry, fetched at an interval.
#[shape]
pub struct OciRepositorySpec {
    /// A Secret with the registry's CA, or a client certificate, under `ca.crt`, `tls.crt` and `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Patterns in the form of .gitignore for what is left out of the artifact, in place of the default
    /// ones.
    pub ignore: Option<String>,
    /// Whether to talk HTTP, without TLS.
    pub insecure: Option<bool>,
    /// How often to look for changes.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// Which layer to take, and what to do with it; by default the first one is unpacked.
    pub layer_selector: Option<OciLayerSelector>,
    /// How to log in; `generic` uses the Secret or the ServiceAccount.
    #[shape(one_of("generic", "aws", "azure", "gcp"), default("generic"))]
    pub provider: Option<String>,
    /// A Secret with the address of a proxy and, if needed, the login for it.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Which artifact to take; by default the tag `latest`.
    #[shape(name = "ref")]
    pub reference: Option<OciRepositoryRef>,
    /// A Secret of type kubernetes.io/dockerconfigjson with the login.
    pub secret_ref: Option<LocalObjectReference>,
    /// The ServiceAccount whose image pull secrets, or cloud identity, log in.
    pub service_account_name: Option<String>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long an operation on the registry may take.
    #[shape(pattern = MINUTES, default("60s"))]
    pub timeout: Option<Duration>,
    /// The address: `oci://<host>/<repository>`.
    #[shape(pattern = "^oci://.*$")]
    pub url: String,
    /// How to check the artifact's signature.
    pub verify: Option<OciVerification>,
}

/// What was fetched last.
#[shape(default({"observedGeneration": -1}))]
pub struct OciRepositoryStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// A digest of the settings the artifact was made with.
    pub content_config_checksum: Option<String>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The patterns the artifact was made with.
    pub observed_ignore: Option<String>,
    /// The layer the artifact was made of.
    pub observed_layer_selector: Option<OciLayerSelector>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
