//! Reviews: questions about users and rights, asked by creating an object that is not kept.
//!
//! Sources: Kubernetes `pkg/registry/authentication`, `pkg/registry/authorization` and
//! `pkg/apis/authorization/validation`.

use std::collections::BTreeMap;

use object::field::{Error as FieldError, Path};
use object::{GroupKind, Value};
use serde_json::json;

use super::{Attributes, Decision};
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;

/// Answers a review of one of the kinds of `authentication.k8s.io` and `authorization.k8s.io`.
///
/// `review` is the decoded object (with the managed fields that any created object gets) and comes back
/// with its status; `namespace` is that of the request, empty for kinds of the cluster.
///
/// # Errors
/// A review that asks nothing, or too much; its kind decides on 400 or 422.
pub fn answer(
    core: &Core,
    user: &User,
    namespace: &str,
    mut review: Value,
) -> Result<Value, ApiError> {
    let kind = review
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    match kind.as_str() {
        "SelfSubjectReview" => {
            review["metadata"] = json!({"creationTimestamp": core.now()});
            review["status"] = json!({"userInfo": user_info(user)});
        }
        "TokenReview" => review["status"] = token_status(core, &review)?,
        "SelfSubjectRulesReview" => {
            review["status"] = rules_status(core, user, &review)?;
            review["metadata"] = json!({});
            review["spec"] = json!({});
        }
        "SelfSubjectAccessReview" => {
            let mut errors = attributes_errors(&review);
            errors.extend(selector_errors(&review));
            check(errors)?;
            review["status"] = access_status(core, user, &review);
        }
        "SubjectAccessReview" | "LocalSubjectAccessReview" => {
            let mut errors = attributes_errors(&review);
            errors.extend(subject_errors(&review));
            errors.extend(selector_errors(&review));
            if kind == "LocalSubjectAccessReview" {
                errors.extend(local_errors(namespace, &review));
            }
            check(errors)?;
            review["status"] = access_status(core, &subject(&review), &review);
        }
        _ => return Err(ApiError::method_not_allowed()),
    }
    Ok(review)
}

fn check(errors: Vec<FieldError>) -> Result<(), ApiError> {
    if errors.is_empty() {
        return Ok(());
    }
    // Upstream names no kind here.
    Err(ApiError::invalid(
        &GroupKind::new("authorization.k8s.io", ""),
        "",
        &errors,
    ))
}

/// A user as reviews show it.
fn user_info(user: &User) -> Value {
    let mut info = serde_json::Map::new();
    for (key, text) in [("username", &user.name), ("uid", &user.uid)] {
        if !text.is_empty() {
            info.insert(key.to_owned(), json!(text));
        }
    }
    if !user.groups.is_empty() {
        info.insert("groups".to_owned(), json!(user.groups));
    }
    if !user.extra.is_empty() {
        info.insert("extra".to_owned(), json!(user.extra));
    }
    Value::Object(info)
}

fn token_status(core: &Core, review: &Value) -> Result<Value, ApiError> {
    let token = review
        .pointer("/spec/token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if token.is_empty() {
        return Err(ApiError::bad_request(
            "token is required for TokenReview in authentication",
        ));
    }
    let asked = texts(review.pointer("/spec/audiences"));
    let audiences = if asked.is_empty() {
        vec![core.config.issuer.clone()]
    } else {
        asked
    };
    Ok(match super::authenticate_token(core, token, &audiences) {
        Some((user, audiences)) => {
            json!({"authenticated": true, "user": user_info(&user), "audiences": audiences})
        }
        None => json!({"user": {}, "error": "invalid bearer token"}),
    })
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn rules_status(core: &Core, user: &User, review: &Value) -> Result<Value, ApiError> {
    let namespace = review
        .pointer("/spec/namespace")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if namespace.is_empty() {
        return Err(ApiError::bad_request("no namespace on request"));
    }
    let (rules, error) = super::rules_for(core, user, namespace);
    let (mut resource_rules, mut path_rules) = (Vec::new(), Vec::new());
    for rule in rules {
        if !rule.resources.is_empty() {
            let mut shown = json!({"verbs": rule.verbs, "apiGroups": rule.api_groups, "resources": rule.resources});
            if !rule.resource_names.is_empty() {
                shown["resourceNames"] = json!(rule.resource_names);
            }
            resource_rules.push(shown);
        }
        if !rule.non_resource_urls.is_empty() {
            path_rules
                .push(json!({"verbs": rule.verbs, "nonResourceURLs": rule.non_resource_urls}));
        }
    }
    let mut status = json!({"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": !error.is_empty()});
    if !error.is_empty() {
        status["evaluationError"] = json!(error);
    }
    Ok(status)
}

fn access_status(core: &Core, user: &User, review: &Value) -> Value {
    let attributes = attributes(review);
    let (allowed, reason) = match super::authorize(core, user, &attributes) {
        Decision::Allow(reason) => (true, reason),
        Decision::Deny(reason) => (false, reason),
    };
    let mut status = json!({"allowed": allowed});
    if !reason.is_empty() {
        status["reason"] = json!(reason);
    }
    status
}

fn attributes(review: &Value) -> Attributes {
    let spec = review.get("spec").unwrap_or(&Value::Null);
    let of = |part: &str, key: &str| {
        spec.get(part)
            .and_then(|part| part.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let is_set = |part: &str| spec.get(part).is_some_and(|part| !part.is_null());
    if is_set("nonResourceAttributes") {
        return Attributes {
            verb: of("nonResourceAttributes", "verb"),
            path: of("nonResourceAttributes", "path"),
            ..Attributes::default()
        };
    }
    let of = |key: &str| of("resourceAttributes", key);
    Attributes {
        verb: of("verb"),
        is_resource: true,
        group: of("group"),
        version: of("version"),
        resource: of("resource"),
        subresource: of("subresource"),
        namespace: of("namespace"),
        name: of("name"),
        path: String::new(),
    }
}

fn subject(review: &Value) -> User {
    let spec = review.get("spec").unwrap_or(&Value::Null);
    let text = |key: &str| {
        spec.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let extra: BTreeMap<String, Vec<String>> = spec
        .get("extra")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, values)| (key.clone(), texts(Some(values))))
        .collect();
    User {
        name: text("user"),
        uid: text("uid"),
        groups: texts(spec.get("groups")),
        extra,
    }
}

fn attributes_errors(review: &Value) -> Vec<FieldError> {
    let spec = Path::new("spec");
    let part = |key: &str| {
        review
            .get("spec")
            .and_then(|spec| spec.get(key))
            .filter(|part| !part.is_null())
    };
    match (part("resourceAttributes"), part("nonResourceAttributes")) {
        (Some(_), Some(paths)) => {
            let text = |key: &str| paths.get(key).and_then(Value::as_str).unwrap_or_default();
            // The internal type, whose fields have no JSON names, is what upstream prints.
            let printed = json!({"Path": text("path"), "Verb": text("verb")});
            let why = "cannot be specified in combination with resourceAttributes";
            vec![FieldError::invalid(
                &spec.child("nonResourceAttributes"),
                printed,
                why,
            )]
        }
        (None, None) => {
            let why =
                "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            vec![FieldError::invalid(
                &spec.child("resourceAttributes"),
                Value::Null,
                why,
            )]
        }
        _ => Vec::new(),
    }
}

