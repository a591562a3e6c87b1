//! CronJobs.

use object::names;

use super::job;
use crate::cron;
use crate::strategy::core::pod::{Options, warnings};
use crate::strategy::kind::{Generation, Kind, status};
use crate::strategy::node::{Errors, Node};
use crate::strategy::{internal, metadata};

const TEMPLATE: &str = "spec.jobTemplate.spec.template.spec";

pub(crate) const KIND: Kind = Kind {
    status: Some("{}"),
    generation: Generation::On(&["spec"]),
    prepare_create: |_, object| job::drop_disabled(object, TEMPLATE, &serde_json::Value::Null),
    prepare_update: |_, new, old| job::drop_disabled(new, TEMPLATE, old),
    validate: |_, object, errors| {
        metadata::validate(errors, object, true, names::name_is_dns_subdomain);
        validate_spec(errors, &object.get("spec"), None, Options::template());
        let name = object.get("metadata.name");
        // Its jobs add eleven characters.
        if name.len() > 52 {
            errors.invalid(&name, name.text(), "must be no more than 52 characters");
        }
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        let before = old.get("spec");
        let options = Options::template().updating(before.get("jobTemplate.spec.template").raw());
        validate_spec(errors, &new.get("spec"), Some(&before), options);
    },
    warn: |object, all| {
        warnings::of_workload_name(object, all);
        job::warn_of_spec(&object.get("spec.jobTemplate.spec"), all);
    },
    warn_update: |new, old, all| {
        if new.get("metadata.generation").int() != old.get("metadata.generation").int() {
            job::warn_of_spec(&new.get("spec.jobTemplate.spec"), all);
        }
        if new.get("spec.schedule").text().contains("TZ") {
            all.push(
                "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                    .to_owned(),
            );
        }
    },
    subresources: &[status(|_, _, _, _| {})],
    ..Kind::new("batch", "cronjobs")
};

fn validate_spec(errors: &mut Errors, spec: &Node<'_>, old: Option<&Node<'_>>, options: Options) {
    let (schedule, zone) = (spec.get("schedule"), spec.get("timeZone"));
    if schedule.is_empty() {
        errors.required(&schedule, "");
    } else {
        validate_schedule(errors, &schedule, &zone, old);
    }
    errors.non_negative(&spec.get("startingDeadlineSeconds"));
    if old.is_none_or(|old| old.get("timeZone").opt_text() != zone.opt_text()) {
        validate_time_zone(errors, &zone);
    }
    errors.choice(
        &spec.get("concurrencyPolicy"),
        &["Allow", "Forbid", "Replace"],
    );
    let template = spec.get("jobTemplate.spec");
    job::validate_spec(errors, &template, options);
    let (selector, manual) = (template.get("selector"), template.get("manualSelector"));
    if selector.is_set() {
        let shown = internal::json("*v1.LabelSelector", selector.raw());
        errors.invalid_shown(&selector, &shown, "`selector` will be auto-generated");
    }
    if manual.truth() {
        errors.unsupported(&manual, true, &["nil", "false"]);
    }
    errors.non_negative(&spec.get("successfulJobsHistoryLimit"));
    errors.non_negative(&spec.get("failedJobsHistoryLimit"));
}

fn validate_schedule(
    errors: &mut Errors,
    schedule: &Node<'_>,
    zone: &Node<'_>,
    old: Option<&Node<'_>>,
) {
    let text = schedule.text();
    if let Err(problem) = cron::parse(text) {
        errors.invalid(schedule, text, problem);
    }
    if !text.contains("TZ") {
        return;
    }
    let had_zone = old.is_some_and(|old| old.get("schedule").text().contains("TZ"));
    if !had_zone {
        let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.invalid(schedule, text, detail);
    } else if zone.is_set() {
        let detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
        errors.invalid(schedule, text, detail);
    }
}

fn validate_time_zone(errors: &mut Errors, zone: &Node<'_>) {
    let Some(name) = zone.opt_text() else {
        return;
    };
    if name.is_empty() {
        return errors.invalid(zone, "", "timeZone must be nil or non-empty string");
    }
    let is_sound = name.split('/').all(|part| {
        (1..=14).contains(&part.len())
            && part != "."
            && part != ".."
            && !part.starts_with('-')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-_+".contains(c))
    });
    let unknown = format!("unknown time zone {name}");
    if !is_sound {
        return errors.invalid(zone, name, unknown);
    }
    if name.eq_ignore_ascii_case("local") {
        let detail =
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.invalid(zone, name, detail);
    }
    if name != "Local" && !cron::is_time_zone(name) {
        errors.invalid(zone, name, unknown);
    }
}
