//! Whether the API servers that `APIService`s name can be had: the condition `Available`.
//!
//! Nothing is proxied, so the best that can be said of a service with endpoints is that it did not answer.
//!
//! Source: kube-aggregator `pkg/controllers/status/remote`.

use std::sync::Arc;

use object::{GroupResource, GroupVersionResource, Value, meta};
use serde_json::json;

use super::feed::Feed;
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::store::{Range, key_of};

/// Keeps the conditions; runs until the server ends.
pub(super) async fn run(core: Arc<Core>) {
    let local = Local::new(Arc::clone(&core), User::system("system:apiserver"))
        .with_manager("kube-apiserver");
    let services = GroupVersionResource::new("apiregistration.k8s.io", "v1", "apiservices");
    let mut feed = Feed::new(&core, |resource| {
        matches!(
            resource.resource.as_str(),
            "apiservices" | "services" | "endpointslices"
        )
    });
    while feed.next().await.is_some() {
        if let Err(error) = sync(&core, &local, &services).await {
            tracing::warn!(%error, "looking after API services failed");
        }
    }
}

async fn sync(core: &Core, local: &Local, services: &GroupVersionResource) -> Result<(), ApiError> {
    for stored in local.list(services, "")?.objects {
        let mut service = stored.value();
        let Some((reason, message)) = unavailable(core, &service) else {
            continue;
        };
        let known = service["status"]["conditions"].as_array().and_then(|all| {
            all.iter()
                .find(|condition| condition["type"] == "Available")
        });
        if known.is_some_and(|known| {
            known["status"] == "False" && known["reason"] == reason && known["message"] == message
        }) {
            continue;
        }
        let since = match known {
            Some(known) if known["status"] == "False" => known["lastTransitionTime"].clone(),
            _ => Value::from(core.now()),
        };
        let condition = json!({"type": "Available", "status": "False", "lastTransitionTime": since,
            "reason": reason, "message": message});
        service["status"]["conditions"] = json!([condition]);
        match local.update(services, "status", service).await {
            // Its next event brings it back here.
            Err(error) if error.is_conflict() || error.is_not_found() => {}
            other => other.map(drop)?,
        }
    }
    Ok(())
}

/// Why an API service cannot be had; `None` for those of this server.
fn unavailable(core: &Core, service: &Value) -> Option<(&'static str, String)> {
    let target = service.pointer("/spec/service")?.as_object()?;
    if meta::is_terminating(service) {
        return None;
    }
    let text = |key: &str| target.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, namespace) = (text("name"), text("namespace"));
    let port = target.get("port").and_then(Value::as_i64).unwrap_or(443);
    let shown = object::field::quote(namespace);
    let bucket = core.store.bucket(&GroupResource::new("", "services"));
    let Some(found) = bucket.get(&key_of(namespace, name)) else {
        let message = format!("service/{name} in {shown} is not present");
        return Some(("ServiceNotFound", message));
    };
    let found = found.value();
    if found["spec"]["type"] != "ExternalName" {
        let ports = found["spec"]["ports"].as_array();
        let Some(listening) = ports
            .into_iter()
            .flatten()
            .find(|own| own["port"].as_i64() == Some(port))
        else {
            let message = format!("service/{name} in {shown} is not listening on port {port}");
            return Some(("ServicePortError", message));
        };
        let port_name = listening["name"].as_str().unwrap_or_default();
        if let Some(missing) = endpoints(core, namespace, name, port_name) {
            return Some(missing);
        }
    }
    let message = format!(
        "failing or missing response from service/{name} in {shown}: the embedded control plane calls no aggregated API servers"
    );
    Some(("FailedDiscoveryCheck", message))
}

/// What is wrong with a service's endpoints.
fn endpoints(
    core: &Core,
    namespace: &str,
    name: &str,
    port: &str,
) -> Option<(&'static str, String)> {
    let shown = object::field::quote(namespace);
    let bucket = core
        .store
        .bucket(&GroupResource::new("discovery.k8s.io", "endpointslices"));
    let slices: Vec<Value> = bucket
        .list(&Range::namespace(namespace))
        .objects
        .iter()
        .map(|stored| stored.value())
        .filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == name)
        .collect();
    if slices.is_empty() {
        let message = format!("cannot find endpointslices for service/{name} in {shown}");
        return Some(("EndpointsNotFound", message));
    }
    let has_port = |slice: &Value| {
        let mut ports = slice["ports"].as_array().into_iter().flatten();
        ports.any(|own| own["name"].as_str().unwrap_or_default() == port)
    };
    let has_address = |slice: &Value| {
        let mut all = slice["endpoints"].as_array().into_iter().flatten();
        all.any(|endpoint| endpoint["conditions"]["ready"] != false)
    };
    if slices
        .iter()
        .any(|slice| has_port(slice) && has_address(slice))
    {
        return None;
    }
    let quoted = object::field::quote(port);
    let message = format!(
        "endpointslices for service/{name} in {shown} have no addresses with port name {quoted}"
    );
    Some(("MissingEndpoints", message))
}
