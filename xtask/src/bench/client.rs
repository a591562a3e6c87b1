//! A client that costs little: raw requests over TLS and HTTP/1.1 with kept connections.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::TaskError;

/// Where a server listens, and how it lets us in.
#[derive(Clone)]
pub(super) struct Target {
    address: SocketAddr,
    authorization: String,
    tls: TlsConnector,
}

fn failed(error: impl std::fmt::Display) -> TaskError {
    TaskError::Other(format!("the client failed: {error}"))
}

impl Target {
    /// A server whose certificate one of `authorities` (PEM) has signed.
    pub(super) fn new(url: &str, token: &str, authorities: &[u8]) -> Result<Self, TaskError> {
        let address = url.trim_start_matches("https://").parse().map_err(failed)?;
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            // A chain holds the server's own certificate, too, which is no authority.
            let _ = roots.add(certificate.map_err(failed)?);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            address,
            authorization: format!("Bearer {token}"),
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// A connection of its own.
    pub(super) async fn connect(&self) -> Result<Connection, TaskError> {
        let stream = TcpStream::connect(self.address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let name = ServerName::from(self.address.ip());
        let stream = self.tls.connect(name, stream).await.map_err(failed)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(failed)?;
        // It ends with the sender; errors show in the request that meets them.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Connection {
            sender,
            authorization: self.authorization.clone(),
        })
    }
}

/// One request.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl Call {
    pub(super) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            content_type: "application/json",
            body: String::new(),
        }
    }
}

/// A kept connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authorization: String,
}

impl Connection {
    /// Sends a request and reads its answer to the end; gives its size.
    pub(super) async fn send(&mut self, call: Call) -> Result<usize, TaskError> {
        let mut body = self.open(call).await?;
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            size += frame.map_err(failed)?.data_ref().map_or(0, Bytes::len);
        }
        Ok(size)
    }

    /// Sends a request whose answer is read by the caller: a watch.
    pub(super) async fn open(&mut self, call: Call) -> Result<Incoming, TaskError> {
        self.sender.ready().await.map_err(failed)?;
        let what = format!("{} {}", call.method, call.path);
        let request = Request::builder()
            .method(call.method)
            .uri(call.path)
            .header("host", "localhost")
            .header("authorization", &self.authorization)
            .header("accept", "application/json")
            .header("content-type", call.content_type)
            .body(Full::new(Bytes::from(call.body)))
            .map_err(failed)?;
        let answer = self.sender.send_request(request).await.map_err(failed)?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let status = answer.status();
        let text = answer
            .into_body()
            .collect()
            .await
            .map_err(failed)?
            .to_bytes();
        Err(TaskError::Other(format!(
            "{what}: {status}: {}",
            String::from_utf8_lossy(&text)
        )))
    }
}
