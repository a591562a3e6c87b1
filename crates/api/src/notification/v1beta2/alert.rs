//! Alert.

use std::collections::BTreeMap;

use api_derive::shape;

use crate::meta::{Condition, LocalObjectReference, Object};
use crate::notification::v1beta3::{EventSeverity, EventSource};

/// Which events to send where.
pub type Alert = Object<AlertSpec>;

/// Sends events about Flux objects to a provider.
#[shape]
pub struct AlertSpec {
    /// Facts to add to the events; they do not take the place of what the event says itself.
    pub event_metadata: Option<BTreeMap<String, String>>,
    /// The least severity of the events to send.
    #[shape(default("info"))]
    pub event_severity: Option<EventSeverity>,
    /// The objects whose events to send.
    pub event_sources: Vec<EventSource>,
    /// Regular expressions for messages that are not sent.
    pub exclusion_list: Option<Vec<String>>,
    /// Regular expressions of which a message has to match one to be sent.
    pub inclusion_list: Option<Vec<String>>,
    /// The provider to send to.
    pub provider_ref: LocalObjectReference,
    /// A short description of what it means that an event comes; eventMetadata is the newer way.
    #[shape(max_length = 255)]
    pub summary: Option<String>,
    /// Whether nothing is sent.
    pub suspend: Option<bool>,
}

/// The state of the alert.
#[shape(default({"observedGeneration": -1}))]
pub struct AlertStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
}
