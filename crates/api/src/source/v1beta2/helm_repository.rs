//! HelmRepository.

use api_derive::shape;

use crate::kind::{HOURS, MINUTES};
use crate::meta::{AccessFrom, Artifact, Condition, Duration, LocalObjectReference, Object};

/// A repository of Helm charts.
pub type HelmRepository = Object<HelmRepositorySpec>;

/// A repository of Helm charts, over HTTP with an index or in a container registry.
#[shape]
pub struct HelmRepositorySpec {
    /// Which other namespaces may refer to this object. Reserved: it has no effect.
    pub access_from: Option<AccessFrom>,
    /// A Secret with the server's CA, or a client certificate, under `ca.crt`, `tls.crt` and `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Whether to talk HTTP to a registry, without TLS.
    pub insecure: Option<bool>,
    /// How often to fetch the index; of no use for a registry.
    #[shape(pattern = HOURS)]
    pub interval: Option<Duration>,
    /// Whether the login is also sent to other hosts that the index names.
    pub pass_credentials: Option<bool>,
    /// How to log in to a registry; `generic` uses the Secret.
    #[shape(one_of("generic", "aws", "azure", "gcp"), default("generic"))]
    pub provider: Option<String>,
    /// A Secret with `username` and `password`; for a registry also one of type
    /// kubernetes.io/dockerconfigjson.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long fetching the index, or a chart from a registry, may take.
    #[shape(pattern = MINUTES)]
    pub timeout: Option<Duration>,
    /// Whether it is a registry (`oci`) or has an index (`default`).
    #[shape(one_of("default", "oci"))]
    pub r#type: Option<String>,
    /// The address; `oci://` for a registry.
    #[shape(pattern = "^(http|https|oci)://.*$")]
    pub url: String,
}

/// The index that was fetched last.
#[shape(default({"observedGeneration": -1}))]
pub struct HelmRepositoryStatus {
    /// The index as an artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
