//! Every namespace has the certificate by which pods know the API server.
//!
//! Source: Kubernetes `pkg/controller/certificates/rootcacertpublisher`.

use std::sync::Arc;

use object::{GroupResource, GroupVersionResource, Value, meta};
use serde_json::json;

use super::feed::Feed;
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::store::{EventKind, key_of};

/// The ConfigMap's name.
const NAME: &str = "kube-root-ca.crt";
/// What the annotation `kubernetes.io/description` says.
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/// Keeps the ConfigMaps; runs until the server ends. Without a certificate there is nothing to publish.
pub(super) async fn run(core: Arc<Core>) {
    if core.config.certificate_authority.is_empty() {
        return;
    }
    let user = User::system("system:serviceaccount:kube-system:root-ca-cert-publisher");
    let local = Local::new(Arc::clone(&core), user).with_manager("kube-controller-manager");
    let mut feed = Feed::new(&core, |resource| {
        resource.group.is_empty()
            && matches!(resource.resource.as_str(), "namespaces" | "configmaps")
    });
    while let Some(events) = feed.next().await {
        for (resource, event) in events {
            let namespace = match (resource.resource.as_str(), event.kind) {
                ("namespaces", EventKind::Added | EventKind::Modified) => event.object.name(),
                ("configmaps", EventKind::Modified | EventKind::Deleted)
                    if event.object.name() == NAME =>
                {
                    event.object.namespace()
                }
                _ => continue,
            };
            if let Err(error) = ensure(&core, &local, namespace).await {
                tracing::warn!(namespace, %error, "publishing the certificate failed");
            }
        }
    }
}

async fn ensure(core: &Core, local: &Local, namespace: &str) -> Result<(), ApiError> {
    let namespaces = core.store.bucket(&GroupResource::new("", "namespaces"));
    let stored = namespaces.get(namespace);
    if stored.is_none_or(|stored| meta::is_terminating(&stored.value())) {
        return Ok(());
    }
    let resource = GroupVersionResource::new("", "v1", "configmaps");
    let data = json!({"ca.crt": core.config.certificate_authority});
    let bucket = core.store.bucket(&resource.group_resource());
    let outcome = match bucket.get(&key_of(namespace, NAME)) {
        None => {
            let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
                "metadata": {"name": NAME, "namespace": namespace,
                    "annotations": {"kubernetes.io/description": DESCRIPTION}}});
            local.create(&resource, namespace, object).await
        }
        Some(stored) => {
            let mut object = stored.value();
            let description = Some(DESCRIPTION);
            if object["data"] == data
                && meta::annotation(&object, "kubernetes.io/description") == description
            {
                return Ok(());
            }
            object["data"] = data;
            if !object["metadata"]["annotations"].is_object() {
                object["metadata"]["annotations"] = json!({});
            }
            object["metadata"]["annotations"]["kubernetes.io/description"] =
                Value::from(DESCRIPTION);
            local.update(&resource, "", object).await
        }
    };
    match outcome {
        // Somebody else was faster, whose event comes here; or the namespace goes.
        Err(error)
            if !error.is_already_exists()
                && !error.is_conflict()
                && !error.is_not_found()
                && error.code() != 403 =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}
