//! Probes, life cycle hooks and their handlers.

use object::names;

use crate::strategy::node::{Errors, Node};

/// The three probes of a container.
pub(crate) fn validate_probes(errors: &mut Errors, container: &Node<'_>, grace: Option<i64>) {
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = container.get(field);
        if !probe.is_set() {
            continue;
        }
        validate_probe(errors, &probe, grace);
        let (threshold, period) = (
            probe.get("successThreshold"),
            probe.get("terminationGracePeriodSeconds"),
        );
        if field != "readinessProbe" {
            if threshold.int() != 1 {
                errors.invalid(&threshold, threshold.int(), "must be 1");
            }
        } else if period.is_set() {
            errors.invalid(&period, period.int(), "must not be set for readinessProbes");
        }
    }
}

fn validate_probe(errors: &mut Errors, probe: &Node<'_>, grace: Option<i64>) {
    validate_handler(
        errors,
        probe,
        &["exec", "httpGet", "tcpSocket", "grpc"],
        grace,
    );
    for field in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        errors.non_negative(&probe.get(field));
    }
    let period = probe.get("terminationGracePeriodSeconds");
    if period.opt_int().is_some_and(|seconds| seconds <= 0) {
        errors.invalid(&period, period.int(), "must be greater than 0");
    }
}

/// The life cycle hooks of a container.
pub(crate) fn validate_lifecycle(errors: &mut Errors, lifecycle: &Node<'_>, grace: Option<i64>) {
    for field in ["postStart", "preStop"] {
        let hook = lifecycle.get(field);
        if hook.is_set() {
            validate_handler(
                errors,
                &hook,
                &["exec", "httpGet", "tcpSocket", "sleep"],
                grace,
            );
        }
    }
}

fn validate_handler(errors: &mut Errors, at: &Node<'_>, kinds: &[&str], grace: Option<i64>) {
    let mut count = 0;
    for &kind in kinds {
        let handler = at.get(kind);
        if !handler.is_set() {
            continue;
        }
        if count > 0 {
            errors.forbidden(&handler, "may not specify more than 1 handler type");
            continue;
        }
        count += 1;
        match kind {
            "exec" => errors.present(&handler.get("command")),
            "httpGet" => http_get(errors, &handler),
            "sleep" => sleep(errors, &handler, grace),
            _ => port(errors, &handler.get("port")),
        }
    }
    if count == 0 {
        errors.required(at, "must specify a handler type");
    }
}

fn http_get(errors: &mut Errors, handler: &Node<'_>) {
    errors.present(&handler.get("path"));
    port(errors, &handler.get("port"));
    errors.one_of(&handler.get("scheme"), &["HTTP", "HTTPS"]);
    let headers = handler.get("httpHeaders");
    for header in headers.items() {
        let name = header.get("name").text();
        errors.messages(&headers, name, names::http_header_name(name));
    }
}

fn sleep(errors: &mut Errors, handler: &Node<'_>, grace: Option<i64>) {
    let seconds = handler.get("seconds").int();
    if let Some(grace) = grace
        && !(0..=grace).contains(&seconds)
    {
        let detail =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.invalid(handler, seconds, detail);
    }
}

/// The number or name of a port.
pub(crate) fn port(errors: &mut Errors, port: &Node<'_>) {
    match port.opt_text() {
        Some(name) => errors.messages(port, name, names::port_name(name)),
        None => errors.messages(port, port.int(), names::port_number(port.int())),
    }
}
