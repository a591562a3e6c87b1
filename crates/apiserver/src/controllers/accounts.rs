//! Every namespace has a `default` service account and the certificate of the cluster; token secrets
//! are filled, cluster roles that aggregate others are kept up to date.
//!
//! Sources: Kubernetes `pkg/controller/serviceaccount`, `pkg/controller/clusterroleaggregation`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object::{GroupResource, GroupVersionResource, Value, meta};
use serde_json::json;

use super::feed::Feed;
use crate::auth::service_account;
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

/// Fills secrets that ask for the token of an account; runs until the server ends.
///
/// Source: Kubernetes `pkg/controller/serviceaccount/tokens_controller.go`.
pub(super) async fn fill_token_secrets(core: Arc<Core>) {
    let user = User::system("system:serviceaccount:kube-system:tokens-controller");
    let local = Local::new(Arc::clone(&core), user).with_manager("kube-controller-manager");
    let secrets = GroupVersionResource::new("", "v1", "secrets");
    let mut feed = Feed::new(&core, |resource| {
        resource.group.is_empty()
            && matches!(resource.resource.as_str(), "secrets" | "serviceaccounts")
    });
    while let Some(events) = feed.next().await {
        for (resource, event) in events {
            let object = event.object.value();
            let outcome = match (resource.resource.as_str(), event.kind) {
                ("secrets", EventKind::Added | EventKind::Modified) => {
                    fill_secret(&core, &local, &secrets, &object).await
                }
                ("serviceaccounts", _) => {
                    let namespace = meta::namespace(&object);
                    visit_secrets(&core, &local, &secrets, namespace).await
                }
                _ => continue,
            };
            if let Err(error) = outcome
                && !error.is_conflict()
                && !error.is_not_found()
            {
                tracing::warn!(key = %event.object.key, %error, "filling a token secret failed");
            }
        }
    }
}

const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

/// Looks at all token secrets of a namespace, whose accounts have changed.
async fn visit_secrets(
    core: &Core,
    local: &Local,
    secrets: &GroupVersionResource,
    namespace: &str,
) -> Result<(), ApiError> {
    for stored in local.list(secrets, namespace)?.objects {
        fill_secret(core, local, secrets, &stored.value()).await?;
    }
    Ok(())
}

async fn fill_secret(
    core: &Core,
    local: &Local,
    secrets: &GroupVersionResource,
    secret: &Value,
) -> Result<(), ApiError> {
    let Some(name) = meta::annotation(secret, ACCOUNT_NAME) else {
        return Ok(());
    };
    if secret["type"] != "kubernetes.io/service-account-token" || meta::is_terminating(secret) {
        return Ok(());
    }
    let namespace = meta::namespace(secret);
    let accounts = GroupResource::new("", "serviceaccounts");
    let account = core.store.bucket(&accounts).get(&key_of(namespace, name));
    let account = account.map(|stored| stored.value());
    let known = meta::annotation(secret, ACCOUNT_UID);
    let uid = account.as_ref().map(meta::uid);
    if uid.is_none() || known.is_some_and(|known| Some(known) != uid) {
        // A secret goes with its account.
        let options = json!({"preconditions": {"uid": meta::uid(secret)}});
        let place = (namespace, meta::name(secret));
        return local
            .delete(secrets, place.0, place.1, options)
            .await
            .map(drop);
    }
    let has_token = secret
        .pointer("/data/token")
        .is_some_and(|token| token != "");
    if has_token && known.is_some() {
        return Ok(());
    }
    let token = service_account::legacy_token(core, namespace, name, meta::name(secret))?;
    let patch = json!({
        "metadata": {"annotations": {ACCOUNT_UID: uid}, "uid": meta::uid(secret)},
        "data": {
            "token": STANDARD.encode(token),
            "namespace": STANDARD.encode(namespace),
            "ca.crt": STANDARD.encode(&core.config.certificate_authority),
        },
    });
    let place = (namespace, meta::name(secret), "");
    local
        .patch(secrets, place, "application/merge-patch+json", &patch)
        .await
        .map(drop)
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
