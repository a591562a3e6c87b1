//! Updates of a Job's status.

use super::indexes;
use crate::strategy::equality::equal;
use crate::strategy::node::{Errors, Node};
use crate::strategy::{Context, internal, metadata};

/// Which conditions of a job are true.
struct Conditions {
    complete: bool,
    failed: bool,
    failing: bool,
    succeeding: bool,
    suspended: Option<bool>,
}

impl Conditions {
    fn of(job: &Node<'_>) -> Self {
        let status = |kind: &str| {
            let conditions = job.get("status.conditions");
            let is = |status: &str| {
                conditions.items().any(|condition| {
                    condition.get("type").is(kind) && condition.get("status").is(status)
                })
            };
            (is("True"), is("False"))
        };
        let (suspended, resumed) = status("Suspended");
        Self {
            complete: status("Complete").0,
            failed: status("Failed").0,
            failing: status("FailureTarget").0,
            succeeding: status("SuccessCriteriaMet").0,
            suspended: (suspended || resumed).then_some(suspended),
        }
    }

    fn finished(&self) -> bool {
        self.complete || self.failed
    }
}

/// An update and what it changes.
struct Change<'a> {
    status: Node<'a>,
    before: Node<'a>,
    spec: Node<'a>,
    now: Conditions,
    was: Conditions,
}

impl Change<'_> {
    fn changed(&self, field: &str) -> bool {
        !equal(self.status.get(field).raw(), self.before.get(field).raw())
    }

    fn is_indexed(&self) -> bool {
        self.spec.get("completionMode").is("Indexed")
    }
}

/// The errors of an update.
pub(crate) fn validate(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    let change = Change {
        status: new.get("status"),
        before: old.get("status"),
        spec: new.get("spec"),
        now: Conditions::of(new),
        was: Conditions::of(old),
    };
    for field in ["active", "succeeded", "failed", "ready", "terminating"] {
        errors.non_negative(&change.status.get(field));
    }
    uncounted(errors, &change.status);
    conditions(errors, &change);
    times(errors, &change);
    finished(errors, &change);
    index_sets(errors, &change);
    transitions(errors, &change);
}

fn uncounted(errors: &mut Errors, status: &Node<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for list in ["succeeded", "failed"] {
        for uid in status.get("uncountedTerminatedPods").get(list).items() {
            if uid.is_empty() {
                errors.invalid(&uid, "", "must not be empty");
            } else if seen.contains(&uid.text()) {
                errors.duplicate(&uid, uid.text());
            } else {
                seen.push(uid.text());
            }
        }
    }
}

fn conditions(errors: &mut Errors, change: &Change<'_>) {
    let (now, was) = (&change.now, &change.was);
    let at = change.status.get("conditions");
    let mut reject = |is_rejected: bool, detail: &str| {
        if is_rejected {
            errors.invalid_shown(&at, "", detail);
        }
    };
    let complete = now.complete != was.complete;
    let failed = now.failed != was.failed;
    reject(
        (complete || failed) && now.complete && now.failed,
        "cannot set Complete=True and Failed=true conditions",
    );
    reject(
        (complete || now.failing != was.failing) && now.complete && now.failing,
        "cannot set Complete=True and FailureTarget=true conditions",
    );
    reject(
        (failed || change.changed("failedIndexes")) && now.failed && !now.failing,
        "cannot set Failed=True condition without the FailureTarget=true condition",
    );
    reject(
        (complete || now.succeeding != was.succeeding) && now.complete && !now.succeeding,
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    );
    reject(
        now.succeeding && now.failed,
        "cannot set SuccessCriteriaMet=True and Failed=true conditions",
    );
    reject(
        now.succeeding && now.failing,
        "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
    );
    reject(
        change.spec.get("successPolicy").is_set() && !now.succeeding && now.complete,
        "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
    );
}

fn times(errors: &mut Errors, change: &Change<'_>) {
    let (now, was) = (&change.now, &change.was);
    let (start, end) = (
        change.status.get("startTime"),
        change.status.get("completionTime"),
    );
    if now.complete != was.complete || change.changed("completionTime") {
        if end.is_set() && !now.complete {
            let detail = "cannot set completionTime when there is no Complete=True condition";
            errors.invalid(&end, end.raw().clone(), detail);
        }
        if !end.is_set() && now.complete {
            errors.required(&end, "completionTime is required for Complete jobs");
        }
    }
    let is_new = change.changed("startTime") || change.changed("completionTime");
    if is_new && start.is_set() && end.is_set() && end.text() < start.text() {
        errors.invalid(
            &end,
            end.raw().clone(),
            "must be equal to or after `startTime`",
        );
    }
}

