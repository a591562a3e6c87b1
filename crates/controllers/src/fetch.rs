//! The tree of an artifact: from this process, or downloaded. Source: fluxcd/pkg `http/fetch`.

use std::time::Duration;

use api::meta::Artifact;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tree::Tree;
use tree::unpack::{self, Limits};

use crate::Trees;
use crate::errors::chain;

/// Why there is no tree; the texts are Flux's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("file not found")]
    NotFound,
    #[error("failed to download archive: {0}")]
    Download(String),
    #[error("failed to download archive from {url} (status: {status})")]
    Status { url: String, status: StatusCode },
    #[error("failed to verify archive: {0}")]
    Verify(String),
    #[error("failed to extract archive (check whether file size exceeds max download size): {0}")]
    Extract(String),
}

impl FetchError {
    /// Whether it may go well the next time.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => status.is_server_error(),
            Self::Download(_) => true,
            _ => false,
        }
    }
}

/// How many downloaded trees are kept; each belongs to one source that several Kustomizations may share.
const KEPT: usize = 16;
/// The longest that a download may take.
const LIMIT: Duration = Duration::from_secs(180);
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// The largest archive that is downloaded.
const MAX_BYTES: usize = 1 << 30;

/// Finds and downloads trees.
pub(crate) struct Fetcher {
    trees: Trees,
    retries: u32,
    downloaded: Mutex<Vec<(String, Tree)>>,
}

impl Fetcher {
    pub(crate) fn new(trees: Trees, retries: u32) -> Self {
        Self {
            trees,
            retries,
            downloaded: Mutex::default(),
        }
    }

    /// The tree of `artifact`, if it is here.
    pub(crate) fn at_hand(&self, artifact: &Artifact) -> Option<Tree> {
        self.trees
            .get(artifact)
            .or_else(|| self.known(&artifact.digest))
    }

    /// The tree of `artifact`: downloaded, unless it comes up here meanwhile. It may take minutes.
    pub(crate) async fn tree(&self, artifact: &Artifact) -> Result<Tree, FetchError> {
        let mut pause = FIRST_PAUSE;
        let mut retries = self.retries;
        let archive = loop {
            if let Some(tree) = self.at_hand(artifact) {
                return Ok(tree);
            }
            match get(&artifact.url).await {
                Ok(archive) => break archive,
                Err(error) if retries == 0 || !error.may_pass() => return Err(error),
                Err(error) => tracing::debug!(%error, "the artifact cannot be downloaded yet"),
            }
            retries -= 1;
            self.come_up(artifact, pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        verify(&artifact.digest, &archive).map_err(FetchError::Verify)?;
        let extracted = tokio::task::spawn_blocking(move || {
            unpack::read(&archive[..], &std::env::temp_dir(), Limits::default())
        })
        .await;
        let tree = extracted
            .map_err(|error| FetchError::Extract(error.to_string()))?
            .map_err(|error| FetchError::Extract(chain(&error)))?;
        let mut downloaded = self.downloaded.lock();
        if downloaded.len() >= KEPT {
            downloaded.remove(0);
        }
        downloaded.push((artifact.digest.clone(), tree.clone()));
        Ok(tree)
    }

    /// Waits, at most `pause`, for the tree to be made in this process, as after a start.
    async fn come_up(&self, artifact: &Artifact, pause: Duration) {
        let end = tokio::time::Instant::now() + pause;
        while self.trees.get(artifact).is_none() && tokio::time::Instant::now() < end {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn known(&self, digest: &str) -> Option<Tree> {
        let downloaded = self.downloaded.lock();
        downloaded
            .iter()
            .find(|(known, _)| known == digest)
            .map(|(_, tree)| tree.clone())
    }
}

async fn get(url: &str) -> Result<Vec<u8>, FetchError> {
    let failed = |error: &dyn std::error::Error| FetchError::Download(chain(error));
    let uri: http::Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| failed(&error))?;
    let path = uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let mut root = uri.into_parts();
    root.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let root = http::Uri::from_parts(root).map_err(|error| failed(&error))?;
    let client = kube::Client::try_from(kube::Config::new(root)).map_err(|error| failed(&error))?;
    let request = Request::get(path)
        .body(Body::empty())
        .map_err(|error| failed(&error))?;
    let whole = async {
        let answer = client.send(request).await.map_err(|error| failed(&error))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(FetchError::NotFound),
            status => {
                return Err(FetchError::Status {
                    url: url.to_owned(),
                    status,
                });
            }
        }
        let body = http_body_util::Limited::new(answer.into_body(), MAX_BYTES);
        let bytes = body
            .collect()
            .await
            .map_err(|error| FetchError::Download(error.to_string()))?;
        Ok(bytes.to_bytes().to_vec())
    };
    tokio::time::timeout(LIMIT, whole)
        .await
        .map_err(|_| FetchError::Download("no answer in time".to_owned()))?
}

fn verify(digest: &str, archive: &[u8]) -> Result<(), String> {
    if digest.is_empty() {
        return Err("empty digest".to_owned());
    }
    let (algorithm, expected) = digest.split_once(':').unwrap_or(("sha256", digest));
    let computed = match algorithm {
        "sha256" => hex(&Sha256::digest(archive)),
        "sha384" => hex(&Sha384::digest(archive)),
        "sha512" => hex(&Sha512::digest(archive)),
        _ => {
            return Err(format!(
                "failed to parse digest '{digest}': unsupported digest algorithm"
            ));
        }
    };
    if computed == expected {
        return Ok(());
    }
    Err(format!(
        "computed digest doesn't match provided '{digest}' (check whether file size exceeds max download size)"
    ))
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_checked() {
        let good = format!(
            "sha256:{}",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(verify(&good, b""), Ok(()));
        assert!(
            verify(&good, b"x")
                .unwrap_err()
                .starts_with("computed digest doesn't match provided 'sha256:e3")
        );
        assert_eq!(verify("", b""), Err("empty digest".to_owned()));
        assert!(verify("md5:00", b"").is_err());
    }
}
