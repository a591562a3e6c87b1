//! As whom, and to which cluster, a Kustomization is applied. Source: fluxcd/pkg `runtime/client`.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use api::kustomize::v1::Kustomization;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use runtime::Connection;
use runtime::metrics::Metrics;

use super::settings::Settings;
use super::spec;
use crate::errors::{api_message, chain};

/// Why there is no connection to apply through; the texts are Flux's where it has them.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error("unable to read KubeConfig secret '{secret}' error: {why}")]
    Secret { secret: String, why: String },
    #[error("KubeConfig secret '{secret}' does not contain a '{key}' key with a kubeconfig")]
    Key { secret: String, key: String },
    #[error("KubeConfig secret '{secret}' cannot be used: {why}")]
    Config { secret: String, why: String },
    #[error("kubeConfig.configMapRef is not supported with this build: use a secretRef")]
    ConfigMap,
    #[error(transparent)]
    User(#[from] runtime::client::ConnectError),
}

/// Where a Kustomization is applied.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) connection: Connection,
    /// The connection to the same cluster that acts as nobody else.
    pub(super) base: Connection,
    /// Tells other clusters apart; `None` is the cluster of the controller.
    pub(super) cluster: Option<u64>,
}

/// The account to act as; `None` for the controller's own.
pub(super) fn account<'a>(object: &'a Kustomization, settings: &'a Settings) -> Option<&'a str> {
    let named = object
        .spec
        .service_account_name
        .as_deref()
        .filter(|name| !name.is_empty());
    named.or(Some(settings.default_service_account.as_str()).filter(|name| !name.is_empty()))
}

/// The connection that `object` is to be applied through.
pub(super) async fn target(
    own: &Connection,
    object: &Kustomization,
    settings: &Settings,
    metrics: &Metrics,
) -> Result<Target, TargetError> {
    let (mut base, mut cluster) = (own.clone(), None);
    if let Some(reference) = &object.spec.kube_config {
        let Some(secret) = &reference.secret_ref else {
            return Err(TargetError::ConfigMap);
        };
        let key = secret.key.as_deref().filter(|key| !key.is_empty());
        let text = kubeconfig(own.client(), spec::namespace(object), &secret.name, key).await?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        cluster = Some(hasher.finish());
        let name = format!("{}/{}", spec::namespace(object), secret.name);
        base = connect(&text, settings, metrics)
            .await
            .map_err(|why| TargetError::Config { secret: name, why })?;
    }
    let connection = match account(object, settings) {
        Some(account) => base.acting_as(&format!(
            "system:serviceaccount:{}:{account}",
            spec::namespace(object)
        ))?,
        None => base.clone(),
    };
    Ok(Target {
        connection,
        base,
        cluster,
    })
}

/// Whether the account to act as is there; without one nothing has to be. Source: `CanImpersonate`.
pub(super) async fn has_account(
    own: &Connection,
    object: &Kustomization,
    settings: &Settings,
) -> bool {
    let Some(account) = account(object, settings) else {
        return true;
    };
    let accounts = Api::<ServiceAccount>::namespaced(own.client().clone(), spec::namespace(object));
    accounts.get(account).await.is_ok()
}

async fn kubeconfig(
    client: &kube::Client,
    namespace: &str,
    name: &str,
    key: Option<&str>,
) -> Result<String, TargetError> {
    let full = format!("{namespace}/{name}");
    let secret = Api::<Secret>::namespaced(client.clone(), namespace)
        .get(name)
        .await;
    let secret = secret.map_err(|error| TargetError::Secret {
        secret: full.clone(),
        why: api_message(&error),
    })?;
    let data = secret.data.unwrap_or_default();
    let found = match key {
        Some(key) => data.get(key),
        None => data.get("value").or_else(|| data.get("value.yaml")),
    };
    let missing = || TargetError::Key {
        secret: full.clone(),
        key: key.unwrap_or("value").to_owned(),
    };
    Ok(String::from_utf8_lossy(&found.ok_or_else(missing)?.0).into_owned())
}

async fn connect(text: &str, settings: &Settings, metrics: &Metrics) -> Result<Connection, String> {
    let mut kubeconfig = Kubeconfig::from_yaml(text).map_err(|error| chain(&error))?;
    // A kubeconfig from a Secret runs no program and reads no file of this machine.
    for user in &mut kubeconfig.auth_infos {
        if let Some(auth) = &mut user.auth_info {
            auth.exec = None;
            auth.auth_provider = None;
            for file in [&auth.token_file, &auth.client_certificate, &auth.client_key] {
                if file.is_some() {
                    return Err("it refers to files; their content has to be in it".to_owned());
                }
            }
        }
    }
    for cluster in &mut kubeconfig.clusters {
        if let Some(cluster) = &mut cluster.cluster {
            if cluster.certificate_authority.is_some() {
                return Err("it refers to files; their content has to be in it".to_owned());
            }
            if !settings.insecure_kubeconfig_tls {
                cluster.insecure_skip_tls_verify = None;
            }
        }
    }
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| chain(&error))?;
    Connection::from_config(config, metrics).map_err(|error| chain(&error))
}
