use serde_json::json;

use super::*;

fn check(object: &Value, status: Status, message: &str) {
    let now = Time::parse("2024-01-02T03:04:05Z").unwrap();
    let health = of(object, now);
    assert_eq!(
        (health.status, health.message.as_str()),
        (status, message),
        "{object}"
    );
}

#[test]
fn generic_rules_come_first() {
    let object = |rest: Value| {
        let mut object = json!({"apiVersion": "example.test/v1", "kind": "Thing", "metadata": {"generation": 2}});
        object["status"] = rest;
        object
    };
    check(&object(json!({})), Status::Current, "Resource is current");
    let behind = "Thing generation is 2, but latest observed generation is 1";
    check(
        &object(json!({"observedGeneration": 1})),
        Status::InProgress,
        behind,
    );
    let with = |kind: &str, status: &str| {
        object(
            json!({"observedGeneration": 2, "conditions": [{"type": kind, "status": status, "reason": "R", "message": "m"}]}),
        )
    };
    check(&with("Reconciling", "True"), Status::InProgress, "m");
    check(&with("Stalled", "True"), Status::Failed, "m");
    check(&with("Ready", "True"), Status::Current, "Resource is Ready");
    check(&with("Ready", "False"), Status::InProgress, "m");
    check(&with("Ready", "Unknown"), Status::InProgress, "m");
    let mut deleted = with("Stalled", "True");
    deleted["metadata"]["deletionTimestamp"] = json!("2024-01-02T03:04:05Z");
    check(
        &deleted,
        Status::Terminating,
        "Resource scheduled for deletion",
    );
}

#[test]
fn deployments_roll_out() {
    let deployment = |status: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2, "progressDeadlineSeconds": 600}, "status": status});
    let conditions = |reason: &str| json!([{"type": "Progressing", "status": "True", "reason": reason}, {"type": "Available", "status": "True"}]);
    check(&deployment(json!({})), Status::InProgress, "Replicas: 0/2");
    check(
        &deployment(json!({"replicas": 2, "updatedReplicas": 1})),
        Status::InProgress,
        "Updated: 1/2",
    );
    check(
        &deployment(json!({"replicas": 3, "updatedReplicas": 2})),
        Status::InProgress,
        "Pending termination: 1",
    );
    check(
        &deployment(json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1})),
        Status::InProgress,
        "Available: 1/2",
    );
    let full = |reason: &str| json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2, "conditions": conditions(reason)});
    check(
        &deployment(full("ReplicaSetUpdated")),
        Status::InProgress,
        "ReplicaSet not Available",
    );
    check(
        &deployment(full("NewReplicaSetAvailable")),
        Status::Current,
        "Deployment is available. Replicas: 2",
    );
    check(
        &deployment(full("ProgressDeadlineExceeded")),
        Status::Failed,
        "Progress deadline exceeded",
    );
}

#[test]
fn pods_jobs_and_others_have_their_own_rules() {
    let pod = |status: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "2024-01-02T03:04:00Z"}, "status": status});
    check(
        &pod(json!({})),
        Status::InProgress,
        "Pod phase not available",
    );
    check(
        &pod(json!({"phase": "Succeeded"})),
        Status::Current,
        "Pod has completed successfully",
    );
    let crashing = json!({"phase": "Running", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
    check(
        &pod(crashing),
        Status::Failed,
        "Containers in CrashLoop state: a",
    );
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]});
    check(
        &pod(unscheduled.clone()),
        Status::InProgress,
        "Pod has not been scheduled",
    );
    let mut old = pod(unscheduled);
    old["metadata"]["creationTimestamp"] = json!("2024-01-02T03:03:00Z");
    check(&old, Status::Failed, "Pod could not be scheduled");
    let job = |status: Value| json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"completions": 1}, "status": status});
    check(&job(json!({})), Status::InProgress, "Job not started");
    check(
        &job(json!({"startTime": "x", "active": 1})),
        Status::Current,
        "Job in progress. success:0, active: 1, failed: 0",
    );
    check(
        &job(json!({"failed": 1, "conditions": [{"type": "Failed", "status": "True"}]})),
        Status::Failed,
        "Job Failed. failed: 1/1",
    );
    let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"generation": 1}});
    check(
        &set,
        Status::InProgress,
        "DaemonSet status.observedGeneration not found",
    );
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}});
    check(
        &claim,
        Status::InProgress,
        "PVC is not Bound. phase: Pending",
    );
    let secret = json!({"apiVersion": "v1", "kind": "Secret"});
    check(&secret, Status::Current, "Resource is always ready");
}
