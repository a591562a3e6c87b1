//! Git's smart protocol over HTTP.

use std::error::Error as _;
use std::sync::OnceLock;

use futures::TryStreamExt as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Proxy, Response};
use tokio_util::io::StreamReader;

use super::Service;
use crate::pkt::Source;
use crate::{Credentials, GitError, ProxyUrl, Remote, RepositoryUrl, Scheme, Tls};

const AGENT: &str = concat!("sluice/", env!("CARGO_PKG_VERSION"));
const INFO_REFS: &str = "/info/refs";
const MAX_REDIRECTS: usize = 10;
/// What is shown of the body of a refusal.
const MAX_REASON: usize = 16 << 10;

/// A repository behind HTTP.
pub(crate) struct Connection {
    client: Client,
    /// Where requests go, after redirects.
    url: RepositoryUrl,
    authorization: Option<HeaderValue>,
    service: Service,
}

impl Connection {
    pub(crate) async fn open(
        remote: &Remote,
        service: Service,
    ) -> Result<(Self, Source), GitError> {
        let client = client(&remote.auth.tls, remote.proxy.as_ref())?;
        let authorization = authorization(remote)?;
        let mut connection = Self {
            client,
            url: remote.url.clone(),
            authorization,
            service,
        };
        let response = connection.advertisement().await?;
        Ok((connection, body(response)))
    }

    /// Asks for the references, and follows redirects: to http(s) only, and without credentials to other hosts.
    async fn advertisement(&mut self) -> Result<Response, GitError> {
        for _ in 0..=MAX_REDIRECTS {
            let url = format!(
                "{}{INFO_REFS}?service={}",
                self.url.without_login(),
                self.service.name()
            );
            let response = self.send(Method::GET, "Get", &url, None).await?;
            if !response.status().is_redirection() || response.headers().get(LOCATION).is_none() {
                return succeeded(response, &url).await;
            }
            self.redirect(&response)?;
        }
        Err(GitError::Redirect("too many redirects".to_owned()))
    }

    fn redirect(&mut self, response: &Response) -> Result<(), GitError> {
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let target = response
            .url()
            .join(location)
            .map_err(|error| GitError::Redirect(error.to_string()))?;
        let scheme = match target.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => {
                return Err(GitError::Redirect(format!(
                    "unsupported scheme \"{other}\""
                )));
            }
        };
        let Some(path) = target.path().strip_suffix(INFO_REFS) else {
            let text = format!("target \"{}\" does not end with {INFO_REFS}", target.path());
            return Err(GitError::Redirect(text));
        };
        if scheme == Scheme::Http && self.url.scheme == Scheme::Https {
            return Err(GitError::Redirect(
                "changes scheme from \"https\" to \"http\"".to_owned(),
            ));
        }
        let host = target
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        let next = RepositoryUrl {
            scheme,
            user: None,
            password: None,
            host,
            port: target.port(),
            path: path.to_owned(),
        };
        let default_ports = self.url.port.is_none() && next.port.is_none();
        let same_port = self.url.effective_port() == next.effective_port() || default_ports;
        if !self.url.same_host(&next) || !same_port {
            self.authorization = None;
        }
        self.url = next;
        Ok(())
    }

    pub(crate) async fn post(&self, body_: Vec<u8>) -> Result<Source, GitError> {
        let url = format!("{}/{}", self.url.without_login(), self.service.name());
        let response = self.send(Method::POST, "Post", &url, Some(body_)).await?;
        if response.status().is_redirection() {
            return Err(GitError::Redirect(format!(
                "redirect on non-initial request to {url}"
            )));
        }
        Ok(body(succeeded(response, &url).await?))
    }

    async fn send(
        &self,
        method: Method,
        name: &'static str,
        url: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response, GitError> {
        let mut request = self
            .client
            .request(method, url)
            .header(USER_AGENT, AGENT)
            .header("Git-Protocol", "version=2");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request = match body {
            None => request.header(ACCEPT, "*/*"),
            Some(body) => request
                .header(
                    ACCEPT,
                    format!("application/x-{}-result", self.service.name()),
                )
                .header(
                    CONTENT_TYPE,
                    format!("application/x-{}-request", self.service.name()),
                )
                .body(body),
        };
        request.send().await.map_err(|error| {
            let address = format!("{}:{}", self.url.host, self.url.effective_port());
            GitError::Request {
                method: name,
                url: url.to_owned(),
                reason: dial_reason(&error, &address),
            }
        })
    }
}

