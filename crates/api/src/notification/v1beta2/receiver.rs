//! Receiver.

use api_derive::shape;

use crate::kind::HOURS;
use crate::meta::{Condition, Duration, LocalObjectReference, Object};
use crate::notification::v1beta3::EventSource;

/// A webhook.
pub type Receiver = Object<ReceiverSpec>;

/// A webhook by which others say that there is something new to reconcile.
#[shape]
pub struct ReceiverSpec {
    /// The events to act on; by default all.
    pub events: Option<Vec<String>>,
    /// How often to reconcile this object.
    #[shape(pattern = HOURS)]
    pub interval: Option<Duration>,
    /// The objects to reconcile.
    pub resources: Vec<EventSource>,
    /// A Secret with the `token` that callers prove to know.
    pub secret_ref: LocalObjectReference,
    /// Whether calls are ignored.
    pub suspend: Option<bool>,
    /// Who calls, and so how calls are checked and read.
    #[shape(one_of(
        "generic",
        "generic-hmac",
        "github",
        "gitlab",
        "bitbucket",
        "harbor",
        "dockerhub",
        "quay",
        "gcr",
        "nexus",
        "acr"
    ))]
    pub r#type: String,
}

/// Where the webhook is.
#[shape(default({"observedGeneration": -1}))]
pub struct ReceiverStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The path of the webhook; `webhookPath` takes its place.
    pub url: Option<String>,
    /// The path of the webhook: `/hook/` and a digest.
    pub webhook_path: Option<String>,
}
