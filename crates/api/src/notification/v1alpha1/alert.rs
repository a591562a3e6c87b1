//! Alert.

use api_derive::shape;

use crate::meta::{EarlyCondition, LooseObjectReference, Object};
use crate::notification::v1beta3::EventSeverity;

/// Which events to send where.
pub type Alert = Object<AlertSpec>;

/// Sends events about Flux objects to a provider.
#[shape]
pub struct AlertSpec {
    /// The least severity of the events to send.
    #[shape(default("info"))]
    pub event_severity: Option<EventSeverity>,
    /// The objects whose events to send.
    pub event_sources: Vec<EventSource>,
    /// The provider to send to.
    pub provider_ref: LooseObjectReference,
    /// Whether nothing is sent.
    pub suspend: Option<bool>,
}

/// The objects whose events are sent.
#[shape]
pub struct EventSource {
    /// The group and version of the object.
    pub api_version: Option<String>,
    /// The kind of the object.
    #[shape(one_of(
        "Bucket",
        "GitRepository",
        "Kustomization",
        "HelmRelease",
        "HelmChart",
        "HelmRepository"
    ))]
    pub kind: Option<String>,
    /// The name of the object, or `*` for all.
    pub name: String,
    /// The namespace of the object; by default that of the alert.
    pub namespace: Option<String>,
}

/// The state of the alert.
#[shape]
pub struct AlertStatus {
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
}
