//! Updates of a pod's status.

use object::names;
use serde_json::Value;

use super::annotations;
use crate::strategy::edit::{existing, items, keep, remove, set};
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};
use crate::strategy::{Context, internal, metadata};

/// Keeps the spec, the owners and what the writer left out.
pub(crate) fn prepare(_: &Context<'_>, new: &mut Value, old: &Value) {
    keep(new, old, "spec");
    remove(new, "metadata.deletionTimestamp");
    keep(new, old, "metadata.ownerReferences");
    if peek_text(new, "status.qosClass").is_empty() {
        keep(new, old, "status.qosClass");
    }
    if peek(new, "status.observedGeneration")
        .as_i64()
        .unwrap_or_default()
        == 0
    {
        keep(new, old, "status.observedGeneration");
    }
    let mut before: Vec<(&str, i64)> = peek_items(old, "status.conditions")
        .iter()
        .map(|condition| {
            let generation = peek(condition, "observedGeneration").as_i64();
            (peek_text(condition, "type"), generation.unwrap_or_default())
        })
        .collect();
    let Some(status) = existing(new, "status") else {
        return;
    };
    for condition in items(status, "conditions") {
        let kind = peek_text(condition, "type");
        let Some(index) = before.iter().position(|(before, _)| *before == kind) else {
            continue;
        };
        let (_, generation) = before.remove(index);
        if peek(condition, "observedGeneration")
            .as_i64()
            .unwrap_or_default()
            == 0
            && generation != 0
        {
            set(condition, "observedGeneration", generation);
        }
    }
}

/// The errors of an update.
pub(crate) fn validate(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    let (new_notes, old_notes) = (
        new.get("metadata.annotations"),
        old.get("metadata.annotations"),
    );
    annotations::validate_update(errors, &new_notes, &old_notes);
    let any_cost = annotations::has_bad_deletion_cost(&old_notes);
    annotations::validate(errors, &new_notes, &new.get("spec"), any_cost);
    let (status, old_status) = (new.get("status"), old.get("status"));
    conditions(errors, &status.get("conditions"));
    nominated_node(errors, &status, &old_status, old);
    let generation = status.get("observedGeneration");
    if generation.int() < 0 {
        errors.invalid(
            &generation,
            generation.int(),
            "must be a non-negative integer",
        );
    }
    let class = status.get("qosClass");
    if class.text() != old_status.get("qosClass").text() {
        errors.invalid(&class, class.text(), metadata::IMMUTABLE);
    }
    let spec = old.get("spec");
    for (field, containers) in [
        ("containerStatuses", "containers"),
        ("initContainerStatuses", "initContainers"),
        ("ephemeralContainerStatuses", ""),
    ] {
        transitions(
            errors,
            &status.get(field),
            &old_status.get(field),
            &spec,
            containers,
        );
    }
    addresses(errors, &status, "podIPs", "core.PodIP", &old_status);
    let hosts = status.get("hostIPs");
    if let Some(first) = hosts.items().next()
        && !first.get("ip").is(status.get("hostIP").text())
    {
        let ip = first.get("ip");
        errors.invalid(&ip, ip.text(), "must be equal to `hostIP`");
    }
    addresses(errors, &status, "hostIPs", "core.HostIP", &old_status);
}

fn conditions(errors: &mut Errors, conditions: &Node<'_>) {
    for condition in conditions.items() {
        let generation = condition.get("observedGeneration");
        if generation.int() < 0 {
            errors.invalid(
                &generation,
                generation.int(),
                "must be a non-negative integer",
            );
        }
        let kind = condition.get("type").text();
        if !["PodScheduled", "Ready", "Initialized"].contains(&kind) {
            errors.messages(
                &condition.path().child("Type"),
                kind,
                names::qualified_name(kind),
            );
        }
    }
}

fn nominated_node(errors: &mut Errors, status: &Node<'_>, old: &Node<'_>, old_pod: &Node<'_>) {
    let node = status.get("nominatedNodeName");
    if node.is_empty() || node.is(old.get("nominatedNodeName").text()) {
        return;
    }
    errors.name(&node, names::name_is_dns_subdomain);
    if !old_pod.get("spec.nodeName").is_empty() {
        errors.forbidden(
            &node,
            "may not be set on pods that are already bound to a node",
        );
    }
}

/// Containers that have ended and may not run again.
fn transitions(
    errors: &mut Errors,
    new: &Node<'_>,
    old: &Node<'_>,
    spec: &Node<'_>,
    containers: &str,
) {
    for (index, before) in old.items().enumerate() {
        let terminated = before.get("state.terminated");
        if !terminated.is_set() {
            continue;
        }
        let name = before.get("name").text();
        let restarts = !containers.is_empty()
            && spec
                .get(containers)
                .items()
                .find(|container| container.get("name").is(name))
                .is_some_and(|container| {
                    should_restart(&container, spec, terminated.get("exitCode").int())
                });
        let runs = new.items().find(|now| now.get("name").is(name));
        if !restarts && runs.is_some_and(|now| !now.get("state.terminated").is_set()) {
            let place = new.path().index(index).child("state");
            errors.forbidden(&place, "may not be transitioned to non-terminated state");
        }
    }
}

fn should_restart(container: &Node<'_>, spec: &Node<'_>, code: i64) -> bool {
    for rule in container.get("restartPolicyRules").items() {
        let codes = rule.get("exitCodes");
        let listed = codes.get("values").items().any(|value| value.int() == code);
        let is_met = match codes.get("operator").text() {
            "In" => listed,
            "NotIn" => !listed,
            _ => false,
        };
        if is_met && rule.get("action").is("Restart") {
            return true;
        }
    }
    let own = container.get("restartPolicy");
    let policy = if own.is_set() {
        own.text()
    } else {
        spec.get("restartPolicy").text()
    };
    match policy {
        "Never" => false,
        "OnFailure" => code != 0,
        _ => true,
    }
}

fn addresses(errors: &mut Errors, status: &Node<'_>, field: &str, shape: &str, old: &Node<'_>) {
    let list = status.get(field);
    let before = old.get(field);
    let known: Vec<&str> = before.items().map(|item| item.get("ip").text()).collect();
    for item in list.items() {
        errors.extend(names::ip::legacy_ip(
            item.path(),
            item.get("ip").text(),
            false,
            &known,
        ));
    }
    if list.len() > 1 {
        let families: Vec<bool> = list
            .items()
            .filter_map(|item| names::ip::parse_sloppy(item.get("ip").text()))
            .map(|ip| ip.is_ipv6())
            .collect();
        let is_dual = families.contains(&true) && families.contains(&false);
        if !is_dual || list.len() > 2 {
            let shown = internal::json(&format!("[]{shape}"), list.raw());
            let detail = "may specify no more than one IP for each IP family";
            errors.invalid_shown(&list, &shown, detail);
        }
    }
}

/// Addresses that are not in canonical form.
pub(crate) fn warn(new: &Node<'_>, _: &Node<'_>, warnings: &mut Vec<String>) {
    for field in ["podIPs", "hostIPs"] {
        for item in new.get("status").get(field).items() {
            let ip = item.get("ip");
            warnings.extend(names::ip::ip_warnings(ip.path(), ip.text()));
        }
    }
}
