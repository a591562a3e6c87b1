//! The plugins that fill in what a cluster decides on: tolerations, priorities, protection of storage,
//! default classes, taints.
//!
//! Sources: Kubernetes `plugin/pkg/admission/{defaulttolerationseconds,priority,nodetaint}`,
//! `plugin/pkg/admission/storage/{storageobjectinuseprotection,storageclass/setdefault}`,
//! `plugin/pkg/admission/network/defaultingressclass`.

use object::{GroupResource, Value, meta};
use serde_json::json;

use super::{Attributes, Operation, runtime_class};
use crate::core::Core;
use crate::error::ApiError;
use crate::store::Range;

/// Runs the plugins that concern the resource.
pub(super) fn apply(attributes: &Attributes<'_>, object: &mut Value) -> Result<(), ApiError> {
    let call = attributes.call;
    let gvr = &call.resource.gvr;
    let is_create = attributes.operation == Operation::Create;
    match (gvr.group.as_str(), gvr.resource.as_str()) {
        ("", "pods") if call.subresource.is_empty() => {
            tolerations(object);
            if is_create {
                priority(attributes, object)?;
                runtime_class::apply(attributes, object)?;
            }
        }
        ("", "persistentvolumeclaims") if is_create => {
            add_finalizer(object, "kubernetes.io/pvc-protection");
            storage_class(&call.core, object);
        }
        ("", "persistentvolumes") if is_create => {
            add_finalizer(object, "kubernetes.io/pv-protection");
        }
        ("", "nodes") if is_create => taint(object),
        ("networking.k8s.io", "ingresses") if is_create => ingress_class(&call.core, object),
        ("scheduling.k8s.io", "priorityclasses") if is_create => {
            single_default(attributes, object)?;
        }
        _ => {}
    }
    Ok(())
}

fn list_mut<'a>(object: &'a mut Value, parent: &str, key: &str) -> Option<&'a mut Vec<Value>> {
    let map = object.get_mut(parent)?.as_object_mut()?;
    map.entry(key).or_insert_with(|| json!([])).as_array_mut()
}

/// Pods stay on a node that does not answer for five minutes.
fn tolerations(pod: &mut Value) {
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let Some(list) = list_mut(pod, "spec", "tolerations") else {
            return;
        };
        let covers = |toleration: &Value| {
            let own = toleration["key"].as_str().unwrap_or_default();
            let effect = toleration["effect"].as_str().unwrap_or_default();
            (own == key || own.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        };
        if !list.iter().any(covers) {
            list.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            }));
        }
    }
}

