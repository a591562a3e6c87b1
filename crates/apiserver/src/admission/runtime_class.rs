//! What a pod gets from its `RuntimeClass`: overhead, and where it may run.
//!
//! Source: Kubernetes `plugin/pkg/admission/runtimeclass`.

use object::{GroupResource, Value};
use serde_json::{Map, json};

use super::Attributes;
use crate::error::ApiError;

/// Fits a new pod to its class, or refuses it.
pub(super) fn apply(attributes: &Attributes<'_>, pod: &mut Value) -> Result<(), ApiError> {
    let refused =
        |pod: &Value, why: &str| attributes.forbidden(pod, &format!("pod rejected: {why}"));
    let named = pod["spec"]["runtimeClassName"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let class = if named.is_empty() {
        None
    } else {
        let classes = GroupResource::new("node.k8s.io", "runtimeclasses");
        let found = attributes.call.core.store.bucket(&classes).get(&named);
        let missing = format!("RuntimeClass {} not found", object::field::quote(&named));
        Some(found.ok_or_else(|| refused(pod, &missing))?.value())
    };
    let own = map_at(pod, "/spec/overhead");
    let overhead = class
        .as_ref()
        .and_then(|class| map_at(class, "/overhead/podFixed"));
    match (overhead, own) {
        (None, Some(_)) => {
            let why = "Pod Overhead set without corresponding RuntimeClass defined Overhead";
            return Err(refused(pod, why));
        }
        (Some(fixed), Some(own)) if fixed != own => {
            let why = "Pod's Overhead doesn't match RuntimeClass's defined Overhead";
            return Err(refused(pod, why));
        }
        (Some(fixed), _) => pod["spec"]["overhead"] = Value::Object(fixed.clone()),
        (None, None) => {}
    }
    match class.as_ref().and_then(|class| class.get("scheduling")) {
        Some(scheduling) => schedule(pod, scheduling).map_err(|why| refused(pod, why)),
        None => Ok(()),
    }
}

fn map_at(object: &Value, pointer: &str) -> Option<Map<String, Value>> {
    let map = object.pointer(pointer)?.as_object()?;
    (!map.is_empty()).then(|| map.clone())
}

/// Adds the class's node selector and tolerations.
fn schedule(pod: &mut Value, scheduling: &Value) -> Result<(), &'static str> {
    if let Some(wanted) = map_at(scheduling, "/nodeSelector") {
        let mut selector = map_at(pod, "/spec/nodeSelector").unwrap_or_default();
        for (key, value) in wanted {
            if selector.get(&key).is_some_and(|own| *own != value) {
                return Err(
                    "conflict: RuntimeClass scheduling.nodeSelector and pod.nodeSelector have different values for the same key",
                );
            }
            selector.insert(key, value);
        }
        pod["spec"]["nodeSelector"] = Value::Object(selector);
    }
    let wanted = scheduling["tolerations"].as_array();
    for toleration in wanted.into_iter().flatten() {
        let list = &mut pod["spec"]["tolerations"];
        if !list.is_array() {
            *list = json!([]);
        }
        if let Some(list) = list.as_array_mut()
            && !list.contains(toleration)
        {
            list.push(toleration.clone());
        }
    }
    Ok(())
}
