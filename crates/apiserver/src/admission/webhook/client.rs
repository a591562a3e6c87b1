//! The call of a webhook: one HTTPS request, answered by JSON.
//!
//! Messages are those that users know from client-go and Go's `net/http`. Sources: apiserver
//! `util/webhook/client.go`, client-go `rest/request.go`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use object::{GroupResource, Value, field};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::core::Core;
use crate::store::key_of;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// Where a webhook is, and whom it has to prove to be.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// The name in the certificate.
    host: String,
    port: u16,
    /// With the leading slash.
    path: String,
    /// Where to connect to, or why that is not known.
    dial: Result<String, String>,
}

impl Target {
    /// Reads a `clientConfig`.
    fn of(core: &Core, config: &Value) -> Result<Self, String> {
        if !config["service"].is_null() {
            return Ok(Self::of_service(core, &config["service"]));
        }
        let Some(url) = config["url"].as_str().filter(|url| !url.is_empty()) else {
            return Err("webhook configuration must have either service or URL".to_owned());
        };
        let unparsable = |why: String| format!("Unparsable URL: {why}");
        let uri: http::Uri = url
            .parse()
            .map_err(|error: http::uri::InvalidUri| unparsable(error.to_string()))?;
        let host = uri
            .host()
            .ok_or_else(|| unparsable(format!("{} has no host", field::quote(url))))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(443),
            path: uri.path().to_owned(),
            dial: Ok(host.to_owned()),
        })
    }

    /// A service has nothing behind it here, for pods do not run; one of type ExternalName points at
    /// something that does.
    fn of_service(core: &Core, service: &Value) -> Self {
        let text = |key: &str| service[key].as_str().unwrap_or_default();
        let (name, namespace) = (text("name"), text("namespace"));
        let services = core.store.bucket(&GroupResource::new("", "services"));
        let dial = match services.get(&key_of(namespace, name)) {
            None => Err(format!("service {} not found", field::quote(name))),
            Some(stored) => {
                let spec = stored.value()["spec"].clone();
                match spec["externalName"].as_str() {
                    Some(external) if spec["type"] == "ExternalName" => Ok(external.to_owned()),
                    _ => Err(format!(
                        "no endpoints available for service {}",
                        field::quote(name)
                    )),
                }
            }
        };
        let path = text("path");
        Self {
            host: format!("{name}.{namespace}.svc"),
            port: service["port"]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or(443),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            dial,
        }
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Posts a review; gives the answer's JSON, or why there is none.
pub(super) async fn post(
    core: &Core,
    config: &Value,
    review: &Value,
    timeout: Duration,
) -> Result<Value, String> {
    let cannot = |why: String| format!("could not get REST client: {why}");
    let target = Target::of(core, config).map_err(cannot)?;
    let tls = client_config(config).map_err(cannot)?;
    let location = format!("{}?timeout={}s", target.path, timeout.as_secs());
    let exchange = exchange(&target, tls, &location, review);
    let answered = tokio::time::timeout(timeout, exchange)
        .await
        .unwrap_or_else(|_| Err("context deadline exceeded".to_owned()));
    let (status, body) = answered.map_err(|why| {
        let url = format!("https://{}{location}", target.authority());
        format!("failed to call webhook: Post {}: {why}", field::quote(&url))
    })?;
    read(status, &body).map_err(|why| format!("failed to call webhook: {why}"))
}

fn client_config(config: &Value) -> Result<rustls::ClientConfig, String> {
    let bundle = config["caBundle"].as_str().unwrap_or_default();
    let bundle = base64::engine::general_purpose::STANDARD
        .decode(bundle)
        .map_err(|_| "the CA bundle is not in base64".to_owned())?;
    let mut made = tls::client(tls::ClientOptions {
        authorities: (!bundle.is_empty()).then_some(bundle.as_slice()),
        ..tls::ClientOptions::default()
    })
    .map_err(|error| error.to_string())?;
    made.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(made)
}

async fn exchange(
    target: &Target,
    tls: rustls::ClientConfig,
    location: &str,
    review: &Value,
) -> Result<(u16, Bytes), String> {
    let host = target.dial.clone()?;
    let stream = TcpStream::connect((host.as_str(), target.port))
        .await
        .map_err(|error| connect_error(&host, target.port, &error))?;
    let name = ServerName::try_from(target.host.clone()).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::new(tls))
        .connect(name, stream)
        .await
        .map_err(|error| tls_error(&target.host, &error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let body = Bytes::from(review.to_string());
    let request = http::Request::post(location)
        .header(http::header::HOST, target.authority())
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::ACCEPT, "application/json, */*")
        .header(http::header::USER_AGENT, "kube-apiserver-admission")
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(answer);
    // The connection does its work here and not in a task, so that it ends with the call.
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = connection => match answer.await {
            Ok(answer) => Ok(answer),
            Err(why) => Err(ended.err().map_or(why, |error| broken(&error))),
        },
    }
}

