//! Repositories over HTTP on loopback, for cloning and pushing: Git's own CGI program behind a small server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The largest request: a push of the user's.
const MAX_BODY: usize = 256 << 20;

/// Serves the bare repositories in `root` until `stop`; `pushed` is called after each push.
pub(crate) async fn serve(
    listener: TcpListener,
    root: PathBuf,
    stop: CancellationToken,
    pushed: impl Fn() + Send + Sync + 'static,
) {
    let (root, pushed): (Arc<Path>, Arc<dyn Fn() + Send + Sync>) = (root.into(), Arc::new(pushed));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Too many open files, mostly: trying at once would only burn the processor.
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.cancelled() => return,
        };
        let (root, pushed, stop) = (Arc::clone(&root), Arc::clone(&pushed), stop.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (root, pushed) = (Arc::clone(&root), Arc::clone(&pushed));
                async move { Ok::<_, Infallible>(answer(request, &root, &*pushed).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // A client that goes away is its own affair.
                _ = connection => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// Binds a port that stays the same from run to run where it is free, so that clones keep their remote.
pub(crate) async fn bind(wanted: u16) -> std::io::Result<TcpListener> {
    let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
    match TcpListener::bind(loopback(wanted)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(loopback(0)).await,
    }
}

async fn answer(
    request: Request<Incoming>,
    root: &Path,
    pushed: &(dyn Fn() + Send + Sync),
) -> Response<Full<Bytes>> {
    let is_push = request.method() == http::Method::POST
        && request.uri().path().ends_with("/git-receive-pack");
    let answer = backend(request, root).await.unwrap_or_else(|error| {
        tracing::warn!(error, "cannot answer a Git client");
        let mut answer = Response::new(Full::from(format!("{error}\n")));
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer
    });
    if is_push && answer.status().is_success() {
        pushed();
    }
    answer
}

async fn backend(request: Request<Incoming>, root: &Path) -> Result<Response<Full<Bytes>>, String> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"));
    let output = tokio::task::spawn_blocking(move || run(command, body)).await;
    from_cgi(
        &output
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("cannot run git: {error}"))?,
    )
}

/// Runs a program over its input; gives its output.
fn run(mut command: Command, input: Bytes) -> std::io::Result<Vec<u8>> {
    use std::io::Write as _;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdin = child.stdin.take();
    let writer = std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A program that ends early has said why in its answer.
            let _ = stdin.write_all(&input);
        }
    });
    let output = child.wait_with_output()?;
    // It has ended with its reader.
    let _ = writer.join();
    Ok(output.stdout)
}

/// A CGI answer as an HTTP one: `Status:` becomes the status.
fn from_cgi(output: &[u8]) -> Result<Response<Full<Bytes>>, String> {
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("git http-backend gave no answer")?;
    let (head, body) = (String::from_utf8_lossy(&output[..end]), &output[end + 4..]);
    let mut answer = Response::new(Full::from(Bytes::copy_from_slice(body)));
    for line in head.lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        if name == "Status" {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            *answer.status_mut() = code
                .and_then(|code: u16| StatusCode::from_u16(code).ok())
                .ok_or("not a status")?;
            continue;
        }
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgi_answers_become_http_ones() {
        let answer = from_cgi(b"Status: 404 Not Found\r\nX-A: b\r\n\r\nbody").unwrap();
        assert_eq!(
            (
                answer.status().as_u16(),
                answer.headers()["x-a"].to_str().unwrap()
            ),
            (404, "b")
        );
        assert_eq!(from_cgi(b"Content-Type: x\r\n\r\n").unwrap().status(), 200);
        assert!(from_cgi(b"nothing").is_err());
    }
}
