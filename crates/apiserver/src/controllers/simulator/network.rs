//! Services and ingresses: addresses, and endpoints of ready pods.

use object::{GroupVersionResource, Value, meta};
use serde_json::json;

use super::Next;
use super::pod::is_ready;
use super::pods::is_active;
use super::template::fnv32;
use super::world::{World, owner_reference, services};
use crate::error::ApiError;

pub(super) async fn service(world: &World, service: &Value) -> Result<Next, ApiError> {
    if service.pointer("/spec/type").and_then(Value::as_str) == Some("LoadBalancer") {
        let asked = service
            .pointer("/spec/loadBalancerIP")
            .and_then(Value::as_str)
            .filter(|ip| !ip.is_empty());
        let address =
            asked.map_or_else(|| load_balancer_address(meta::uid(service)), str::to_owned);
        let status = json!({"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}});
        world
            .set_status(&world.manager, &services(), service, status)
            .await?;
    }
    if service
        .pointer("/spec/selector")
        .is_some_and(|selector| selector.as_object().is_some_and(|map| !map.is_empty()))
    {
        endpoints(world, service).await?;
    }
    Ok(None)
}

pub(super) async fn ingress(world: &World, ingress: &Value) -> Result<Next, ApiError> {
    let resource = GroupVersionResource::new("networking.k8s.io", "v1", "ingresses");
    let status = json!({"loadBalancer": {"ingress": [{"ip": load_balancer_address("ingress")}]}});
    world
        .set_status(&world.manager, &resource, ingress, status)
        .await?;
    Ok(None)
}

/// An address of the range for documentation, which no network routes.
fn load_balancer_address(seed: &str) -> String {
    format!("203.0.113.{}", fnv32(seed.as_bytes()) % 250 + 2)
}

/// Keeps the EndpointSlice of a service.
async fn endpoints(world: &World, service: &Value) -> Result<(), ApiError> {
    let slices = GroupVersionResource::new("discovery.k8s.io", "v1", "endpointslices");
    let namespace = meta::namespace(service);
    let mut members: Vec<Value> = world.pods_of(service);
    members.retain(|pod| {
        let addressed = pod.pointer("/status/podIP").is_some_and(Value::is_string);
        is_active(pod) && addressed
    });
    let list: Vec<Value> = members
        .iter()
        .map(|pod| {
            let ready = is_ready(pod);
            json!({"addresses": [pod["status"]["podIP"]], "conditions": {"ready": ready, "serving": ready, "terminating": false},
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": {"kind": "Pod", "namespace": namespace, "name": meta::name(pod), "uid": meta::uid(pod)}})
        })
        .collect();
    let ports: Vec<Value> = service
        .pointer("/spec/ports")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|port| {
            json!({"name": port.get("name").cloned().unwrap_or_else(|| json!("")),
            "port": target_port(port, &members), "protocol": port["protocol"]})
        })
        .collect();
    let name = format!(
        "{}-{}",
        meta::name(service),
        &format!("{:08x}", fnv32(meta::uid(service).as_bytes()))[..5]
    );
    let known = world.find(&slices, namespace, &name);
    let mut slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [owner_reference(service)],
            "labels": {"kubernetes.io/service-name": meta::name(service),
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}},
        "endpoints": list, "ports": ports});
    match known {
        Some(known)
            if known["endpoints"] == slice["endpoints"] && known["ports"] == slice["ports"] =>
        {
            Ok(())
        }
        Some(known) => {
            slice["metadata"]["resourceVersion"] = json!(meta::resource_version(&known));
            slice["metadata"]["uid"] = json!(meta::uid(&known));
            world.manager.update(&slices, "", slice).await.map(drop)
        }
        None => world
            .manager
            .create(&slices, namespace, slice)
            .await
            .map(drop),
    }
}

/// The number of a service's target port; a name is looked up in the first pod that has it.
fn target_port(port: &Value, members: &[Value]) -> Value {
    let Some(name) = port["targetPort"].as_str() else {
        return if port["targetPort"].is_number() {
            port["targetPort"].clone()
        } else {
            port["port"].clone()
        };
    };
    let ports = members.iter().flat_map(|pod| {
        pod.pointer("/spec/containers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    });
    let mut ports = ports.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    ports
        .find(|declared| declared["name"] == name)
        .map_or(Value::Null, |declared| declared["containerPort"].clone())
}
