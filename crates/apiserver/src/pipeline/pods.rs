//! The subresources of pods that are no part of the object: `binding`, `eviction`, `log`, `exec`.
//!
//! Source: Kubernetes `pkg/registry/core/pod`.

use object::field::{self, Path};
use object::selector;
use object::{GroupKind, GroupResource, GroupVersionKind, Value, meta};
use serde_json::json;

use super::delete::remove;
use super::options::{DeleteOptions, WriteOptions};
use super::write;
use super::{Body, Call, Object, Outcome, decode, get};
use crate::error::{ApiError, Cause, Details};
use crate::store::{Encoded, Range};

fn success() -> Outcome {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    });
    Outcome::Object(201, Object::Value(status))
}

/// What a binding leads to. Upstream answers with 500, kept.
fn check_target(kind: &str, node: &str) -> Result<(), ApiError> {
    let path = Path::new("target");
    let mut errors = Vec::new();
    if !matches!(kind, "" | "Node") {
        errors.push(field::Error::not_supported(
            &path.child("kind"),
            kind,
            &["Node", "<empty>"],
        ));
    }
    if node.is_empty() {
        errors.push(field::Error::required(&path.child("name"), ""));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(ApiError::new(500, "", field::join(&errors)))
}

/// Assigns a pod to a node.
pub(super) async fn bind(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "CreateOptions", None)?;
    let kind = GroupVersionKind::new("", "v1", "Binding");
    let binding = decode::object(call, body, &kind, options.validation)?;
    if !call.name.is_empty() && meta::name(&binding) != call.name {
        return Err(ApiError::bad_request(
            "name in URL does not match name in Binding object",
        ));
    }
    let target = |key: &str| {
        let found = binding.get("target").and_then(|target| target.get(key));
        found.and_then(Value::as_str).unwrap_or_default()
    };
    let (kind, node) = (target("kind"), target("name"));
    check_target(kind, node)?;
    if meta::name(&binding).is_empty() {
        return Err(ApiError::bad_request("Name parameter required."));
    }
    let registry = call.core.registry();
    let resource = registry
        .resource("", "v1", "pods")
        .ok_or_else(ApiError::unknown_resource)?;
    let on_pod = Call {
        resource: std::sync::Arc::clone(resource),
        name: meta::name(&binding).to_owned(),
        subresource: "binding".to_owned(),
        ..call.clone()
    };
    let conflict = |why: String| {
        let name = &on_pod.name;
        ApiError::conflict(&GroupResource::new("", "pods/binding"), name, &why)
    };
    loop {
        let stored = on_pod
            .bucket()
            .get(&on_pod.key())
            .ok_or_else(|| on_pod.not_found())?;
        let mut pod = stored.value();
        if meta::is_terminating(&pod) {
            return Err(conflict(format!(
                "pod {} is being deleted, cannot be assigned to a host",
                on_pod.name
            )));
        }
        let assigned = pod
            .pointer("/spec/nodeName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !assigned.is_empty() {
            return Err(conflict(format!(
                "pod {} is already assigned to node \"{assigned}\"",
                on_pod.name
            )));
        }
        pod["spec"]["nodeName"] = Value::from(node);
        set_scheduled(&mut pod, &call.core.now());
        // As upstream, past the rules of updates.
        let is_done = options.dry_run
            || write::put(&on_pod, &stored, &Encoded::of(&pod))
                .await?
                .is_some();
        if is_done {
            return Ok(success());
        }
    }
}

fn set_scheduled(pod: &mut Value, now: &str) {
    let condition = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
    });
    put_condition(pod, condition);
}

fn put_condition(pod: &mut Value, condition: Value) {
    if !pod["status"]["conditions"].is_array() {
        pod["status"]["conditions"] = json!([]);
    }
    let conditions = pod.pointer_mut("/status/conditions");
    if let Some(conditions) = conditions.and_then(Value::as_array_mut) {
        conditions.retain(|known| known["type"] != condition["type"]);
        conditions.push(condition);
    }
}

