//! Services.
//!
//! Cluster IPs, node ports and IP families are the server's to allocate, which happens between preparation
//! and validation.

use object::names;
use serde_json::Value;

use super::endpoints;
use crate::strategy::edit::{existing, items, remove, set};
use crate::strategy::kind::{Kind, Subresource, keep_spec};
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};
use crate::strategy::{Context, ResetFields, metadata};

mod addresses;
mod families;
mod traffic;
mod validation;

pub use families::{begin_service_create, begin_service_update};

const ZERO_STATUS: &str = r#"{"loadBalancer":{}}"#;

pub(crate) const KIND: Kind = Kind {
    create_on_update: true,
    status: Some(ZERO_STATUS),
    prepare_update: |_, new, old| drop_type_dependent(new, old),
    validate: |_, service, errors| {
        metadata::validate(errors, service, true, names::name_is_dns1035_label);
        validation::validate(errors, service, None);
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        addresses::validate_change(errors, new, old);
        traffic::load_balancer_class(errors, new, Some(old));
        let port = new.get("spec.healthCheckNodePort");
        if traffic::needs_health_check(new)
            && traffic::needs_health_check(old)
            && port.int() != old.get("spec.healthCheckNodePort").int()
        {
            errors.forbidden(&port, metadata::IMMUTABLE);
        }
        validation::validate(errors, new, Some(old));
    },
    warn: validation::warn,
    warn_update: |new, _, warnings| validation::warn(new, warnings),
    canonicalize: |service| {
        if peek_text(service, "spec.type") == "ExternalName" {
            remove(service, "spec.internalTrafficPolicy");
        }
    },
    subresources: &[Subresource {
        name: "status",
        prepare: keep_spec,
        validate: validate_status,
        warn: |new, _, warnings| {
            for host in new.get("status.loadBalancer.ingress").items() {
                let ip = host.get("ip");
                if !ip.is_empty() {
                    warnings.extend(names::ip::ip_warnings(host.path(), ip.text()));
                }
            }
        },
        reset: ResetFields::Except(&[&["spec"]]),
    }],
    ..Kind::new("", "services")
};

/// Whether a service has the cluster IP `None`.
fn is_headless(service: &Node<'_>) -> bool {
    service.get("spec.clusterIPs").texts() == ["None"]
}

fn same(new: &Value, old: &Value, path: &str) -> bool {
    peek(new, path) == peek(old, path)
}

/// Fields that the former type needed and the new one does not know, as long as they are unchanged.
fn drop_type_dependent(new: &mut Value, old: &Value) {
    let kind = |service: &Value| peek_text(service, "spec.type").to_owned();
    let (now, before) = (kind(new), kind(old));
    if before != "ExternalName" && now == "ExternalName" {
        if same(new, old, "spec.clusterIP") && same(new, old, "spec.clusterIPs") {
            remove(new, "spec.clusterIP");
            remove(new, "spec.clusterIPs");
        }
        for field in ["spec.ipFamilies", "spec.ipFamilyPolicy"] {
            if same(new, old, field) {
                remove(new, field);
            }
        }
    }
    let has_node_ports = |kind: &str| ["NodePort", "LoadBalancer"].contains(&kind);
    if has_node_ports(&before) && !has_node_ports(&now) {
        drop_node_ports(new, old);
    }
    let checks_health = |service: &Value| traffic::needs_health_check(&Node::root(service));
    if checks_health(old) && !checks_health(new) && same(new, old, "spec.healthCheckNodePort") {
        remove(new, "spec.healthCheckNodePort");
    }
    if before == "LoadBalancer" && now != "LoadBalancer" {
        for field in [
            "spec.allocateLoadBalancerNodePorts",
            "spec.loadBalancerClass",
        ] {
            if same(new, old, field) {
                remove(new, field);
            }
        }
    }
    let is_open = |service: &Value| traffic::is_externally_accessible(&Node::root(service));
    if is_open(old) && !is_open(new) && same(new, old, "spec.externalTrafficPolicy") {
        remove(new, "spec.externalTrafficPolicy");
    }
    if now != "LoadBalancer"
        && let Some(status) = existing(new, "status")
    {
        set(status, "loadBalancer", serde_json::Map::new());
    }
}

fn drop_node_ports(new: &mut Value, old: &Value) {
    let numbers = |service: &Value| -> Vec<i64> {
        let ports = peek_items(service, "spec.ports").iter();
        ports
            .filter_map(|port| peek(port, "nodePort").as_i64())
            .filter(|port| *port != 0)
            .collect()
    };
    let before = numbers(old);
    if numbers(new).iter().all(|port| before.contains(port)) {
        for port in items(new, "spec.ports") {
            remove(port, "nodePort");
        }
    }
}

fn validate_status(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    let hosts = new.get("status.loadBalancer.ingress");
    if !new.get("spec.type").is("LoadBalancer") && !hosts.is_empty() {
        let detail = "may only be used when `spec.type` is 'LoadBalancer'";
        return errors.forbidden(&hosts, detail);
    }
    load_balancer_hosts(
        errors,
        &hosts,
        &old.get("status.loadBalancer.ingress"),
        true,
    );
}

/// The addresses that a load balancer gave a Service or an Ingress (which knows no modes of IPs).
pub(crate) fn load_balancer_hosts(
    errors: &mut Errors,
    hosts: &Node<'_>,
    old: &Node<'_>,
    has_modes: bool,
) {
    let known: Vec<&str> = old.items().map(|host| host.get("ip").text()).collect();
    for host in hosts.items() {
        let (ip, mode, name) = (host.get("ip"), host.get("ipMode"), host.get("hostname"));
        if !ip.is_empty() {
            errors.extend(names::ip::legacy_ip(ip.path(), ip.text(), false, &known));
        }
        if has_modes && !mode.is_set() {
            if !ip.is_empty() {
                errors.required(&mode, "must be specified when `ip` is set");
            }
        } else if has_modes && ip.is_empty() {
            errors.forbidden(&mode, "may not be specified when `ip` is not set");
        } else if has_modes {
            errors.one_of(&mode, &["Proxy", "VIP"]);
        }
        if !name.is_empty() {
            errors.format(&name, names::dns1123_subdomain);
            if names::ip::parse_sloppy(name.text()).is_some() {
                errors.invalid(&name, name.text(), "must be a DNS name, not an IP address");
            }
        }
    }
}

/// An IP from outside that traffic for a service may be sent to.
fn external_ip(errors: &mut Errors, ip: &Node<'_>, known: &[&str]) {
    let problems = names::ip::legacy_ip(ip.path(), ip.text(), false, known);
    if problems.is_empty() {
        endpoints::validate_ip(errors, ip);
    } else {
        errors.extend(problems);
    }
}
