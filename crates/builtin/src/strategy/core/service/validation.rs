//! The spec of a service.

use object::names;
use serde_json::{Value, json};

use super::{addresses, external_ip, is_headless, traffic};
use crate::strategy::core::pod::probes;
use crate::strategy::internal;
use crate::strategy::labels::validate_labels;
use crate::strategy::node::{Errors, Node};

const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const MODE: &str = "service.kubernetes.io/topology-mode";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";

/// The errors of a service's annotations and spec.
pub(crate) fn validate(errors: &mut Errors, service: &Node<'_>, old: Option<&Node<'_>>) {
    let annotations = service.get("metadata.annotations");
    let (mode, hints) = (annotations.key(MODE), annotations.key(HINTS));
    if mode.is_set() && hints.is_set() && mode.text() != hints.text() {
        let detail = format!("must match annotations[{HINTS}] when both are specified");
        errors.invalid(&mode, mode.text(), detail);
    }
    let spec = service.get("spec");
    let (kind, ports) = (spec.get("type"), spec.get("ports"));
    if ports.is_empty() && !is_headless(service) && !kind.is("ExternalName") {
        errors.required(&ports, "");
    }
    of_type(errors, service, &spec);
    let mut names_seen: Vec<&str> = Vec::new();
    for port in ports.items() {
        service_port(errors, &port, ports.len() > 1, &mut names_seen);
    }
    validate_labels(errors, &spec.get("selector"));
    session_affinity(errors, &spec);
    addresses::validate(errors, service, old);
    let known = old
        .map(|old| old.get("spec.externalIPs").texts())
        .unwrap_or_default();
    for ip in spec.get("externalIPs").items() {
        external_ip(errors, &ip, &known);
    }
    errors.choice(
        &kind,
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    );
    ports_together(errors, &ports, &kind);
    source_ranges(errors, service, old);
    let allocates = spec.get("allocateLoadBalancerNodePorts");
    if allocates.is_set() && !kind.is("LoadBalancer") {
        errors.forbidden(&allocates, BALANCED);
    }
    if kind.is("LoadBalancer") && !allocates.is_set() {
        errors.required(&service.path().child("allocateLoadBalancerNodePorts"), "");
    }
    traffic::load_balancer_class(errors, service, None);
    traffic::validate(errors, service);
}

fn of_type(errors: &mut Errors, service: &Node<'_>, spec: &Node<'_>) {
    let kind = spec.get("type").text();
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(service) => {
            let place = spec.get("clusterIPs").path().index(0);
            let detail = format!("may not be set to 'None' for {kind} services");
            errors.invalid(&place, "None", detail);
        }
        "ExternalName" => {
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if !spec.get(field).is_empty() {
                    errors.forbidden(&spec.get(field), "may not be set for ExternalName services");
                }
            }
            let name = spec.get("externalName");
            let text = name.text().strip_suffix('.').unwrap_or(name.text());
            if text.is_empty() {
                errors.required(&name, "");
            } else {
                errors.messages(&name, text, names::dns1123_subdomain(text));
            }
        }
        _ => {}
    }
}

fn service_port<'a>(
    errors: &mut Errors,
    port: &Node<'a>,
    needs_name: bool,
    seen: &mut Vec<&'a str>,
) {
    let (name, number) = (port.get("name"), port.get("port"));
    if !name.is_empty() {
        errors.format(&name, names::dns1123_label);
        if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        } else {
            seen.push(name.text());
        }
    } else if needs_name {
        errors.required(&name, "");
    }
    errors.messages(&number, number.int(), names::port_number(number.int()));
    errors.choice(&port.get("protocol"), &["SCTP", "TCP", "UDP"]);
    probes::port(errors, &port.get("targetPort"));
    let protocol = port.get("appProtocol");
    if protocol.is_set() {
        errors.format(&protocol, names::qualified_name);
    }
}

fn session_affinity(errors: &mut Errors, spec: &Node<'_>) {
    const WHEN: &str = "when session affinity type is ClientIP";
    let (affinity, config) = (
        spec.get("sessionAffinity"),
        spec.get("sessionAffinityConfig"),
    );
    errors.choice(&affinity, &["ClientIP", "None"]);
    if affinity.is("None") && config.is_set() {
        errors.forbidden(&config, "must not be set when session affinity is None");
    }
    if !affinity.is("ClientIP") {
        return;
    }
    let (client, timeout) = (
        config.get("clientIP"),
        config.get("clientIP.timeoutSeconds"),
    );
    for node in [&config, &client, &timeout] {
        if !node.is_set() {
            return errors.required(node, WHEN);
        }
    }
    if !(1..=86400).contains(&timeout.int()) {
        errors.invalid(
            &timeout,
            timeout.int(),
            "must be greater than 0 and less than 86400",
        );
    }
}

