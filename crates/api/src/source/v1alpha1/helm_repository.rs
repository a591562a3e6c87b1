//! HelmRepository.

use api_derive::shape;

use super::Artifact;
use crate::meta::{Duration, EarlyCondition, LooseObjectReference, Object};

/// A repository of Helm charts.
pub type HelmRepository = Object<HelmRepositorySpec>;

/// A repository of Helm charts, over HTTP with an index or in a container registry.
#[shape]
pub struct HelmRepositorySpec {
    /// How often to fetch the index; of no use for a registry.
    pub interval: Duration,
    /// A Secret with `username` and `password`; for a registry also one of type
    /// kubernetes.io/dockerconfigjson.
    pub secret_ref: Option<LooseObjectReference>,
    /// How long fetching the index, or a chart from a registry, may take.
    pub timeout: Option<Duration>,
    /// The address; `oci://` for a registry.
    pub url: String,
}

/// The index that was fetched last.
#[shape]
pub struct HelmRepositoryStatus {
    /// The index as an artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
