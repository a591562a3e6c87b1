//! What the simulator reads and writes.

use std::sync::Arc;

use object::{GroupResource, GroupVersionKind, GroupVersionResource, Value, meta};
use serde_json::json;

use super::Place;
use super::index::Index;
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::store::key_of;

/// The name of the one node.
pub(super) const NODE: &str = "sluice";
/// Its address.
pub(super) const NODE_ADDRESS: &str = "10.0.0.1";

/// The store, and clients that act as the controller manager, the scheduler and the kubelet.
pub(super) struct World {
    pub(super) core: Arc<Core>,
    pub(super) manager: Local,
    pub(super) kubelet: Local,
    index: Index,
}

impl World {
    pub(super) fn new(core: &Arc<Core>) -> Self {
        let local = |name: &str| Local::new(Arc::clone(core), User::system(name));
        Self {
            core: Arc::clone(core),
            manager: local("system:kube-controller-manager")
                .with_manager("kube-controller-manager"),
            kubelet: local("system:node:sluice").with_manager("kubelet"),
            index: Index::default(),
        }
    }

    /// The live object at a place.
    pub(super) fn get(&self, place: &Place) -> Option<Value> {
        self.core
            .store
            .bucket(&place.0)
            .get(&place.1)
            .map(|stored| stored.value())
    }

    /// The live object of a resource.
    pub(super) fn find(
        &self,
        resource: &GroupVersionResource,
        namespace: &str,
        name: &str,
    ) -> Option<Value> {
        self.get(&(resource.group_resource(), key_of(namespace, name).into()))
    }

    /// The objects of a resource that an object controls.
    pub(super) fn controlled(&self, resource: &GroupVersionResource, owner: &Value) -> Vec<Value> {
        let bucket = self.core.store.bucket(&resource.group_resource());
        let found = self.index.controlled(&bucket, meta::uid(owner));
        found.into_iter().map(|stored| stored.value()).collect()
    }

    /// The pods that the selector of a service matches.
    pub(super) fn pods_of(&self, service: &Value) -> Vec<Value> {
        let bucket = self.core.store.bucket(&pods().group_resource());
        let selector = service
            .pointer("/spec/selector")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let found = self
            .index
            .labelled(&bucket, meta::namespace(service), &selector);
        found.into_iter().map(|stored| stored.value()).collect()
    }

    /// Writes the status of an object, unless it has it already.
    pub(super) async fn set_status(
        &self,
        client: &Local,
        resource: &GroupVersionResource,
        object: &Value,
        status: Value,
    ) -> Result<(), ApiError> {
        if object["status"] == status {
            return Ok(());
        }
        let mut changed = object.clone();
        changed["status"] = status;
        client.update(resource, "status", changed).await.map(drop)
    }

    /// The services whose selectors match a pod.
    pub(super) fn services_of(&self, pod: &Value) -> Vec<Place> {
        let resource = services().group_resource();
        let bucket = self.core.store.bucket(&resource);
        let labels = pod
            .pointer("/metadata/labels")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        self.index
            .selecting(&bucket, meta::namespace(pod), &labels)
            .into_iter()
            .map(|key| (resource.clone(), key))
            .collect()
    }

    /// Makes the node that all pods run on.
    pub(super) async fn ensure_node(&self) -> Result<(), ApiError> {
        let nodes = GroupVersionResource::new("", "v1", "nodes");
        if self.find(&nodes, "", NODE).is_some() {
            return Ok(());
        }
        let labels = json!({"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64", "node-role.kubernetes.io/control-plane": ""});
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": labels}});
        let mut made = self.kubelet.create(&nodes, "", node).await?;
        let resources =
            json!({"cpu": "64", "memory": "256Gi", "pods": "100000", "ephemeral-storage": "1Ti"});
        made["status"] = json!({
            "capacity": resources, "allocatable": resources,
            "addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}, {"type": "Hostname", "address": NODE}],
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "the node is simulated",
                "lastHeartbeatTime": self.core.now(), "lastTransitionTime": self.core.now()}],
            "nodeInfo": {"kubeletVersion": "v1.35.4", "kubeProxyVersion": "", "osImage": "simulated", "kernelVersion": "none",
                "containerRuntimeVersion": "none://0", "operatingSystem": "linux", "architecture": "amd64",
                "machineID": "", "systemUUID": "", "bootID": ""},
        });
        self.kubelet.update(&nodes, "status", made).await.map(drop)
    }
}

pub(super) fn pods() -> GroupVersionResource {
    GroupVersionResource::new("", "v1", "pods")
}

pub(super) fn services() -> GroupVersionResource {
    GroupVersionResource::new("", "v1", "services")
}

pub(super) fn apps(resource: &str) -> GroupVersionResource {
    GroupVersionResource::new("apps", "v1", resource)
}

/// The reference to the controller of an object.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)
}

/// Where the controller of an object is.
pub(super) fn controller_of(object: &Value) -> Option<Place> {
    let reference = controller(object)?;
    let gvk = GroupVersionKind::of(reference);
    let resource = match gvk.kind.as_str() {
        "Deployment" => "deployments",
        "ReplicaSet" => "replicasets",
        "StatefulSet" => "statefulsets",
        "DaemonSet" => "daemonsets",
        "Job" => "jobs",
        "CronJob" => "cronjobs",
        _ => return None,
    };
    let name = reference["name"].as_str()?;
    Some((
        GroupResource::new(gvk.group, resource),
        key_of(meta::namespace(object), name).into(),
    ))
}

/// The reference that makes an object the controller of another.
pub(super) fn owner_reference(owner: &Value) -> Value {
    json!({"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta::name(owner), "uid": meta::uid(owner),
        "controller": true, "blockOwnerDeletion": true})
}

/// An integer at a JSON pointer.
pub(super) fn integer(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// Puts a condition into a list: its time of transition is kept while the status stays the same.
///
/// `extra` are further times that some kinds have, with whether they move with every change.
pub(super) fn set_condition(
    conditions: &mut Vec<Value>,
    mut condition: Value,
    now: &str,
    update_time: Option<&str>,
) {
    let known = conditions
        .iter()
        .position(|known| known["type"] == condition["type"]);
    let before = known.map(|index| conditions[index].clone());
    let same_status = before
        .as_ref()
        .is_some_and(|before| before["status"] == condition["status"]);
    let since = before
        .as_ref()
        .filter(|_| same_status)
        .map(|before| before["lastTransitionTime"].clone());
    condition["lastTransitionTime"] = since.unwrap_or_else(|| json!(now));
    if let Some(key) = update_time {
        let unchanged = before.as_ref().is_some_and(|before| {
            ["status", "reason", "message"]
                .iter()
                .all(|field| before[*field] == condition[*field])
        });
        let last = before
            .as_ref()
            .filter(|_| unchanged)
            .map(|before| before[key].clone());
        condition[key] = last.unwrap_or_else(|| json!(now));
    }
    match known {
        Some(index) => conditions[index] = condition,
        None => conditions.push(condition),
    }
}

/// The conditions in a status.
pub(super) fn conditions(object: &Value) -> Vec<Value> {
    object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// Seconds since a time in an object; 0 if there is none.
pub(super) fn seconds_since(now: &str, then: Option<&Value>) -> i64 {
    let read = |text: &str| object::time::Time::parse(text).map(object::time::Time::unix_seconds);
    match (read(now), then.and_then(Value::as_str).map(read)) {
        (Ok(now), Some(Ok(then))) => now - then,
        _ => 0,
    }
}
