//! Receiver.

use api_derive::shape;

use super::EventSource;
use crate::meta::{EarlyCondition, LooseObjectReference, Object};

/// A webhook.
pub type Receiver = Object<ReceiverSpec>;

/// A webhook by which others say that there is something new to reconcile.
#[shape]
pub struct ReceiverSpec {
    /// The events to act on; by default all.
    pub events: Option<Vec<String>>,
    /// The objects to reconcile.
    pub resources: Vec<EventSource>,
    /// A Secret with the `token` that callers prove to know.
    pub secret_ref: Option<LooseObjectReference>,
    /// Whether calls are ignored.
    pub suspend: Option<bool>,
    /// Who calls, and so how calls are checked and read.
    #[shape(one_of("generic", "github", "gitlab", "bitbucket", "harbor"))]
    pub r#type: String,
}

/// Where the webhook is.
#[shape]
pub struct ReceiverStatus {
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
    /// The path of the webhook; `webhookPath` takes its place.
    pub url: Option<String>,
}