/// The priority that a pod's class, or the default class, has.
fn priority(attributes: &Attributes<'_>, pod: &mut Value) -> Result<(), ApiError> {
    let core = &attributes.call.core;
    let named = pod["spec"]["priorityClassName"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let bucket = core
        .store
        .bucket(&GroupResource::new("scheduling.k8s.io", "priorityclasses"));
    let class = if named.is_empty() {
        bucket
            .list(&Range::all())
            .objects
            .into_iter()
            .map(|stored| stored.value())
            .filter(|class| class["globalDefault"] == true)
            .min_by_key(|class| class["value"].as_i64())
    } else {
        let found = bucket.get(&named).map(|stored| stored.value());
        Some(found.or_else(|| system_class(&named)).ok_or_else(|| {
            let why = format!("no PriorityClass with name {named} was found");
            ApiError::forbidden(&attributes.call.group_resource(), meta::name(pod), &why)
        })?)
    };
    let (name, value, preemption) = match &class {
        Some(class) => (
            meta::name(class).to_owned(),
            class["value"].as_i64().unwrap_or(0),
            class["preemptionPolicy"]
                .as_str()
                .unwrap_or("PreemptLowerPriority"),
        ),
        None => (String::new(), 0, "PreemptLowerPriority"),
    };
    if let Some(asked) = pod["spec"]["priority"].as_i64()
        && asked != value
    {
        return Err(ApiError::forbidden(
            &attributes.call.group_resource(),
            meta::name(pod),
            &format!(
                "the integer value of priority ({asked}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
            ),
        ));
    }
    let preemption = preemption.to_owned();
    if !name.is_empty() {
        pod["spec"]["priorityClassName"] = Value::from(name);
    }
    pod["spec"]["priority"] = Value::from(value);
    if pod["spec"]
        .get("preemptionPolicy")
        .is_none_or(Value::is_null)
    {
        pod["spec"]["preemptionPolicy"] = Value::from(preemption);
    }
    Ok(())
}

/// The classes that are there even when their objects are not yet.
fn system_class(name: &str) -> Option<Value> {
    let value: i64 = match name {
        "system-node-critical" => 2_000_001_000,
        "system-cluster-critical" => 2_000_000_000,
        _ => return None,
    };
    Some(json!({"metadata": {"name": name}, "value": value}))
}

fn single_default(attributes: &Attributes<'_>, class: &Value) -> Result<(), ApiError> {
    if class["globalDefault"] != true {
        return Ok(());
    }
    let bucket = attributes.call.bucket();
    for stored in bucket.list(&Range::all()).objects {
        if stored.value()["globalDefault"] == true && stored.name() != meta::name(class) {
            let why = format!(
                "PriorityClass {} is already marked as default. Only one default can exist",
                stored.name()
            );
            return Err(ApiError::forbidden(
                &attributes.call.group_resource(),
                meta::name(class),
                &why,
            ));
        }
    }
    Ok(())
}

fn add_finalizer(object: &mut Value, finalizer: &str) {
    if let Some(list) = list_mut(object, "metadata", "finalizers")
        && !list.iter().any(|known| known == finalizer)
    {
        list.push(Value::from(finalizer));
    }
}

/// New nodes are not ready.
fn taint(node: &mut Value) {
    if !node.get("spec").is_some_and(Value::is_object) {
        node["spec"] = json!({});
    }
    if let Some(list) = list_mut(node, "spec", "taints")
        && !list
            .iter()
            .any(|taint| taint["key"] == "node.kubernetes.io/not-ready")
    {
        list.push(json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}));
    }
}

/// The newest object of a class kind that is marked as the default.
fn default_class(core: &Core, resource: &GroupResource, annotation: &str) -> Option<String> {
    core.store
        .bucket(resource)
        .list(&Range::all())
        .objects
        .into_iter()
        .map(|stored| stored.value())
        .filter(|class| meta::annotation(class, annotation) == Some("true"))
        .max_by(|left, right| {
            let created = |class: &Value| {
                class["metadata"]["creationTimestamp"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            created(left)
                .cmp(&created(right))
                .then_with(|| meta::name(right).cmp(meta::name(left)))
        })
        .map(|class| meta::name(&class).to_owned())
}

fn storage_class(core: &Core, claim: &mut Value) {
    let has_class = claim["spec"]
        .get("storageClassName")
        .is_some_and(|name| !name.is_null())
        || meta::annotation(claim, "volume.beta.kubernetes.io/storage-class").is_some();
    if has_class {
        return;
    }
    let classes = GroupResource::new("storage.k8s.io", "storageclasses");
    let found = default_class(
        core,
        &classes,
        "storageclass.kubernetes.io/is-default-class",
    );
    if let Some(name) = found {
        claim["spec"]["storageClassName"] = Value::from(name);
    }
}

fn ingress_class(core: &Core, ingress: &mut Value) {
    let has_class = ingress["spec"]
        .get("ingressClassName")
        .is_some_and(|name| !name.is_null())
        || meta::annotation(ingress, "kubernetes.io/ingress.class").is_some();
    if has_class {
        return;
    }
    let classes = GroupResource::new("networking.k8s.io", "ingressclasses");
    let found = default_class(
        core,
        &classes,
        "ingressclass.kubernetes.io/is-default-class",
    );
    if let Some(name) = found {
        ingress["spec"]["ingressClassName"] = Value::from(name);
    }
}