fn ports_together(errors: &mut Errors, ports: &Node<'_>, kind: &Node<'_>) {
    if kind.is("ClusterIP") {
        for port in ports.items() {
            if port.get("nodePort").int() != 0 {
                let detail = "may not be used when `type` is 'ClusterIP'";
                errors.forbidden(&port.get("nodePort"), detail);
            }
        }
    }
    let mut node_ports = Vec::new();
    for port in ports.items() {
        let node_port = port.get("nodePort");
        let key = (port.get("protocol").text(), node_port.int());
        if node_port.int() == 0 {
            continue;
        }
        if node_ports.contains(&key) {
            errors.duplicate(&node_port, node_port.int());
        }
        node_ports.push(key);
    }
    let mut seen = Vec::new();
    for port in ports.items() {
        let key = (port.get("protocol").text(), port.get("port").int());
        if seen.contains(&key) {
            let value: Value = json!({ "protocol": key.0, "port": key.1 });
            errors.duplicate_shown(&port, &internal::json("core.ServicePort", &value), "");
        }
        seen.push(key);
    }
}

fn source_ranges(errors: &mut Errors, service: &Node<'_>, old: Option<&Node<'_>>) {
    let spec = service.get("spec");
    let is_balanced = spec.get("type").is("LoadBalancer");
    // Upstream's spelling, kept.
    let ranges = spec
        .get("loadBalancerSourceRanges")
        .placed(spec.path().child("LoadBalancerSourceRanges"));
    if !ranges.is_empty() {
        if !is_balanced {
            errors.forbidden(&ranges, BALANCED);
        }
        let known: Vec<&str> = old
            .map(|old| old.get("spec.loadBalancerSourceRanges").texts())
            .unwrap_or_default()
            .into_iter()
            .map(str::trim)
            .collect();
        for range in ranges.items() {
            let text = range.text().trim();
            errors.extend(names::ip::legacy_cidr(range.path(), text, false, &known));
        }
        return;
    }
    let annotation = service.get("metadata.annotations").key(SOURCE_RANGES);
    if !annotation.is_set() {
        return;
    }
    if !is_balanced {
        errors.forbidden(&annotation, BALANCED);
    }
    let before = old.map(|old| old.get("metadata.annotations").key(SOURCE_RANGES).text());
    if before == Some(annotation.text()) || annotation.text().trim().is_empty() {
        return;
    }
    for range in annotation.text().trim().split(',') {
        errors.extend(names::ip::legacy_cidr(
            annotation.path(),
            range.trim(),
            false,
            &[],
        ));
    }
}

/// Warnings about a service.
pub(crate) fn warn(service: &Node<'_>, warnings: &mut Vec<String>) {
    let spec = service.get("spec");
    let (kind, cluster_ip) = (spec.get("type"), spec.get("clusterIP"));
    if service.get("metadata.annotations").has(HINTS) {
        warnings.push(format!(
            "annotation {HINTS} is deprecated, please use {MODE} instead"
        ));
    }
    let mut ips = |list: &Node<'_>| {
        for ip in list.items() {
            warnings.extend(names::ip::ip_warnings(ip.path(), ip.text()));
        }
    };
    if !cluster_ip.is_empty() && !cluster_ip.is("None") {
        ips(&spec.get("clusterIPs"));
    }
    let balancer = spec.get("loadBalancerIP");
    let external = spec.get("externalIPs");
    if kind.is("ClusterIP") && cluster_ip.is("None") {
        for (is_set, field) in [
            (!balancer.is_empty(), "spec.loadBalancerIP"),
            (!external.is_empty(), "spec.externalIPs"),
            (
                !spec.get("sessionAffinity").is("None"),
                "spec.SessionAffinity",
            ),
        ] {
            if is_set {
                warnings.push(format!("{field} is ignored for headless services"));
            }
        }
    }
    let mut ips = |list: &Node<'_>| {
        for ip in list.items() {
            warnings.extend(names::ip::ip_warnings(ip.path(), ip.text()));
        }
    };
    ips(&external);
    if !balancer.is_empty() {
        warnings.extend(names::ip::ip_warnings(balancer.path(), balancer.text()));
    }
    for range in spec.get("loadBalancerSourceRanges").items() {
        warnings.extend(names::ip::cidr_warnings(range.path(), range.text()));
    }
    if kind.is("ExternalName") && !external.is_empty() {
        warnings.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if !kind.is("ExternalName") && !spec.get("externalName").is_empty() {
        let warning = "spec.externalName is ignored when spec.type is not \"ExternalName\"";
        warnings.push(warning.to_owned());
    }
    if spec.get("trafficDistribution").is("PreferClose") {
        warnings.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""
                .to_owned(),
        );
    }
}
