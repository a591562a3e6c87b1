//! `sluice up --git`: a repository of the user's, synced to the embedded control plane.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ::controllers::process::RunError;
use apiserver::Server;
use clap::Args;
use object::{Value, meta};
use runtime::metrics::Metrics;
use tempfile::TempDir;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::gitops::{self, ApplyError, NAMESPACE, Synced};

/// The name of the objects that sync.
const NAME: &str = "flux-system";

/// The flags of the sync.
#[derive(Args)]
pub(super) struct Sync {
    /// Sync this Git repository
    #[arg(long, value_name = "URL")]
    git: Option<String>,
    /// The branch to sync
    #[arg(long, default_value = "main", requires = "git")]
    branch: String,
    /// The folder in the repository to sync
    #[arg(long, default_value = "./", requires = "git")]
    path: String,
    /// How often to look for new commits
    #[arg(long, default_value = "1m", requires = "git")]
    interval: api::meta::Duration,
    /// A manifest of Secrets to apply first; one with keys for SOPS (*.agekey, *.asc) decrypts, another logs in to the
    /// repository. May be repeated
    #[arg(long, value_name = "FILE", requires = "git")]
    secret_file: Vec<PathBuf>,
}

/// Why a repository is not synced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}: not YAML")]
    Parse { path: PathBuf, source: yaml::Error },
    #[error("{path}: only Secrets with a name belong into a secret file")]
    NoSecret { path: PathBuf },
    #[error("cannot make a folder for artifacts")]
    Folder(#[source] io::Error),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error("the controllers have ended")]
    Ended,
    #[error("the controllers have ended")]
    Run(#[from] RunError),
    #[error("the controllers have ended by a fault of the program")]
    Panicked(#[from] JoinError),
}

/// The controllers that sync, if any do.
pub(super) struct Syncing {
    controllers: Option<JoinHandle<Result<(), RunError>>>,
    // Lives as long as the artifacts are needed.
    _artifacts: Option<TempDir>,
}

impl Syncing {
    /// Why the controllers have ended, if they have.
    pub(super) async fn failed(self) -> SyncError {
        match self.controllers {
            None => std::future::pending().await,
            Some(controllers) => match controllers.await {
                Ok(Ok(())) => SyncError::Ended,
                Ok(Err(error)) => error.into(),
                Err(error) => error.into(),
            },
        }
    }
}

impl Sync {
    /// Starts the sync, if one is asked for.
    pub(super) async fn start(
        &self,
        server: &Server,
        token: &str,
        stop: CancellationToken,
    ) -> Result<Syncing, SyncError> {
        let Some(url) = &self.git else {
            return Ok(Syncing {
                controllers: None,
                _artifacts: None,
            });
        };
        gitops::install(server).await?;
        let (mut login, mut keys) = (None, None);
        for path in &self.secret_file {
            for secret in secrets(path)? {
                gitops::apply(server, &secret).await?;
                let name = meta::name(&secret).to_owned();
                if has_keys(&secret) {
                    keys = Some(name)
                } else {
                    login = Some(name)
                }
            }
        }
        let artifacts = TempDir::with_prefix("sluice-").map_err(SyncError::Folder)?;
        let metrics = Metrics::new();
        let connection = crate::embedded::connection(server, token, &metrics);
        let controllers = gitops::run(connection, artifacts.path(), metrics, stop);
        let interval = self.interval.to_string();
        let sync = Synced {
            name: NAME,
            url,
            branch: &self.branch,
            path: &self.path,
            interval: &interval,
            login: login.as_deref(),
            keys: keys.as_deref(),
        };
        for object in sync.objects() {
            gitops::apply(server, &object).await?;
        }
        Ok(Syncing {
            controllers: Some(controllers),
            _artifacts: Some(artifacts),
        })
    }
}

/// The Secrets of a file, in the namespace of the sync.
fn secrets(path: &Path) -> Result<Vec<Value>, SyncError> {
    let text = fs::read(path).map_err(|source| SyncError::Read {
        path: path.to_owned(),
        source,
    })?;
    let documents = yaml::to_json_documents(&text).map_err(|source| SyncError::Parse {
        path: path.to_owned(),
        source,
    })?;
    let mut secrets = Vec::new();
    for mut document in documents {
        if document.is_null() {
            continue;
        }
        if document["kind"] != "Secret" || meta::name(&document).is_empty() {
            return Err(SyncError::NoSecret {
                path: path.to_owned(),
            });
        }
        document["metadata"]["namespace"] = Value::from(NAMESPACE);
        secrets.push(document);
    }
    Ok(secrets)
}

/// Whether a Secret holds keys for SOPS.
fn has_keys(secret: &Value) -> bool {
    let sections = ["data", "stringData"]
        .into_iter()
        .filter_map(|section| secret[section].as_object());
    sections
        .flat_map(|section| section.keys())
        .any(|key| key.ends_with(".agekey") || key.ends_with(".asc"))
}
