//! PersistentVolumeClaims: each is bound to a volume made for it.

use object::{GroupVersionResource, Value, meta};
use serde_json::json;

use super::Next;
use super::world::World;
use crate::error::ApiError;

pub(super) async fn step(world: &World, claim: &Value) -> Result<Next, ApiError> {
    let claims = GroupVersionResource::new("", "v1", "persistentvolumeclaims");
    let volumes = GroupVersionResource::new("", "v1", "persistentvolumes");
    if claim.pointer("/status/phase").and_then(Value::as_str) == Some("Bound") {
        return Ok(None);
    }
    let named = claim
        .pointer("/spec/volumeName")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    let name = named.map_or_else(|| format!("pvc-{}", meta::uid(claim)), str::to_owned);
    let size = claim
        .pointer("/spec/resources/requests/storage")
        .cloned()
        .unwrap_or_else(|| json!("1Gi"));
    let modes = claim["spec"]["accessModes"].clone();
    if world.find(&volumes, "", &name).is_none() {
        let reference = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": meta::name(claim),
            "namespace": meta::namespace(claim), "uid": meta::uid(claim)});
        let mut spec = json!({"capacity": {"storage": size}, "accessModes": modes, "claimRef": reference,
            "persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": format!("/simulated/{name}")}});
        if let Some(class) = claim.pointer("/spec/storageClassName") {
            spec["storageClassName"] = class.clone();
        }
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec});
        let made = world.manager.create(&volumes, "", volume).await?;
        world
            .set_status(&world.manager, &volumes, &made, json!({"phase": "Bound"}))
            .await?;
    }
    let mut bound = claim.clone();
    if named.is_none() {
        bound["spec"]["volumeName"] = json!(name);
        bound["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = json!("yes");
        bound["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] = json!("yes");
        bound = world.manager.update(&claims, "", bound).await?;
    }
    let status = json!({"phase": "Bound", "accessModes": modes, "capacity": {"storage": size}});
    world
        .set_status(&world.manager, &claims, &bound, status)
        .await?;
    Ok(None)
}
