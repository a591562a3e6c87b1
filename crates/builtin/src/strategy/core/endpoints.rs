//! Endpoints, and the addresses that endpoints may have.

use std::net::IpAddr;

use object::names;

use crate::strategy::equality::equal;
use crate::strategy::kind::Kind;
use crate::strategy::metadata;
use crate::strategy::node::{Errors, Node};

pub(crate) const KIND: Kind = Kind {
    create_on_update: true,
    validate: |_, object, errors| validate(errors, object, None),
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate(errors, new, Some(old));
    },
    warn,
    warn_update: |new, _, warnings| warn(new, warnings),
    ..Kind::new("", "endpoints")
};

const LISTS: [&str; 2] = ["addresses", "notReadyAddresses"];

fn validate(errors: &mut Errors, object: &Node<'_>, old: Option<&Node<'_>>) {
    metadata::validate(errors, object, true, names::name_is_dns_subdomain);
    let list = object.get("subsets");
    if old.is_some_and(|old| equal(old.get("subsets").raw(), list.raw())) {
        return;
    }
    for subset in list.items() {
        if LISTS.iter().all(|list| subset.get(list).is_empty()) {
            errors.required(&subset, "must specify `addresses` or `notReadyAddresses`");
        }
        for field in LISTS {
            for address in subset.get(field).items() {
                validate_address(errors, &address);
            }
        }
        let ports = subset.get("ports");
        for port in ports.items() {
            validate_port(errors, &port, ports.len() > 1);
        }
    }
}

fn validate_address(errors: &mut Errors, address: &Node<'_>) {
    let (ip, host, node) = (
        address.get("ip"),
        address.get("hostname"),
        address.get("nodeName"),
    );
    errors.extend(names::ip::legacy_ip(ip.path(), ip.text(), false, &[]));
    if !host.is_empty() {
        errors.format(&host, names::dns1123_label);
    }
    if node.is_set() {
        errors.name(&node, names::name_is_dns_subdomain);
    }
    validate_ip(errors, &ip);
}

/// An address of an endpoint: not of the machine, the link or nothing.
pub(crate) fn validate_ip(errors: &mut Errors, node: &Node<'_>) {
    let text = node.text();
    let Some(ip) = names::ip::parse_sloppy(text).map(|ip| ip.to_canonical()) else {
        return errors.invalid(node, text, "must be a valid IP address");
    };
    if ip.is_unspecified() {
        errors.invalid(node, text, format!("may not be unspecified ({text})"));
    }
    if ip.is_loopback() {
        errors.invalid(
            node,
            text,
            "may not be in the loopback range (127.0.0.0/8, ::1/128)",
        );
    }
    let (is_local, is_local_multicast) = match ip {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            (first & 0xffc0 == 0xfe80, first & 0xff0f == 0xff02)
        }
    };
    if is_local {
        let detail = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
        errors.invalid(node, text, detail);
    }
    if is_local_multicast {
        let detail = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
        errors.invalid(node, text, detail);
    }
}

fn validate_port(errors: &mut Errors, port: &Node<'_>, needs_name: bool) {
    let (name, number) = (port.get("name"), port.get("port"));
    if !name.is_empty() {
        errors.format(&name, names::dns1123_label);
    } else if needs_name {
        errors.required(&name, "");
    }
    errors.messages(&number, number.int(), names::port_number(number.int()));
    errors.choice(&port.get("protocol"), &["SCTP", "TCP", "UDP"]);
    let protocol = port.get("appProtocol");
    if protocol.is_set() {
        errors.format(&protocol, names::qualified_name);
    }
}

fn warn(object: &Node<'_>, warnings: &mut Vec<String>) {
    let labels = object.get("metadata.labels");
    if labels
        .key("endpoints.kubernetes.io/managed-by")
        .is("endpoint-controller")
    {
        return;
    }
    for subset in object.get("subsets").items() {
        for field in LISTS {
            for address in subset.get(field).items() {
                let ip = address.get("ip");
                warnings.extend(names::ip::ip_warnings(ip.path(), ip.text()));
            }
        }
    }
}
