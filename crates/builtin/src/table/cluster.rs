//! Nodes, events, access control, admission and the like.

use std::collections::BTreeSet;

use object::Value;
use object::time::{Duration, Time};

use super::view::View;
use super::{Printer, human, selector_text};

pub(super) fn node(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let ready = object
        .list("/status/conditions")
        .rfind(|condition| condition.text("/type") == "Ready");
    let mut status = match ready {
        None => "Unknown",
        Some(condition) if condition.text("/status") == "True" => "Ready",
        Some(_) => "NotReady",
    }
    .to_owned();
    if object.truth("/spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    let address = |kind: &str| {
        let found = object
            .list("/status/addresses")
            .find(|address| address.text("/type") == kind);
        Value::from(found.map_or("<none>", |address| address.text("/address")))
    };
    vec![
        printer.name(),
        Value::from(status),
        Value::from(node_roles(object)),
        printer.age(),
        printer.text("/status/nodeInfo/kubeletVersion"),
        address("InternalIP"),
        address("ExternalIP"),
        printer.text_or("/status/nodeInfo/osImage", "<unknown>"),
        printer.text_or("/status/nodeInfo/kernelVersion", "<unknown>"),
        printer.text_or("/status/nodeInfo/containerRuntimeVersion", "<unknown>"),
    ]
}

fn node_roles(node: View<'_>) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in node.at("/metadata/labels").entries() {
        if let Some(role) = key.strip_prefix("node-role.kubernetes.io/") {
            roles.insert(role);
        } else if key == "kubernetes.io/role" {
            roles.insert(value.as_text());
        }
    }
    roles.remove("");
    let roles: Vec<&str> = roles.into_iter().collect();
    if roles.is_empty() {
        "<none>".to_owned()
    } else {
        roles.join(",")
    }
}

fn micro_time(object: View<'_>, path: &str) -> Option<Time> {
    Time::parse(object.text(path)).ok()
}

pub(super) fn event(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    event_cells(
        printer,
        &EventParts {
            first: "/firstTimestamp",
            last: "/lastTimestamp",
            count: object.integer("/count"),
            target: object.at("/involvedObject"),
            component: first_set([
                object.text("/source/component"),
                object.text("/reportingComponent"),
            ]),
            host: first_set([
                object.text("/source/host"),
                object.text("/reportingInstance"),
            ]),
            message: object.text("/message"),
        },
    )
}

/// `events.k8s.io/v1` has the same facts under other names.
pub(super) fn new_event(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    event_cells(
        printer,
        &EventParts {
            first: "/deprecatedFirstTimestamp",
            last: "/deprecatedLastTimestamp",
            count: object.integer("/deprecatedCount"),
            target: object.at("/regarding"),
            component: first_set([
                object.text("/deprecatedSource/component"),
                object.text("/reportingController"),
            ]),
            host: first_set([
                object.text("/deprecatedSource/host"),
                object.text("/reportingInstance"),
            ]),
            message: object.text("/note"),
        },
    )
}

fn first_set(texts: [&str; 2]) -> &str {
    if texts[0].is_empty() {
        texts[1]
    } else {
        texts[0]
    }
}

/// What the two kinds of events name differently.
struct EventParts<'a> {
    first: &'static str,
    last: &'static str,
    count: i64,
    target: View<'a>,
    component: &'a str,
    host: &'a str,
    message: &'a str,
}

fn event_cells(printer: Printer<'_>, parts: &EventParts<'_>) -> Vec<Value> {
    let object = printer.object;
    let first = object
        .time(parts.first)
        .or_else(|| micro_time(object, "/eventTime"));
    let mut last = object.time(parts.last).or(first);
    let mut count = if parts.count == 0 { 1 } else { parts.count };
    if object.is_set("/series") {
        last = micro_time(object, "/series/lastObservedTime");
        count = object.integer("/series/count");
    }
    let kind = parts.target.text("/kind").to_lowercase();
    let name = parts.target.text("/name");
    let target = if name.is_empty() {
        kind
    } else {
        format!("{kind}/{name}")
    };
    let source = if parts.host.is_empty() {
        parts.component.to_owned()
    } else {
        format!("{}, {}", parts.component, parts.host)
    };
    vec![
        Value::from(printer.since_time(last)),
        printer.text("/type"),
        printer.text("/reason"),
        Value::from(target),
        Value::from(parts.target.text("/fieldPath")),
        Value::from(source),
        Value::from(parts.message.trim()),
        Value::from(printer.since_time(first)),
        Value::from(count),
        printer.name(),
    ]
}

