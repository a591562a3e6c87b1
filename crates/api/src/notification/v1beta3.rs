//! The current version of Alert and Provider.

use std::collections::BTreeMap;

use api_derive::shape;

use super::{ALERT, PROVIDER};
use crate::kind::{HOURS, MINUTES};
use crate::meta::{Duration, LocalObjectReference, NoStatus, Object};

crate::kind::specs! {
    AlertSpec => ALERT, "v1beta3", NoStatus;
    ProviderSpec => PROVIDER, "v1beta3", NoStatus;
}

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

/// The severity of an event.
#[shape]
pub enum EventSeverity {
    /// All events.
    #[shape(name = "info")]
    Info,
    /// Failures.
    #[shape(name = "error")]
    Error,
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
        "OCIRepository",
        "ArtifactGenerator",
        "ExternalArtifact"
    ))]
    pub kind: String,
    /// Labels that the objects have to have; with the name `*`.
    pub match_labels: Option<BTreeMap<String, String>>,
    /// The name of the object, or `*` for all.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// The namespace of the object; by default that of the alert.
    #[shape(min_length = 1, max_length = 253)]
    pub namespace: Option<String>,
}

/// Where events go.
pub type Provider = Object<ProviderSpec>;

/// A service that takes events: a chat, a Git host, a monitoring system.
#[shape(rule(
    "self.type == 'github' || self.type == 'gitlab' || self.type == 'gitea' || self.type == 'bitbucketserver' || self.type == 'bitbucket' || self.type == 'azuredevops' || !has(self.commitStatusExpr)",
    "spec.commitStatusExpr is only supported for the 'github', 'gitlab', 'gitea', 'bitbucketserver', 'bitbucket', 'azuredevops' provider types"
))]
pub struct ProviderSpec {
    /// The address; the Secret's `address` wins.
    #[shape(max_length = 2048)]
    pub address: Option<String>,
    /// A Secret with the server's CA, or a client certificate, under `ca.crt`, `tls.crt` and `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// The channel, room or topic.
    #[shape(max_length = 2048)]
    pub channel: Option<String>,
    /// A CEL expression over `event`, `alert` and `provider` that gives the identity of a commit status.
    pub commit_status_expr: Option<String>,
    /// Without effect; kept for old manifests.
    #[shape(pattern = HOURS)]
    pub interval: Option<Duration>,
    /// The address of a proxy; proxySecretRef is the newer way.
    #[shape(pattern = "^(http|https)://.*$", max_length = 2048)]
    pub proxy: Option<String>,
    /// A Secret with the address of a proxy and, if needed, the login for it.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// A Secret with the login and, if wanted, the address and headers.
    pub secret_ref: Option<LocalObjectReference>,
    /// The ServiceAccount whose identity logs in with a cloud provider.
    pub service_account_name: Option<String>,
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
        "gitea",
        "giteapullrequestcomment",
        "bitbucketserver",
        "bitbucket",
        "azuredevops",
        "googlechat",
        "googlepubsub",
        "webex",
        "sentry",
        "azureeventhub",
        "telegram",
        "lark",
        "matrix",
        "opsgenie",
        "alertmanager",
        "grafana",
        "githubdispatch",
        "githubpullrequestcomment",
        "gitlabmergerequestcomment",
        "pagerduty",
        "datadog",
        "nats",
        "zulip",
        "otel"
    ))]
    pub r#type: String,
    /// The name under which events are posted.
    #[shape(max_length = 2048)]
    pub username: Option<String>,
}
