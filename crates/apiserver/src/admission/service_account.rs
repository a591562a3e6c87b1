//! The ServiceAccount plugin: pods run as an account of their namespace and get its token.
//!
//! It is off unless the server is told to run it, for without it pods of any manifest can be created at
//! once. Source: Kubernetes `plugin/pkg/admission/serviceaccount`.

use std::time::Duration;

use object::{GroupResource, Value, meta};
use serde_json::json;

use super::{Attributes, Operation};
use crate::error::ApiError;
use crate::store::key_of;

const VOLUME: &str = "kube-api-access";
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// How often the account named `default`, which a controller makes, is looked for.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(100);

fn concerns(attributes: &Attributes<'_>) -> bool {
    let call = attributes.call;
    call.core.config.service_account_admission
        && attributes.operation == Operation::Create
        && call.resource.gvr.group.is_empty()
        && call.resource.gvr.resource == "pods"
        && call.subresource.is_empty()
}

/// Gives a new pod its account, the account's pull secrets and a volume with the token.
pub(super) async fn mutate(attributes: &Attributes<'_>, pod: &mut Value) -> Result<(), ApiError> {
    if !concerns(attributes) || !pod["spec"].is_object() {
        return Ok(());
    }
    if meta::annotation(pod, "kubernetes.io/config.mirror").is_some() {
        return check_mirror(attributes, pod);
    }
    let given = pod["spec"]["serviceAccountName"]
        .as_str()
        .unwrap_or_default();
    let name = if given.is_empty() { "default" } else { given }.to_owned();
    pod["spec"]["serviceAccountName"] = Value::from(name.as_str());
    pod["spec"]["serviceAccount"] = Value::from(name.as_str());
    let account = account(attributes, &name).await.ok_or_else(|| {
        let namespace = &attributes.call.namespace;
        let why = format!(
            "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
        );
        attributes.forbidden(pod, &why)
    })?;
    let mounts = pod["spec"]["automountServiceAccountToken"]
        .as_bool()
        .or_else(|| account["automountServiceAccountToken"].as_bool())
        .unwrap_or(true);
    if mounts {
        mount(attributes, pod);
    }
    let has_secrets = pod["spec"]["imagePullSecrets"]
        .as_array()
        .is_some_and(|all| !all.is_empty());
    let secrets: Vec<Value> = account["imagePullSecrets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|secret| json!({"name": secret["name"]}))
        .collect();
    if !has_secrets && !secrets.is_empty() {
        pod["spec"]["imagePullSecrets"] = Value::from(secrets);
    }
    check_references(attributes, pod, &account)
}

fn check_mirror(attributes: &Attributes<'_>, pod: &Value) -> Result<(), ApiError> {
    let has_account = pod["spec"]["serviceAccountName"]
        .as_str()
        .is_some_and(|name| !name.is_empty());
    if has_account {
        return Err(attributes.forbidden(pod, "a mirror pod may not reference service accounts"));
    }
    Ok(())
}

async fn account(attributes: &Attributes<'_>, name: &str) -> Option<Value> {
    let call = attributes.call;
    let accounts = GroupResource::new("", "serviceaccounts");
    let key = key_of(&call.namespace, name);
    let tries = if name == "default" { TRIES } else { 1 };
    for index in 0..tries {
        if index > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        if let Some(stored) = call.core.store.bucket(&accounts).get(&key) {
            return Some(stored.value());
        }
    }
    None
}

fn mount(attributes: &Attributes<'_>, pod: &mut Value) {
    let volumes = pod["spec"]["volumes"].as_array();
    let known = volumes
        .into_iter()
        .flatten()
        .filter_map(|volume| volume["name"].as_str())
        .find(|name| name.starts_with(&format!("{VOLUME}-")))
        .map(str::to_owned);
    let has_volume = known.is_some();
    let volume =
        known.unwrap_or_else(|| format!("{VOLUME}-{}", attributes.call.core.clock.suffix()));
    let mut is_needed = false;
    for list in ["initContainers", "containers"] {
        let containers = pod["spec"].get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let mounts = container["volumeMounts"].as_array();
            let has_own = mounts
                .into_iter()
                .flatten()
                .any(|mount| mount["mountPath"] == MOUNT_PATH);
            if has_own {
                continue;
            }
            is_needed = true;
            let mount = json!({"name": volume, "readOnly": true, "mountPath": MOUNT_PATH});
            push(container, "volumeMounts", mount);
        }
    }
    if is_needed && !has_volume {
        push(&mut pod["spec"], "volumes", token_volume(&volume));
    }
}

fn push(object: &mut Value, key: &str, item: Value) {
    if !object[key].is_array() {
        object[key] = json!([]);
    }
    if let Some(list) = object[key].as_array_mut() {
        list.push(item);
    }
}

/// An hour and a little: the token's life that upstream asks for and then extends.
const SECONDS: i64 = 3607;

fn token_volume(name: &str) -> Value {
    json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{
            "path": "namespace",
            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
        }]}},
    ]}})
}

/// Refuses secrets that the account does not list, if its annotation demands that.
fn check_references(
    attributes: &Attributes<'_>,
    pod: &Value,
    account: &Value,
) -> Result<(), ApiError> {
    let annotation = meta::annotation(account, "kubernetes.io/enforce-mountable-secrets");
    if !matches!(annotation, Some("1" | "t" | "T" | "true" | "TRUE" | "True")) {
        return Ok(());
    }
    let name = meta::name(account);
    let lists = |key: &str, secret: &Value| {
        let all = account[key].as_array().into_iter().flatten();
        all.into_iter().any(|known| known["name"] == *secret)
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
        let secret = &volume["secret"]["secretName"];
        if !secret.is_null() && !lists("secrets", secret) {
            let why = format!(
                "volume with secret.secretName=\"{}\" is not allowed because service account {name} does not reference that secret",
                text(secret)
            );
            return Err(attributes.forbidden(pod, &why));
        }
    }
    for (list, title) in [
        ("initContainers", "init container"),
        ("containers", "container"),
    ] {
        for container in pod["spec"][list].as_array().into_iter().flatten() {
            for (place, secret) in references(container) {
                if lists("secrets", secret) {
                    continue;
                }
                let why = format!(
                    "{title} {} with {place} referencing secret.secretName=\"{}\" is not allowed because service account {name} does not reference that secret",
                    text(&container["name"]),
                    text(secret)
                );
                return Err(attributes.forbidden(pod, &why));
            }
        }
    }
    let pulls = pod["spec"]["imagePullSecrets"].as_array();
    for (index, secret) in pulls.into_iter().flatten().enumerate() {
        if !lists("imagePullSecrets", &secret["name"]) {
            let why = format!(
                "imagePullSecrets[{index}].name=\"{}\" is not allowed because service account {name} does not reference that imagePullSecret",
                text(&secret["name"])
            );
            return Err(attributes.forbidden(pod, &why));
        }
    }
    Ok(())
}

/// The secrets that a container's environment names, and where.
fn references(container: &Value) -> Vec<(String, &Value)> {
    let list = |key: &str| container[key].as_array().into_iter().flatten();
    let single = list("env").filter_map(|variable| {
        let secret = variable.pointer("/valueFrom/secretKeyRef/name")?;
        let name = variable["name"].as_str().unwrap_or_default();
        Some((format!("envVar {name}"), secret))
    });
    let whole = list("envFrom").filter_map(|source| {
        let secret = source.pointer("/secretRef/name")?;
        Some(("envFrom".to_owned(), secret))
    });
    single.chain(whole).collect()
}