pub(super) fn role_binding(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let (mut users, mut groups, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    for subject in object.list("/subjects") {
        let name = subject.text("/name");
        match subject.text("/kind") {
            "ServiceAccount" => accounts.push(format!("{}/{name}", subject.text("/namespace"))),
            "User" => users.push(name.to_owned()),
            "Group" => groups.push(name.to_owned()),
            _ => {}
        }
    }
    vec![
        printer.name(),
        Value::from(format!(
            "{}/{}",
            object.text("/roleRef/kind"),
            object.text("/roleRef/name")
        )),
        printer.age(),
        Value::from(users.join(", ")),
        Value::from(groups.join(", ")),
        Value::from(accounts.join(", ")),
    ]
}

pub(super) fn certificate_signing_request(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let has = |kind: &str| {
        object
            .list("/status/conditions")
            .any(|condition| condition.text("/type") == kind)
    };
    let mut status = if has("Denied") {
        "Denied"
    } else if has("Approved") {
        "Approved"
    } else {
        "Pending"
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !object.text("/status/certificate").is_empty() {
        status.push_str(",Issued");
    }
    let duration = match object.at("/spec/expirationSeconds").0.as_i64() {
        Some(seconds) => human(Duration::from_seconds(seconds)),
        None => "<none>".to_owned(),
    };
    vec![
        printer.name(),
        printer.age(),
        printer.text_or("/spec/signerName", "<none>"),
        printer.text("/spec/username"),
        Value::from(duration),
        Value::from(status),
    ]
}

pub(super) fn component_status(printer: Printer<'_>) -> Vec<Value> {
    let healthy = printer
        .object
        .list("/conditions")
        .find(|condition| condition.text("/type") == "Healthy");
    let (status, message, error) = match healthy {
        None => ("Unknown", "", ""),
        Some(condition) => {
            let status = if condition.text("/status") == "True" {
                "Healthy"
            } else {
                "Unhealthy"
            };
            (status, condition.text("/message"), condition.text("/error"))
        }
    };
    vec![
        printer.name(),
        Value::from(status),
        Value::from(message),
        Value::from(error),
    ]
}

pub(super) fn resource_quota(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let used = object.at("/status/used");
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (name, hard) in object.at("/status/hard").entries() {
        let used = if used.key(name).0.is_null() {
            "0"
        } else {
            used.key(name).as_text()
        };
        let column = if name.starts_with("limits.") {
            &mut limits
        } else {
            &mut requests
        };
        column.push(format!("{name}: {used}/{}", hard.as_text()));
    }
    vec![
        printer.name(),
        Value::from(requests.join(", ")),
        Value::from(limits.join(", ")),
        printer.age(),
    ]
}

pub(super) fn priority_class(printer: Printer<'_>) -> Vec<Value> {
    vec![
        printer.name(),
        printer.integer("/value"),
        Value::from(printer.object.truth("/globalDefault")),
        printer.age(),
        printer.text("/preemptionPolicy"),
    ]
}

pub(super) fn admission_policy(printer: Printer<'_>) -> Vec<Value> {
    let kind = printer.object.at("/spec/paramKind");
    let kind = if kind.0.is_null() {
        "<unset>".to_owned()
    } else {
        format!("{}/{}", kind.text("/apiVersion"), kind.text("/kind"))
    };
    vec![
        printer.name(),
        printer.count(&["/spec/validations"]),
        Value::from(kind),
        printer.age(),
    ]
}

pub(super) fn admission_policy_binding(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let (name, namespace) = (
        object.text("/spec/paramRef/name"),
        object.text("/spec/paramRef/namespace"),
    );
    let parameters = if !name.is_empty() {
        format!(
            "{}/{name}",
            if namespace.is_empty() { "*" } else { namespace }
        )
    } else if object.is_set("/spec/paramRef/selector") {
        selector_text(object.at("/spec/paramRef/selector")).unwrap_or_default()
    } else {
        "<unset>".to_owned()
    };
    vec![
        printer.name(),
        printer.text("/spec/policyName"),
        Value::from(parameters),
        printer.age(),
    ]
}

pub(super) fn flow_schema(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let dangling = object
        .list("/status/conditions")
        .find(|condition| condition.text("/type") == "Dangling");
    vec![
        printer.name(),
        printer.text("/spec/priorityLevelConfiguration/name"),
        printer.integer("/spec/matchingPrecedence"),
        printer.text_or("/spec/distinguisherMethod/type", "<none>"),
        printer.age(),
        Value::from(dangling.map_or("?", |condition| condition.text("/status"))),
    ]
}

pub(super) fn priority_level(printer: Printer<'_>) -> Vec<Value> {
    let limited = printer.object.at("/spec/limited");
    let cell = |path: &str| match limited.at(path).0 {
        Value::Null => Value::from("<none>"),
        other => other.clone(),
    };
    vec![
        printer.name(),
        printer.text("/spec/type"),
        cell("/nominalConcurrencyShares"),
        cell("/limitResponse/queuing/queues"),
        cell("/limitResponse/queuing/handSize"),
        cell("/limitResponse/queuing/queueLengthLimit"),
        printer.age(),
    ]
}

/// Source: kube-aggregator, `pkg/registry/apiservice/storage.go`.
pub(super) fn api_service(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let service = object.at("/spec/service");
    let service = if service.0.is_null() {
        "Local".to_owned()
    } else {
        format!("{}/{}", service.text("/namespace"), service.text("/name"))
    };
    let condition = object
        .list("/status/conditions")
        .find(|condition| condition.text("/type") == "Available");
    let available = match condition {
        None => "Unknown".to_owned(),
        Some(condition) if condition.text("/status") == "True" => "True".to_owned(),
        Some(condition) => format!(
            "{} ({})",
            condition.text("/status"),
            condition.text("/reason")
        ),
    };
    vec![
        printer.name(),
        Value::from(service),
        Value::from(available),
        printer.age(),
    ]
}

pub(super) fn resource_claim(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let mut states = Vec::new();
    let deleted = object.is_set("/metadata/deletionTimestamp");
    if deleted {
        states.push("deleted");
    }
    if object.is_set("/status/allocation") {
        states.push("allocated");
        if object.length("/status/reservedFor") > 0 {
            states.push("reserved");
        }
    } else if !deleted {
        states.push("pending");
    }
    vec![printer.name(), Value::from(states.join(",")), printer.age()]
}
