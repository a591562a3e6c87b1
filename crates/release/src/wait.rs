//! Waiting until objects are ready, hooks have run, or objects are gone.
//!
//! Source: Helm `pkg/kube/statuswait.go`; how an object stands is kstatus'.

use std::time::Duration;

use object::status::{self, Status};
use serde_json::Value;
use tokio::time::Instant;

use crate::cluster::{Cluster, Verb};
use crate::error::ActionError;
use crate::objects::Object;

/// The first pause between two looks, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

fn now() -> object::time::Time {
    let now = jiff::Timestamp::now();
    object::time::Time::from_unix(now.as_second(), now.subsec_nanosecond().unsigned_abs())
}

/// What counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Ready; Jobs need not have ended.
    Ready,
    /// Ready, and Jobs have ended well.
    JobsToo,
    /// Hooks: Jobs and Pods have ended well, all else is there.
    HooksRan,
}

/// Waits for all of `objects`, as long as `timeout`.
pub(crate) async fn ready(
    cluster: &impl Cluster,
    objects: &[Object],
    until: Until,
    timeout: Duration,
) -> Result<(), ActionError> {
    let deadline = Instant::now() + timeout;
    let mut pause = PAUSES.0;
    let mut open: Vec<&Object> = objects
        .iter()
        .filter(|object| !object.name.is_empty())
        .collect();
    loop {
        let mut waiting = Vec::new();
        for object in open {
            let standing = look(cluster, object, until).await?;
            match standing {
                Standing::Done => {}
                Standing::Pending(status, message) => waiting.push((object, status, message)),
                Standing::Failed(message) => return Err(ActionError::Wait(message)),
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(ActionError::Wait(timed_out(&waiting)));
        }
        tokio::time::sleep_until(deadline.min(Instant::now() + pause)).await;
        pause = (pause * 2).min(PAUSES.1);
        open = waiting.into_iter().map(|(object, ..)| object).collect();
    }
}

fn timed_out(waiting: &[(&Object, Status, String)]) -> String {
    let mut lines: Vec<String> = waiting
        .iter()
        .map(|(object, status, message)| {
            format!(
                "resource {}/{}/{} not ready. status: {}, message: {message}",
                object.kind(),
                object.namespace,
                object.name,
                status.name()
            )
        })
        .collect();
    lines.push("context deadline exceeded".to_owned());
    lines.join("\n")
}

enum Standing {
    Done,
    Pending(Status, String),
    Failed(String),
}

async fn look(
    cluster: &impl Cluster,
    object: &Object,
    until: Until,
) -> Result<Standing, ActionError> {
    let live = match cluster.call(object.call(Verb::Get)).await {
        Ok(live) => live,
        Err(failure) if failure.is_not_found() => {
            return Ok(Standing::Pending(
                Status::NotFound,
                "Resource not found".to_owned(),
            ));
        }
        Err(failure) if is_passing(&failure) => {
            return Ok(Standing::Pending(Status::Unknown, failure.to_string()));
        }
        Err(failure) => return Err(failure.into()),
    };
    Ok(stands(object, &live, until))
}

/// Whether asking again may help.
fn is_passing(failure: &apply::Failure) -> bool {
    matches!(failure.code(), 0 | 429 | 500..) && !matches!(failure, apply::Failure::NoKind { .. })
}

fn stands(object: &Object, live: &Value, until: Until) -> Standing {
    let describe = |message: &str| {
        format!(
            "resource {}/{}/{} not ready. status: Failed, message: {message}",
            object.kind(),
            object.namespace,
            object.name
        )
    };
    let is_job = object.kind() == "Job" && object.resource.gvk.group == "batch";
    let is_pod = object.kind() == "Pod" && object.resource.gvk.group.is_empty();
    if until == Until::HooksRan {
        if is_pod {
            return match live["status"]["phase"].as_str().unwrap_or_default() {
                "Succeeded" => Standing::Done,
                "Failed" => Standing::Failed(describe(&format!("pod {} failed", object.name))),
                phase => Standing::Pending(Status::InProgress, format!("pod is {phase}")),
            };
        }
        if !is_job {
            return Standing::Done;
        }
    }
    if is_job && until == Until::Ready {
        // That it was started is enough.
        return Standing::Done;
    }
    if is_job {
        return job(object, live, &describe);
    }
    let paused = live["spec"]["paused"] == true && object.kind() == "Deployment";
    if paused {
        return Standing::Done;
    }
    let health = status::of(live, now());
    match health.status {
        Status::Current => Standing::Done,
        Status::Failed => Standing::Failed(describe(&health.message)),
        other => Standing::Pending(other, health.message),
    }
}

fn job(object: &Object, live: &Value, describe: &dyn Fn(&str) -> String) -> Standing {
    for condition in live["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
    {
        if condition["status"] != "True" {
            continue;
        }
        match condition["type"].as_str() {
            Some("Complete") => return Standing::Done,
            Some("Failed") => {
                let reason = condition["message"].as_str().unwrap_or_default();
                return Standing::Failed(describe(&format!(
                    "job {} failed: {reason}",
                    object.name
                )));
            }
            _ => {}
        }
    }
    Standing::Pending(Status::InProgress, "Job in progress".to_owned())
}

/// Waits until none of `objects` is there.
pub(crate) async fn gone(
    cluster: &impl Cluster,
    objects: &[Object],
    timeout: Duration,
) -> Result<(), ActionError> {
    let deadline = Instant::now() + timeout;
    let mut pause = PAUSES.0;
    let mut open: Vec<&Object> = objects
        .iter()
        .filter(|object| !object.name.is_empty())
        .collect();
    loop {
        let mut there = Vec::new();
        for object in open {
            match cluster.call(object.call(Verb::Get)).await {
                Ok(_) => there.push(object),
                Err(failure) if failure.is_not_found() => {}
                Err(failure) if is_passing(&failure) => there.push(object),
                Err(apply::Failure::NoKind { .. }) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        if there.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let mut lines: Vec<String> = there
                .iter()
                .map(|object| {
                    format!(
                        "resource {}/{}/{} still exists. status: Current",
                        object.kind(),
                        object.namespace,
                        object.name
                    )
                })
                .collect();
            lines.push("context deadline exceeded".to_owned());
            return Err(ActionError::Wait(lines.join("\n")));
        }
        tokio::time::sleep_until(deadline.min(Instant::now() + pause)).await;
        pause = (pause * 2).min(PAUSES.1);
        open = there;
    }
}
