//! Requests for objects of any kind, and why they fail.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use object::{GroupVersionKind, Value};
use serde::Deserialize;

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
            path.push_str(&segment(namespace));
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

/// A part of a path, escaped.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,;=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What the API server says of a request that it refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// In one word, as `Invalid`.
    pub reason: String,
    /// In words.
    pub message: String,
    /// More.
    pub details: Option<Details>,
}

/// The details of a [`Status`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Details {
    /// Each thing that is wrong.
    pub causes: Vec<Cause>,
    /// How long to wait before the next try, in seconds.
    pub retry_after_seconds: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// In one word, as `FieldValueInvalid`.
    pub reason: String,
    /// In words.
    pub message: String,
    /// Where.
    pub field: String,
}

/// Why a request failed. Prints as client-go's error, without causes of the network.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The API server refuses it.
    #[error("{}", .0.message)]
    Status(Box<Status>),
    /// The API server does not serve the kind.
    #[error("no matches for kind \"{kind}\" in {place}")]
    NoKind {
        /// The kind.
        kind: String,
        /// `version "apps/v1"` or `group "apps"`.
        place: String,
    },
    /// There was no answer in time.
    #[error("context deadline exceeded")]
    Deadline,
    /// The request could not be sent, or the answer not be read.
    #[error("{0}")]
    Transport(String),
    /// Something else is wrong, and no request was made.
    #[error("{0}")]
    Local(String),
}

impl Failure {
    /// The API server's reason; empty if it was not the API server.
    pub fn reason(&self) -> &str {
        match self {
            Self::Status(status) => &status.reason,
            _ => "",
        }
    }

    /// The HTTP status; 0 if there was none.
    pub fn code(&self) -> u16 {
        match self {
            Self::Status(status) => status.code,
            _ => 0,
        }
    }

    /// Whether the object, or what it needs, is not there.
    pub fn is_not_found(&self) -> bool {
        self.reason() == "NotFound" || (self.reason().is_empty() && self.code() == 404)
    }

    /// Whether someone else was faster.
    pub fn is_conflict(&self) -> bool {
        self.reason() == "Conflict" || (self.reason().is_empty() && self.code() == 409)
    }

    fn causes(&self) -> &[Cause] {
        match self {
            Self::Status(status) => status
                .details
                .as_ref()
                .map_or(&[], |details| &details.causes),
            _ => &[],
        }
    }

    /// The reason as Flux shows it: a conflict of field managers has a word of its own.
    pub(crate) fn shown_reason(&self) -> &str {
        let conflict = "FieldManagerConflict";
        if self.causes().iter().any(|cause| cause.reason == conflict) {
            return conflict;
        }
        self.reason()
    }

    /// The fields and managers in conflict, or the invalid fields.
    pub fn fields(&self) -> Vec<&str> {
        self.causes()
            .iter()
            .map(|cause| cause.field.as_str())
            .filter(|field| !field.is_empty())
            .collect()
    }