/// What is asked of the selectors of resource attributes.
///
/// Source: Kubernetes `pkg/apis/authorization/validation`.
fn selector_errors(review: &Value) -> Vec<FieldError> {
    let path = Path::new("spec").child("resourceAttributes");
    let mut errors = Vec::new();
    for (name, is_label) in [("fieldSelector", false), ("labelSelector", true)] {
        let selector = review.pointer(&format!("/spec/resourceAttributes/{name}"));
        let Some(selector) = selector.and_then(Value::as_object) else {
            continue;
        };
        let place = path.child(name);
        let raw = selector.get("rawSelector").and_then(Value::as_str);
        let raw = raw.unwrap_or_default();
        let requirements = selector.get("requirements").and_then(Value::as_array);
        let requirements = requirements.map_or(&[][..], Vec::as_slice);
        match (raw.is_empty(), requirements.is_empty()) {
            (false, false) => errors.push(FieldError::invalid(
                &place.child("rawSelector"),
                raw,
                "may not specified at the same time as requirements",
            )),
            (true, true) => errors.push(FieldError::required(
                &place.child("requirements"),
                format!("when {place} is specified, requirements or rawSelector is required"),
            )),
            _ => {}
        }
        for (index, requirement) in requirements.iter().enumerate() {
            let place = place.child("requirements").index(index);
            requirement_errors(&place, requirement, is_label, &mut errors);
        }
    }
    errors
}

fn requirement_errors(
    place: &Path,
    requirement: &Value,
    is_label: bool,
    errors: &mut Vec<FieldError>,
) {
    let text = |key: &str| {
        let found = requirement.get(key).and_then(Value::as_str);
        found.unwrap_or_default()
    };
    let key = text("key");
    if !is_label && key.is_empty() {
        errors.push(FieldError::required(
            &place.child("key"),
            "must be specified",
        ));
    }
    let is_bare = texts(requirement.get("values")).is_empty();
    match text("operator") {
        "In" | "NotIn" if is_bare => errors.push(FieldError::required(
            &place.child("values"),
            "must be specified when `operator` is 'In' or 'NotIn'",
        )),
        "Exists" | "DoesNotExist" if !is_bare => errors.push(FieldError::forbidden(
            &place.child("values"),
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        )),
        _ => {}
    }
    if is_label {
        let problems = object::names::qualified_name(key);
        errors.extend(
            problems
                .into_iter()
                .map(|why| FieldError::invalid(&place.child("key"), key, why)),
        );
    }
}

fn subject_errors(review: &Value) -> Option<FieldError> {
    let subject = subject(review);
    (subject.name.is_empty() && subject.groups.is_empty()).then(|| {
        FieldError::invalid(
            &Path::new("spec").child("user"),
            "",
            "at least one of user or group must be specified",
        )
    })
}

fn local_errors(namespace: &str, review: &Value) -> Vec<FieldError> {
    let spec = Path::new("spec");
    let part = |key: &str| {
        review
            .get("spec")
            .and_then(|spec| spec.get(key))
            .filter(|part| !part.is_null())
    };
    let mut errors = Vec::new();
    if let Some(asked) = part("resourceAttributes") {
        let asked = asked
            .get("namespace")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if asked != namespace {
            let place = spec.child("resourceAttributes").child("namespace");
            errors.push(FieldError::invalid(
                &place,
                asked,
                "must match metadata.namespace",
            ));
        }
    }
    if let Some(paths) = part("nonResourceAttributes") {
        let text = |key: &str| paths.get(key).and_then(Value::as_str).unwrap_or_default();
        errors.push(FieldError::invalid(
            &spec.child("nonResourceAttributes"),
            json!({"Path": text("path"), "Verb": text("verb")}),
            "disallowed on this kind of request",
        ));
    }
    errors
}
