//! What went wrong with an object, in Flux's words.

use std::fmt;
use std::sync::Arc;

use api::meta::ObjectId;
use base64::Engine as _;
use object::Value;

use crate::change::subject;
use crate::rest::Failure;

/// At what an object failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The API server refuses the manifest. Flux learns that from a dry run.
    Apply,
    /// The API server refused what it had accepted in a dry run.
    ApplyAfterDryRun,
    /// An object with an immutable field could not be deleted.
    Recreate,
    /// It was not gone in time.
    AwaitRecreation,
    /// Field managers and annotations could not be cleaned up.
    Cleanup,
    /// The managed fields could not be moved to another version.
    Migrate,
    /// The live object could not be read before its deletion.
    Query,
    /// It could not be deleted.
    Delete,
    /// It was not gone in time after its deletion.
    Termination,
    /// The objects of a stage are not ready; the failure says which.
    Wait,
    /// The manifest could not be brought into its normal form.
    Normalize,
}

/// What went wrong with an object. Prints in Flux's words.
#[derive(Clone, Debug)]
pub struct ObjectError {
    /// The object.
    pub id: ObjectId,
    /// At what it failed.
    pub step: Step,
    /// Why.
    pub failure: Failure,
    /// Where the manifest comes from, as `apps/web.yaml:12`.
    pub origin: Option<Arc<str>>,
}

impl ObjectError {
    /// The error with the place of the manifest, the fields in question and a hint.
    pub fn detailed(&self) -> String {
        let mut text = self.to_string();
        if let Some(origin) = &self.origin {
            text = format!("{origin}: {text}");
        }
        if let Some(hint) = self.hint() {
            text.push_str("\nhint: ");
            text.push_str(&hint);
        }
        text
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        let id = &self.id;
        match &self.failure {
            Failure::NoKind { kind, place } => Some(format!(
                "the CustomResourceDefinition of {kind} in {place} is not installed; add it to this set, or let this one depend on what installs it"
            )),
            failure if self.step == Step::Apply && failure.is_not_found() && id.namespace.is_empty() => {
                Some("set metadata.namespace, or spec.targetNamespace".to_owned())
            }
            failure if self.step == Step::Apply && failure.is_not_found() => Some(format!(
                "create the namespace {}, or let this set depend on what creates it",
                id.namespace
            )),
            failure if self.step == Step::Apply && failure.to_string().contains("immutable") => Some(
                "the field cannot change; annotate the object with kustomize.toolkit.fluxcd.io/force: enabled to make it anew".to_owned(),
            ),
            failure if failure.reason() == "Forbidden" => Some(
                "give the service account that applies the right to do so, or raise the quota".to_owned(),
            ),
            _ => None,
        }
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, failure) = (subject(&self.id), &self.failure);
        match self.step {
            Step::Apply => refused(f, &subject, &self.id, failure),
            Step::ApplyAfterDryRun => write!(f, "{subject} apply failed: {failure}"),
            Step::Recreate => write!(
                f,
                "{subject} immutable field detected, failed to delete object: {failure}"
            ),
            Step::AwaitRecreation => write!(
                f,
                "{subject} immutable field detected, failed to wait for object to be deleted: {failure}"
            ),
            Step::Cleanup => write!(
                f,
                "{subject} metadata.managedFields cleanup failed: {failure}"
            ),
            Step::Migrate => write!(f, "{subject} failed to migrate API version: {failure}"),
            Step::Query => write!(f, "{subject} query failed: {failure}"),
            Step::Delete => write!(f, "{subject} delete failed: {failure}"),
            Step::Termination => write!(f, "{subject} termination timeout: {failure}"),
            Step::Wait => write!(f, "{failure}"),
            Step::Normalize => write!(f, "{subject} normalization error: {failure}"),
        }
    }
}

impl std::error::Error for ObjectError {}

/// Source: fluxcd/pkg, `ssa/errors.DryRunErr`.
fn refused(
    f: &mut fmt::Formatter<'_>,
    subject: &str,
    id: &ObjectId,
    failure: &Failure,
) -> fmt::Result {
    if failure.is_not_found() {
        let what = if id.namespace.is_empty() {
            "namespace not specified"
        } else {
            "not found"
        };
        return write!(f, "{subject} {what}: {failure}");
    }
    match failure.shown_reason() {
        "" => write!(f, "{subject} dry-run failed: {failure}"),
        reason => write!(f, "{subject} dry-run failed ({reason}): {failure}"),
    }
}

