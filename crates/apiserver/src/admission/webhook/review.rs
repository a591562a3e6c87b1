//! `AdmissionReview`: what a webhook is asked, and what its answer means.
//!
//! Source: apiserver `admission/plugin/webhook/request/admissionreview.go`, `webhook/errors`.

use base64::Engine as _;
use object::{Value, field, meta};
use serde_json::json;

use crate::admission::matching::{self, Matched};
use crate::admission::{Attributes, Operation};
use crate::error::{ApiError, Cause, Details};

/// The versions of `AdmissionReview` that are spoken.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// A question, and what its answer is checked against.
pub(super) struct Review {
    version: &'static str,
    uid: String,
    /// The whole `AdmissionReview`.
    pub(super) body: Value,
}

/// What a webhook says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) allowed: bool,
    /// A JSON patch; null if there is none.
    pub(super) patch: Value,
    pub(super) warnings: Vec<String>,
    result: Value,
}

impl Review {
    /// The question about a write in the first version that the webhook knows.
    pub(super) fn of(
        hook: &Value,
        attributes: &Attributes<'_>,
        object: Option<&Value>,
        matched: &Matched,
    ) -> Result<Self, String> {
        let known = hook["admissionReviewVersions"].as_array();
        let version = known
            .into_iter()
            .flatten()
            .find_map(|known| VERSIONS.into_iter().find(|version| known == version))
            .ok_or(
                "could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)",
            )?;
        let uid = attributes.call.core.clock.uid();
        let body = json!({
            "kind": "AdmissionReview",
            "apiVersion": format!("admission.k8s.io/{version}"),
            "request": request(&uid, attributes, object, matched),
        });
        Ok(Self { version, uid, body })
    }

    /// Checks and reads the webhook's answer.
    pub(super) fn read(&self, mut review: Value, is_mutating: bool) -> Result<Answer, String> {
        let response = review["response"].take();
        if response.is_null() {
            return Err("webhook response was absent".to_owned());
        }
        if self.version == "v1" {
            self.check(&review, &response)?;
        }
        let patch_type = response["patchType"].as_str();
        let patch = match response["patch"].as_str().unwrap_or_default() {
            "" => None,
            text => Some(decode_patch(text)?),
        };
        if self.version == "v1" {
            check_patch(is_mutating, patch.is_some(), patch_type)?;
        }
        if patch.is_some() && self.version == "v1" && patch_type != Some("JSONPatch") {
            return Err(format!(
                "unsupported patch type {}",
                field::quote(patch_type.unwrap_or_default())
            ));
        }
        let warnings = response["warnings"].as_array().into_iter().flatten();
        Ok(Answer {
            allowed: response["allowed"] == true,
            patch: patch.filter(|_| is_mutating).unwrap_or_default(),
            warnings: warnings
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            result: response["status"].clone(),
        })
    }

    fn check(&self, review: &Value, response: &Value) -> Result<(), String> {
        let uid = response["uid"].as_str().unwrap_or_default();
        if uid != self.uid {
            return Err(format!(
                "expected response.uid={}, got {}",
                field::quote(&self.uid),
                field::quote(uid)
            ));
        }
        let found = (&review["apiVersion"], &review["kind"]);
        if found.0 != "admission.k8s.io/v1" || found.1 != "AdmissionReview" {
            return Err(format!(
                "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {}",
                meta::gvk(review)
            ));
        }
        Ok(())
    }
}

fn check_patch(is_mutating: bool, has_patch: bool, patch_type: Option<&str>) -> Result<(), String> {
    let problem = match (is_mutating, has_patch, patch_type) {
        (false, true, _) => "validating webhook may not return response.patch",
        (false, false, Some(_)) => "validating webhook may not return response.patchType",
        (true, true, None) => "webhook returned response.patch but not response.patchType",
        (true, false, Some(_)) => "webhook returned response.patchType but not response.patch",
        (true, true, Some("")) => "webhook returned invalid response.patchType of \"\"",
        _ => return Ok(()),
    };
    Err(problem.to_owned())
}

fn decode_patch(text: &str) -> Result<Value, String> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|_| "response.patch is not in base64".to_owned())?;
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("received undecodable patch in webhook response: {error}"))
}

