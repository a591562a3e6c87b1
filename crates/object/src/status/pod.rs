//! Pods.

use serde_json::Value;

use super::{Health, conditions, text};
use crate::time::Time;

/// How long, in seconds, a pod may wait for a node before that counts as a failure.
const SCHEDULE_WINDOW: i64 = 15;

pub(super) fn health(pod: &Value, now: Time) -> Health {
    match text(pod, "/status/phase", "") {
        "Succeeded" => Health::current("Pod has completed successfully"),
        "Failed" => Health::current("Pod has completed, but not successfully"),
        "Running" => running(pod),
        "Pending" => pending(pod, now),
        "" => Health::in_progress("PodNotObserved", "Pod phase not available"),
        phase => Health::new(super::Status::Unknown, "", format!("unknown phase {phase}")),
    }
}

fn running(pod: &Value) -> Health {
    if conditions(pod).any(|condition| condition.kind == "Ready" && condition.status == "True") {
        return Health::current("Pod is Ready");
    }
    let statuses = pod
        .pointer("/status/containerStatuses")
        .and_then(Value::as_array);
    let crashing: Vec<&str> = statuses
        .into_iter()
        .flatten()
        .filter(|status| text(status, "/state/waiting/reason", "") == "CrashLoopBackOff")
        .filter_map(|status| status.get("name").and_then(Value::as_str))
        .collect();
    if crashing.is_empty() {
        return Health::in_progress("PodRunningNotReady", "Pod is running but is not Ready");
    }
    Health::failed(
        "ContainerCrashLooping",
        format!("Containers in CrashLoop state: {}", crashing.join(",")),
    )
}

fn pending(pod: &Value, now: Time) -> Health {
    let unschedulable = conditions(pod)
        .find(|condition| condition.kind == "PodScheduled" && condition.status == "False")
        .is_some_and(|condition| condition.reason == "Unschedulable");
    if !unschedulable {
        return Health::in_progress("PodPending", "Pod is in the Pending phase");
    }
    let made =
        Time::parse(text(pod, "/metadata/creationTimestamp", "")).map_or(0, Time::unix_seconds);
    if now.unix_seconds() - made < SCHEDULE_WINDOW {
        return Health::in_progress("PodNotScheduled", "Pod has not been scheduled");
    }
    Health::failed("PodUnschedulable", "Pod could not be scheduled")
}