fn finished(errors: &mut Errors, change: &Change<'_>) {
    let (status, finished) = (&change.status, change.now.finished());
    let turned = finished != change.was.finished();
    let active = status.get("active");
    if (turned || change.changed("active")) && finished && active.int() > 0 {
        errors.invalid(
            &active,
            active.int(),
            "active>0 is invalid for finished job",
        );
    }
    let start = status.get("startTime");
    let is_empty =
        change.spec.get("suspend").truth() && change.spec.get("completions").opt_int() == Some(0);
    if (turned || change.changed("startTime")) && !is_empty && finished && !start.is_set() {
        errors.required(&start, "startTime is required for finished job");
    }
    let uncounted = status.get("uncountedTerminatedPods");
    let has_some = !uncounted.get("failed").is_empty() || !uncounted.get("succeeded").is_empty();
    if (turned || change.changed("uncountedTerminatedPods")) && finished && has_some {
        let shown = internal::json("batch.UncountedTerminatedPods", uncounted.raw());
        errors.invalid_shown(&uncounted, &shown, "must be empty for finished job");
    }
    let terminating = status.get("terminating");
    if (turned || change.changed("terminating")) && finished && terminating.int() > 0 {
        let detail = "terminating>0 is invalid for finished job";
        errors.invalid(&terminating, terminating.int(), detail);
    }
    let ready = status.get("ready");
    let is_new = change.changed("ready") || change.changed("active");
    if is_new && ready.is_set() && ready.int() > active.int() {
        errors.invalid(
            &ready,
            ready.int(),
            "cannot set more ready pods than active",
        );
    }
}

fn index_sets(errors: &mut Errors, change: &Change<'_>) {
    let (done, failed) = (
        change.status.get("completedIndexes"),
        change.status.get("failedIndexes"),
    );
    let (new_done, new_failed) = (
        change.changed("completedIndexes"),
        change.changed("failedIndexes"),
    );
    let has_limit = change.spec.get("backoffLimitPerIndex").is_set();
    if let Some(completions) = change.spec.get("completions").opt_int() {
        for (name, node, is_new) in [
            ("completedIndexes", &done, new_done),
            ("failedIndexes", &failed, new_failed && has_limit),
        ] {
            if let (true, Err(problem)) = (is_new, indexes::count(node.text(), completions)) {
                errors.invalid(
                    node,
                    node.text(),
                    format!("error parsing {name}: {problem}"),
                );
            }
        }
        if (new_done || new_failed)
            && failed.is_set()
            && let Some(index) = indexes::overlap(done.text(), failed.text(), completions)
        {
            let detail = format!("failedIndexes and completedIndexes overlap at index: {index}");
            errors.invalid(&failed, failed.text(), detail);
        }
    }
    if new_done && !done.is_empty() && !change.is_indexed() {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.invalid(&done, done.text(), detail);
    }
    if new_failed && !has_limit && failed.is_set() {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.invalid(&failed, failed.text(), detail);
    }
}

fn transitions(errors: &mut Errors, change: &Change<'_>) {
    let (now, was) = (&change.now, &change.was);
    let at = change.status.get("conditions");
    for (name, now, was) in [
        ("Failed", now.failed, was.failed),
        ("Complete", now.complete, was.complete),
        ("FailureTarget", now.failing, was.failing),
    ] {
        if was && !now {
            let detail = format!("cannot disable the terminal {name}=True condition");
            errors.invalid_shown(&at, "", &detail);
        }
    }
    let is_elastic = change.is_indexed()
        && change.spec.get("completions").opt_int() == change.spec.get("parallelism").opt_int();
    for field in ["failed", "succeeded"] {
        let (node, before) = (change.status.get(field), change.before.get(field));
        if node.int() < before.int() && !(field == "succeeded" && is_elastic) {
            errors.invalid(
                &node,
                node.int(),
                format!("cannot decrease the {field} counter"),
            );
        }
    }
    let (end, before) = (
        change.status.get("completionTime"),
        change.before.get("completionTime"),
    );
    if end.is_set() && before.is_set() && end.text() != before.text() {
        errors.invalid(&end, end.raw().clone(), metadata::IMMUTABLE);
    }
    let is_resuming = was.suspended == Some(true) && now.suspended == Some(false);
    let had_start = change.before.get("startTime").is_set();
    if had_start
        && change.changed("startTime")
        && !is_resuming
        && !change.spec.get("suspend").truth()
    {
        let detail = "startTime cannot be removed for unsuspended job";
        errors.required(&change.status.get("startTime"), detail);
    }
    if was.succeeding && !now.succeeding {
        errors.invalid_shown(
            &at,
            "",
            "cannot disable the SuccessCriteriaMet=True condition",
        );
    }
    if was.complete && !was.succeeding && now.succeeding {
        let detail =
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        errors.invalid_shown(&at, "", detail);
    }
}
