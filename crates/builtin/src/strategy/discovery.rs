//! The kinds of the group `discovery.k8s.io`.
//!
//! Source: `pkg/apis/discovery` and `pkg/registry/discovery`.

use object::names;
use serde_json::Value;

use super::core::validate_endpoint_ip;
use super::edit::{items, remove, unset_default};
use super::kind::{Generation, Kind};
use super::node::{Errors, Node, peek};
use super::{labels, metadata};

const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const CONTROLLERS: &[&str] = &[
    "endpointslice-controller.k8s.io",
    "endpointslicemirroring-controller.k8s.io",
];

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    generation: Generation::On(&["addressType", "endpoints", "ports", "metadata.labels"]),
    prepare_create: |_, slice| drop_topology(slice),
    prepare_update: |_, new, old| {
        if peek(new, "endpoints") != peek(old, "endpoints") {
            drop_topology(new);
        }
    },
    validate: |_, slice, errors| validate(errors, slice, None),
    validate_update: |_, new, old, errors| {
        validate(errors, new, Some(old));
        errors.immutable(&new.get("addressType"), &old.get("addressType"));
    },
    warn: |slice, warnings| {
        if slice.get("addressType").is("FQDN") {
            warnings.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
        }
        warn_of_addresses(slice, warnings);
    },
    warn_update: |new, _, warnings| warn_of_addresses(new, warnings),
    ..Kind::new("discovery.k8s.io", "endpointslices")
}];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    if kind != "EndpointSlice" {
        return;
    }
    for port in items(object, "ports") {
        unset_default(port, "name", "");
        unset_default(port, "protocol", "TCP");
    }
}

fn drop_topology(slice: &mut Value) {
    for endpoint in items(slice, "endpoints") {
        remove(endpoint, "deprecatedTopology");
    }
}

fn validate(errors: &mut Errors, slice: &Node<'_>, old: Option<&Node<'_>>) {
    metadata::validate(errors, slice, true, names::name_is_dns_subdomain);
    let kind = slice.get("addressType");
    errors.choice(&kind, &["FQDN", "IPv4", "IPv6"]);
    validate_ports(errors, &slice.get("ports"));
    let endpoints = slice.get("endpoints");
    if old.is_some_and(|old| old.get("endpoints").raw() == endpoints.raw()) {
        return;
    }
    if endpoints.len() > 1000 {
        return errors.too_many(&endpoints, endpoints.len(), 1000);
    }
    for endpoint in endpoints.items() {
        validate_endpoint(errors, &endpoint, kind.text());
    }
}

fn validate_endpoint(errors: &mut Errors, endpoint: &Node<'_>, kind: &str) {
    let addresses = endpoint.get("addresses");
    if addresses.is_empty() {
        errors.required(&addresses, "must contain at least 1 address");
    } else if addresses.len() > 100 {
        errors.too_many(&addresses, addresses.len(), 100);
    }
    for address in addresses.items() {
        validate_address(errors, &addresses, &address, kind);
    }
    let node = endpoint.get("nodeName");
    if node.is_set() {
        errors.name(&node, names::name_is_dns_subdomain);
    }
    let topology = endpoint.get("deprecatedTopology");
    if topology.len() > 16 {
        errors.too_many(&topology, topology.len(), 16);
    }
    labels::validate_labels(errors, &topology);
    let host = endpoint.get("hostname");
    if host.is_set() {
        errors.format(&host, names::dns1123_label);
    }
    validate_hints(errors, &endpoint.get("hints"));
}

fn validate_address(errors: &mut Errors, list: &Node<'_>, address: &Node<'_>, kind: &str) {
    let text = address.text();
    let problems = match kind {
        "IPv4" => names::ip::legacy_ip(address.path(), text, false, &[]),
        "IPv6" => names::ip::ip(address.path(), text),
        "FQDN" => {
            return errors.extend(names::fully_qualified_domain_name(address.path(), text));
        }
        _ => return,
    };
    if !problems.is_empty() {
        return errors.extend(problems);
    }
    if names::ip::parse_sloppy(text).is_some_and(|ip| ip.is_ipv6() != (kind == "IPv6")) {
        errors.invalid(list, text, format!("must be an {kind} address"));
    }
    validate_endpoint_ip(errors, address);
}

fn validate_hints(errors: &mut Errors, hints: &Node<'_>) {
    for (list, is_node) in [
        (hints.get("forZones"), false),
        (hints.get("forNodes"), true),
    ] {
        if list.len() > 8 {
            return errors.too_many(&list, list.len(), 8);
        }
        let mut seen: Vec<&str> = Vec::new();
        for hint in list.items() {
            let name = hint.get("name");
            if seen.contains(&name.text()) {
                errors.duplicate(&name, name.text());
            }
            seen.push(name.text());
            if is_node {
                errors.name(&name, names::name_is_dns_subdomain);
            } else {
                errors.format(&name, names::label_value);
            }
        }
    }
}

fn validate_ports(errors: &mut Errors, ports: &Node<'_>) {
    if ports.len() > 20_000 {
        return errors.too_many(ports, ports.len(), 20_000);
    }
    let mut seen: Vec<&str> = Vec::new();
    for port in ports.items() {
        let (name, protocol) = (port.get("name"), port.get("protocol"));
        if !name.is_empty() {
            errors.format(&name, names::dns1123_label);
        }
        if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        }
        seen.push(name.text());
        if protocol.is_set() {
            errors.one_of(&protocol, &["SCTP", "TCP", "UDP"]);
        } else {
            errors.required(&protocol, "");
        }
        if port.get("appProtocol").is_set() {
            errors.format(&port.get("appProtocol"), names::qualified_name);
        }
    }
}

fn warn_of_addresses(slice: &Node<'_>, warnings: &mut Vec<String>) {
    let labels = slice.get("metadata.labels");
    if CONTROLLERS.contains(&labels.key(MANAGED_BY).text()) {
        return;
    }
    for address in slice
        .get("endpoints")
        .items()
        .flat_map(|endpoint| endpoint.get("addresses").items())
    {
        warnings.extend(names::ip::ip_warnings(address.path(), address.text()));
    }
}