/// Deletes a pod if its disruption budget allows it.
pub(super) async fn evict(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "CreateOptions", None)?;
    let kind = GroupVersionKind::new("policy", "v1", "Eviction");
    let eviction = decode::object(call, body, &kind, options.validation)?;
    if meta::name(&eviction) != call.name {
        return Err(ApiError::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    let pod = get::object(call)?.into_value();
    check_budgets(call, &pod)?;
    let asked = eviction
        .get("deleteOptions")
        .filter(|asked| asked.is_object());
    let mut delete = DeleteOptions::read(call, Some(asked.unwrap_or(&json!({}))))?;
    delete.dry_run |= options.dry_run;
    if !delete.dry_run {
        mark_disrupted(call).await?;
    }
    remove(call, &delete).await?;
    Ok(success())
}

/// Says in the pod's conditions why it goes.
async fn mark_disrupted(call: &Call) -> Result<(), ApiError> {
    loop {
        let stored = call
            .bucket()
            .get(&call.key())
            .ok_or_else(|| call.not_found())?;
        let mut pod = stored.value();
        let condition = json!({
            "type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
            "lastTransitionTime": call.core.now(), "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        });
        put_condition(&mut pod, condition);
        if write::put(call, &stored, &Encoded::of(&pod))
            .await?
            .is_some()
        {
            return Ok(());
        }
    }
}

fn check_budgets(call: &Call, pod: &Value) -> Result<(), ApiError> {
    let phase = pod
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed" | "Pending") || meta::is_terminating(pod) {
        return Ok(());
    }
    let budgets = call
        .core
        .store
        .bucket(&GroupResource::new("policy", "poddisruptionbudgets"));
    for stored in budgets.list(&Range::namespace(&call.namespace)).objects {
        let budget = stored.value();
        let selects = selector::from_object(&budget["spec"]["selector"])
            .is_ok_and(|selector| selector.matches_object(pod));
        if !selects {
            continue;
        }
        let observed = budget
            .pointer("/status/observedGeneration")
            .and_then(Value::as_i64);
        let why = if observed.unwrap_or(0) < meta::generation(&budget) {
            format!(
                "The disruption budget {} is still being processed by the server.",
                stored.name()
            )
        } else if budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0) < 1 {
            let number = |key: &str| budget["status"][key].as_i64().unwrap_or(0);
            format!(
                "The disruption budget {} needs {} healthy pods and has {} currently",
                stored.name(),
                number("desiredHealthy"),
                number("currentHealthy")
            )
        } else {
            continue;
        };
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        return Err(
            ApiError::new(429, "TooManyRequests", message).with_details(Details {
                causes: vec![Cause {
                    reason: "DisruptionBudget".to_owned(),
                    message: why,
                    ..Cause::default()
                }],
                retry_after_seconds: Some(10),
                ..Details::default()
            }),
        );
    }
    Ok(())
}

/// Answers for a pod's log. There is no kubelet; what has run has left nothing.
pub(super) fn log(call: &Call) -> Result<Outcome, ApiError> {
    let pod = get::object(call)?.into_value();
    check_log_options(call)?;
    let names: Vec<&str> = ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| pod["spec"][*list].as_array().into_iter().flatten())
        .filter_map(|container| container["name"].as_str())
        .collect();
    let wanted = call.query.text("container");
    if wanted.is_empty() {
        if names.len() > 1 {
            return Err(ApiError::bad_request(format!(
                "a container name must be specified for pod {}, choose one of: [{}]",
                call.name,
                names.join(" ")
            )));
        }
    } else if !names.contains(&wanted) {
        return Err(ApiError::bad_request(format!(
            "container {wanted} is not valid for pod {}",
            call.name
        )));
    }
    let is_assigned = pod["spec"]["nodeName"]
        .as_str()
        .is_some_and(|node| !node.is_empty());
    Ok(Outcome::Text(
        if is_assigned { 200 } else { 204 },
        String::new(),
    ))
}

fn check_log_options(call: &Call) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    for key in ["tailLines", "limitBytes", "sinceSeconds"] {
        let Some(number) = call
            .query
            .get(key)
            .and_then(|text| text.parse::<i64>().ok())
        else {
            continue;
        };
        let least = i64::from(key != "tailLines");
        if number < least {
            let what = if least == 0 {
                "must be greater than or equal to 0"
            } else {
                "must be greater than 0"
            };
            errors.push(field::Error::invalid(&Path::new(key), number, what));
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let kind = GroupKind::new("", "PodLogOptions");
    Err(ApiError::invalid(&kind, &call.name, &errors))
}

/// Refuses to connect to a pod: there is none running.
pub(super) fn connect(call: &Call) -> Result<Outcome, ApiError> {
    let pod = get::object(call)?.into_value();
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    if node.is_empty() {
        return Err(ApiError::bad_request(format!(
            "pod {} does not have a host assigned",
            call.name
        )));
    }
    Err(ApiError::new(
        501,
        "NotImplemented",
        format!(
            "the embedded control plane runs no containers: cannot {} pod {}",
            call.subresource, call.name
        ),
    ))
}
