//! The connection to an API server: one client, counted and slowed down as the server asks.

mod throttle;

use std::path::Path;

use http::{HeaderName, HeaderValue};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use tower::{BoxError, Service, ServiceExt as _};

use crate::metrics::Metrics;
pub use throttle::{Throttle, ThrottleLayer};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be read or used.
    #[error("cannot use the kubeconfig")]
    Kubeconfig(#[source] Box<KubeconfigError>),
    /// There is no kubeconfig, and the process does not run in a cluster.
    #[error("not in a cluster, and no kubeconfig was given")]
    InCluster(#[source] kube::config::InClusterError),
    /// The client cannot be made.
    #[error("cannot make a client")]
    Client(#[source] Box<kube::Error>),
    /// The name of the user cannot be sent.
    #[error("the user {0:?} cannot be impersonated")]
    User(String),
}

/// A client for an API server, and how to get others that act as someone else.
#[derive(Clone)]
pub struct Connection {
    client: kube::Client,
    server: String,
}

impl Connection {
    /// As the kubeconfig file says.
    ///
    /// # Errors
    /// The file cannot be read, or does not lead to a server.
    pub async fn from_file(path: &Path, metrics: &Metrics) -> Result<Self, ConnectError> {
        let failed = |error| ConnectError::Kubeconfig(Box::new(error));
        let kubeconfig = Kubeconfig::read_from(path).map_err(failed)?;
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
        Self::from_config(config.map_err(failed)?, metrics)
    }

    /// As pods connect to the cluster they run in.
    ///
    /// # Errors
    /// The process runs in no cluster.
    pub fn in_cluster(metrics: &Metrics) -> Result<Self, ConnectError> {
        let config = kube::Config::incluster().map_err(ConnectError::InCluster)?;
        Self::from_config(config, metrics)
    }

    /// As `config` says.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn from_config(mut config: kube::Config, metrics: &Metrics) -> Result<Self, ConnectError> {
        let server = config
            .cluster_url
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        // The server ends watches after a few minutes by itself; a connection that is silent for longer is dead.
        config.read_timeout = Some(std::time::Duration::from_secs(330));
        let base = kube::Client::try_from(config)
            .map_err(|error| ConnectError::Client(Box::new(error)))?;
        let layer = ThrottleLayer::new(metrics.clone(), server.clone());
        let namespace = base.default_namespace().to_owned();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let base = base.clone();
            async move { base.send(request).await }
        });
        let client = kube::Client::new(tower::Layer::layer(&layer, service), namespace);
        Ok(Self { client, server })
    }

    /// A server in this process; `service` answers requests as the user that they are to come from.
    pub fn in_process<T, B>(service: T, metrics: &Metrics) -> Self
    where
        T: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
        T::Future: Send + 'static,
        T::Error: Into<BoxError>,
        B: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let server = "in-process".to_owned();
        let counted = ThrottleLayer::counting(metrics.clone(), server.clone());
        let service = tower::Layer::layer(&counted, service.map_err(Into::into));
        Self {
            client: kube::Client::new(service, "default"),
            server,
        }
    }

    /// A connection over a client that is there.
    pub fn of(client: kube::Client, server: impl Into<String>) -> Self {
        Self {
            client,
            server: server.into(),
        }
    }

    /// The client.
    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// Host and port of the server, for metrics.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The same connection, acting as `user` (`system:serviceaccount:<namespace>:<name>`).
    ///
    /// # Errors
    /// The name holds characters that no header may hold.
    pub fn acting_as(&self, user: &str) -> Result<Self, ConnectError> {
        let value = HeaderValue::from_str(user).map_err(|_| ConnectError::User(user.to_owned()))?;
        let base = self.client.clone();
        let service = tower::service_fn(move |mut request: http::Request<Body>| {
            let (base, value) = (base.clone(), value.clone());
            request
                .headers_mut()
                .insert(HeaderName::from_static("impersonate-user"), value);
            async move { base.send(request).await }
        });
        let client = kube::Client::new(service, self.client.default_namespace());
        Ok(Self {
            client,
            server: self.server.clone(),
        })
    }
}
