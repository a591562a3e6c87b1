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

/// What the pods of a job say.
struct Progress {
    succeeded: i64,
    failed: i64,
    ready: i64,
    /// How often pods were restarted in place: each is a failure.
    restarts: i64,
}

/// How a job has ended: the condition that says so, the one that comes before it, reason and message.
type Ending = (&'static str, &'static str, &'static str, &'static str);

pub(super) async fn step(world: &World, job: &Value) -> Result<Next, ApiError> {
    let now = world.core.now();
    if has(job, "Complete") || has(job, "Failed") {
        return expire(world, job, &now).await;
    }
    let owned = world.controlled(&pods(), job);
    let active: Vec<&Value> = owned
        .iter()
        .filter(|pod| counting::is_active(pod))
        .collect();
    let mut progress = progress(&owned, &active);
    let ending = ending(job, &progress, &now);
    let mut running = active.len() as i64;
    if ending.is_some() || is_suspended(job) {
        for pod in &active {
            counting::delete(world, pod).await?;
        }
        progress.failed += i64::from(ending.is_some_and(|(kind, ..)| kind == "Failed")) * running;
        running = 0;
    } else {
        let parallelism = integer(job, "/spec/parallelism").unwrap_or(1);
        let missing = parallelism.min(completions(job) - progress.succeeded) - running;
        for _ in 0..missing {
            let pod = template::pod(job, &job["spec"]["template"], None);
            world
                .manager
                .create(&pods(), meta::namespace(job), pod)
                .await?;
        }
        running += missing.max(0);
    }
    let status = status(job, &progress, running, ending, &now);
    world
        .set_status(&world.manager, &jobs(), job, status)
        .await?;
    let deadline = integer(job, "/spec/activeDeadlineSeconds");
    let next = deadline.map(|seconds| Duration::from_secs(seconds.max(1).unsigned_abs()));
    Ok(if ending.is_some() {
        Some(Duration::from_millis(20))
    } else {
        next
    })
}

fn completions(job: &Value) -> i64 {
    integer(job, "/spec/completions").unwrap_or(1)
}

fn is_suspended(job: &Value) -> bool {
    job.pointer("/spec/suspend") == Some(&Value::Bool(true))
}

fn started(job: &Value) -> Option<&Value> {
    job.pointer("/status/startTime")
        .filter(|time| !time.is_null())
}

fn progress(owned: &[Value], active: &[&Value]) -> Progress {
    let ended = |phase: &str| {
        let pods = owned
            .iter()
            .filter(|pod| pod.pointer("/status/phase").and_then(Value::as_str) == Some(phase));
        pods.count() as i64
    };
    Progress {
        succeeded: ended("Succeeded"),
        failed: ended("Failed"),
        ready: active
            .iter()
            .filter(|pod| super::pod::is_ready(pod))
            .count() as i64,
        restarts: active
            .iter()
            .map(|pod| super::pod::total_restarts(pod))
            .sum(),
    }
}

fn ending(job: &Value, progress: &Progress, now: &str) -> Option<Ending> {
    let limit = integer(job, "/spec/backoffLimit").unwrap_or(6);
    let deadline = integer(job, "/spec/activeDeadlineSeconds");
    if progress.succeeded >= completions(job) {
        let message = "Reached expected number of succeeded pods";
        Some((
            "Complete",
            "SuccessCriteriaMet",
            "CompletionsReached",
            message,
        ))
    } else if progress.failed + progress.restarts > limit {
        let message = "Job has reached the specified backoff limit";
        Some(("Failed", "FailureTarget", "BackoffLimitExceeded", message))
    } else if deadline.is_some_and(|seconds| seconds_since(now, started(job)) >= seconds) {
        let message = "Job was active longer than specified deadline";
        Some(("Failed", "FailureTarget", "DeadlineExceeded", message))
    } else {
        None
    }
}

fn status(
    job: &Value,
    progress: &Progress,
    running: i64,
    ending: Option<Ending>,
    now: &str,
) -> Value {
    let mut status = Map::new();
    if !is_suspended(job) {
        status.insert(
            "startTime".to_owned(),
            started(job).cloned().unwrap_or_else(|| json!(now)),
        );
    }
    for (key, count) in [
        ("active", running),
        ("succeeded", progress.succeeded),
        ("failed", progress.failed),
    ] {
        if count > 0 {
            status.insert(key.to_owned(), json!(count));
        }
    }
    status.insert(
        "ready".to_owned(),
        json!(if ending.is_some() { 0 } else { progress.ready }),
    );
    status.insert("terminating".to_owned(), json!(0));
    status.insert("uncountedTerminatedPods".to_owned(), json!({}));
    let list = told_conditions(job, ending, now);
    if ending.is_some_and(|(kind, ..)| kind == "Complete") {
        status.insert("completionTime".to_owned(), json!(now));
    }
    if !list.is_empty() {
        status.insert("conditions".to_owned(), Value::from(list));
    }
    Value::Object(status)
}

fn told_conditions(job: &Value, ending: Option<Ending>, now: &str) -> Vec<Value> {
    let mut list = conditions(job);
    let mut tell = |kind: &str, status: &str, reason: &str, message: &str| {
        let condition =
            json!({"type": kind, "status": status, "reason": reason, "message": message});
        set_condition(&mut list, condition, now, Some("lastProbeTime"));
    };
    if let Some((kind, first, reason, message)) = ending {
        tell(first, "True", reason, message);
        tell(kind, "True", reason, message);
    } else if is_suspended(job) {
        tell("Suspended", "True", "JobSuspended", "Job suspended");
    } else if has(job, "Suspended") {
        tell("Suspended", "False", "JobResumed", "Job resumed");
    }
    list
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
