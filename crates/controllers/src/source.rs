//! Sources: GitRepositories, and the artifacts that other kinds read.
//!
//! ```text
//!  spec, Secrets ─► remote ─► fetch ─► verify ─► include ─► archive ─► status, events
//!                             mirror             trees      store, Trees
//! ```
//!
//! Start reading at `source/git.rs`. ExternalArtifacts are made by others and only consumed.

mod git;
mod mirrors;
mod summary;
mod trouble;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::constants::managers::SOURCE_CONTROLLER;
use api::source::v1::{GitRepository, GitRepositorySpec};
pub use artifact::DigestAlgorithm;
use artifact::{Store, StoreOptions};
use k8s_openapi::api::core::v1::Secret;
use runtime::{Controller, Manager, ObjectKey, Options, Trigger, Wake};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Trees;
use git::GitRepositoryReconciler;
use mirrors::Mirrors;

/// Where, below the storage, what is no artifact lies. The name is hidden from the file server.
const OWN_FOLDER: &str = ".sluice";

/// What the flags say about sources.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many are at work at once, and how failures are slowed down.
    pub run: Options,
    /// Where artifacts lie (`--storage-path`).
    pub storage_path: PathBuf,
    /// Where they are served, host and port (`--storage-addr`).
    pub storage_address: String,
    /// The address in their URLs (`--storage-adv-addr`); made from the former where it is empty.
    pub storage_advertised: String,
    /// How long artifacts are kept (`--artifact-retention-ttl`).
    pub retention_ttl: Duration,
    /// How many are kept (`--artifact-retention-records`).
    pub retention_records: usize,
    /// What digests are computed with (`--artifact-digest-algo`).
    pub digest: DigestAlgorithm,
    /// When includes that are not ready are looked at again, besides when they change (`--requeue-dependency`).
    pub requeue_dependency: Duration,
    /// Feature gate `ObjectLevelWorkloadIdentity`.
    pub object_level_identity: bool,
    /// What a Git repository may be at most.
    pub git_limits: ::git::Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run: Options {
                concurrent: 2,
                ..Options::default()
            },
            storage_path: PathBuf::new(),
            storage_address: ":9090".to_owned(),
            storage_advertised: String::new(),
            retention_ttl: Duration::from_secs(60),
            retention_records: 2,
            digest: DigestAlgorithm::default(),
            requeue_dependency: Duration::from_secs(30),
            object_level_identity: false,
            git_limits: ::git::Limits::default(),
        }
    }
}

/// Why the controller of sources cannot run.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The storage cannot be used.
    #[error("cannot use the storage path {}", .path.display())]
    Storage {
        /// Where.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The address of the file server cannot be used.
    #[error("cannot serve artifacts on {address}: {reason}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
}

/// Runs the controller of sources and the server of artifacts until `stop`.
///
/// # Errors
/// The storage or the address cannot be used.
pub async fn run(
    manager: Manager,
    settings: Settings,
    trees: Trees,
    stop: CancellationToken,
) -> Result<(), SourceError> {
    let listen = |reason: String| SourceError::Listen {
        address: settings.storage_address.clone(),
        reason,
    };
    let listener = listener(&settings.storage_address)
        .await
        .map_err(|error| listen(error.to_string()))?;
    // A port of 0 is known only now.
    let bound = listener
        .local_addr()
        .map_err(|error| listen(error.to_string()))?;
    let address = match settings.storage_address.rsplit_once(':') {
        Some((host, "0")) => format!("{host}:{}", bound.port()),
        _ => settings.storage_address.clone(),
    };
    let advertised = match settings.storage_advertised.as_str() {
        "" => artifact::advertised_address(&address).map_err(listen)?,
        given => given.to_owned(),
    };
    let store = store(&settings, advertised)?;
    let server = tokio::spawn(artifact::serve(
        listener,
        settings.storage_path.clone(),
        stop.clone(),
    ));
    let cache = manager.reconciled::<GitRepositorySpec>();
    let reconciler = GitRepositoryReconciler {
        mirrors: Mirrors::new(settings.storage_path.join(OWN_FOLDER).join("git")),
        store: Arc::new(store),
        trees,
        cache: manager.referred::<GitRepositorySpec>(),
        tokens: git::github::Tokens::default(),
        settings: settings.clone(),
    };
    let controller = Controller::new(
        &manager,
        cache,
        SOURCE_CONTROLLER,
        SOURCE_CONTROLLER,
        reconciler,
        settings.run,
    );
    wake_includers(&controller);
    controller.run(stop).await;
    if let Ok(Err(error)) = server.await {
        tracing::error!(%error, "the server of artifacts has ended");
    }
    Ok(())
}

fn store(settings: &Settings, advertised: String) -> Result<Store, SourceError> {
    let path = settings.storage_path.clone();
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| SourceError::Storage {
        path: path.clone(),
        source,
    };
    std::fs::create_dir_all(&path).map_err(|error| failed(error.into()))?;
    Store::new(StoreOptions {
        path: path.clone(),
        hostname: advertised,
        retention_ttl: settings.retention_ttl,
        retention_records: settings.retention_records,
        digest: settings.digest,
    })
    .map_err(|error| failed(error.into()))
}

/// Go's form of addresses: no host stands for all.
async fn listener(address: &str) -> std::io::Result<TcpListener> {
    match address.strip_prefix(':') {
        Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind(format!("0.0.0.0:{port}")).await,
        },
        None => TcpListener::bind(address).await,
    }
}

/// A new artifact wakes the repositories that include it. (Flux looks again at the interval.)
fn wake_includers(controller: &Controller<GitRepositoryReconciler>) {
    let index = controller.cache().index(|object: &GitRepository| {
        let namespace = object.metadata.namespace.clone().unwrap_or_default();
        let includes = object.spec.include.iter().flatten();
        includes
            .map(|include| format!("{namespace}/{}", include.repository.name))
            .collect()
    });
    let included = Arc::clone(&controller.reconciler().cache);
    controller.wake_on(&included, move |change| {
        let digest = |object: Option<&Arc<GitRepository>>| {
            object
                .and_then(|object| Some(object.status.as_ref()?.artifact.as_ref()?.digest.clone()))
        };
        let (Some(new), false) = (digest(change.new), change.is_initial) else {
            return Vec::new();
        };
        if digest(change.old).as_ref() == Some(&new) {
            return Vec::new();
        }
        let trigger = Trigger::new("GitRepository", change.key.clone());
        let includers = index.get(&change.key.to_string());
        includers
            .into_iter()
            .map(|key: ObjectKey| (key, Wake::superseding(trigger.clone())))
            .collect()
    });
}

/// The data of a Secret, as the API server has it now.
async fn secret(
    client: &kube::Client,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, Vec<u8>>, kube::Error> {
    let secret = kube::Api::<Secret>::namespaced(client.clone(), namespace)
        .get(name)
        .await?;
    Ok(secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, value.0))
        .collect())
}

/// Does what blocks (disks, compression) where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // It has panicked, or the runtime ends: so does this.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}
