//! Jobs.

use object::names;
use serde_json::{Value, json};

use super::{job_policy, job_status};
use crate::strategy::core::pod::{self, Options, validate_template, warnings};
use crate::strategy::edit::{existing, field, keep, unset_default};
use crate::strategy::equality::equal;
use crate::strategy::kind::{Generation, Kind, status};
use crate::strategy::labels;
use crate::strategy::node::{Errors, Node, peek, peek_text};
use crate::strategy::{Context, internal, metadata};

const LEGACY_UID: &str = "controller-uid";
const LEGACY_NAME: &str = "job-name";
const UID: &str = "batch.kubernetes.io/controller-uid";
const NAME: &str = "batch.kubernetes.io/job-name";

pub(crate) const KIND: Kind = Kind {
    status: Some("{}"),
    generation: Generation::On(&["spec"]),
    prepare_create,
    prepare_update: |_, new, old| drop_disabled(new, "spec.template.spec", old),
    validate: |_, job, errors| validate_job(errors, job, Options::template(), true),
    validate_update,
    warn: |job, all| {
        warnings::of_workload_name(job, all);
        warn_of_spec(&job.get("spec"), all);
    },
    warn_update: |new, old, all| {
        if new.get("metadata.generation").int() != old.get("metadata.generation").int() {
            warn_of_spec(&new.get("spec"), all);
        }
    },
    subresources: &[status(job_status::validate)],
    ..Kind::new("batch", "jobs")
};

/// Drops what disabled features hide from the pod spec at a path.
pub(crate) fn drop_disabled(object: &mut Value, path: &str, old: &Value) {
    if let Some(spec) = existing(object, path) {
        pod::drop_disabled(spec, peek(old, path));
    }
}

/// Gives the job and its pods labels of their own, and a selector of them.
fn prepare_create(_: &Context<'_>, job: &mut Value) {
    if peek(job, "spec.manualSelector") != true {
        let uid = peek_text(job, "metadata.uid").to_owned();
        let name = peek_text(job, "metadata.name").to_owned();
        if let Some(spec) = field(job, "spec") {
            if let Some(template) = field(spec, "template")
                && let Some(metadata) = field(template, "metadata")
                && let Some(labels) = field(metadata, "labels")
            {
                for (label, value) in [
                    (LEGACY_NAME, &name),
                    (NAME, &name),
                    (LEGACY_UID, &uid),
                    (UID, &uid),
                ] {
                    unset_default(labels, label, value.as_str());
                }
            }
            if let Some(selector) = field(spec, "selector")
                && let Some(labels) = field(selector, "matchLabels")
            {
                unset_default(labels, UID, uid);
            }
        }
    }
    drop_disabled(job, "spec.template.spec", &Value::Null);
}

fn validate_job(errors: &mut Errors, job: &Node<'_>, options: Options, prefixed: bool) {
    metadata::validate(errors, job, true, names::name_is_dns_subdomain);
    generated_selector(errors, job, prefixed);
    let spec = job.get("spec");
    validate_spec_and_selector(errors, &spec, options);
    let completions = spec.get("completions").int();
    if spec.get("completionMode").is("Indexed") && completions > 0 {
        let name = job.get("metadata.name");
        let longest = format!("{}-{}", name.text(), completions - 1);
        if !names::dns1123_label(&longest).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {longest}");
            errors.invalid(&name, name.text(), detail);
        }
    }
}

/// The selector has to be the one that [`prepare_create`] made.
fn generated_selector(errors: &mut Errors, job: &Node<'_>, prefixed: bool) {
    let selector = job.get("spec.selector");
    if job.get("spec.manualSelector").truth() || !selector.is_set() {
        return;
    }
    let (uid, name) = (job.get("metadata.uid"), job.get("metadata.name"));
    errors.present(&uid);
    let own = job.get("spec.template.metadata.labels");
    let mut expected = json!({});
    let mut check = |label: &str, value: &str| {
        crate::strategy::edit::set(&mut expected, label, value);
        let node = own.key(label);
        let detail = format!("must be '{value}'");
        if !node.is_set() {
            errors.required(&node, &detail);
        } else if !node.is(value) {
            errors.invalid(&node, own.raw().clone(), detail);
        }
    };
    check(LEGACY_UID, uid.text());
    check(LEGACY_NAME, name.text());
    if prefixed {
        check(UID, uid.text());
        check(NAME, name.text());
    }
    if labels::is_valid(selector.raw()) && !labels::matches(selector.raw(), &expected) {
        let shown = internal::json("*v1.LabelSelector", selector.raw());
        errors.invalid_shown(&selector, &shown, "`selector` not auto-generated");
    }
}

fn validate_spec_and_selector(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    validate_spec(errors, spec, options);
    let selector = spec.get("selector");
    if selector.is_set() {
        labels::validate_selector_with(errors, &selector, options.any_selector_value);
    } else {
        errors.required(&selector, "");
    }
    let own = spec.get("template.metadata.labels");
    if labels::is_valid(selector.raw()) && !labels::matches(selector.raw(), own.raw()) {
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&own, own.raw().clone(), detail);
    }
}

