//! What kube-apiserver does to and demands of built-in objects around a write: defaults, preparation,
//! validation, warnings.
//!
//! ```text
//! request's version ── default ──▶ storage version ── prepare ──▶ validate ──▶ canonicalize ──▶ store
//! ```
//!
//! [`default`] works on the version of the request, a [`Strategy`] on the storage version; between them lies
//! [`crate::convert`]. Feature gates have their defaults of v1.35. Everything is a function of its
//! arguments; what upstream takes from its surroundings comes in a [`Context`].

use object::field::ErrorList;
use object::{GroupResource, GroupVersionKind};
use serde_json::Value;

mod admissionregistration;
mod apiregistration;
mod apps;
mod authentication;
pub(crate) mod autoscaling;
mod batch;
mod certificates;
mod conditions;
mod coordination;
mod core;
mod diff;
mod discovery;
pub(crate) mod edit;
mod equality;
mod flowcontrol;
mod int_or_percent;
pub(crate) mod internal;
mod kind;
mod labels;
pub mod metadata;
mod networking;
pub(crate) mod node;
mod node_group;
mod policy;
mod rbac;
mod registry;
mod resource;
mod scheduling;
mod storage;
mod webhook_client;

pub use apps::hide_converted_metadata;
pub use core::{begin_service_create, begin_service_update};

/// What a strategy needs from outside.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time, in RFC 3339 with seconds and `Z`.
    pub now: &'a str,
    /// Who asks.
    pub user: &'a User,
    /// The `apiVersion` of the request's URL, such as `events.k8s.io/v1`.
    pub api_version: &'a str,
}

/// Who asks for a write.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// The name.
    pub name: String,
    /// The uid; may be empty.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// Further facts: lists of texts by key.
    pub extra: Vec<(String, Vec<String>)>,
}

/// Which fields a server-side apply to a resource or subresource does not come to own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetFields {
    /// These, each a path of field names.
    Except(&'static [&'static [&'static str]]),
    /// All but these; `*` stands for any element.
    Only(&'static [&'static [&'static str]]),
}

/// The registry strategy of a resource. Objects are in the storage version.
pub trait Strategy: Sync {
    /// Whether objects live in namespaces.
    fn namespaced(&self) -> bool;
    /// Drops what a client may not set and fills in what the server decides. Name, namespace and uid are
    /// set already.
    fn prepare_for_create(&self, cx: &Context<'_>, object: &mut Value);
    /// Keeps what an update of the resource (`subresource` empty) or subresource may not change, and lets
    /// the generation rise.
    fn prepare_for_update(&self, cx: &Context<'_>, subresource: &str, new: &mut Value, old: &Value);
    /// The errors of a new object.
    fn validate_create(&self, cx: &Context<'_>, object: &Value) -> ErrorList;
    /// The errors of a changed object.
    fn validate_update(
        &self,
        cx: &Context<'_>,
        subresource: &str,
        new: &Value,
        old: &Value,
    ) -> ErrorList;
    /// What to warn of when an object has been created.
    fn warnings_on_create(&self, cx: &Context<'_>, object: &Value) -> Vec<String>;
    /// What to warn of when an object has been changed.
    fn warnings_on_update(
        &self,
        cx: &Context<'_>,
        subresource: &str,
        new: &Value,
        old: &Value,
    ) -> Vec<String>;
    /// Brings a valid object into its canonical form, as it is read from the store: upstream fills in
    /// defaults again when it decodes what it stored.
    fn canonicalize(&self, object: &mut Value);
    /// Fields that server-side apply resets; `None` if there are none.
    fn reset_fields(&self, subresource: &str) -> Option<ResetFields>;
    /// Whether PUT to an absent name creates.
    fn allow_create_on_update(&self) -> bool;
    /// Whether PUT without resourceVersion overwrites.
    fn allow_unconditional_update(&self) -> bool;
    /// The grace period in seconds of a deletion of this object when `requested` was asked for; `None` if
    /// the kind knows no graceful deletion.
    fn grace_period(&self, object: &Value, requested: Option<i64>) -> Option<i64>;
}

/// The strategy of a built-in resource; `None` if it has none (reviews, tokens, components) or is unknown.
pub fn strategy(resource: &GroupResource) -> Option<&'static dyn Strategy> {
    registry::find(&resource.group, &resource.resource).map(|kind| kind as &dyn Strategy)
}

/// Fills in the defaults of an object of a built-in kind, in the version of its `apiVersion`.
///
/// Source: `pkg/apis/*/*/defaults.go` and the generated functions that call them.
pub fn default(gvk: &GroupVersionKind, object: &mut Value) {
    registry::default(gvk, object);
}
