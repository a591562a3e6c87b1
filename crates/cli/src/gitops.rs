//! The GitOps loop on a control plane in this process: definitions, controllers, and the objects that sync a
//! repository.

use std::path::Path;

use ::controllers::process::{self, RunError};
use apiserver::{ApiError, Local, Server, User};
use object::{GroupVersionKind, Value, meta};
use runtime::metrics::Metrics;
use runtime::{Connection, Jitter, ManagerOptions};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The namespace of the objects that sync the repository.
pub(crate) const NAMESPACE: &str = "flux-system";
/// The name under which fields are owned.
const MANAGER: &str = "sluice";

/// An object cannot be applied.
#[derive(Debug, thiserror::Error)]
#[error("cannot apply {what}")]
pub(crate) struct ApplyError {
    what: String,
    source: ApiError,
}

/// The client that applies.
pub(crate) fn administrator(server: &Server) -> Local {
    server
        .local(User::system("kubernetes-admin"))
        .with_manager(MANAGER)
}

/// Applies one object.
pub(crate) async fn apply(server: &Server, object: &Value) -> Result<(), ApplyError> {
    let gvk = GroupVersionKind::of(object);
    let failed = |source| ApplyError {
        what: format!("{} {}", gvk.kind, meta::name(object)),
        source,
    };
    let registry = server.core().registry();
    let served = registry.resource_of(&gvk).cloned();
    let served = served.ok_or_else(|| {
        failed(ApiError::bad_request(format!(
            "no matches for kind {:?}",
            gvk.kind
        )))
    })?;
    let local = administrator(server);
    local
        .apply(
            &served.gvr,
            meta::namespace(object),
            meta::name(object),
            object,
        )
        .await
        .map_err(failed)?;
    Ok(())
}

/// Installs Flux's kinds and the namespace.
pub(crate) async fn install(server: &Server) -> Result<(), ApplyError> {
    for definition in api::crds() {
        apply(server, &definition).await?;
    }
    apply(
        server,
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
    )
    .await
}

/// Runs all controllers over `connection`, with artifacts below `storage`.
pub(crate) fn run(
    connection: Connection,
    storage: &Path,
    metrics: Metrics,
    stop: CancellationToken,
) -> JoinHandle<Result<(), RunError>> {
    let settings = process::Settings {
        manager: ManagerOptions {
            config_selector: "reconcile.fluxcd.io/watch=Enabled".to_owned(),
            jitter: Jitter::percent(5),
            ..ManagerOptions::default()
        },
        source: ::controllers::source::Settings {
            storage_path: storage.to_owned(),
            storage_address: crate::embedded::FREE_LOOPBACK.to_string(),
            ..::controllers::source::Settings::default()
        },
        ..process::Settings::default()
    };
    tokio::spawn(process::run(connection, settings, metrics, stop))
}

/// What is to be synced.
pub(crate) struct Synced<'a> {
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) branch: &'a str,
    pub(crate) path: &'a str,
    pub(crate) interval: &'a str,
    /// A Secret with the login for the repository.
    pub(crate) login: Option<&'a str>,
    /// A Secret with the keys to decrypt with.
    pub(crate) keys: Option<&'a str>,
}

impl Synced<'_> {
    /// The GitRepository and the Kustomization.
    pub(crate) fn objects(&self) -> [Value; 2] {
        let mut source = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": self.name, "namespace": NAMESPACE},
            "spec": {"interval": self.interval, "url": self.url, "ref": {"branch": self.branch}},
        });
        if let Some(login) = self.login {
            source["spec"]["secretRef"] = json!({"name": login});
        }
        let mut sync = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": self.name, "namespace": NAMESPACE},
            "spec": {
                "interval": "10m", "retryInterval": "1m", "path": self.path, "prune": true,
                "sourceRef": {"kind": "GitRepository", "name": self.name},
            },
        });
        if let Some(keys) = self.keys {
            sync["spec"]["decryption"] = json!({"provider": "sops", "secretRef": {"name": keys}});
        }
        [source, sync]
    }
}