/// The failure without the values of a Secret, which the API server may repeat in its message.
pub(crate) fn masked(failure: Failure, object: &Value) -> Failure {
    let is_secret = object.get("kind").and_then(Value::as_str) == Some("Secret")
        && object.get("apiVersion").and_then(Value::as_str) == Some("v1");
    let Failure::Status(mut status) = failure else {
        return failure;
    };
    if is_secret {
        for value in secret_values(object) {
            status.message = without(&status.message, &value);
            for cause in status
                .details
                .iter_mut()
                .flat_map(|details| &mut details.causes)
            {
                cause.message = without(&cause.message, &value);
            }
        }
    }
    Failure::Status(status)
}

/// All values of a Secret as texts, the longest first, encoded and plain.
fn secret_values(secret: &Value) -> Vec<String> {
    let mut values = Vec::new();
    for part in ["data", "stringData"] {
        let entries = secret.get(part).and_then(Value::as_object);
        for value in entries.into_iter().flat_map(object::Map::values) {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => continue,
                other => other.to_string(),
            };
            let plain = base64::engine::general_purpose::STANDARD.decode(&text);
            values.extend(plain.ok().and_then(|plain| String::from_utf8(plain).ok()));
            values.push(text);
        }
    }
    values.retain(|value| !value.is_empty());
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.dedup();
    values
}

/// The text with `value` masked wherever it stands; a short one only where it stands by itself.
fn without(text: &str, value: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (before, after) = (&rest[..at], &rest[at + value.len()..]);
        let is_part =
            before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        out.push_str(before);
        out.push_str(if value.len() < 4 && is_part {
            value
        } else {
            "***"
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::{Cause, Details, Status};
    use serde_json::json;

    fn status(code: u16, reason: &str, message: &str) -> Failure {
        Failure::Status(Box::new(Status {
            code,
            reason: reason.to_owned(),
            message: message.to_owned(),
            details: None,
        }))
    }

    #[test]
    fn errors_are_in_the_words_of_flux() {
        let in_namespace = "apps_web_apps_Deployment";
        let conflict = Failure::Status(Box::new(Status {
            code: 409,
            reason: "Conflict".to_owned(),
            message: "Apply failed with 1 conflict".to_owned(),
            details: Some(Details {
                causes: vec![Cause {
                    reason: "FieldManagerConflict".to_owned(),
                    ..Cause::default()
                }],
                retry_after_seconds: 0,
            }),
        }));
        let no_kind = Failure::NoKind {
            kind: "X".to_owned(),
            place: "version \"a.b/v1\"".to_owned(),
        };
        for (id, step, failure, expected) in [
            (
                in_namespace,
                Step::Apply,
                status(422, "Invalid", "no"),
                "Deployment/apps/web dry-run failed (Invalid): no",
            ),
            (
                in_namespace,
                Step::Apply,
                conflict,
                "Deployment/apps/web dry-run failed (FieldManagerConflict): Apply failed with 1 conflict",
            ),
            (
                in_namespace,
                Step::Apply,
                no_kind,
                "Deployment/apps/web dry-run failed: no matches for kind \"X\" in version \"a.b/v1\"",
            ),
            (
                in_namespace,
                Step::Apply,
                status(404, "NotFound", "namespaces \"apps\" not found"),
                "Deployment/apps/web not found: namespaces \"apps\" not found",
            ),
            (
                "_web_apps_Deployment",
                Step::Apply,
                status(404, "NotFound", "m"),
                "Deployment/web namespace not specified: m",
            ),
            (
                in_namespace,
                Step::ApplyAfterDryRun,
                status(500, "InternalError", "m"),
                "Deployment/apps/web apply failed: m",
            ),
            (
                in_namespace,
                Step::Delete,
                status(403, "Forbidden", "m"),
                "Deployment/apps/web delete failed: m",
            ),
        ] {
            let error = ObjectError {
                id: id.parse().unwrap(),
                step,
                failure,
                origin: None,
            };
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn secrets_are_not_repeated() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "c2VjcmV0LXZhbHVl", "b": 12}, "stringData": {"c": "in"}});
        let failure = status(
            422,
            "Invalid",
            "data: got secret-value and c2VjcmV0LXZhbHVl, 12 and 123, in Invalid",
        );
        assert_eq!(
            masked(failure.clone(), &secret).to_string(),
            "data: got *** and ***, *** and 123, *** Invalid"
        );
        let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "secret-value"}});
        assert_eq!(
            masked(failure.clone(), &other).to_string(),
            failure.to_string()
        );
    }
}
