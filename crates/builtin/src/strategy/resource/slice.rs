//! ResourceSlices: the devices of a driver.

use std::sync::LazyLock;

use object::names;
use regex::Regex;
use serde_json::Value;

use super::parts::{list, pool_name, qualified_name, set, taint};
use crate::strategy::core::pod::affinity::node_selector;
use crate::strategy::core::volume_source::csi_driver_name;
use crate::strategy::edit::{items, remove};
use crate::strategy::internal;
use crate::strategy::node::{Errors, Node, peek, peek_items};

const VERSION: &str = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$";
const TEXT: usize = 64;
/// Fields of devices that disabled features hide.
const HIDDEN: &[&str] = &[
    "taints",
    "consumesCounters",
    "nodeName",
    "nodeSelector",
    "allNodes",
    "bindingConditions",
    "bindingFailureConditions",
    "bindsToNode",
    "allowMultipleAllocations",
];

/// Drops what disabled features hide, unless it was used before.
pub(super) fn drop_disabled(slice: &mut Value, old: &Value) {
    let before = peek_items(old, "spec.devices");
    for field in HIDDEN {
        if before.iter().any(|device| !peek(device, field).is_null()) {
            continue;
        }
        for device in items(slice, "spec.devices") {
            remove(device, field);
        }
    }
    for field in ["spec.sharedCounters", "spec.perDeviceNodeSelection"] {
        if peek(old, field).is_null() {
            remove(slice, field);
        }
    }
    for device in items(slice, "spec.devices") {
        let capacities = device.get_mut("capacity").and_then(Value::as_object_mut);
        for capacity in capacities.into_iter().flat_map(serde_json::Map::values_mut) {
            remove(capacity, "requestPolicy");
        }
    }
}

/// Drivers in capitals are warned of.
pub(super) fn warn(slice: &Node<'_>, warnings: &mut Vec<String>) {
    let driver = slice.get("spec.driver").text();
    if driver != driver.to_lowercase() {
        let shown = object::field::quote(driver);
        warnings.push(format!(
            "spec.driver: driver names should be lowercase; {shown} contains uppercase characters"
        ));
    }
}

/// The spec of a slice.
pub(super) fn validate(errors: &mut Errors, spec: &Node<'_>) {
    csi_driver_name(errors, &spec.get("driver"));
    let pool = spec.get("pool");
    pool_name(errors, &pool.get("name"));
    errors.positive(&pool.get("resourceSliceCount"));
    let generation = pool.get("generation");
    if generation.int() < 0 {
        errors.invalid(
            &generation,
            generation.int(),
            "must be greater than or equal to zero",
        );
    }
    where_it_is(errors, spec);
    let devices = spec.get("devices");
    let is_special = |device: Node<'_>| {
        !device.get("taints").is_empty() || !device.get("consumesCounters").is_empty()
    };
    let limit = if devices.items().any(is_special) {
        64
    } else {
        128
    };
    set(errors, &devices, limit, "name", validate_device);
}

fn where_it_is(errors: &mut Errors, spec: &Node<'_>) {
    const ONE: &str = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
    let mut found: Vec<&str> = Vec::new();
    let (node, selector) = (spec.get("nodeName"), spec.get("nodeSelector"));
    if !node.is_empty() {
        found.push("`nodeName`");
        errors.name(&node, names::name_is_dns_subdomain);
    } else if node.is_set() {
        errors.invalid(
            &node,
            "",
            "must be either unset or set to a non-empty string",
        );
    }
    if selector.is_set() {
        found.push("`nodeSelector`");
        node_selector(errors, &selector, false);
        let terms = selector.get("nodeSelectorTerms");
        if terms.len() != 1 {
            let shown = internal::json("[]core.NodeSelectorTerm", terms.raw());
            errors.invalid_shown(&terms, &shown, "must have exactly one node selector term");
        }
    }
    for (field, name) in [
        ("allNodes", "`allNodes`"),
        ("perDeviceNodeSelection", "`perDeviceNodeSelection`"),
    ] {
        let flag = spec.get(field);
        if flag.truth() {
            found.push(name);
        } else if flag.is_set() {
            errors.invalid(&flag, false, "must be either unset or set to true");
        }
    }
    match found.len() {
        0 => errors.required(spec, ONE),
        1 => {}
        _ => {
            let detail = format!("{ONE}, but multiple fields are set");
            errors.invalid(spec, format!("{{{}}}", found.join(", ")), detail);
        }
    }
}

fn validate_device(errors: &mut Errors, device: &Node<'_>) {
    const COUNT: usize = 32;
    errors.format(&device.get("name"), names::dns1123_label);
    let (attributes, capacity) = (device.get("attributes"), device.get("capacity"));
    let total = attributes.len() + capacity.len();
    if total > COUNT {
        let detail =
            format!("the total number of attributes and capacities must not exceed {COUNT}");
        errors.invalid(device, total, detail);
    }
    for (name, attribute) in attributes.entries() {
        qualified_name(errors, &attribute, name);
        validate_attribute(errors, &attribute);
    }
    for (name, amount) in capacity.entries() {
        qualified_name(errors, &amount, name);
    }
    list(errors, &device.get("taints"), 16, taint);
}

fn validate_attribute(errors: &mut Errors, attribute: &Node<'_>) {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(VERSION).ok());
    let (text, version) = (attribute.get("string"), attribute.get("version"));
    if version.is_set()
        && FORM
            .as_ref()
            .is_some_and(|form| !form.is_match(version.text()))
    {
        let detail = "must be a string compatible with semver.org spec 2.0.0";
        errors.invalid(&version, version.text(), detail);
    }
    for node in [&text, &version] {
        if node.len() > TEXT {
            errors.too_long(node, TEXT);
        }
    }
    let fields = ["bool", "int", "string", "version"];
    match fields
        .iter()
        .filter(|field| attribute.get(field).is_set())
        .count()
    {
        0 => errors.invalid(attribute, "", "exactly one value must be specified"),
        1 => {}
        _ => {
            let shown = internal::json("resource.DeviceAttribute", attribute.raw());
            errors.invalid_shown(attribute, &shown, "exactly one value must be specified");
        }
    }
}
