//! The HTTP server of artifacts, at the paths of Flux's (Go's `http.FileServer`).

use std::io::{self, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_MODIFIED_SINCE, LAST_MODIFIED,
    RANGE,
};
use http::{HeaderMap, Method, Response, StatusCode};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::net::TcpListener;
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;

/// What is told as the address of the server (`--storage-adv-addr`), where nothing is given: the address it listens on, with
/// this machine's name for all addresses.
///
/// # Errors
/// The address is none.
pub fn advertised_address(listen: &str) -> Result<String, String> {
    let (host, port) = listen
        .rsplit_once(':')
        .ok_or_else(|| format!("invalid storage address {listen:?}"))?;
    let host = match host {
        "" => "localhost".to_owned(),
        "0.0.0.0" | "[::]" => std::env::var("HOSTNAME")
            .ok()
            .filter(|name| !name.is_empty())
            .or_else(|| {
                std::fs::read_to_string("/proc/sys/kernel/hostname")
                    .ok()
                    .map(|name| name.trim().to_owned())
            })
            .ok_or("0.0.0.0 specified in storage addr but hostname is invalid")?,
        host => host.to_owned(),
    };
    Ok(format!("{host}:{port}"))
}

/// Serves the artifacts in `folder` until `stop`.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    folder: PathBuf,
    stop: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, router(folder))
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// What answers requests for the artifacts in `folder`.
pub fn router(folder: PathBuf) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(folder))
}

async fn answer(State(folder): State<Arc<PathBuf>>, request: Request) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    }
    let Some(path) = local(&folder, request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND, "404 page not found");
    };
    match file(&path, request.headers(), request.method() == Method::HEAD).await {
        Ok(response) => response,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            plain(StatusCode::FORBIDDEN, "403 Forbidden")
        }
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            plain(StatusCode::NOT_FOUND, "404 page not found")
        }
        Err(_) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "500 Internal Server Error",
        ),
    }
}

/// The file that a path means; none for what is not served: hidden names, and what would lie elsewhere.
fn local(folder: &Path, path: &str) -> Option<PathBuf> {
    let decoded = decoded(path)?;
    let relative = Path::new(decoded.trim_start_matches('/'));
    let is_served = relative.components().all(|part| match part {
        Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
        _ => false,
    });
    is_served.then(|| folder.join(relative))
}

fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

async fn file(path: &Path, headers: &HeaderMap, only_head: bool) -> io::Result<Response<Body>> {
    // Links are not followed: there are none but those that someone else has put there.
    let metadata = tokio::fs::symlink_metadata(path).await?;
    if metadata.is_dir() {
        return listing(path).await;
    }
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let modified = metadata.modified().ok().map(http_time);
    let size = metadata.len();
    let mut response = Response::builder()
        .header(ACCEPT_RANGES, "bytes")
        .header(CONTENT_TYPE, kind(path));
    if let Some(modified) = &modified {
        response = response.header(LAST_MODIFIED, modified);
    }
    let since = headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok());
    if since.is_some() && since == modified.as_deref() {
        return finished(response.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    let range = headers
        .get(RANGE)
        .and_then(|value| value.to_str().ok())
        .map(|text| range(text, size));
    let (start, length) = match range {
        None => (0, size),
        Some(Some((start, length))) => {
            let text = format!("bytes {start}-{}/{size}", start + length - 1);
            response = response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(CONTENT_RANGE, text);
            (start, length)
        }
        Some(None) => {
            let response = response.status(StatusCode::RANGE_NOT_SATISFIABLE);
            return finished(
                response.header(CONTENT_RANGE, format!("bytes */{size}")),
                Body::empty(),
            );
        }
    };
    response = response.header(CONTENT_LENGTH, length);
    if only_head {
        return finished(response, Body::empty());
    }
    let mut file = File::open(path).await?;
    file.seek(SeekFrom::Start(start)).await?;
    finished(
        response,
        Body::from_stream(ReaderStream::with_capacity(file.take(length), 64 << 10)),
    )
}

fn finished(response: http::response::Builder, body: Body) -> io::Result<Response<Body>> {
    response.body(body).map_err(io::Error::other)
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz" | "tgz") => "application/gzip",
        Some("yaml" | "yml") => "application/yaml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

/// `bytes=<start>-[<end>]` or `bytes=-<last>`, as start and length.
fn range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    if start.is_empty() {
        let length = end.parse::<u64>().ok()?.min(size);
        return (length > 0).then_some((size - length, length));
    }
    let start: u64 = start.parse().ok()?;
    let end = if end.is_empty() {
        size
    } else {
        end.parse::<u64>().ok()?.checked_add(1)?.min(size)
    };
    (start < end).then(|| (start, end - start))
}

async fn listing(folder: &Path) -> io::Result<Response<Body>> {
    let mut names = Vec::new();
    let mut entries = tokio::fs::read_dir(folder).await?;
    while let Some(entry) = entries.next_entry().await? {
        let mut name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type().await?.is_dir() {
            name.push('/');
        }
        names.push(name);
    }
    names.sort();
    let escaped = |name: &str| {
        name.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
    };
    let mut page = String::from(
        "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n",
    );
    for name in names {
        page.push_str(&format!("<a href=\"{0}\">{0}</a>\n", escaped(&name)));
    }
    page.push_str("</pre>\n");
    finished(
        Response::builder().header(CONTENT_TYPE, "text/html; charset=utf-8"),
        Body::from(page),
    )
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// `Tue, 01 Dec 2026 02:03:04 GMT`
fn http_time(time: SystemTime) -> String {
    let timestamp = jiff::Timestamp::try_from(time).unwrap_or_default();
    timestamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
