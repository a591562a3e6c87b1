//! The controllers that run with the server, and the objects every cluster has.

mod accounts;
mod feed;
mod garbage;
mod namespaces;
mod quotas;
mod simulator;

use std::sync::Arc;

use object::{GroupVersionKind, GroupVersionResource, Value};
use tokio::task::JoinHandle;

use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;

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
    create_all(&local, rest).await
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
        tokio::spawn(accounts::aggregate_cluster_roles(Arc::clone(core))),
    ];
    if core.config.simulate_workloads {
        tasks.push(tokio::spawn(simulator::run(Arc::clone(core))));
    }
    tasks
}
