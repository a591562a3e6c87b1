//! Watching Secrets and ConfigMaps by their metadata: that they change matters here, not what is in them.

use std::collections::HashMap;

use futures::StreamExt as _;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Resource;
use kube::api::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use tokio_util::sync::CancellationToken;

use crate::ObjectKey;
use crate::watch::{Pause, Scope};

/// Tells of each change of Secrets or ConfigMaps until `stop`.
pub(crate) async fn run(
    client: kube::Client,
    kind: &'static str,
    scope: Scope,
    stop: CancellationToken,
    changed: impl Fn(&ObjectKey) + Send + Sync,
) {
    match kind {
        "Secret" => {
            watch(
                api_for::<Secret>(client, &scope),
                kind,
                &scope,
                stop,
                changed,
            )
            .await
        }
        "ConfigMap" => {
            watch(
                api_for::<ConfigMap>(client, &scope),
                kind,
                &scope,
                stop,
                changed,
            )
            .await
        }
        _ => tracing::error!(kind, "only Secrets and ConfigMaps are watched"),
    }
}

fn api_for<K>(client: kube::Client, scope: &Scope) -> Api<PartialObjectMeta<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match &scope.namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    }
}

async fn watch<K>(
    api: Api<PartialObjectMeta<K>>,
    kind: &'static str,
    scope: &Scope,
    stop: CancellationToken,
    changed: impl Fn(&ObjectKey) + Send + Sync,
) where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Send
        + 'static,
{
    let config = watcher::Config::default().labels(&scope.selector);
    let mut stream = std::pin::pin!(watcher::watcher(api, config).backoff(Pause::default()));
    let mut versions: HashMap<ObjectKey, Option<String>> = HashMap::new();
    let mut is_first = true;
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Some(Ok(Event::InitApply(object) | Event::Apply(object))) => {
                let metadata = object.metadata;
                let key = ObjectKey::new(
                    metadata.namespace.unwrap_or_default(),
                    metadata.name.unwrap_or_default(),
                );
                let before = versions.insert(key.clone(), metadata.resource_version.clone());
                // What was there at the start has been read by those that were reconciled since.
                if !is_first && before != Some(metadata.resource_version) {
                    changed(&key);
                }
            }
            Some(Ok(Event::Delete(object))) => {
                let metadata = object.metadata;
                let key = ObjectKey::new(
                    metadata.namespace.unwrap_or_default(),
                    metadata.name.unwrap_or_default(),
                );
                versions.remove(&key);
                changed(&key);
            }
            Some(Ok(Event::Init)) => {}
            Some(Ok(Event::InitDone)) => is_first = false,
            Some(Err(error)) => tracing::debug!(kind, %error, "watch ended"),
            None => return,
        }
    }
}
