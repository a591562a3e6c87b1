//! What makes pods.

use object::{GroupVersion, Value};

use super::view::View;
use super::{Printer, containers, human, label_selector, labels, selector_text};

const CONTAINERS: &str = "/spec/template/spec/containers";

pub(super) fn pod_template(printer: Printer<'_>) -> Vec<Value> {
    let [names, images] = containers(printer.object.at("/template/spec/containers"));
    vec![
        printer.name(),
        names,
        images,
        labels(printer.object.at("/template/metadata/labels")),
    ]
}

pub(super) fn replication_controller(printer: Printer<'_>) -> Vec<Value> {
    let mut cells = replicas(printer);
    cells.extend(containers(printer.object.at(CONTAINERS)));
    cells.push(labels(printer.object.at("/spec/selector")));
    cells
}

pub(super) fn replica_set(printer: Printer<'_>) -> Vec<Value> {
    let mut cells = replicas(printer);
    cells.extend(containers(printer.object.at(CONTAINERS)));
    cells.push(label_selector(printer.object.at("/spec/selector")));
    cells
}

fn replicas(printer: Printer<'_>) -> Vec<Value> {
    vec![
        printer.name(),
        printer.integer("/spec/replicas"),
        printer.integer("/status/replicas"),
        printer.integer("/status/readyReplicas"),
        printer.age(),
    ]
}

fn ready_of_wanted(object: View<'_>) -> Value {
    Value::from(format!(
        "{}/{}",
        object.integer("/status/readyReplicas"),
        object.integer("/spec/replicas")
    ))
}

pub(super) fn deployment(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let mut cells = vec![
        printer.name(),
        ready_of_wanted(object),
        printer.integer("/status/updatedReplicas"),
        printer.integer("/status/availableReplicas"),
        printer.age(),
    ];
    cells.extend(containers(object.at(CONTAINERS)));
    // Unlike the other kinds, an empty selector is shown as such.
    cells.push(Value::from(
        selector_text(object.at("/spec/selector")).unwrap_or_else(|| "<invalid>".to_owned()),
    ));
    cells
}

pub(super) fn stateful_set(printer: Printer<'_>) -> Vec<Value> {
    let mut cells = vec![
        printer.name(),
        ready_of_wanted(printer.object),
        printer.age(),
    ];
    cells.extend(containers(printer.object.at(CONTAINERS)));
    cells
}

pub(super) fn daemon_set(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let mut cells = vec![printer.name()];
    for path in [
        "/status/desiredNumberScheduled",
        "/status/currentNumberScheduled",
        "/status/numberReady",
        "/status/updatedNumberScheduled",
        "/status/numberAvailable",
    ] {
        cells.push(printer.integer(path));
    }
    cells.push(labels(object.at("/spec/template/spec/nodeSelector")));
    cells.push(printer.age());
    cells.extend(containers(object.at(CONTAINERS)));
    cells.push(label_selector(object.at("/spec/selector")));
    cells
}

pub(super) fn controller_revision(printer: Printer<'_>) -> Vec<Value> {
    let controller = printer
        .object
        .list("/metadata/ownerReferences")
        .find(|owner| owner.truth("/controller"));
    let controller = controller.map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let group = GroupVersion::parse(owner.text("/apiVersion"))
                .unwrap_or_default()
                .group;
            let kind = object::GroupKind::new(group, owner.text("/kind"))
                .to_string()
                .to_lowercase();
            format!("{kind}/{}", owner.text("/name"))
        },
    );
    vec![
        printer.name(),
        Value::from(controller),
        printer.integer("/revision"),
        printer.age(),
    ]
}

pub(super) fn job(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let succeeded = object.integer("/status/succeeded");
    let parallelism = object.integer("/spec/parallelism");
    let completions = if object.is_set("/spec/completions") {
        format!("{succeeded}/{}", object.integer("/spec/completions"))
    } else if parallelism > 1 {
        format!("{succeeded}/1 of {parallelism}")
    } else {
        format!("{succeeded}/1")
    };
    let duration = match (
        object.time("/status/startTime"),
        object.time("/status/completionTime"),
    ) {
        (None, _) => String::new(),
        (Some(start), None) => human(printer.now.since(start)),
        (Some(start), Some(end)) => human(end.since(start)),
    };
    let mut cells = vec![
        printer.name(),
        Value::from(job_status(object)),
        Value::from(completions),
        Value::from(duration),
        printer.age(),
    ];
    cells.extend(containers(object.at(CONTAINERS)));
    cells.push(label_selector(object.at("/spec/selector")));
    cells
}

fn job_status(job: View<'_>) -> &'static str {
    let has = |kind: &str| job.has_condition("/status/conditions", kind);
    if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if job.is_set("/metadata/deletionTimestamp") {
        "Terminating"
    } else if has("Suspended") {
        "Suspended"
    } else if has("FailureTarget") {
        "FailureTarget"
    } else if has("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

pub(super) fn cron_job(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let template = object.at("/spec/jobTemplate/spec");
    let suspend = match object.at("/spec/suspend").0.as_bool() {
        None => "<unset>",
        Some(true) => "True",
        Some(false) => "False",
    };
    let last = if object.is_set("/status/lastScheduleTime") {
        printer.since("/status/lastScheduleTime")
    } else {
        "<none>".to_owned()
    };
    let mut cells = vec![
        printer.name(),
        printer.text("/spec/schedule"),
        printer.text_or("/spec/timeZone", "<none>"),
        Value::from(suspend),
        printer.count(&["/status/active"]),
        Value::from(last),
        printer.age(),
    ];
    cells.extend(containers(template.at("/template/spec/containers")));
    cells.push(label_selector(template.at("/selector")));
    cells
}

pub(super) fn pod_disruption_budget(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    vec![
        printer.name(),
        Value::from(object.printed_or("/spec/minAvailable", "N/A")),
        Value::from(object.printed_or("/spec/maxUnavailable", "N/A")),
        printer.integer("/status/disruptionsAllowed"),
        printer.age(),
    ]
}