fn broken(error: &hyper::Error) -> String {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        "EOF".to_owned()
    } else {
        error.to_string()
    }
}

fn connect_error(host: &str, port: u16, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("dial tcp {host}:{port}: connect: connection refused")
        }
        _ if error.raw_os_error().is_none() => format!("dial tcp: lookup {host}: no such host"),
        _ => format!("dial tcp {host}:{port}: connect: {error}"),
    }
}

fn tls_error(host: &str, error: &io::Error) -> String {
    use rustls::CertificateError as Certificate;
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let why = match inner {
        Some(rustls::Error::InvalidCertificate(why)) => why,
        Some(other) => return format!("tls: {other}"),
        None => return error.to_string(),
    };
    let why = match why {
        // An authority of the same name and another key is another authority.
        Certificate::UnknownIssuer | Certificate::BadSignature => {
            "certificate signed by unknown authority".to_owned()
        }
        Certificate::Expired
        | Certificate::ExpiredContext { .. }
        | Certificate::NotValidYet
        | Certificate::NotValidYetContext { .. } => {
            "certificate has expired or is not yet valid".to_owned()
        }
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
            format!("certificate is not valid for {host}")
        }
        other => other.to_string(),
    };
    format!("tls: failed to verify certificate: x509: {why}")
}

/// The answer, or what client-go makes of a status that says no.
fn read(status: u16, body: &[u8]) -> Result<Value, String> {
    let value: Result<Value, _> = serde_json::from_slice(body);
    if (200..=206).contains(&status) {
        return value
            .map_err(|error| format!("couldn't get version/kind; json parse error: {error}"));
    }
    if let Ok(told) = &value
        && told["kind"] == "Status"
        && let Some(message) = told["message"].as_str().filter(|text| !text.is_empty())
    {
        return Err(message.to_owned());
    }
    let text: String = String::from_utf8_lossy(body)
        .trim()
        .chars()
        .take(2048)
        .collect();
    let quoted = field::quote(&text);
    Err(match status {
        401 => "the server has asked for the client to provide credentials".to_owned(),
        403 => text,
        404 => "the server could not find the requested resource".to_owned(),
        405 => "the server does not allow this method on the requested resource".to_owned(),
        413 => "Request entity too large: ".to_owned() + &text,
        422 => "the server rejected our request due to an error in our request".to_owned(),
        429 => "the server has received too many requests and has asked us to try again later"
            .to_owned(),
        503 => "the server is currently unable to handle the request".to_owned(),
        504 => "the server was unable to return a response in the time allotted, but may still be processing the request".to_owned(),
        500.. => format!("an error on the server ({quoted}) has prevented the request from succeeding"),
        _ => "the server rejected our request for an unknown reason".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_as_client_go_tells_them() {
        let refused = |status: u16, body: &str| read(status, body.as_bytes()).unwrap_err();
        assert_eq!(
            refused(404, "x"),
            "the server could not find the requested resource"
        );
        assert_eq!(
            refused(500, "boom\n"),
            "an error on the server (\"boom\") has prevented the request from succeeding"
        );
        assert_eq!(refused(500, r#"{"kind":"Status","message":"no"}"#), "no");
        assert!(read(200, b"{}").is_ok());
        assert!(refused(200, "<html>").starts_with("couldn't get version/kind"));
    }
}
