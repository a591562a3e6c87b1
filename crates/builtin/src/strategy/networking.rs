//! The kinds of the group `networking.k8s.io`.
//!
//! Source: `pkg/apis/networking` and `pkg/registry/networking`.

use object::names;
use serde_json::{Value, json};

use super::core::METADATA_STATUS;
use super::edit::{existing, field, items, unset_default};
use super::kind::{Kind, Subresource, keep_spec_and_metadata};
use super::metadata;
use super::node::{Errors, Node, peek_items};

mod ingress;
mod network_policy;

const GROUP: &str = "networking.k8s.io";

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[
    ingress::INGRESS,
    ingress::INGRESS_CLASS,
    network_policy::KIND,
    IP_ADDRESS,
    SERVICE_CIDR,
];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    match kind {
        "IngressClass" => {
            if let Some(parameters) = existing(object, "spec.parameters") {
                unset_default(parameters, "scope", "Cluster");
            }
        }
        "NetworkPolicy" => {
            if let Some(spec) = field(object, "spec") {
                network_policy_defaults(spec);
            }
        }
        _ => {}
    }
}

fn network_policy_defaults(spec: &mut Value) {
    if peek_items(spec, "policyTypes").is_empty() {
        let mut types = vec!["Ingress"];
        if !peek_items(spec, "egress").is_empty() {
            types.push("Egress");
        }
        super::edit::set(spec, "policyTypes", json!(types));
    }
    for direction in ["ingress", "egress"] {
        for rule in items(spec, direction) {
            for port in items(rule, "ports") {
                unset_default(port, "protocol", "TCP");
            }
        }
    }
}

const IP_ADDRESS: Kind = Kind {
    namespaced: false,
    validate: |_, address, errors| validate_address(errors, address),
    validate_update: |_, new, old, errors| {
        validate_address(errors, new);
        metadata::validate_update(errors, new, old);
        let (new, old) = (new.get("spec.parentRef"), old.get("spec.parentRef"));
        if new.raw() != old.raw() {
            let shown = super::internal::json("*networking.ParentReference", new.raw());
            errors.invalid_shown(&new, &shown, metadata::IMMUTABLE);
        }
    },
    ..Kind::new(GROUP, "ipaddresses")
};

fn address_name(name: &str, _: bool) -> Vec<String> {
    let root = object::field::Path::root();
    names::ip::ip(&root, name)
        .into_iter()
        .map(|error| error.detail)
        .collect()
}

fn validate_address(errors: &mut Errors, address: &Node<'_>) {
    metadata::validate(errors, address, false, address_name);
    let parent = address.get("spec.parentRef");
    if !parent.is_set() {
        return errors.required(&parent, "");
    }
    let group = parent.get("group");
    if !group.is_empty() {
        errors.format(&group, names::dns1123_subdomain);
    }
    for (field, needed) in [("resource", true), ("name", true), ("namespace", false)] {
        let node = parent.get(field);
        if !node.is_empty() {
            errors.format(&node, names::path_segment_name);
        } else if needed {
            errors.required(&node, "");
        }
    }
}

const SERVICE_CIDR: Kind = Kind {
    namespaced: false,
    validate: |_, range, errors| {
        metadata::validate(errors, range, false, names::name_is_dns_subdomain);
        validate_ranges(errors, &range.get("spec"));
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        let (list, before) = (new.get("spec.cidrs"), old.get("spec.cidrs").texts());
        let now = list.texts();
        let changed = |errors: &mut Errors, count: usize| {
            for (range, before) in list.items().zip(&before).take(count) {
                if range.text() != *before {
                    errors.invalid(&range, range.text(), metadata::IMMUTABLE);
                }
            }
        };
        if now.len() == before.len() {
            changed(errors, now.len());
        } else if before.len() == 1 && now.len() == 2 {
            changed(errors, 1);
            validate_ranges(errors, &new.get("spec"));
        } else {
            errors.invalid(&list, list.raw().clone(), metadata::IMMUTABLE);
        }
    },
    reset: &[&["status"]],
    subresources: &[Subresource {
        prepare: keep_spec_and_metadata,
        ..METADATA_STATUS
    }],
    ..Kind::new(GROUP, "servicecidrs")
};

fn validate_ranges(errors: &mut Errors, spec: &Node<'_>) {
    let ranges = spec.get("cidrs");
    if ranges.is_empty() {
        return errors.required(&ranges, "at least one CIDR required");
    }
    if ranges.len() > 2 {
        let shown = super::internal::json("networking.ServiceCIDRSpec", spec.raw());
        return errors.invalid_shown(&ranges, &shown, "may only hold up to 2 values");
    }
    for range in ranges.items() {
        errors.extend(names::ip::cidr(range.path(), range.text()));
    }
    let families: Vec<bool> = ranges
        .texts()
        .iter()
        .filter_map(|range| Some(names::ip::Cidr::parse_sloppy(range)?.network().is_ipv6()))
        .collect();
    if families.len() == 2 && families[0] == families[1] {
        let detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
        errors.invalid(&ranges, ranges.raw().clone(), detail);
    }
}
