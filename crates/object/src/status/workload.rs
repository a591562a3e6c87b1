//! What makes pods.

use serde_json::Value;

use super::{Health, conditions, integer, text};

pub(super) fn deployment(deployment: &Value) -> Health {
    // Without a deadline the controller sets no `Progressing` condition.
    let deadline = integer(
        deployment,
        "/spec/progressDeadlineSeconds",
        i64::from(i32::MAX),
    );
    let mut progressed = deadline == i64::from(i32::MAX);
    let mut available = false;
    for condition in conditions(deployment) {
        match condition.kind {
            "Progressing" if condition.reason == "ProgressDeadlineExceeded" => {
                return Health::failed(condition.reason, "Progress deadline exceeded");
            }
            "Progressing" => {
                progressed |=
                    condition.status == "True" && condition.reason == "NewReplicaSetAvailable"
            }
            "Available" => available |= condition.status == "True",
            _ => {}
        }
    }
    let wanted = integer(deployment, "/spec/replicas", 1);
    let status = |field: &str| integer(deployment, &format!("/status/{field}"), 0);
    let (replicas, updated) = (status("replicas"), status("updatedReplicas"));
    let (ready, available_replicas) = (status("readyReplicas"), status("availableReplicas"));
    if wanted > replicas {
        return Health::in_progress("LessReplicas", format!("Replicas: {replicas}/{wanted}"));
    }
    if wanted > updated {
        return Health::in_progress("LessUpdated", format!("Updated: {updated}/{wanted}"));
    }
    if replicas > wanted {
        return Health::in_progress(
            "ExtraPods",
            format!("Pending termination: {}", replicas - wanted),
        );
    }
    if updated > available_replicas {
        return Health::in_progress(
            "LessAvailable",
            format!("Available: {available_replicas}/{updated}"),
        );
    }
    if wanted > ready {
        return Health::in_progress("LessReady", format!("Ready: {ready}/{wanted}"));
    }
    if !progressed {
        return Health::in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available");
    }
    if !available {
        return Health::in_progress("DeploymentNotAvailable", "Deployment not Available");
    }
    Health::current(format!("Deployment is available. Replicas: {replicas}"))
}

pub(super) fn replica_set(set: &Value) -> Health {
    if conditions(set)
        .any(|condition| condition.kind == "ReplicaFailure" && condition.status == "True")
    {
        return Health::in_progress("ReplicaFailure", "Replica Failure condition. Check Pods");
    }
    let wanted = integer(set, "/spec/replicas", 1);
    let status = |field: &str| integer(set, &format!("/status/{field}"), 0);
    for (reason, word, count) in [
        ("LessLabelled", "Labelled", status("fullyLabeledReplicas")),
        ("LessAvailable", "Available", status("availableReplicas")),
        ("LessReady", "Ready", status("readyReplicas")),
    ] {
        if wanted > count {
            return Health::in_progress(reason, format!("{word}: {count}/{wanted}"));
        }
    }
    let replicas = status("replicas");
    if replicas > wanted {
        return Health::in_progress(
            "ExtraPods",
            format!("Pending termination: {}", replicas - wanted),
        );
    }
    Health::current(format!("ReplicaSet is available. Replicas: {replicas}"))
}

pub(super) fn stateful_set(set: &Value) -> Health {
    if text(set, "/spec/updateStrategy/type", "") == "OnDelete" {
        return Health::current("StatefulSet is using the ondelete update strategy");
    }
    let wanted = integer(set, "/spec/replicas", 1);
    let status = |field: &str| integer(set, &format!("/status/{field}"), 0);
    let (replicas, ready, updated) = (
        status("replicas"),
        status("readyReplicas"),
        status("updatedReplicas"),
    );
    if wanted > replicas {
        return Health::in_progress("LessReplicas", format!("Replicas: {replicas}/{wanted}"));
    }
    if wanted > ready {
        return Health::in_progress("LessReady", format!("Ready: {ready}/{wanted}"));
    }
    if replicas > wanted {
        return Health::in_progress(
            "ExtraPods",
            format!("Pending termination: {}", replicas - wanted),
        );
    }
    if let Some(partition) = set
        .pointer("/spec/updateStrategy/rollingUpdate/partition")
        .and_then(Value::as_i64)
        && partition != -1
    {
        let due = wanted - partition;
        if updated < due {
            return Health::in_progress("PartitionRollout", format!("updated: {updated}/{due}"));
        }
        return Health::current(format!("Partition rollout complete. updated: {updated}"));
    }
    let current = status("currentReplicas");
    if wanted > current {
        return Health::in_progress("LessCurrent", format!("current: {current}/{wanted}"));
    }
    if text(set, "/status/currentRevision", "") != text(set, "/status/updateRevision", "") {
        return Health::in_progress(
            "RevisionMismatch",
            "Waiting for updated revision to match current",
        );
    }
    Health::current(format!(
        "All replicas scheduled as expected. Replicas: {replicas}"
    ))
}

pub(super) fn daemon_set(set: &Value) -> Health {
    let kind = text(set, "/kind", "");
    // The controller sets both; without them it has not seen the object yet.
    for (pointer, reason) in [
        ("/metadata/generation", "NoGeneration"),
        ("/status/observedGeneration", "NoObservedGeneration"),
    ] {
        if set.pointer(pointer).and_then(Value::as_i64).is_none() {
            let field = pointer[1..].replace('/', ".");
            return Health::in_progress(reason, format!("{kind} {field} not found"));
        }
    }
    let desired = integer(set, "/status/desiredNumberScheduled", -1);
    if desired == -1 {
        return Health::in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled");
    }
    for (reason, word, field) in [
        ("LessCurrent", "Current", "currentNumberScheduled"),
        ("LessUpdated", "Updated", "updatedNumberScheduled"),
        ("LessAvailable", "Available", "numberAvailable"),
        ("LessReady", "Ready", "numberReady"),
    ] {
        let count = integer(set, &format!("/status/{field}"), 0);
        if desired > count {
            return Health::in_progress(reason, format!("{word}: {count}/{desired}"));
        }
    }
    Health::current(format!(
        "All replicas scheduled as expected. Replicas: {desired}"
    ))
}

pub(super) fn job(job: &Value) -> Health {
    let parallelism = integer(job, "/spec/parallelism", 1);
    let completions = integer(job, "/spec/completions", parallelism);
    let status = |field: &str| integer(job, &format!("/status/{field}"), 0);
    let (succeeded, active, failed) = (status("succeeded"), status("active"), status("failed"));
    for condition in conditions(job).filter(|condition| condition.status == "True") {
        match condition.kind {
            "Complete" => {
                return Health::current(format!(
                    "Job Completed. succeeded: {succeeded}/{completions}"
                ));
            }
            "Failed" => {
                return Health::failed(
                    "JobFailed",
                    format!("Job Failed. failed: {failed}/{completions}"),
                );
            }
            _ => {}
        }
    }
    if text(job, "/status/startTime", "").is_empty() {
        return Health::in_progress("JobNotStarted", "Job not started");
    }
    // A running job is current: whether it succeeds is not its spec's matter.
    Health::current(format!(
        "Job in progress. success:{succeeded}, active: {active}, failed: {failed}"
    ))
}
