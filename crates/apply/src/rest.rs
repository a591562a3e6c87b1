//! Requests for objects of any kind, and why they fail.

mod failure;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use object::{GroupVersionKind, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

pub(crate) use failure::chain;
pub use failure::{Cause, Details, Failure, Status};
use failure::{generic, refusal};

/// How long a request may take; the API server gives up after a minute.
const DEADLINE: Duration = Duration::from_secs(70);
/// The largest answer that is read; objects are at most a few megabytes.
const LARGEST: usize = 64 << 20;
const APPLY: &str = "application/apply-patch+yaml";
const JSON_PATCH: &str = "application/json-patch+json";
const JSON: &str = "application/json";
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

/// What the API server calls a kind, and where it serves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The kind.
    pub gvk: GroupVersionKind,
    /// Its name in paths.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub is_namespaced: bool,
}

impl Resource {
    /// The path of an object.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), segment(name))
    }

    /// The path of the objects in a namespace, or of all.
    pub fn collection(&self, namespace: &str) -> String {
        let GroupVersionKind { group, version, .. } = &self.gvk;
        let mut path = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        if self.is_namespaced && !namespace.is_empty() {
            path.push_str("/namespaces/");
            path.extend(segment(namespace));
        }
        format!("{path}/{}", self.plural)
    }

    /// As client-go names it: `deployments.apps`.
    fn shown(&self) -> String {
        if self.gvk.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.gvk.group)
        }
    }

    /// As kube names it.
    pub(crate) fn api_resource(&self) -> kube::api::ApiResource {
        let gvk =
            kube::api::GroupVersionKind::gvk(&self.gvk.group, &self.gvk.version, &self.gvk.kind);
        kube::api::ApiResource::from_gvk_with_plural(&gvk, &self.plural)
    }
}

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same, but for what may stand in a segment of a path.
const SEGMENT: &AsciiSet = &RESERVED
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// Text for a value of a query, or any other place where nothing but letters, digits and `-._~` stand for themselves.
pub fn escape(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// A part of a path, escaped.
fn segment(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, SEGMENT)
}

/// What of an object is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// All of it.
    Full,
    /// Its metadata.
    Metadata,
}

/// An answer that is an object.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether the request made the object.
    pub(crate) is_new: bool,
    /// The object, or its metadata.
    pub(crate) object: Value,
}

/// Sends requests about one object.
#[derive(Clone)]
pub(crate) struct Rest {
    client: kube::Client,
    manager: Arc<str>,
}

impl Rest {
    pub(crate) fn new(client: kube::Client, manager: &str) -> Self {
        Self {
            client,
            manager: manager.into(),
        }
    }

    /// Reads an object.
    pub(crate) async fn get(&self, at: &Target<'_>, form: Form) -> Result<Option<Value>, Failure> {
        let path = at.path()?;
        match self.send(Method::GET, path, "", Vec::new(), form, at).await {
            Ok(answer) => Ok(Some(answer.object)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Applies a manifest with force.
    pub(crate) async fn apply(
        &self,
        at: &Target<'_>,
        manifest: &Value,
        dry_run: bool,
        form: Form,
    ) -> Result<Answer, Failure> {
        let path = at.path()?;
        let dry = if dry_run { "&dryRun=All" } else { "" };
        let query = format!("?fieldManager={}&force=true{dry}", segment(&self.manager));
        let body = serde_json::to_vec(manifest)
            .map_err(|error| Failure::Local(format!("cannot write as JSON: {error}")))?;
        self.send(Method::PATCH, path + &query, APPLY, body, form, at)
            .await
    }

    /// Applies a JSON patch.
    pub(crate) async fn patch(
        &self,
        at: &Target<'_>,
        patch: &Value,
        form: Form,
    ) -> Result<Answer, Failure> {
        let path = format!("{}?fieldManager={}", at.path()?, segment(&self.manager));
        let body = patch.to_string().into_bytes();
        self.send(Method::PATCH, path, JSON_PATCH, body, form, at)
            .await
    }

    /// Deletes an object, if it still is the one with this UID.
    pub(crate) async fn delete(
        &self,
        at: &Target<'_>,
        propagation: &str,
        uid: Option<&str>,
    ) -> Result<(), Failure> {
        let mut options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation,
        });
        if let Some(uid) = uid {
            options["preconditions"] = serde_json::json!({ "uid": uid });
        }
        let body = options.to_string().into_bytes();
        let path = at.path()?;
        self.send(Method::DELETE, path, JSON, body, Form::Full, at)
            .await
            .map(drop)
    }

    async fn send(
        &self,
        method: Method,
        uri: String,
        content: &str,
        body: Vec<u8>,
        form: Form,
        at: &Target<'_>,
    ) -> Result<Answer, Failure> {
        let accept = match form {
            Form::Full => JSON,
            Form::Metadata => METADATA,
        };
        let mut request = Request::builder()
            .method(method.clone())
            .uri(uri)
            .header(header::ACCEPT, accept);
        if !content.is_empty() {
            request = request.header(header::CONTENT_TYPE, content);
        }
        let request = request
            .body(Body::from(body))
            .map_err(|error| Failure::Local(format!("not a request: {error}")))?;
        let exchange = async {
            let answer = self
                .client
                .send(request)
                .await
                .map_err(|error| Failure::Transport(chain(&error)))?;
            let code = answer.status();
            let body = http_body_util::Limited::new(answer.into_body(), LARGEST);
            let bytes = body
                .collect()
                .await
                .map_err(|error| Failure::Transport(chain(&*error)))?
                .to_bytes();
            Ok::<_, Failure>((code, bytes))
        };
        let (code, bytes) = tokio::time::timeout(DEADLINE, exchange)
            .await
            .map_err(|_| Failure::Deadline)??;
        if !code.is_success() {
            return Err(refusal(code, &bytes, &method, at));
        }
        let object = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::Transport(format!("the answer is not JSON: {error}")))?;
        Ok(Answer {
            is_new: code == StatusCode::CREATED,
            object,
        })
    }
}

/// An object that requests are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl Target<'_> {
    /// Its path. An object that lacks its namespace has none: the answer of the API server to the path that client-go
    /// would ask for is given without asking.
    fn path(&self) -> Result<String, Failure> {
        if self.resource.is_namespaced && self.namespace.is_empty() {
            return Err(generic(404, &[], "patch", self));
        }
        let namespace = if self.resource.is_namespaced {
            self.namespace
        } else {
            ""
        };
        Ok(self.resource.path(namespace, self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployments() -> Resource {
        Resource {
            gvk: GroupVersionKind::new("apps", "v1", "Deployment"),
            plural: "deployments".to_owned(),
            is_namespaced: true,
        }
    }

    #[test]
    fn paths_are_escaped_and_need_a_namespace() {
        let resource = deployments();
        let path = |namespace, name| {
            Target {
                resource: &resource,
                namespace,
                name,
            }
            .path()
        };
        assert_eq!(
            path("a", "x/../y?z").unwrap(),
            "/apis/apps/v1/namespaces/a/deployments/x%2F..%2Fy%3Fz"
        );
        assert!(path("", "web").unwrap_err().is_not_found());
    }
}
