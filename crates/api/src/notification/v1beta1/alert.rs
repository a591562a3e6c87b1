//! Alert.

use std::collections::BTreeMap;

use api_derive::shape;

use crate::meta::{Condition, LocalObjectReference, Object};
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
    /// Regular expressions for messages that are not sent.
    pub exclusion_list: Option<Vec<String>>,
    /// The provider to send to.
    pub provider_ref: LocalObjectReference,
    /// A short description of what it means that an event comes; eventMetadata is the newer way.
    pub summary: Option<String>,
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
        "HelmRepository",
        "ImageRepository",
        "ImagePolicy",
        "ImageUpdateAutomation",
        "OCIRepository"
    ))]
    pub kind: String,
    /// Labels that the objects have to have; with the name `*`.
    pub match_labels: Option<BTreeMap<String, String>>,
    /// The name of the object, or `*` for all.
    #[shape(min_length = 1, max_length = 53)]
    pub name: String,
    /// The namespace of the object; by default that of the alert.
    #[shape(min_length = 1, max_length = 53)]
    pub namespace: Option<String>,
}

/// The state of the alert.
#[shape(default({"observedGeneration": -1}))]
pub struct AlertStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
}
