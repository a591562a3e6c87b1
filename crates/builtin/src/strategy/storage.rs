//! The kinds of the group `storage.k8s.io`.
//!
//! Source: `pkg/apis/storage` and `pkg/registry/storage`.

use object::names;
use serde_json::{Value, json};

use super::core::pod::warnings;
use super::core::quantities;
use super::edit::{existing, field, set, unset_default};
use super::equality::equal;
use super::kind::Kind;
use super::node::{Errors, Node, peek_items};
use super::{labels, metadata};

mod attachment;
mod csi;

const GROUP: &str = "storage.k8s.io";

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[
    STORAGE_CLASS,
    ATTRIBUTES_CLASS,
    CAPACITY,
    attachment::KIND,
    csi::DRIVER,
    csi::NODE,
];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    match kind {
        "StorageClass" => {
            unset_default(object, "reclaimPolicy", "Delete");
            unset_default(object, "volumeBindingMode", "Immediate");
        }
        "CSIDriver" => {
            let Some(spec) = field(object, "spec") else {
                return;
            };
            unset_default(spec, "attachRequired", true);
            for name in [
                "podInfoOnMount",
                "storageCapacity",
                "requiresRepublish",
                "seLinuxMount",
            ] {
                unset_default(spec, name, false);
            }
            unset_default(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
            if peek_items(spec, "volumeLifecycleModes").is_empty() {
                set(spec, "volumeLifecycleModes", json!(["Persistent"]));
            }
        }
        "VolumeAttachment" => {
            if let Some(spec) = existing(object, "spec.source.inlineVolumeSpec") {
                super::core::default_inline_volume(spec);
            }
        }
        _ => {}
    }
}

const STORAGE_CLASS: Kind = Kind {
    namespaced: false,
    validate: |_, class, errors| validate_class(errors, class),
    validate_update: |_, new, old, errors| {
        validate_class(errors, new);
        metadata::validate_update(errors, new, old);
        for field in ["parameters", "provisioner", "reclaimPolicy"] {
            forbid_change(errors, new, old, field);
        }
        errors.immutable(&new.get("volumeBindingMode"), &old.get("volumeBindingMode"));
    },
    warn: warn_of_topologies,
    warn_update: |new, _, warnings| warn_of_topologies(new, warnings),
    ..Kind::new(GROUP, "storageclasses")
};

const ATTRIBUTES_CLASS: Kind = Kind {
    namespaced: false,
    validate: |_, class, errors| validate_attributes_class(errors, class),
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        forbid_change(errors, new, old, "driverName");
        forbid_change(errors, new, old, "parameters");
        validate_attributes_class(errors, new);
    },
    ..Kind::new(GROUP, "volumeattributesclasses")
};

const CAPACITY: Kind = Kind {
    unconditional_update: false,
    validate: |_, capacity, errors| validate_capacity(errors, capacity, false),
    validate_update: |_, new, old, errors| {
        let was_invalid = !labels::is_valid(old.get("nodeTopology").raw());
        validate_capacity(errors, new, was_invalid);
        metadata::validate_update(errors, new, old);
        let topology = new.get("nodeTopology");
        if !equal(topology.raw(), old.get("nodeTopology").raw()) {
            let shown = super::internal::json("*v1.LabelSelector", topology.raw());
            errors.invalid_shown(&topology, &shown, metadata::IMMUTABLE);
        }
        errors.immutable(&new.get("storageClassName"), &old.get("storageClassName"));
    },
    warn: warn_of_topology,
    warn_update: |new, _, warnings| warn_of_topology(new, warnings),
    ..Kind::new(GROUP, "csistoragecapacities")
};

fn forbid_change(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>, field: &str) {
    let node = new.get(field);
    if !equal(node.raw(), old.get(field).raw()) {
        errors.forbidden(&node, &format!("updates to {field} are forbidden."));
    }
}

fn validate_class(errors: &mut Errors, class: &Node<'_>) {
    metadata::validate(errors, class, false, names::name_is_dns_subdomain);
    provisioner(errors, &class.get("provisioner"));
    parameters(errors, &class.get("parameters"));
    let policy = class.get("reclaimPolicy");
    if !policy.is_empty() {
        errors.one_of(&policy, &["Delete", "Retain"]);
    }
    let mode = class.get("volumeBindingMode");
    if mode.is_set() {
        errors.one_of(&mode, &["Immediate", "WaitForFirstConsumer"]);
    } else {
        errors.required(&mode, "");
    }
    topologies(errors, &class.get("allowedTopologies"));
}

