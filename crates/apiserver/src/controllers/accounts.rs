//! Every namespace has a `default` service account and the certificate of the cluster; token secrets
//! are filled, cluster roles that aggregate others are kept up to date.
//!
//! Sources: Kubernetes `pkg/controller/serviceaccount`, `pkg/controller/clusterroleaggregation`.

use std::sync::Arc;

use object::{GroupResource, GroupVersionResource, Value, meta};
use serde_json::json;

use super::feed::Feed;
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::store::{EventKind, Range, key_of};

/// Keeps the service accounts; runs until the server ends.
pub(super) async fn keep_default_accounts(core: Arc<Core>) {
    let user = User::system("system:serviceaccount:kube-system:service-account-controller");
    let local = Local::new(Arc::clone(&core), user).with_manager("kube-controller-manager");
    let accounts = GroupVersionResource::new("", "v1", "serviceaccounts");
    let mut feed = Feed::new(&core, |resource| {
        resource.group.is_empty()
            && matches!(resource.resource.as_str(), "namespaces" | "serviceaccounts")
    });
    while let Some(events) = feed.next().await {
        for (resource, event) in events {
            let namespace = match (resource.resource.as_str(), event.kind) {
                ("namespaces", EventKind::Added | EventKind::Modified) => event.object.name(),
                ("serviceaccounts", EventKind::Deleted) if event.object.name() == "default" => {
                    event.object.namespace()
                }
                _ => continue,
            };
            if let Err(error) = ensure_default(&core, &local, &accounts, namespace).await {
                tracing::warn!(namespace, %error, "making the default service account failed");
            }
        }
    }
}

async fn ensure_default(
    core: &Core,
    local: &Local,
    accounts: &GroupVersionResource,
    namespace: &str,
) -> Result<(), ApiError> {
    let stored = core
        .store
        .bucket(&GroupResource::new("", "namespaces"))
        .get(namespace);
    let is_active = stored.is_some_and(|stored| !meta::is_terminating(&stored.value()));
    let exists = core
        .store
        .bucket(&accounts.group_resource())
        .get(&key_of(namespace, "default"))
        .is_some();
    if !is_active || exists {
        return Ok(());
    }
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}});
    match local.create(accounts, namespace, account).await {
        Err(error)
            if !error.is_already_exists() && !error.is_not_found() && error.code() != 403 =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Keeps the rules of cluster roles that aggregate others; runs until the server ends.
pub(super) async fn aggregate_cluster_roles(core: Arc<Core>) {
    let user = User::system("system:serviceaccount:kube-system:clusterrole-aggregation-controller");
    let local =
        Local::new(Arc::clone(&core), user).with_manager("clusterrole-aggregation-controller");
    let roles = GroupVersionResource::new("rbac.authorization.k8s.io", "v1", "clusterroles");
    let mut feed = Feed::new(&core, |resource| {
        resource.group == "rbac.authorization.k8s.io" && resource.resource == "clusterroles"
    });
    while feed.next().await.is_some() {
        let all: Vec<Value> = core
            .store
            .bucket(&roles.group_resource())
            .list(&Range::all())
            .objects
            .into_iter()
            .map(|stored| stored.value())
            .collect();
        for role in all.iter().filter(|role| !role["aggregationRule"].is_null()) {
            let Some(rules) = aggregated(role, &all).filter(|rules| *rules != role["rules"]) else {
                continue;
            };
            let applied = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": meta::name(role)}, "rules": rules});
            if let Err(error) = local.apply(&roles, "", meta::name(role), &applied).await {
                tracing::warn!(role = meta::name(role), %error, "aggregating a cluster role failed");
            }
        }
    }
}

/// The rules of all roles that a role's selectors match, each once; `None` if a selector is not valid.
fn aggregated(role: &Value, all: &[Value]) -> Option<Value> {
    let mut rules: Vec<Value> = Vec::new();
    let selectors = role
        .pointer("/aggregationRule/clusterRoleSelectors")
        .and_then(Value::as_array)?;
    for selector in selectors {
        let selector = object::selector::from_object(selector).ok()?;
        for other in all
            .iter()
            .filter(|other| meta::name(other) != meta::name(role))
        {
            let empty = serde_json::Map::new();
            let labels = other
                .pointer("/metadata/labels")
                .and_then(Value::as_object)
                .unwrap_or(&empty);
            if !selector.matches(labels) {
                continue;
            }
            for rule in other["rules"].as_array().into_iter().flatten() {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
    Some(Value::from(rules))
}