fn request(
    uid: &str,
    attributes: &Attributes<'_>,
    object: Option<&Value>,
    matched: &Matched,
) -> Value {
    let in_version = |object: Option<&Value>| {
        object.map_or(Value::Null, |object| {
            matching::in_version(object, &matched.kind)
        })
    };
    let mut request = attributes.request(object, matched);
    request["uid"] = Value::from(uid);
    request["object"] = in_version(object);
    request["oldObject"] = in_version(attributes.old);
    if attributes.operation == Operation::Create {
        request["oldObject"] = Value::Null;
    }
    prune(&mut request, "subResource");
    prune(&mut request, "requestSubResource");
    prune(&mut request, "name");
    prune(&mut request, "namespace");
    for key in ["uid", "groups", "extra"] {
        prune(&mut request["userInfo"], key);
    }
    request
}

/// Leaves out what Go leaves out: what is empty.
fn prune(value: &mut Value, key: &str) {
    let is_empty = match &value[key] {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        other => other.is_null(),
    };
    if is_empty && let Some(map) = value.as_object_mut() {
        map.remove(key);
    }
}

impl Answer {
    /// The error of a webhook that does not allow the write.
    pub(super) fn refusal(&self, webhook: &str) -> ApiError {
        let text = |key: &str| self.result[key].as_str().unwrap_or_default();
        let denied = format!(
            "admission webhook {} denied the request",
            field::quote(webhook)
        );
        let message = match (text("message"), text("reason")) {
            ("", "") => format!("{denied} without explanation"),
            ("", why) | (why, _) => format!("{denied}: {why}"),
        };
        let code = self.result["code"]
            .as_u64()
            .and_then(|code| u16::try_from(code).ok())
            .filter(|code| (400..600).contains(code))
            .unwrap_or(400);
        let error = ApiError::new(code, text("reason").to_owned(), message);
        if self.result["details"].is_object() {
            error.with_details(details(&self.result["details"]))
        } else {
            error
        }
    }
}

fn details(value: &Value) -> Details {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let causes = value["causes"].as_array().into_iter().flatten();
    Details {
        name: text(value, "name"),
        group: text(value, "group"),
        kind: text(value, "kind"),
        uid: text(value, "uid"),
        causes: causes
            .map(|cause| Cause {
                reason: text(cause, "reason"),
                message: text(cause, "message"),
                field: text(cause, "field"),
            })
            .collect(),
        retry_after_seconds: value["retryAfterSeconds"]
            .as_u64()
            .and_then(|seconds| u32::try_from(seconds).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review() -> Review {
        Review {
            version: "v1",
            uid: "u".to_owned(),
            body: Value::Null,
        }
    }

    fn answer(response: Value) -> Value {
        json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response})
    }

    #[test]
    fn answers_that_break_the_rules_are_errors() {
        let refused = |response: Value, is_mutating: bool| {
            review().read(answer(response), is_mutating).unwrap_err()
        };
        assert_eq!(refused(Value::Null, true), "webhook response was absent");
        assert_eq!(
            refused(json!({"uid": "x"}), true),
            "expected response.uid=\"u\", got \"x\""
        );
        assert_eq!(
            refused(json!({"uid": "u", "patch": "W10="}), true),
            "webhook returned response.patch but not response.patchType"
        );
        assert_eq!(
            refused(json!({"uid": "u", "patchType": "JSONPatch"}), false),
            "validating webhook may not return response.patchType"
        );
        let beta = json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1beta1", "response": {"uid": "u"}});
        assert_eq!(
            review().read(beta, true).unwrap_err(),
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview"
        );
    }

    #[test]
    fn refusals_say_who_and_why() {
        let refusal = |status: Value| {
            let answer = Answer {
                result: status,
                ..Answer::default()
            };
            let error = answer.refusal("x.example.com");
            (
                error.code(),
                error.reason().to_owned(),
                error.message().to_owned(),
            )
        };
        let denied = "admission webhook \"x.example.com\" denied the request";
        assert_eq!(
            refusal(Value::Null),
            (400, String::new(), format!("{denied} without explanation"))
        );
        assert_eq!(
            refusal(json!({"code": 403, "reason": "Forbidden", "message": "no"})),
            (403, "Forbidden".to_owned(), format!("{denied}: no"))
        );
        assert_eq!(
            refusal(json!({"code": 200, "reason": "Policy"})),
            (400, "Policy".to_owned(), format!("{denied}: Policy"))
        );
    }
}
