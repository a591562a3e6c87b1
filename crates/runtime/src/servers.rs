//! The small HTTP servers of a controller: `/healthz`, `/readyz` and `/metrics`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Whether the process is ready to work; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// It is ready from now on.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Go's form of an address, `[host]:port`, where no host means all; `0` or nothing means no server.
///
/// # Errors
/// The text is no address.
pub fn parse_address(text: &str) -> Result<Option<SocketAddr>, std::net::AddrParseError> {
    match text {
        "" | "0" => Ok(None),
        _ if text.starts_with(':') => format!("0.0.0.0{text}").parse().map(Some),
        _ => text
            .replacen("localhost:", "127.0.0.1:", 1)
            .parse()
            .map(Some),
    }
}

/// Answers `/healthz`, `/readyz` and, if `metrics` are given, `/metrics`, until `stop`.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Option<Metrics>,
    stop: CancellationToken,
) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.cancelled() => return,
        };
        let (readiness, metrics, stop) = (readiness.clone(), metrics.clone(), stop.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer(request.uri().path(), &readiness, metrics.as_ref());
                async move { Ok::<_, Infallible>(answer) }
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // A client that goes away is its own affair.
                _ = connection => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

fn answer(path: &str, readiness: &Readiness, metrics: Option<&Metrics>) -> Response<Full<Bytes>> {
    let is_below = |root: &str| {
        path == root
            || path
                .strip_prefix(root)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let (status, kind, text) = match (path, metrics) {
        ("/metrics", Some(metrics)) => (
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            metrics.render(),
        ),
        _ if is_below("/healthz") => (StatusCode::OK, "text/plain; charset=utf-8", "ok".to_owned()),
        _ if is_below("/readyz") && readiness.get() => {
            (StatusCode::OK, "text/plain; charset=utf-8", "ok".to_owned())
        }
        _ if is_below("/readyz") => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            "not ready".to_owned(),
        ),
        _ => (
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "404 page not found\n".to_owned(),
        ),
    };
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_go_s() {
        let parsed = |text| {
            parse_address(text)
                .unwrap()
                .map(|address| address.to_string())
        };
        assert_eq!(parsed(":9440").as_deref(), Some("0.0.0.0:9440"));
        assert_eq!(parsed("127.0.0.1:0").as_deref(), Some("127.0.0.1:0"));
        assert_eq!(parsed("localhost:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(parsed("0"), None);
        assert!(parse_address("nonsense").is_err());
    }

    #[test]
    fn paths_are_controller_runtime_s() {
        let readiness = Readiness::default();
        let status = |path: &str, metrics: bool| {
            let metrics = metrics.then(Metrics::new);
            answer(path, &readiness, metrics.as_ref()).status().as_u16()
        };
        assert_eq!(
            [
                status("/healthz", false),
                status("/readyz", false),
                status("/metrics", false)
            ],
            [200, 500, 404]
        );
        readiness.set();
        assert_eq!(
            [
                status("/healthz/ping", false),
                status("/readyz", false),
                status("/metrics", true)
            ],
            [200, 200, 200]
        );
    }
}