fn provisioner(errors: &mut Errors, name: &Node<'_>) {
    if name.is_empty() {
        errors.required(name, "");
    } else {
        let lower = name.text().to_lowercase();
        errors.messages(name, lower.as_str(), names::qualified_name(&lower));
    }
}

fn parameters(errors: &mut Errors, parameters: &Node<'_>) {
    const COUNT: usize = 512;
    const SIZE: usize = 256 * 1024;
    if parameters.len() > COUNT {
        return errors.too_long(parameters, COUNT);
    }
    let mut size = 0;
    for (key, value) in parameters.entries() {
        if key.is_empty() {
            errors.invalid(parameters, key, "field can not be empty.");
        }
        size += key.len() + value.len();
    }
    if size > SIZE {
        errors.too_long(parameters, SIZE);
    }
}

/// Where volumes of a class may be; each term is a set of values by key.
fn topologies(errors: &mut Errors, terms: &Node<'_>) {
    let mut seen: Vec<Vec<(&str, Vec<&str>)>> = Vec::new();
    for term in terms.items() {
        let expressions = term.get("matchLabelExpressions");
        let mut known: Vec<(&str, Vec<&str>)> = Vec::new();
        for expression in expressions.items() {
            let (key, values) = (expression.get("key"), expression.get("values"));
            let mut set: Vec<&str> = Vec::new();
            if values.is_empty() {
                errors.required(&values, "");
            }
            for value in values.items() {
                if set.contains(&value.text()) {
                    errors.duplicate(&value, value.text());
                }
                set.push(value.text());
            }
            labels::validate_label_name(errors, &key);
            set.sort_unstable();
            set.dedup();
            if known.iter().any(|(other, _)| *other == key.text()) {
                errors.duplicate(&key, key.text());
            }
            known.retain(|(other, _)| *other != key.text());
            known.push((key.text(), set));
        }
        known.sort();
        // Upstream compares with as many empty sets as there are terms, too.
        if known.is_empty() {
            for _ in terms.items() {
                errors.duplicate(&expressions, "");
            }
        }
        for _ in seen.iter().filter(|other| **other == known) {
            errors.duplicate(&expressions, "");
        }
        seen.push(known);
    }
}

fn validate_attributes_class(errors: &mut Errors, class: &Node<'_>) {
    metadata::validate(errors, class, false, names::name_is_dns_subdomain);
    provisioner(errors, &class.get("driverName"));
    let values = class.get("parameters");
    parameters(errors, &values);
    if values.is_empty() {
        errors.required(&values, "must contain at least one key/value pair");
    }
}

fn validate_capacity(errors: &mut Errors, capacity: &Node<'_>, allow_invalid_values: bool) {
    metadata::validate(errors, capacity, true, names::name_is_dns_subdomain);
    labels::validate_selector_with(errors, &capacity.get("nodeTopology"), allow_invalid_values);
    errors.name(
        &capacity.get("storageClassName"),
        names::name_is_dns_subdomain,
    );
    let amount = capacity.get("capacity");
    if amount.is_set() {
        quantities::validate_amount(errors, &amount, "");
    }
}

fn warn_of_topologies(class: &Node<'_>, warnings: &mut Vec<String>) {
    for term in class.get("allowedTopologies").items() {
        for expression in term.get("matchLabelExpressions").items() {
            let key = expression.get("key");
            if let Some(message) = warnings::deprecated_label(key.text()) {
                warnings.push(format!("{}: {message}", key.path()));
            }
        }
    }
}

fn warn_of_topology(capacity: &Node<'_>, warnings: &mut Vec<String>) {
    let topology = capacity.get("nodeTopology");
    for expression in topology.get("matchExpressions").items() {
        let key = expression.get("key");
        if let Some(message) = warnings::deprecated_label(key.text()) {
            warnings.push(format!("{}: {} is {message}", key.path(), key.text()));
        }
    }
    let labels = topology.get("matchLabels");
    for (key, _) in labels.entries() {
        if let Some(message) = warnings::deprecated_label(key) {
            warnings.push(format!("{}: {message}", labels.path().child(key)));
        }
    }
}
