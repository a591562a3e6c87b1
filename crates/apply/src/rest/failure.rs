//! Why requests fail, in the words of client-go.

use http::{Method, StatusCode};
use serde::Deserialize;

use super::Target;

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

/// Why a request was refused, by the status in the answer or, without one, by client-go's words for the code.
pub(super) fn refusal(code: StatusCode, body: &[u8], method: &Method, at: &Target<'_>) -> Failure {
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
pub(super) fn generic(code: u16, body: &[u8], method: &str, at: &Target<'_>) -> Failure {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::Resource;
    use object::GroupVersionKind;

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
}
