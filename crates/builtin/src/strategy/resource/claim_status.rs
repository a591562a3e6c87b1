//! What a claim was given.

use object::names;

use super::claim::{configuration, reference, request_names};
use super::parts::{list, pool_name, raw_object, set};
use crate::strategy::core::pod::affinity::node_selector;
use crate::strategy::core::volume_source::csi_driver_name;
use crate::strategy::equality::equal;
use crate::strategy::node::{Errors, Node};
use crate::strategy::{conditions, metadata};

const DATA: usize = 10 * 1024;

/// The status of a changed claim.
pub(super) fn validate(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let known = request_names(&new.get("spec.devices"));
    let (status, before) = (new.get("status"), old.get("status"));
    let reserved = status.get("reservedFor");
    set(errors, &reserved, 256, "uid", |errors, user| {
        for field in ["resource", "name", "uid"] {
            errors.present(&user.get(field));
        }
    });
    let allocation = status.get("allocation");
    devices(
        errors,
        &status.get("devices"),
        &allocation.get("devices").get("results"),
    );
    if !reserved.is_empty() && !allocation.is_set() {
        errors.forbidden(
            &reserved,
            "may not be specified when `allocated` is not set",
        );
    } else if new.get("metadata.deletionTimestamp").is_set() {
        let had: Vec<_> = before
            .get("reservedFor")
            .items()
            .map(|user| user.raw().clone())
            .collect();
        if reserved.items().any(|user| !had.contains(user.raw())) {
            let detail = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
            errors.forbidden(&reserved, detail);
        }
    }
    let was = before.get("allocation");
    if was.is_set() && allocation.is_set() {
        if !equal(was.raw(), allocation.raw()) {
            errors.invalid(&allocation, allocation.raw().clone(), metadata::IMMUTABLE);
        }
    } else if allocation.is_set() {
        validate_allocation(errors, &allocation, &known);
    }
}

fn validate_allocation(errors: &mut Errors, allocation: &Node<'_>, known: &[String]) {
    let devices = allocation.get("devices");
    list(errors, &devices.get("results"), 32, |errors, result| {
        reference(errors, &result.get("request"), known);
        csi_driver_name(errors, &result.get("driver"));
        pool_name(errors, &result.get("pool"));
        errors.format(&result.get("device"), names::dns1123_label);
    });
    list(errors, &devices.get("config"), 64, |errors, config| {
        errors.choice(&config.get("source"), &["FromClaim", "FromClass"]);
        set(errors, &config.get("requests"), 32, "", |errors, name| {
            reference(errors, name, known);
        });
        configuration(errors, config);
    });
    if allocation.get("nodeSelector").is_set() {
        node_selector(errors, &allocation.get("nodeSelector"), false);
    }
}

fn key<'a>(device: &Node<'a>) -> [&'a str; 4] {
    ["driver", "pool", "device", "shareID"].map(|field| device.get(field).text())
}

fn devices(errors: &mut Errors, devices: &Node<'_>, results: &Node<'_>) {
    let allocated: Vec<[&str; 4]> = results.items().map(|result| key(&result)).collect();
    let mut seen: Vec<[&str; 4]> = Vec::new();
    for device in devices.items() {
        csi_driver_name(errors, &device.get("driver"));
        pool_name(errors, &device.get("pool"));
        errors.format(&device.get("device"), names::dns1123_label);
        let id = key(&device);
        let shown = format!("{}/{}/{}", id[0], id[1], id[2]);
        if !allocated.contains(&id) {
            let detail = "must be an allocated device in the claim";
            errors.invalid(&device, shown.as_str(), detail);
        }
        let list = device.get("conditions");
        if list.len() > 8 {
            errors.too_many(&list, list.len(), 8);
        }
        conditions::validate(errors, &list);
        if device.get("data").is_set() {
            raw_object(errors, &device.get("data"), DATA);
        }
        network_data(errors, &device.get("networkData"));
        if seen.contains(&id) {
            errors.duplicate(&device, shown);
        }
        seen.push(id);
    }
}

fn network_data(errors: &mut Errors, data: &Node<'_>) {
    for (field, limit) in [("interfaceName", 256), ("hardwareAddress", 128)] {
        if data.get(field).len() > limit {
            errors.too_long(&data.get(field), limit);
        }
    }
    set(errors, &data.get("ips"), 16, "", |errors, address| {
        errors.extend(names::ip::interface_address(address.path(), address.text()));
    });
}
