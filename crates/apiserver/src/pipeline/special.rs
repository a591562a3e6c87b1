//! Kinds that are not deleted when they are told to: namespaces and definitions first lose what is
//! in them.

use object::{Value, meta};
use serde_json::json;

use super::Call;
use super::delete::{collection_finalizers, finalizers, set_finalizers};
use super::options::DeleteOptions;

/// The finalizer of definitions whose objects have to go first.
pub(crate) const CUSTOM_RESOURCES: &str = "customresourcecleanup.apiextensions.k8s.io";

fn is_namespace(call: &Call) -> bool {
    call.resource.gvr.group.is_empty() && call.resource.gvr.resource == "namespaces"
}

fn is_definition(call: &Call) -> bool {
    call.resource.gvr.group == "apiextensions.k8s.io"
        && call.resource.gvr.resource == "customresourcedefinitions"
}

/// Whether a deletion of the object only begins one.
pub(super) fn keeps_on_delete(call: &Call, object: &Value) -> bool {
    if is_namespace(call) {
        return object["spec"]["finalizers"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
    }
    // The second deletion is one like any other.
    is_definition(call) && !meta::is_terminating(object)
}

/// Marks the object; `None` if it is marked already.
///
/// Sources: `pkg/registry/core/namespace/storage`, apiextensions `registry/customresourcedefinition`.
pub(super) fn begin_delete(call: &Call, options: &DeleteOptions, object: &Value) -> Option<Value> {
    let mut marked = object.clone();
    if let Some(finalizers) = collection_finalizers(call, options, object) {
        set_finalizers(&mut marked, finalizers);
    }
    if is_definition(call) {
        // The response of the first deletion has the finalizer that waits for the objects.
        let mut all = finalizers(&marked);
        if !all.iter().any(|name| name == CUSTOM_RESOURCES) {
            all.push(CUSTOM_RESOURCES.to_owned());
        }
        set_finalizers(&mut marked, all);
    }
    if is_namespace(call) {
        marked["status"]["phase"] = Value::from("Terminating");
    } else if !meta::is_terminating(object) {
        terminating_condition(call, &mut marked);
    }
    if !meta::is_terminating(object) {
        marked["metadata"]["deletionTimestamp"] = Value::from(call.core.now());
    }
    (marked != *object).then_some(marked)
}

fn terminating_condition(call: &Call, definition: &mut Value) {
    let condition = json!({
        "type": "Terminating", "status": "True", "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        "lastTransitionTime": call.core.now(),
    });
    let conditions = definition.pointer_mut("/status/conditions");
    if let Some(conditions) = conditions.and_then(Value::as_array_mut) {
        conditions.retain(|known| known["type"] != "Terminating");
        conditions.push(condition);
    } else {
        definition["status"]["conditions"] = json!([condition]);
    }
}