    /// Whether Flux takes it for a change of a field that cannot change.
    ///
    /// Source: fluxcd/pkg, `ssa/errors.IsImmutableError`, after kubectl.
    pub fn is_immutable(&self) -> bool {
        if self.is_conflict() || self.reason() == "Invalid" {
            return true;
        }
        // Of webhooks and of CEL rules. Go's `.` matches no line break, so each line is looked at.
        self.to_string().lines().any(|line| {
            ["is", "immutable"]
                .iter()
                .zip(["immutable", "field"])
                .any(|(first, second)| {
                    line.match_indices(first).any(|(at, _)| {
                        let rest = &line[at + first.len()..];
                        rest.starts_with([' ', '\t', '\x0c', '\r']) && rest[1..].starts_with(second)
                    })
                })
        })
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Status(Box::new(Status {
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
                details: None,
            })),
            other => Self::Transport(chain(&other)),
        }
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
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

/// Why a request was refused, by the status in the answer or, without one, by client-go's words for the code.
fn refusal(code: StatusCode, body: &[u8], method: &Method, at: &Target<'_>) -> Failure {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    let is_status =
        serde_json::from_slice::<Kind>(body).is_ok_and(|object| object.kind == "Status");
    if is_status && let Ok(mut status) = serde_json::from_slice::<Status>(body) {
        if status.code == 0 {
            status.code = code.as_u16();
        }
        // A path that is not served has a status without details.
        if !(status.code == 404 && status.message == "404 page not found") {
            return Failure::Status(Box::new(status));
        }
    }
    generic(code.as_u16(), body, method.as_str(), at)
}

/// Source: apimachinery, `errors.NewGenericServerResponse`.
fn generic(code: u16, body: &[u8], method: &str, at: &Target<'_>) -> Failure {
    let text = String::from_utf8_lossy(&body[..body.len().min(2048)])
        .trim()
        .to_owned();
    let unexpected = format!(
        "the server responded with the status code {code} but did not return more information"
    );
    let (reason, message) = match code {
        400 => ("BadRequest", "the server rejected our request for an unknown reason".to_owned()),
        401 => ("Unauthorized", "the server has asked for the client to provide credentials".to_owned()),
        403 => ("Forbidden", if text.is_empty() { "unknown".to_owned() } else { text }),
        404 => ("NotFound", "the server could not find the requested resource".to_owned()),
        405 => ("MethodNotAllowed", "the server does not allow this method on the requested resource".to_owned()),
        409 => ("Conflict", "the server reported a conflict".to_owned()),
        429 => ("TooManyRequests", "the server has received too many requests and has asked us to try again later".to_owned()),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request".to_owned()),
        504 => ("Timeout", "the server was unable to return a response in the time allotted, but may still be processing the request".to_owned()),
        500.. => {
            let shown = if text.is_empty() { "unknown" } else { &text };
            ("InternalError", format!("an error on the server ({shown:?}) has prevented the request from succeeding"))
        }
        _ => ("", unexpected),
    };
    let message = format!(
        "{message} ({} {} {})",
        method.to_lowercase(),
        at.resource.shown(),
        at.name
    );
    Failure::Status(Box::new(Status {
        code,
        reason: reason.to_owned(),
        message,
        details: None,
    }))
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

    fn status(reason: &str, message: &str) -> Failure {
        Failure::Status(Box::new(Status {
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..Status::default()
        }))
    }

    #[test]
    fn what_is_immutable_is_told_as_kubectl_does() {
        for (reason, message, expected) in [
            ("Invalid", "anything", true),
            ("Conflict", "anything", true),
            ("Forbidden", "spec is immutable after creation", true),
            ("Forbidden", "cannot change immutable field x", true),
            ("Forbidden", "this immutably fielded thing", false),
            ("Forbidden", "this isimmutable", false),
            ("InternalError", "is  immutable", false),
            ("NotFound", "namespaces \"x\" not found", false),
        ] {
            assert_eq!(
                status(reason, message).is_immutable(),
                expected,
                "{message}"
            );
        }
    }

    #[test]
    fn answers_without_a_status_get_the_words_of_client_go() {
        let resource = deployments();
        let at = Target {
            resource: &resource,
            namespace: "apps",
            name: "web",
        };
        for (code, body, reason, message) in [
            (
                404,
                "404 page not found",
                "NotFound",
                "the server could not find the requested resource (patch deployments.apps web)",
            ),
            (
                500,
                "boom",
                "InternalError",
                "an error on the server (\"boom\") has prevented the request from succeeding (patch deployments.apps web)",
            ),
            (
                418,
                "",
                "",
                "the server responded with the status code 418 but did not return more information (patch deployments.apps web)",
            ),
            (
                422,
                r#"{"kind":"Status","reason":"Invalid","message":"m"}"#,
                "Invalid",
                "m",
            ),
        ] {
            let failure = refusal(
                StatusCode::from_u16(code).unwrap(),
                body.as_bytes(),
                &Method::PATCH,
                &at,
            );
            assert_eq!(
                (
                    failure.reason(),
                    failure.to_string().as_str(),
                    failure.code()
                ),
                (reason, message, code)
            );
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
