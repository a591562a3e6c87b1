//! Jobs: unlike kstatus, Flux waits until they have completed.
//!
//! Source: fluxcd/pkg, `runtime/statusreaders/job.go`.

use object::Value;
use object::status::{Health, Status};

/// How a Job stands.
pub(super) fn health(job: &Value) -> Health {
    if job.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        return of(Status::Current, "", "Job is suspended".to_owned());
    }
    let number = |pointer: &str, default: i64| {
        job.pointer(pointer)
            .and_then(Value::as_i64)
            .unwrap_or(default)
    };
    let parallelism = number("/spec/parallelism", 1);
    let completions = number("/spec/completions", parallelism);
    let active = number("/status/active", 0);
    let succeeded = number("/status/succeeded", 0);
    let failed = number("/status/failed", 0);
    let conditions = job.pointer("/status/conditions").and_then(Value::as_array);
    for condition in conditions.into_iter().flatten() {
        let is = |key: &str, word: &str| condition.get(key).and_then(Value::as_str) == Some(word);
        if is("type", "Complete") && is("status", "True") {
            let message = format!("Job Completed. succeeded: {succeeded}/{completions}");
            return of(Status::Current, "", message);
        }
        if is("type", "Failed") && is("status", "True") {
            let message = format!("Job Failed. failed: {failed}/{completions}");
            return of(Status::Failed, "JobFailed", message);
        }
    }
    let start = job.pointer("/status/startTime").and_then(Value::as_str);
    if start.unwrap_or_default().is_empty() {
        let message = format!("Job not started. active: 0/{parallelism}");
        return of(Status::InProgress, "JobNotStarted", message);
    }
    let message =
        format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}");
    of(Status::InProgress, "JobInProgress", message)
}

fn of(status: Status, reason: &str, message: String) -> Health {
    Health {
        status,
        message,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn jobs_are_current_when_they_have_completed() {
        for (job, status, message) in [
            (
                json!({}),
                Status::InProgress,
                "Job not started. active: 0/1",
            ),
            (
                json!({"spec": {"suspend": true}}),
                Status::Current,
                "Job is suspended",
            ),
            (
                json!({"status": {"startTime": "x", "active": 1}}),
                Status::InProgress,
                "Job in progress. success:0, active: 1, failed: 0",
            ),
            (
                json!({"spec": {"completions": 2}, "status": {"succeeded": 2, "conditions": [{"type": "Complete", "status": "True"}]}}),
                Status::Current,
                "Job Completed. succeeded: 2/2",
            ),
            (
                json!({"status": {"failed": 1, "conditions": [{"type": "Failed", "status": "True"}]}}),
                Status::Failed,
                "Job Failed. failed: 1/1",
            ),
            (
                json!({"status": {"startTime": "x", "conditions": [{"type": "Failed", "status": "False"}]}}),
                Status::InProgress,
                "Job in progress. success:0, active: 0, failed: 0",
            ),
        ] {
            let health = health(&job);
            assert_eq!(
                (health.status, health.message.as_str()),
                (status, message),
                "{job}"
            );
        }
    }
}
