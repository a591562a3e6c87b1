//! Provider.

use api_derive::shape;

use crate::kind::MINUTES;
use crate::meta::{Condition, Duration, LocalObjectReference, Object};

/// Where events go.
pub type Provider = Object<ProviderSpec>;

/// A service that takes events: a chat, a Git host, a monitoring system.
#[shape]
pub struct ProviderSpec {
    /// The address; the Secret's `address` wins.
    #[shape(pattern = "^(http|https)://")]
    pub address: Option<String>,
    /// A Secret with the server's CA, or a client certificate, under `ca.crt`, `tls.crt` and `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// The channel, room or topic.
    pub channel: Option<String>,
    /// The address of a proxy; proxySecretRef is the newer way.
    #[shape(pattern = "^(http|https)://")]
    pub proxy: Option<String>,
    /// A Secret with the login and, if wanted, the address and headers.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether nothing is sent.
    pub suspend: Option<bool>,
    /// How long sending an event may take.
    #[shape(pattern = MINUTES)]
    pub timeout: Option<Duration>,
    /// The service.
    #[shape(one_of(
        "slack",
        "discord",
        "msteams",
        "rocket",
        "generic",
        "generic-hmac",
        "github",
        "gitlab",
        "bitbucket",
        "azuredevops",
        "googlechat",
        "webex",
        "sentry",
        "azureeventhub",
        "telegram",
        "lark",
        "matrix",
        "opsgenie",
        "alertmanager",
        "grafana",
        "githubdispatch"
    ))]
    pub r#type: String,
    /// The name under which events are posted.
    pub username: Option<String>,
}

/// The state of the provider.
#[shape(default({"observedGeneration": -1}))]
pub struct ProviderStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
}
