//! Requests to one registry.

use std::sync::Mutex;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;

use crate::token::Challenge;
use crate::{OciError, digest};

/// No manifest is larger.
const MANIFEST_LIMIT: u64 = 4 << 20;
/// No blob that is held in memory is larger.
const BLOB_LIMIT: u64 = 512 << 20;
/// No list of tags is longer than this many pages.
const PAGES: usize = 1000;
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// A user's name and password.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({}, ***)", self.user)
    }
}

/// A manifest as the registry has it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its bytes, of which the digest is made.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub value: Value,
}

/// A registry.
pub struct Client {
    http: reqwest::Client,
    base: String,
    login: Option<Login>,
    token: Mutex<Option<String>>,
}

impl Client {
    /// A registry by host and port.
    ///
    /// # Errors
    /// A client that cannot be made.
    pub fn new(registry: &str, plain_http: bool, login: Option<Login>) -> Result<Self, OciError> {
        let scheme = if plain_http { "http" } else { "https" };
        // Docker Hub's registry has another name than the one in images.
        let host = if registry == "index.docker.io" {
            "registry-1.docker.io"
        } else {
            registry
        };
        let base = format!("{scheme}://{host}/v2");
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| OciError::Unreachable {
                url: base.clone(),
                problem: error.to_string(),
            })?;
        Ok(Self {
            http,
            base,
            login,
            token: Mutex::new(None),
        })
    }

    /// Sends a request, and once more with what the registry asks for.
    async fn send(
        &self,
        method: &Method,
        url: &str,
        headers: &[(header::HeaderName, &str)],
        body: &[u8],
    ) -> Result<Response, OciError> {
        let answer = self.attempt(method, url, headers, body).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let asked = answer.headers().get(header::WWW_AUTHENTICATE);
        let challenge = asked
            .and_then(|asked| asked.to_str().ok())
            .and_then(Challenge::read);
        let Some(challenge) = challenge else {
            return Ok(answer);
        };
        let token = self.fetch_token(&challenge).await?;
        if let Ok(mut kept) = self.token.lock() {
            *kept = Some(token);
        }
        self.attempt(method, url, headers, body).await
    }

    async fn attempt(
        &self,
        method: &Method,
        url: &str,
        headers: &[(header::HeaderName, &str)],
        body: &[u8],
    ) -> Result<Response, OciError> {
        let mut request = self.http.request(method.clone(), url);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let token = self.token.lock().ok().and_then(|token| token.clone());
        request = match (token, &self.login) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some(login)) => request.basic_auth(&login.user, Some(&login.password)),
            (None, None) => request,
        };
        if !body.is_empty() {
            request = request.body(body.to_vec());
        }
        request
            .send()
            .await
            .map_err(|error| unreachable(url, &error))
    }

    async fn fetch_token(&self, challenge: &Challenge) -> Result<String, OciError> {
        let url = &challenge.realm;
        // A password goes over an encrypted connection, unless the registry itself has none.
        if !url.starts_with("https://") && self.base.starts_with("https://") {
            return Err(OciError::Content {
                url: url.clone(),
                problem: "the token server is not encrypted".to_owned(),
            });
        }
        let joint = if url.contains('?') { '&' } else { '?' };
        let full = format!(
            "{url}{joint}service={}&scope={}",
            escape(&challenge.service),
            escape(&challenge.scope)
        );
        let mut request = self.http.get(&full);
        if let Some(login) = &self.login {
            request = request.basic_auth(&login.user, Some(&login.password));
        }
        let answer = request
            .send()
            .await
            .map_err(|error| unreachable(url, &error))?;
        let answer = accepted(&Method::GET, url, answer).await?;
        let bytes = read(answer, url, MANIFEST_LIMIT).await?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let token = value["token"]
            .as_str()
            .or_else(|| value["access_token"].as_str());
        token.map(str::to_owned).ok_or_else(|| OciError::Content {
            url: url.clone(),
            problem: "the answer holds no token".to_owned(),
        })
    }

    /// A manifest by tag or digest.
    ///
    /// # Errors
    /// The registry's, or content that does not fit its digest.
    pub async fn manifest(&self, repository: &str, reference: &str) -> Result<Manifest, OciError> {
        let url = format!("{}/{repository}/manifests/{reference}", self.base);
        let answer = self
            .send(&Method::GET, &url, &[(header::ACCEPT, ACCEPTED)], &[])
            .await?;
        let answer = accepted(&Method::GET, &url, answer).await?;
        let media_type = answer.headers().get(header::CONTENT_TYPE);
        let media_type = media_type
            .and_then(|text| text.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let bytes = read(answer, &url, MANIFEST_LIMIT).await?;
        let found = digest(&bytes);
        let wrong = |problem: String| OciError::Content {
            url: url.clone(),
            problem,
        };
        if reference.starts_with("sha256:") && reference != found {
            return Err(wrong(format!("its digest is {found}")));
        }
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("the manifest is not JSON: {error}")))?;
        Ok(Manifest {
            bytes,
            digest: found,
            media_type,
            value,
        })
    }

    /// A blob, checked by its digest.
    ///
    /// # Errors
    /// The registry's, or content that does not fit the digest.
    pub async fn blob(&self, repository: &str, wanted: &str) -> Result<Vec<u8>, OciError> {
        let url = format!("{}/{repository}/blobs/{wanted}", self.base);
        let answer = self.send(&Method::GET, &url, &[], &[]).await?;
        let answer = accepted(&Method::GET, &url, answer).await?;
        let bytes = read(answer, &url, BLOB_LIMIT).await?;
        if digest(&bytes) == wanted {
            return Ok(bytes);
        }
        Err(OciError::Content {
            url,
            problem: format!("its digest is {}", digest(&bytes)),
        })
    }

    /// Puts a blob, unless it is there; gives its digest.
    ///
    /// # Errors
    /// The registry's.
    pub async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Result<String, OciError> {
        let own = digest(bytes);
        let url = format!("{}/{repository}/blobs/{own}", self.base);
        let there = self.send(&Method::HEAD, &url, &[], &[]).await?;
        if there.status().is_success() {
            return Ok(own);
        }
        let url = format!("{}/{repository}/blobs/uploads/", self.base);
        let answer = self
            .send(&Method::POST, &url, &[(header::CONTENT_LENGTH, "0")], &[])
            .await?;
        let answer = accepted(&Method::POST, &url, answer).await?;
        let place = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|place| place.to_str().ok());
        let place = place.ok_or_else(|| OciError::Content {
            url: url.clone(),
            problem: "the registry names no place for the upload".to_owned(),
        })?;
        let root = self.base.trim_end_matches("/v2");
        let place = if place.starts_with('/') {
            format!("{root}{place}")
        } else {
            place.to_owned()
        };
        if !place.starts_with(&format!("{root}/")) {
            return Err(OciError::Content {
                url,
                problem: "the upload would go to another host".to_owned(),
            });
        }
        let joint = if place.contains('?') { '&' } else { '?' };
        let target = format!("{place}{joint}digest={}", escape(&own));
        let headers = [(header::CONTENT_TYPE, "application/octet-stream")];
        let answer = self.send(&Method::PUT, &target, &headers, bytes).await?;
        accepted(&Method::PUT, &target, answer).await?;
        Ok(own)
    }

    /// Puts a manifest under a tag; gives its digest.
    ///
    /// # Errors
    /// The registry's.
    pub async fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<String, OciError> {
        let url = format!("{}/{repository}/manifests/{reference}", self.base);
        let headers = [(header::CONTENT_TYPE, media_type)];
        let answer = self.send(&Method::PUT, &url, &headers, bytes).await?;
        accepted(&Method::PUT, &url, answer).await?;
        Ok(digest(bytes))
    }

    /// All tags of a repository, in the registry's order.
    ///
    /// # Errors
    /// The registry's.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, OciError> {
        let mut url = format!("{}/{repository}/tags/list?n=1000", self.base);
        let mut tags = Vec::new();
        for _ in 0..PAGES {
            let answer = self.send(&Method::GET, &url, &[], &[]).await?;
            let answer = accepted(&Method::GET, &url, answer).await?;
            let link = answer
                .headers()
                .get(header::LINK)
                .and_then(|link| link.to_str().ok());
            let next = link
                .filter(|link| link.contains("rel=\"next\""))
                .and_then(|link| link.split_once('<')?.1.split_once('>'))
                .map(|(link, _)| link.to_owned());
            let bytes = read(answer, &url, MANIFEST_LIMIT).await?;
            let page: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let names = page["tags"].as_array().into_iter().flatten();
            tags.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
            // Only the path counts: the next page is at this registry, too.
            match next.filter(|next| next.starts_with("/v2/")) {
                Some(next) => url = format!("{}{next}", self.base.trim_end_matches("/v2")),
                None => break,
            }
        }
        Ok(tags)
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> OciError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    OciError::Unreachable {
        url: url.to_owned(),
        problem: cause.to_string(),
    }
}

/// The answer if it is a good one, else the registry's error.
async fn accepted(method: &Method, url: &str, answer: Response) -> Result<Response, OciError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let bytes = read(answer, url, MANIFEST_LIMIT).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let first = &body["errors"][0];
    let text = |field: &str| first[field].as_str().unwrap_or_default();
    let message = if first.is_null() {
        format!(
            "unexpected status code {} {}",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default()
        )
    } else {
        format!("{}: {}", text("code"), text("message"))
    };
    Err(OciError::Refused {
        method: method.to_string(),
        url: url.to_owned(),
        message,
        status: status.as_u16(),
    })
}

/// The body, up to a limit.
async fn read(mut answer: Response, url: &str, limit: u64) -> Result<Vec<u8>, OciError> {
    let mut bytes = Vec::new();
    while let Some(part) = answer
        .chunk()
        .await
        .map_err(|error| unreachable(url, &error))?
    {
        bytes.extend_from_slice(&part);
        if bytes.len() as u64 > limit {
            return Err(OciError::Content {
                url: url.to_owned(),
                problem: format!("it is larger than {limit} bytes"),
            });
        }
    }
    Ok(bytes)
}

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value of a query, escaped.
fn escape(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}
