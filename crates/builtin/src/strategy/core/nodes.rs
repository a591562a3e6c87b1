//! Nodes.

use object::names;
use object::names::ip::Cidr;

use super::pod::affinity::taint_effect;
use super::quantities::validate_amount;
use crate::strategy::edit::remove;
use crate::strategy::kind::{Kind, Subresource, keep_spec};
use crate::strategy::labels::validate_label_name;
use crate::strategy::node::{Errors, Node, peek};
use crate::strategy::{ResetFields, internal, metadata};

pub(crate) const KIND: Kind = Kind {
    namespaced: false,
    reset: &[&["status"]],
    prepare_create: |_, node| {
        remove(node, "spec.configSource");
        remove(node, "status.config");
        remove(node, "status.declaredFeatures");
    },
    prepare_update: |_, new, old| {
        crate::strategy::edit::keep(new, old, "status");
        if peek(old, "spec.configSource").is_null() {
            remove(new, "spec.configSource");
        }
    },
    validate: |_, node, errors| validate(errors, node),
    validate_update: |_, new, old, errors| {
        validate(errors, new);
        validate_update(errors, new, old);
    },
    warn,
    warn_update: |new, _, warnings| warn(new, warnings),
    subresources: &[Subresource {
        name: "status",
        prepare: |cx, new, old| {
            keep_spec(cx, new, old);
            if peek(old, "status.config").is_null() {
                remove(new, "status.config");
            }
        },
        validate: |_, new, old, errors| validate_update(errors, new, old),
        warn: |_, _, _| {},
        reset: ResetFields::Except(&[&["spec"]]),
    }],
    ..Kind::new("", "nodes")
};

fn validate(errors: &mut Errors, node: &Node<'_>) {
    metadata::validate(errors, node, false, names::name_is_dns_subdomain);
    taints(errors, node);
    resources(errors, node);
    let cidrs = node.get("spec.podCIDRs");
    for cidr in cidrs.items() {
        errors.extend(names::ip::legacy_cidr(cidr.path(), cidr.text(), false, &[]));
    }
    if cidrs.len() > 1 {
        let families: Vec<bool> = cidrs
            .texts()
            .into_iter()
            .filter_map(Cidr::parse_sloppy)
            .map(|cidr| cidr.network().is_ipv6())
            .collect();
        let is_dual = families.contains(&true) && families.contains(&false);
        if !is_dual || cidrs.len() > 2 {
            let detail = "may specify no more than one CIDR for each IP family";
            errors.invalid(&cidrs, cidrs.raw().clone(), detail);
        }
    }
}

/// Taints; upstream reports them below `metadata`, kept.
fn taints(errors: &mut Errors, node: &Node<'_>) {
    let place = node.path().child("metadata").child("taints");
    let list = node.get("spec.taints").placed(place);
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for taint in list.items() {
        let (key, value, effect) = (taint.get("key"), taint.get("value"), taint.get("effect"));
        validate_label_name(errors, &key);
        let messages = names::label_value(value.text());
        if !messages.is_empty() {
            errors.invalid(&value, value.text(), messages.join(";"));
        }
        taint_effect(errors, &effect);
        if seen.contains(&(effect.text(), key.text())) {
            let shown = internal::json("core.Taint", taint.raw());
            errors.duplicate_shown(
                &taint,
                &shown,
                "taints must be unique by key and effect pair",
            );
        } else {
            seen.push((effect.text(), key.text()));
        }
    }
}

fn resources(errors: &mut Errors, node: &Node<'_>) {
    for field in ["status.capacity", "status.allocatable"] {
        let list = node.get(field);
        for (name, amount) in list.entries() {
            validate_amount(errors, &amount.placed(list.path().child(name)), name);
        }
    }
}

fn validate_update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    const CIDR: &str = "node updates may not change podCIDR except from \"\" to valid";
    metadata::validate_update(errors, new, old);
    resources(errors, new);
    let mut seen = Vec::new();
    for address in new.get("status.addresses").items() {
        if seen.contains(&address.raw()) {
            let shown = internal::json("core.NodeAddress", address.raw());
            errors.duplicate_shown(&address, &shown, "");
        }
        seen.push(address.raw());
    }
    let (cidrs, before) = (new.get("spec.podCIDRs"), old.get("spec.podCIDRs"));
    if !before.is_empty() {
        if cidrs.len() == before.len() {
            for (new, old) in cidrs.items().zip(before.items()) {
                if new.text() != old.text() {
                    errors.forbidden(&cidrs, CIDR);
                }
            }
        } else {
            errors.forbidden(&cidrs, CIDR);
        }
    }
    let (provider, before) = (new.get("spec.providerID"), old.get("spec.providerID"));
    if !before.is_empty() && before.text() != provider.text() {
        let detail = "node updates may not change providerID except from \"\" to valid";
        errors.forbidden(&provider, detail);
    }
    taints(errors, new);
    let external = new.get("spec.externalID");
    if external.text() != old.get("spec.externalID").text() {
        errors.forbidden(&external, "may not be updated");
    }
}

fn warn(node: &Node<'_>, warnings: &mut Vec<String>) {
    if node.get("spec.configSource").is_set() {
        warnings.push("spec.configSource: the feature is removed".to_owned());
    }
    if !node.get("spec.externalID").is_empty() {
        let warning = "spec.externalID: this field is deprecated, and is unused by Kubernetes";
        warnings.push(warning.to_owned());
    }
    for cidr in node.get("spec.podCIDRs").items() {
        warnings.extend(names::ip::cidr_warnings(cidr.path(), cidr.text()));
    }
}
