//! The controllers that run with the server, and the objects every cluster has.

mod accounts;
mod availability;
mod events;
mod feed;
mod garbage;
mod namespaces;
mod quotas;
mod root_ca;
mod simulator;

use std::sync::Arc;

use object::{GroupVersionKind, GroupVersionResource, Value};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::store::key_of;

/// Makes the objects that every cluster has, where they are missing.
///
/// They are written side by side, so that the store commits them together.
pub async fn bootstrap(core: &Arc<Core>) -> Result<(), ApiError> {
    let local = Local::new(Arc::clone(core), User::system("system:apiserver"));
    let objects = builtin::facts::bootstrap_objects();
    // Namespaces first: what lives in them needs them.
    let (namespaces, rest): (Vec<Value>, Vec<Value>) = objects
        .into_iter()
        .partition(|object| object["kind"] == "Namespace");
    create_all(&local, namespaces).await?;
    create_all(&local, rest).await?;
    own_service(core, &local).await
}

/// The service `default/kubernetes`, on the first address of the range, and where it leads.
///
/// Source: Kubernetes `pkg/controlplane/controller/kubernetesservice`, `pkg/controlplane/reconcilers`.
async fn own_service(core: &Core, local: &Local) -> Result<(), ApiError> {
    let (base, _) = core
        .config
        .service_cidr
        .split_once('/')
        .unwrap_or((&core.config.service_cidr, ""));
    let first = base
        .parse::<std::net::Ipv4Addr>()
        .map(|base| std::net::Ipv4Addr::from(u32::from(base).wrapping_add(1)));
    let (Ok(first), Ok(reached)) = (first, core.config.advertise.parse::<std::net::SocketAddr>())
    else {
        // Without addresses there is nothing to lead to.
        return Ok(());
    };
    let labels = json!({"component": "apiserver", "provider": "kubernetes"});
    let service = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {"type": "ClusterIP", "clusterIP": first.to_string(), "sessionAffinity": "None",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": reached.port()}]}});
    create(
        local,
        GroupVersionResource::new("", "v1", "services"),
        service,
    )
    .await?;
    let endpoints = GroupVersionResource::new("", "v1", "endpoints");
    let wanted = json!({"apiVersion": "v1", "kind": "Endpoints",
        "metadata": {"name": "kubernetes", "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": reached.ip().to_string()}],
            "ports": [{"name": "https", "port": reached.port(), "protocol": "TCP"}]}]});
    replace(local, endpoints, wanted).await?;
    let slices = GroupVersionResource::new("discovery.k8s.io", "v1", "endpointslices");
    let family = if reached.is_ipv4() { "IPv4" } else { "IPv6" };
    let wanted = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": "kubernetes", "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": family,
        "endpoints": [{"addresses": [reached.ip().to_string()], "conditions": {"ready": true}}],
        "ports": [{"name": "https", "port": reached.port(), "protocol": "TCP"}]});
    replace(local, slices, wanted).await
}

/// Creates an object, or brings the one that is there (of an earlier run, on another port) up to date.
/// Addresses that endpoints may not have, as those of the loopback, are left out by not writing them.
async fn replace(
    local: &Local,
    resource: GroupVersionResource,
    object: Value,
) -> Result<(), ApiError> {
    let namespace = object::meta::namespace(&object).to_owned();
    let outcome = match local.create(&resource, &namespace, object.clone()).await {
        Err(error) if error.is_already_exists() => local.update(&resource, "", object).await,
        other => other,
    };
    match outcome {
        Err(error) if error.code() != 422 => Err(error),
        _ => Ok(()),
    }
}

async fn create_all(local: &Local, objects: Vec<Value>) -> Result<(), ApiError> {
    let creations = objects.into_iter().filter_map(|object| {
        let gvk = GroupVersionKind::of(&object);
        let resource = builtin::facts::facts()
            .resources()
            .iter()
            .find(|resource| resource.gvk == gvk)?;
        Some(create(local, resource.gvr.clone(), object))
    });
    futures::future::try_join_all(creations).await.map(drop)
}

async fn create(
    local: &Local,
    resource: GroupVersionResource,
    object: Value,
) -> Result<(), ApiError> {
    let namespace = object::meta::namespace(&object).to_owned();
    // After a restart it is there, and the address it asks for is its own.
    let key = key_of(&namespace, object::meta::name(&object));
    let bucket = local.core().store.bucket(&resource.group_resource());
    if bucket.get(&key).is_some() {
        return Ok(());
    }
    match local.create(&resource, &namespace, object).await {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(()),
    }
}

/// Starts the controllers; each ends when `core.shutdown` is cancelled.
pub fn start(core: &Arc<Core>) -> Vec<JoinHandle<()>> {
    if !core.config.controllers {
        return Vec::new();
    }
    let mut tasks = vec![
        tokio::spawn(garbage::run(Arc::clone(core))),
        tokio::spawn(namespaces::run(Arc::clone(core))),
        tokio::spawn(accounts::keep_default_accounts(Arc::clone(core))),
        tokio::spawn(accounts::fill_token_secrets(Arc::clone(core))),
        tokio::spawn(quotas::run(Arc::clone(core))),
        tokio::spawn(events::run(Arc::clone(core))),
        tokio::spawn(availability::run(Arc::clone(core))),
        tokio::spawn(accounts::aggregate_cluster_roles(Arc::clone(core))),
    ];
    if core.config.service_account_admission {
        // Only then do pods mount it; the recorded clusters had no such publisher otherwise.
        tasks.push(tokio::spawn(root_ca::run(Arc::clone(core))));
    }
    if core.config.simulate_workloads {
        tasks.push(tokio::spawn(simulator::run(Arc::clone(core))));
    }
    tasks
}
