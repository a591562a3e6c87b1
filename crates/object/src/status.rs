//! How an object stands: kstatus, the rules by which Flux and others tell whether an object is ready.
//!
//! Source: cli-utils `pkg/kstatus/status` (Flux's fork). The generic rules come first (deletion, observed
//! generation, `Reconciling` and `Stalled`), then those of built-in kinds, then a `Ready` condition.

mod pod;
mod workload;

use serde_json::Value;

use crate::{meta, time::Time};

/// How an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Its controller still works on it.
    InProgress,
    /// Its controller has given up, or cannot go on.
    Failed,
    /// It is as its spec wants it.
    Current,
    /// It is being deleted.
    Terminating,
    /// It is not there.
    NotFound,
    /// Nothing can be said about it.
    Unknown,
}

impl Status {
    /// The word that Flux uses in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Current => "Current",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        }
    }
}

/// How an object stands, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How it stands.
    pub status: Status,
    /// In words.
    pub message: String,
    /// In one word, where upstream has one; empty for objects that are current.
    pub reason: String,
}

impl Health {
    fn new(status: Status, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            reason: reason.to_owned(),
        }
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(Status::Current, "", message)
    }

    fn in_progress(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::InProgress, reason, message)
    }

    fn failed(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::Failed, reason, message)
    }
}

/// Tells how an object stands. `now` matters only to pods that cannot be scheduled: they are given 15
/// seconds.
pub fn of(object: &Value, now: Time) -> Health {
    if let Some(health) = generic(object) {
        return health;
    }
    let gvk = meta::gvk(object);
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => {
            Health::current("Resource is always ready")
        }
        ("", "Service") => service(object),
        ("", "Pod") => pod::health(object, now),
        ("", "PersistentVolumeClaim") => claim(object),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => workload::daemon_set(object),
        ("apps" | "extensions", "Deployment") => workload::deployment(object),
        ("apps" | "extensions", "ReplicaSet") => workload::replica_set(object),
        ("policy", "PodDisruptionBudget") => {
            Health::current("AllowedDisruptions has been computed.")
        }
        ("batch", "Job") => workload::job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => by_ready_condition(object),
    }
}

/// A condition in an object's status.
struct Condition<'a> {
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    let list = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    list.into_iter().flatten().map(|condition| {
        let text = |key: &str| {
            condition
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Condition {
            kind: text("type"),
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
        }
    })
}

fn text<'a>(object: &'a Value, pointer: &str, default: &'a str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or(default)
}

fn integer(object: &Value, pointer: &str, default: i64) -> i64 {
    object
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or(default)
}

fn generic(object: &Value) -> Option<Health> {
    if !text(object, "/metadata/deletionTimestamp", "").is_empty() {
        return Some(Health::new(
            Status::Terminating,
            "",
            "Resource scheduled for deletion",
        ));
    }
    let generation = object
        .pointer("/metadata/generation")
        .and_then(Value::as_i64);
    let observed = object
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    if let (Some(generation), Some(observed)) = (generation, observed)
        && generation != observed
    {
        let kind = text(object, "/kind", "");
        let message = format!(
            "{kind} generation is {generation}, but latest observed generation is {observed}"
        );
        return Some(Health::in_progress("LatestGenerationNotObserved", message));
    }
    conditions(object).find_map(|condition| match (condition.kind, condition.status) {
        ("Reconciling", "True") => Some(Health::in_progress(condition.reason, condition.message)),
        ("Stalled", "True") => Some(Health::failed(condition.reason, condition.message)),
        _ => None,
    })
}

fn service(service: &Value) -> Health {
    let is_load_balancer = text(service, "/spec/type", "ClusterIP") == "LoadBalancer";
    if is_load_balancer && text(service, "/spec/clusterIP", "").is_empty() {
        return Health::in_progress(
            "NoIPAssigned",
            "ClusterIP not set. Service type: LoadBalancer",
        );
    }
    Health::current("Service is ready")
}

fn claim(claim: &Value) -> Health {
    match text(claim, "/status/phase", "unknown") {
        "Bound" => Health::current("PVC is Bound"),
        phase => Health::in_progress("NotBound", format!("PVC is not Bound. phase: {phase}")),
    }
}

fn definition(definition: &Value) -> Health {
    for condition in conditions(definition) {
        match (condition.kind, condition.status) {
            ("NamesAccepted", "False") => {
                return Health::failed(condition.reason, condition.message);
            }
            ("Established", "False") if condition.reason != "Installing" => {
                return Health::failed(condition.reason, condition.message);
            }
            ("Established", "True") => return Health::current("CRD is established"),
            _ => {}
        }
    }
    Health::in_progress("Installing", "Install in progress")
}

fn by_ready_condition(object: &Value) -> Health {
    let ready = conditions(object).filter(|condition| condition.kind == "Ready");
    for condition in ready {
        match condition.status {
            "True" => return Health::current("Resource is Ready"),
            "False" | "Unknown" => return Health::in_progress(condition.reason, condition.message),
            _ => {}
        }
    }
    Health::current("Resource is current")
}

#[cfg(test)]
mod tests;