fn authorization(remote: &Remote) -> Result<Option<HeaderValue>, GitError> {
    use base64::Engine as _;
    let basic = |username: &str, password: &str| {
        let text =
            base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
        format!("Basic {text}")
    };
    let text = match (&remote.auth.credentials, &remote.url.user) {
        (Credentials::Basic { username, password }, _) => basic(username, password),
        (Credentials::Bearer(token), _) => format!("Bearer {token}"),
        (Credentials::Key { .. }, _) => return Err(GitError::InvalidAuthMethod),
        (Credentials::None, Some(user)) => {
            basic(user, remote.url.password.as_deref().unwrap_or_default())
        }
        (Credentials::None, None) => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        GitError::Auth("credentials hold characters that a header cannot".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The client for these certificates and this proxy. The one for neither is shared, with its connections.
fn client(tls: &Tls, proxy: Option<&ProxyUrl>) -> Result<Client, GitError> {
    static PLAIN: OnceLock<Client> = OnceLock::new();
    if *tls == Tls::default() && proxy.is_none() {
        if let Some(client) = PLAIN.get() {
            return Ok(client.clone());
        }
        let client = build(tls, None)?;
        return Ok(PLAIN.get_or_init(|| client).clone());
    }
    build(tls, proxy)
}

fn build(tls: &Tls, proxy: Option<&ProxyUrl>) -> Result<Client, GitError> {
    let config = tls::client(tls::ClientOptions {
        authorities: tls.authorities.as_deref(),
        and_systems: true,
        certificate: tls.certificate.as_deref(),
        key: tls.key.as_deref(),
    })?;
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .tls_backend_preconfigured(config)
        .http1_only()
        .connect_timeout(std::time::Duration::from_secs(30));
    if let Some(ProxyUrl(address)) = proxy {
        let proxy = Proxy::all(address)
            .map_err(|_| GitError::Auth("the proxy's address is not valid".to_owned()))?;
        builder = builder.proxy(proxy);
    }
    builder
        .build()
        .map_err(|error| GitError::Protocol(reason(&error)))
}

fn body(response: Response) -> Source {
    Box::pin(StreamReader::new(
        response.bytes_stream().map_err(std::io::Error::other),
    ))
}

/// The answer, or an error in go-git's words.
async fn succeeded(mut response: Response, url: &str) -> Result<Response, GitError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() >= MAX_REASON {
            text.truncate(MAX_REASON);
            break;
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    Err(match status.as_u16() {
        401 => GitError::AuthenticationRequired(text),
        403 => GitError::AuthorizationFailed(text),
        404 => GitError::RepositoryNotFound(format!(": {text}")),
        status => GitError::Status {
            url: url.to_owned(),
            status,
        },
    })
}

/// Why a request was not answered, in Go's words where there are some.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    dial_reason(error, "")
}

fn dial_reason(error: &reqwest::Error, address: &str) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    let mut last = String::new();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            if let Some(text) = io_reason(io, address) {
                return text;
            }
            // What is inside of it says more.
            cause = io.get_ref().map(|inner| inner as &dyn std::error::Error);
            last = io.to_string();
            continue;
        }
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return tls_reason(tls);
        }
        last = error.to_string();
        if last.contains("dns error") || last.contains("failed to lookup address") {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            return format!("dial tcp: lookup {host}: no such host");
        }
        if last.contains("connection closed before message completed") {
            return "EOF".to_owned();
        }
        cause = error.source();
    }
    if last.is_empty() {
        error.to_string()
    } else {
        last
    }
}

fn io_reason(error: &std::io::Error, address: &str) -> Option<String> {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            Some(format!("dial tcp {address}: connect: connection refused"))
        }
        ErrorKind::HostUnreachable => {
            Some(format!("dial tcp {address}: connect: no route to host"))
        }
        ErrorKind::NetworkUnreachable => Some(format!(
            "dial tcp {address}: connect: network is unreachable"
        )),
        ErrorKind::TimedOut => Some(format!("dial tcp {address}: i/o timeout")),
        ErrorKind::ConnectionReset => Some("read: connection reset by peer".to_owned()),
        ErrorKind::UnexpectedEof => Some("unexpected EOF".to_owned()),
        _ => None,
    }
}

fn tls_reason(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(C::UnknownIssuer) => {
            "tls: failed to verify certificate: x509: certificate signed by unknown authority"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(
            C::NotValidForName | C::NotValidForNameContext { .. },
        ) => "tls: failed to verify certificate: x509: certificate is not valid for this name"
            .to_owned(),
        rustls::Error::AlertReceived(alert) => format!("remote error: tls: {alert:?}"),
        rustls::Error::InvalidMessage(_) => {
            "tls: first record does not look like a TLS handshake".to_owned()
        }
        other => format!("tls: {other}"),
    }
}
