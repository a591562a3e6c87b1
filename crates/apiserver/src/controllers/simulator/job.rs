//! Jobs: pods until enough have succeeded, or too many failed.
//!
//! Source: Kubernetes `pkg/controller/job`.

use std::time::Duration;

use object::{GroupVersionResource, Value, meta};
use serde_json::{Map, json};

use super::world::{World, conditions, integer, pods, seconds_since, set_condition};
use super::{Next, pods as counting, template};
use crate::error::ApiError;

fn jobs() -> GroupVersionResource {
    GroupVersionResource::new("batch", "v1", "jobs")
}

fn has(job: &Value, kind: &str) -> bool {
    conditions(job)
        .iter()
        .any(|condition| condition["type"] == kind && condition["status"] == "True")
}

pub(super) async fn step(world: &World, job: &Value) -> Result<Next, ApiError> {
    let now = world.core.now();
    if has(job, "Complete") || has(job, "Failed") {
        return expire(world, job, &now).await;
    }
    let owned = world.controlled(&pods(), job);
    let phase = |pod: &Value| {
        pod.pointer("/status/phase")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let succeeded = owned.iter().filter(|pod| phase(pod) == "Succeeded").count() as i64;
    let mut failed = owned.iter().filter(|pod| phase(pod) == "Failed").count() as i64;
    let active: Vec<&Value> = owned
        .iter()
        .filter(|pod| counting::is_active(pod))
        .collect();
    // Pods that are restarted in place fail once per restart.
    let restarts: i64 = active
        .iter()
        .map(|pod| super::pod::total_restarts(pod))
        .sum();
    let limit = integer(job, "/spec/backoffLimit").unwrap_or(6);
    let completions = integer(job, "/spec/completions").unwrap_or(1);
    let suspended = job.pointer("/spec/suspend") == Some(&Value::Bool(true));
    let started = job
        .pointer("/status/startTime")
        .filter(|time| !time.is_null())
        .cloned();
    let deadline = integer(job, "/spec/activeDeadlineSeconds");
    let expired = deadline.is_some_and(|seconds| seconds_since(&now, started.as_ref()) >= seconds);
    let outcome = if succeeded >= completions {
        Some((
            "Complete",
            "SuccessCriteriaMet",
            "CompletionsReached",
            "Reached expected number of succeeded pods",
        ))
    } else if failed + restarts > limit {
        Some((
            "Failed",
            "FailureTarget",
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
        ))
    } else if expired {
        Some((
            "Failed",
            "FailureTarget",
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
        ))
    } else {
        None
    };
    let parallelism = integer(job, "/spec/parallelism").unwrap_or(1);
    let mut running = active.len() as i64;
    if outcome.is_some() || suspended {
        for pod in &active {
            counting::delete(world, pod).await?;
        }
        failed += i64::from(outcome.is_some_and(|(kind, ..)| kind == "Failed")) * running;
        running = 0;
    } else {
        let missing = parallelism.min(completions - succeeded) - running;
        for _ in 0..missing {
            let pod = template::pod(job, &job["spec"]["template"], None);
            world
                .manager
                .create(&pods(), meta::namespace(job), pod)
                .await?;
        }
        running += missing.max(0);
    }
    let mut status = Map::new();
    let ready = active
        .iter()
        .filter(|pod| super::pod::is_ready(pod))
        .count();
    let start = if suspended {
        Value::Null
    } else {
        started.unwrap_or_else(|| json!(now))
    };
    status.insert("startTime".to_owned(), start);
    for (key, count) in [
        ("active", running),
        ("succeeded", succeeded),
        ("failed", failed),
    ] {
        if count > 0 {
            status.insert(key.to_owned(), json!(count));
        }
    }
    status.insert(
        "ready".to_owned(),
        json!(if outcome.is_some() { 0 } else { ready }),
    );
    status.insert("terminating".to_owned(), json!(0));
    status.insert("uncountedTerminatedPods".to_owned(), json!({}));
    let mut list = conditions(job);
    if let Some((kind, first, reason, message)) = outcome {
        for kind in [first, kind] {
            let condition =
                json!({"type": kind, "status": "True", "reason": reason, "message": message});
            set_condition(&mut list, condition, &now, Some("lastProbeTime"));
        }
        if kind == "Complete" {
            status.insert("completionTime".to_owned(), json!(now));
        }
    } else if suspended {
        let condition = json!({"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"});
        set_condition(&mut list, condition, &now, Some("lastProbeTime"));
    } else if has(job, "Suspended") {
        let condition = json!({"type": "Suspended", "status": "False", "reason": "JobResumed", "message": "Job resumed"});
        set_condition(&mut list, condition, &now, Some("lastProbeTime"));
    }
    if !list.is_empty() {
        status.insert("conditions".to_owned(), Value::from(list));
    }
    status.retain(|_, value| !value.is_null());
    world
        .set_status(&world.manager, &jobs(), job, Value::Object(status))
        .await?;
    let next = deadline.map(|seconds| Duration::from_secs(seconds.max(1).unsigned_abs()));
    Ok(if outcome.is_some() {
        Some(Duration::from_millis(20))
    } else {
        next
    })
}

/// Deletes an ended job when its time to live is over.
async fn expire(world: &World, job: &Value, now: &str) -> Result<Next, ApiError> {
    let Some(ttl) = integer(job, "/spec/ttlSecondsAfterFinished") else {
        return Ok(None);
    };
    let end = conditions(job)
        .into_iter()
        .find(|condition| matches!(condition["type"].as_str(), Some("Complete" | "Failed")))
        .map(|condition| condition["lastTransitionTime"].clone());
    let left = ttl - seconds_since(now, end.as_ref());
    if left > 0 {
        return Ok(Some(Duration::from_secs(left.unsigned_abs())));
    }
    let options =
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"});
    world
        .manager
        .delete(&jobs(), meta::namespace(job), meta::name(job), options)
        .await?;
    Ok(None)
}
