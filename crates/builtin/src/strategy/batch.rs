//! The kinds of the group `batch`.
//!
//! Source: `pkg/apis/batch` and `pkg/registry/batch`.

use serde_json::{Value, json};

use super::core::default_pod_template;
use super::edit::{field, items, unset_default, zero_default};
use super::kind::Kind;
use super::node::{peek, peek_text};

mod cron_job;
mod indexes;
mod job;
mod job_policy;
mod job_status;

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[job::KIND, cron_job::KIND];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    match kind {
        "Job" => job_defaults(object),
        "CronJob" => cron_job_defaults(object),
        _ => {}
    }
}

fn job_defaults(object: &mut Value) {
    let labels = peek(object, "spec.template.metadata.labels").clone();
    let Some(spec) = field(object, "spec") else {
        return;
    };
    if peek(spec, "completions").is_null() && peek(spec, "parallelism").is_null() {
        unset_default(spec, "completions", 1);
    }
    unset_default(spec, "parallelism", 1);
    let limit = if peek(spec, "backoffLimitPerIndex").is_null() {
        6
    } else {
        i32::MAX
    };
    unset_default(spec, "backoffLimit", limit);
    unset_default(spec, "completionMode", "NonIndexed");
    unset_default(spec, "suspend", false);
    let policy = if peek(spec, "podFailurePolicy").is_null() {
        "TerminatingOrFailed"
    } else {
        "Failed"
    };
    unset_default(spec, "podReplacementPolicy", policy);
    unset_default(spec, "manualSelector", false);
    patterns_and_template(spec);
    // Labels are copied even if the template has none of its own but an empty map.
    if labels.is_object()
        && let Some(metadata) = field(object, "metadata")
    {
        zero_default(metadata, "labels", labels);
    }
}

fn patterns_and_template(spec: &mut Value) {
    for rule in items(spec, "podFailurePolicy.rules") {
        for pattern in items(rule, "onPodConditions") {
            zero_default(pattern, "status", "True");
        }
    }
    if let Some(template) = field(spec, "template") {
        default_pod_template(template);
    }
}

fn cron_job_defaults(object: &mut Value) {
    let Some(spec) = field(object, "spec") else {
        return;
    };
    if peek_text(spec, "concurrencyPolicy").is_empty() {
        zero_default(spec, "concurrencyPolicy", "Allow");
    }
    unset_default(spec, "suspend", false);
    unset_default(spec, "successfulJobsHistoryLimit", 3);
    unset_default(spec, "failedJobsHistoryLimit", 1);
    if let Some(template) = field(spec, "jobTemplate")
        && let Some(job) = field(template, "spec")
    {
        if job.is_null() {
            *job = json!({});
        }
        patterns_and_template(job);
    }
}