/// The spec of a job, also of one in a CronJob.
pub(crate) fn validate_spec(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        errors.non_negative(&spec.get(field));
    }
    let per_index = spec.get("backoffLimitPerIndex");
    if spec.get("maxFailedIndexes").is_set() && !per_index.is_set() {
        errors.required(&per_index, "when maxFailedIndexes is specified");
    }
    let manager = spec.get("managedBy");
    if manager.is_set() {
        errors.extend(names::domain_prefixed_path(manager.path(), manager.text()));
        if manager.len() > 63 {
            errors.too_long(&manager, 63);
        }
    }
    completion_mode(errors, spec);
    job_policy::validate(errors, spec);
    let template = spec.get("template");
    validate_template(errors, &template, options);
    let restart = template.get("spec.restartPolicy");
    match restart.text() {
        "Always" | "" => errors.required(&restart, "valid values: \"OnFailure\", \"Never\""),
        "Never" => {}
        "OnFailure" => {
            if spec.get("podFailurePolicy").is_set() {
                let detail = "only \"Never\" is supported when podFailurePolicy is specified";
                errors.invalid(&restart, restart.text(), detail);
            }
        }
        other => errors.unsupported(&restart, other, &["OnFailure", "Never"]),
    }
}

fn completion_mode(errors: &mut Errors, spec: &Node<'_>) {
    let (mode, completions) = (spec.get("completionMode"), spec.get("completions"));
    let (parallelism, failed) = (spec.get("parallelism"), spec.get("maxFailedIndexes"));
    let per_index = spec.get("backoffLimitPerIndex");
    errors.opt_one_of(&mode, &["NonIndexed", "Indexed"]);
    if !mode.is_set() || mode.is("NonIndexed") {
        for node in [&per_index, &failed] {
            if node.is_set() {
                errors.invalid(node, node.int(), "requires indexed completion mode");
            }
        }
        return;
    }
    if !mode.is("Indexed") {
        return;
    }
    if !completions.is_set() {
        errors.required(&completions, "when completion mode is Indexed");
    }
    at_most(
        errors,
        &parallelism,
        100_000,
        " when completion mode is Indexed",
    );
    if completions.is_set() && failed.int() > completions.int() {
        errors.invalid(
            &failed,
            failed.int(),
            "must be less than or equal to completions",
        );
    }
    at_most(errors, &failed, 100_000, "");
    if completions.int() <= 100_000 || !per_index.is_set() {
        return;
    }
    let suffix = " when completions are above 100000 and used with backoff limit per index";
    at_most(errors, &parallelism, 10_000, suffix);
    at_most(errors, &failed, 10_000, suffix);
    if !failed.is_set() {
        errors.required(
            &failed,
            "must be specified when completions is above 100000",
        );
    }
}

fn at_most(errors: &mut Errors, node: &Node<'_>, limit: i64, suffix: &str) {
    if node.int() > limit {
        let detail = format!("must be less than or equal to {limit}{suffix}");
        errors.invalid(node, node.int(), detail);
    }
}

fn validate_update(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    let old_template = old.get("spec.template");
    let mut options = Options::template().updating(old_template.raw());
    options.any_selector_value |= labels::has_invalid_value(old.get("spec.selector").raw());
    let had = old_template.get("metadata.labels");
    let prefixed = had.has(NAME) && had.has(UID);
    validate_job(errors, new, options, prefixed);
    metadata::validate_update(errors, new, old);
    let (spec, before) = (new.get("spec"), old.get("spec"));
    validate_spec_and_selector(errors, &spec, options);
    completions(errors, &spec, &before);
    unchanged(errors, &spec, &before, "selector", "*v1.LabelSelector");
    template(errors, new, old);
    for (field, shape) in [
        ("completionMode", "*s"),
        ("podFailurePolicy", "*batch.PodFailurePolicy"),
        ("backoffLimitPerIndex", "*i"),
        ("managedBy", "*s"),
        ("successPolicy", "*batch.SuccessPolicy"),
    ] {
        unchanged(errors, &spec, &before, field, shape);
    }
}

/// A field that no update changes; `shape` is its internal type.
fn unchanged(
    errors: &mut Errors,
    spec: &Node<'_>,
    before: &Node<'_>,
    field: &'static str,
    shape: &str,
) {
    let (now, was) = (spec.get(field), before.get(field));
    if !equal(now.raw(), was.raw()) {
        errors.invalid_shown(&now, &internal::json(shape, now.raw()), metadata::IMMUTABLE);
    }
}

fn completions(errors: &mut Errors, spec: &Node<'_>, before: &Node<'_>) {
    let (now, was) = (spec.get("completions"), before.get("completions"));
    if now.opt_int() == was.opt_int() {
        return;
    }
    if !spec.get("completionMode").is("Indexed") {
        errors.invalid(&now, now.raw().clone(), metadata::IMMUTABLE);
    } else if now.is_set() && now.int() != spec.get("parallelism").int() {
        let detail = "can only be modified in tandem with spec.parallelism";
        errors.invalid(&now, now.int(), detail);
    }
}

/// The template may not change, but for where pods run while the job is suspended and has not started.
fn template(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let now = new.get("spec.template");
    let mut before = old.get("spec.template").raw().clone();
    let is_movable = old.get("spec.suspend").truth() && !old.get("status.startTime").is_set();
    if is_movable {
        for field in [
            "spec.affinity.nodeAffinity",
            "spec.nodeSelector",
            "spec.tolerations",
            "spec.schedulingGates",
            "metadata.annotations",
            "metadata.labels",
        ] {
            keep(&mut before, now.raw(), field);
        }
    }
    if !equal(now.raw(), &before) {
        let shown = internal::json("core.PodTemplateSpec", now.raw());
        errors.invalid_shown(&now, &shown, metadata::IMMUTABLE);
    }
}

/// Warnings about the spec of a job.
pub(crate) fn warn_of_spec(spec: &Node<'_>, all: &mut Vec<String>) {
    if spec.get("completionMode").is("Indexed")
        && spec.get("completions").int() > 100_000
        && spec.get("parallelism").int() > 10_000
    {
        all.push(format!(
            "{}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail",
            spec.path()
        ));
    }
    warnings::of_template(&spec.get("template"), all);
}
