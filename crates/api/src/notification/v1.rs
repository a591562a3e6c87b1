//! The current version of Receiver.

use std::collections::BTreeMap;

use api_derive::shape;

use super::RECEIVER;
use crate::kind::HOURS;
use crate::meta::{Condition, Duration, LocalObjectReference, Object};

crate::kind::specs! {
    ReceiverSpec => RECEIVER, "v1", ReceiverStatus;
}

/// A webhook.
pub type Receiver = Object<ReceiverSpec>;

/// A webhook by which others say that there is something new to reconcile.
#[shape(
    rule(
        "self.type != 'generic-oidc' || (has(self.oidcProviders) && size(self.oidcProviders) > 0)",
        "generic-oidc receivers must define at least one oidcProvider"
    ),
    rule(
        "self.type == 'generic-oidc' || !has(self.oidcProviders) || size(self.oidcProviders) == 0",
        "oidcProviders can only be set when type is generic-oidc"
    ),
    rule(
        "self.type != 'generic-oidc' || !has(self.secretRef)",
        "secretRef cannot be set when type is generic-oidc"
    ),
    rule(
        "self.type == 'generic-oidc' || has(self.secretRef)",
        "secretRef is required when type is not generic-oidc"
    )
)]
pub struct ReceiverSpec {
    /// The events to act on; by default all.
    pub events: Option<Vec<String>>,
    /// How often to reconcile this object.
    #[shape(pattern = HOURS, default("10m"))]
    pub interval: Option<Duration>,
    /// Who may call with a token of their own.
    #[shape(list_type = "map", list_map_keys("issuerURL"))]
    pub oidc_providers: Option<Vec<OidcProvider>>,
    /// A CEL expression over `req` that names the resources to reconcile.
    pub resource_filter: Option<String>,
    /// The objects to reconcile.
    pub resources: Vec<CrossNamespaceObjectReference>,
    /// A Secret with the `token` that callers prove to know.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether calls are ignored.
    pub suspend: Option<bool>,
    /// Who calls, and so how calls are checked and read.
    #[shape(one_of(
        "generic",
        "generic-hmac",
        "generic-oidc",
        "github",
        "gitlab",
        "bitbucket",
        "harbor",
        "dockerhub",
        "quay",
        "gcr",
        "nexus",
        "acr",
        "cdevents"
    ))]
    pub r#type: String,
}

/// An issuer of tokens, and what they have to say.
#[shape]
pub struct OidcProvider {
    /// The audience of the tokens; by default made of the address of the webhook.
    pub audience: Option<String>,
    /// The address of the issuer.
    #[shape(name = "issuerURL", pattern = "^https?://")]
    pub issuer_url: String,
    /// What the token has to fulfil.
    #[shape(min_items = 1)]
    pub validations: Vec<OidcValidation>,
    /// Values for the validations.
    pub variables: Option<Vec<OidcVariable>>,
}

/// What a token has to fulfil.
#[shape]
pub struct OidcValidation {
    /// A CEL expression that is true for a good token.
    pub expression: String,
    /// What to say when it is not.
    pub message: String,
}

/// A value for the validations.
#[shape]
pub struct OidcVariable {
    /// A CEL expression that gives the value.
    pub expression: String,
    /// The name of the value.
    pub name: String,
}

/// An object that events are about, or that is to be reconciled.
#[shape]
pub struct CrossNamespaceObjectReference {
    /// The group and version of the object.
    pub api_version: Option<String>,
    /// A CEL expression over `res` and `req` that chooses among the objects; for receivers.
    pub filter: Option<String>,
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
    /// The namespace of the object; by default that of the object that refers to it.
    #[shape(min_length = 1, max_length = 253)]
    pub namespace: Option<String>,
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
    /// The path of the webhook: `/hook/` and a digest.
    pub webhook_path: Option<String>,
}
