//! Conversion between the versions of a kind.
//!
//! Objects are in the version of their `apiVersion`. Kinds with several versions are autoscalers (v1, v2)
//! and events (of the core group and of `events.k8s.io`).

use object::{GroupVersionKind, meta};
use serde_json::Value;

use crate::strategy::edit::set;

mod autoscaling;
mod events;

/// Brings an object into the version of `gvk`. What another version cannot hold is kept in annotations, as
/// upstream does; kinds with one version stay as they are.
pub fn convert(object: &mut Value, gvk: &GroupVersionKind) {
    let from = meta::gvk(object);
    if from == *gvk || from.kind != gvk.kind {
        return;
    }
    let change: fn(&mut Value) = match (from.api_version().as_str(), gvk.api_version().as_str()) {
        ("autoscaling/v1", "autoscaling/v2") if gvk.kind == "HorizontalPodAutoscaler" => {
            autoscaling::v1_to_v2
        }
        ("autoscaling/v2", "autoscaling/v1") if gvk.kind == "HorizontalPodAutoscaler" => {
            autoscaling::v2_to_v1
        }
        ("v1", "events.k8s.io/v1") if gvk.kind == "Event" => events::to_modern,
        ("events.k8s.io/v1", "v1") if gvk.kind == "Event" => events::to_legacy,
        _ => return,
    };
    change(object);
    set(object, "apiVersion", gvk.api_version());
}

/// The version in which strategies and the store know a kind.
pub fn storage_version(gvk: &GroupVersionKind) -> GroupVersionKind {
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("autoscaling", "HorizontalPodAutoscaler") => {
            GroupVersionKind::new("autoscaling", "v2", gvk.kind.as_str())
        }
        ("events.k8s.io", "Event") => GroupVersionKind::new("", "v1", "Event"),
        _ => gvk.clone(),
    }
}

/// Brings an object into its [`storage_version`].
pub fn to_storage(object: &mut Value) {
    let version = storage_version(&meta::gvk(object));
    convert(object, &version);
}
