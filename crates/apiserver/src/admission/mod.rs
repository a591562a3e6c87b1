//! Admission: the plugins that change or refuse objects on their way in.

mod defaults;
mod limits;
mod matching;
mod namespace;
pub mod policy;
pub(crate) mod quota;
mod runtime_class;
mod service_account;
mod turns;
pub mod webhook;

use object::{GroupVersionKind, GroupVersionResource, Value, meta};
use serde_json::json;

use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::{Call, DeleteOptions};

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A change.
    Update,
    /// A removal.
    Delete,
    /// A connection, as `pods/exec`.
    Connect,
}

/// A write on its way, as the plugins see it.
pub struct Attributes<'a> {
    /// The request.
    pub call: &'a Call,
    /// What it does.
    pub operation: Operation,
    /// The object as it was.
    pub old: Option<&'a Value>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The options of a removal.
    pub deletion: Option<&'a DeleteOptions>,
}

impl Attributes<'_> {
    /// The 403 of a plugin. Source: apiserver, `admission/errors.go`.
    fn forbidden(&self, object: &Value, why: &str) -> ApiError {
        let name = match (self.call.name.as_str(), meta::name(object)) {
            ("", "") => object["metadata"]["generateName"]
                .as_str()
                .unwrap_or("Unknown"),
            ("", name) | (name, _) => name,
        };
        ApiError::forbidden(&self.call.group_resource(), name, why)
    }
}

impl Attributes<'_> {
    /// The write as an `AdmissionRequest`, without its objects.
    ///
    /// Source: apiserver `admission/plugin/webhook/request/admissionreview.go`, `endpoints/handlers`.
    fn request(&self, object: Option<&Value>, matched: &matching::Matched) -> Value {
        let call = self.call;
        let name = match (call.name.as_str(), object) {
            ("", Some(object)) => meta::name(object),
            (name, _) => name,
        };
        // A namespace is in itself.
        let namespace = if matching::is_namespace(self) {
            name
        } else {
            &call.namespace
        };
        let user = &call.context.user;
        json!({
            "kind": kind_of(&matched.kind), "resource": resource_of(&matched.resource),
            "subResource": call.subresource, "requestKind": kind_of(&call.resource.gvk),
            "requestResource": resource_of(&call.resource.gvr), "requestSubResource": call.subresource,
            "name": name, "namespace": namespace, "operation": self.operation.name(),
            "userInfo": {"username": user.name, "uid": user.uid, "groups": user.groups, "extra": user.extra},
            "dryRun": self.dry_run, "options": self.options(),
        })
    }

    /// The options of the request: those of a patch are shown as those of the create or update it is.
    fn options(&self) -> Value {
        if let Some(options) = self.deletion {
            return options.to_value();
        }
        let kind = match self.operation {
            Operation::Create => "CreateOptions",
            _ => "UpdateOptions",
        };
        let mut options = json!({"kind": kind, "apiVersion": "meta.k8s.io/v1"});
        if self.dry_run {
            options["dryRun"] = json!(["All"]);
        }
        for key in ["fieldManager", "fieldValidation"] {
            let text = self.call.query.text(key);
            if !text.is_empty() {
                options[key] = Value::from(text);
            }
        }
        options
    }
}

fn kind_of(kind: &GroupVersionKind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn resource_of(resource: &GroupVersionResource) -> Value {
    json!({"group": resource.group, "version": resource.version, "resource": resource.resource})
}

pub(crate) use turns::{Turn, turn};

/// What the plugins keep between writes.
#[derive(Default)]
pub struct State {
    /// The admission policies in force, compiled.
    pub policies: policy::Policies,
    /// The webhooks that are configured.
    pub webhooks: webhook::Webhooks,
    /// Who has to wait for whom.
    pub(crate) turns: turns::Turns,
}

/// Runs the plugins that may change the object. It is in the storage version and has its defaults.
pub async fn mutate(attributes: &Attributes<'_>, object: &mut Value) -> Result<(), ApiError> {
    let mut rounds = webhook::Rounds::default();
    mutate_once(attributes, object).await?;
    webhook::mutate(attributes, Some(object), &mut rounds).await?;
    if rounds.need_another() {
        mutate_once(attributes, object).await?;
        webhook::mutate(attributes, Some(object), &mut rounds).await?;
    }
    Ok(())
}

/// Runs the built-in plugins that may change the object.
async fn mutate_once(attributes: &Attributes<'_>, object: &mut Value) -> Result<(), ApiError> {
    namespace::check(attributes)?;
    limits::mutate(attributes, object);
    service_account::mutate(attributes, object).await?;
    defaults::apply(attributes, object)
}

/// Runs the plugins that only refuse. What is to be held until the object is stored is added to `turn`.
pub(crate) async fn validate<'a>(
    core: &'a Core,
    attributes: &Attributes<'_>,
    object: Option<&Value>,
    turn: &mut Turn<'a>,
) -> Result<(), ApiError> {
    if let Some(object) = object {
        limits::validate(attributes, object)?;
    }
    policy::validate(attributes, object)?;
    webhook::validate(attributes, object).await?;
    match object {
        Some(object) => {
            turns::quota_turn(core, attributes, turn).await;
            quota::validate(attributes, object)
        }
        None => Ok(()),
    }
}

/// Runs all plugins that have a say in a removal.
pub(crate) async fn delete(attributes: &Attributes<'_>) -> Result<(), ApiError> {
    namespace::check(attributes)?;
    webhook::mutate(attributes, None, &mut webhook::Rounds::default()).await?;
    policy::validate(attributes, None)?;
    webhook::validate(attributes, None).await
}

/// Several errors as one: a list, repeated ones once. Source: apimachinery, `util/errors`.
fn aggregate(errors: &[String]) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for error in errors {
        if !unique.contains(&error.as_str()) {
            unique.push(error);
        }
    }
    match unique.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    }
}
