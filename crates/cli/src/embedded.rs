//! A control plane in this process: started, announced by a kubeconfig, ended.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use apiserver::auth::StaticTokens;
use apiserver::http::tls::Tls;
use apiserver::{Config, Listening, Server, StartError, User};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runtime::Connection;
use runtime::metrics::Metrics;
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// A control plane in memory on a free loopback port.
pub(crate) struct Embedded {
    pub(crate) server: Server,
    pub(crate) url: String,
    listening: Listening,
    token: String,
    authority: String,
}

impl Embedded {
    /// Starts it.
    pub(crate) async fn start() -> Result<Self, StartError> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let address = listener.local_addr()?;
        let hosts = ["localhost", "127.0.0.1", "kubernetes.default.svc"].map(str::to_owned);
        let tls = Tls::ephemeral(&hosts)?;
        let token = uuid::Uuid::new_v4().simple().to_string();
        let config = Config {
            tokens: StaticTokens::default().with(&token, User::system("kubernetes-admin")),
            advertise: address.to_string(),
            certificate_authority: tls.authority_pem.clone(),
            ..Config::default()
        };
        let server = Server::start(config).await?;
        let listening = server.serve(listener, Some(&tls))?;
        Ok(Self {
            server,
            url: format!("https://{address}"),
            listening,
            token,
            authority: tls.authority_pem,
        })
    }

    /// A connection without a socket, as the administrator.
    pub(crate) fn connection(&self, metrics: &Metrics) -> Connection {
        connection(&self.server, &self.token, metrics)
    }

    /// Writes a kubeconfig for it that only the user can read.
    pub(crate) fn write_kubeconfig(&self, path: &Path) -> std::io::Result<()> {
        // JSON is YAML, and every client reads it.
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sluice", "cluster": {
                "server": self.url, "certificate-authority-data": STANDARD.encode(&self.authority),
            }}],
            "users": [{"name": "sluice", "user": {"token": self.token}}],
            "contexts": [{"name": "sluice", "context": {"cluster": "sluice", "user": "sluice"}}],
            "current-context": "sluice",
        });
        write_private(path, &format!("{config:#}\n"))
    }

    /// Ends it.
    pub(crate) async fn end(self) {
        self.server.shutdown().await;
        self.listening.ended().await;
    }
}

/// A connection without a socket to a server that knows `token`.
pub(crate) fn connection(server: &Server, token: &str, metrics: &Metrics) -> Connection {
    let header = format!("Bearer {token}")
        .parse()
        .unwrap_or_else(|_| http::HeaderValue::from_static(""));
    let service =
        server
            .service()
            .map_request(move |mut request: http::Request<kube::client::Body>| {
                request
                    .headers_mut()
                    .insert(http::header::AUTHORIZATION, header.clone());
                request
            });
    Connection::in_process(service, metrics)
}

/// Writes a file that only the user can read.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Loopback with a free port.
pub(crate) const FREE_LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
