//! HelmRepository.

use api_derive::shape;

use super::Artifact;
use crate::meta::{AccessFrom, Condition, Duration, LocalObjectReference, Object};

/// A repository of Helm charts.
pub type HelmRepository = Object<HelmRepositorySpec>;

/// A repository of Helm charts, over HTTP with an index or in a container registry.
#[shape]
pub struct HelmRepositorySpec {
    /// Which other namespaces may refer to this object. Reserved: it has no effect.
    pub access_from: Option<AccessFrom>,
    /// How often to fetch the index; of no use for a registry.
    pub interval: Duration,
    /// Whether the login is also sent to other hosts that the index names.
    pub pass_credentials: Option<bool>,
    /// A Secret with `username` and `password`; for a registry also one of type
    /// kubernetes.io/dockerconfigjson.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long fetching the index, or a chart from a registry, may take.
    #[shape(default("60s"))]
    pub timeout: Option<Duration>,
    /// The address; `oci://` for a registry.
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
