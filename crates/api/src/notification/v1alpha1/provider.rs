//! Provider.

use api_derive::shape;

use crate::meta::{EarlyCondition, LooseObjectReference, Object};

/// Where events go.
pub type Provider = Object<ProviderSpec>;

/// A service that takes events: a chat, a Git host, a monitoring system.
#[shape]
pub struct ProviderSpec {
    /// The address; the Secret's `address` wins.
    pub address: Option<String>,
    /// The channel, room or topic.
    pub channel: Option<String>,
    /// A Secret with the login and, if wanted, the address and headers.
    pub secret_ref: Option<LooseObjectReference>,
    /// The service.
    #[shape(one_of("slack", "discord", "msteams", "rocket", "generic", "github", "gitlab"))]
    pub r#type: String,
    /// The name under which events are posted.
    pub username: Option<String>,
}

/// The state of the provider.
#[shape]
pub struct ProviderStatus {
    /// The conditions.
    pub conditions: Option<Vec<EarlyCondition>>,
}
