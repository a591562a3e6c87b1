//! Starting, serving, ending.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::auth::{Auth, KeyError};
use crate::config::Config;
use crate::context::User;
use crate::core::Core;
use crate::http::Service;
use crate::http::tls::Tls;
use crate::pipeline::Local;
use crate::store::{Store, StoreError};

/// Why a server cannot start or serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key of service accounts cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificates cannot be made or read.
    #[error("TLS: {0}")]
    Tls(String),
    /// The system namespaces and the like cannot be made.
    #[error("cannot make the first objects: {0}")]
    Bootstrap(String),
    /// The socket cannot be used.
    #[error("socket: {0}")]
    Socket(#[from] std::io::Error),
}

/// A running control plane.
pub struct Server {
    core: Arc<Core>,
    tasks: Vec<JoinHandle<()>>,
}

/// A socket that is being served.
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    /// Waits until the listener has ended, after [`Server::shutdown`].
    pub async fn ended(self) {
        // A panic of the accept loop has been logged; there is nothing to add.
        let _ = self.task.await;
    }
}

impl Server {
    /// Opens the store, makes what every cluster has, and starts the controllers.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let store = match config.directory.clone() {
            None => Store::in_memory(),
            Some(directory) => tokio::task::spawn_blocking(move || Store::open(&directory))
                .await
                .map_err(|error| StoreError::Stopped(error.to_string()))??,
        };
        let auth = Auth::open(config.directory.as_deref())?;
        let core = Arc::new(Core::new(config, store, auth));
        crate::registry::definitions::load(&core);
        crate::controllers::bootstrap(&core)
            .await
            .map_err(|error| StartError::Bootstrap(error.to_string()))?;
        let tasks = crate::controllers::start(&core);
        Ok(Self { core, tasks })
    }

    /// The tower service: what a socket serves, and what an in-process `kube::Client` is made over.
    pub fn service(&self) -> Service {
        Service::new(Arc::clone(&self.core))
    }

    /// An in-process client that acts as a user.
    pub fn local(&self, user: User) -> Local {
        Local::new(Arc::clone(&self.core), user)
    }

    /// What the parts share.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Serves a socket, with TLS unless `tls` is `None`, until [`Server::shutdown`].
    pub fn serve(&self, listener: TcpListener, tls: Option<&Tls>) -> Result<Listening, StartError> {
        let address = listener.local_addr()?;
        let task = tokio::spawn(crate::http::listener::run(
            listener,
            tls.map(Tls::acceptor),
            self.service(),
            self.core.shutdown.clone(),
        ));
        Ok(Listening { address, task })
    }

    /// Ends watches, controllers and listeners, and closes the store.
    pub async fn shutdown(self) {
        self.core.shutdown.cancel();
        for task in self.tasks {
            if tokio::time::timeout(Duration::from_secs(5), task)
                .await
                .is_err()
            {
                tracing::warn!("a controller did not end in time");
            }
        }
        let core = self.core;
        // Joining the writer thread blocks.
        let _ = tokio::task::spawn_blocking(move || core.store.close()).await;
    }
}
