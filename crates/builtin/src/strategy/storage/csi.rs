//! CSIDrivers and CSINodes.

use object::names;
use serde_json::Value;

use super::GROUP;
use crate::strategy::core::volume_source::csi_driver_name;
use crate::strategy::edit::remove;
use crate::strategy::equality::equal;
use crate::strategy::kind::{Generation, Kind};
use crate::strategy::node::{Errors, Node};
use crate::strategy::{internal, metadata};

const TOKENS_IN_SECRETS: &str = "spec.serviceAccountTokenInSecrets";

pub(crate) const DRIVER: Kind = Kind {
    namespaced: false,
    unconditional_update: false,
    generation: Generation::FromZero(&["spec"]),
    validate: |_, driver, errors| {
        metadata::validate(errors, driver, false, names::name_is_dns_subdomain);
        validate_driver(errors, &driver.get("spec"));
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate_driver(errors, &new.get("spec"));
        let attach = new.get("spec.attachRequired");
        let attach = attach.placed(new.get("spec").path().child("attachedRequired"));
        errors.immutable(&attach, &old.get("spec.attachRequired"));
        let modes = "spec.volumeLifecycleModes";
        errors.immutable(&new.get(modes), &old.get(modes));
    },
    warn: |driver, warnings| warn(driver, warnings),
    warn_update: |new, old, warnings| {
        let requests = "spec.tokenRequests";
        if !equal(new.get(requests).raw(), old.get(requests).raw()) {
            warn(new, warnings);
        }
    },
    ..Kind::new(GROUP, "csidrivers")
};

fn warn(driver: &Node<'_>, warnings: &mut Vec<String>) {
    if !driver.get("spec.tokenRequests").is_empty() && !driver.get(TOKENS_IN_SECRETS).is_set() {
        warnings.push(format!(
            "{TOKENS_IN_SECRETS} is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes"
        ));
    }
}

fn validate_driver(errors: &mut Errors, spec: &Node<'_>) {
    for (field, shown) in [
        ("attachRequired", "attachedRequired"),
        ("podInfoOnMount", "podInfoOnMount"),
        ("storageCapacity", "storageCapacity"),
        ("seLinuxMount", "seLinuxMount"),
    ] {
        if !spec.get(field).is_set() {
            errors.required(&spec.path().child(shown), "");
        }
    }
    errors.opt_one_of(
        &spec.get("fsGroupPolicy"),
        &["File", "None", "ReadWriteOnceWithFSType"],
    );
    token_requests(errors, &spec.get("tokenRequests"));
    let modes = spec.get("volumeLifecycleModes");
    for mode in modes.items() {
        errors.one_of(
            &mode.placed(modes.path().clone()),
            &["Persistent", "Ephemeral"],
        );
    }
    let period = spec.get("nodeAllocatableUpdatePeriodSeconds");
    if period.is_set() && period.int() < 10 {
        errors.invalid(
            &period,
            period.int(),
            "must be greater than or equal to 10 seconds",
        );
    }
    let tokens = spec.get("serviceAccountTokenInSecrets");
    if tokens.is_set() && spec.get("tokenRequests").is_empty() {
        let detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
        errors.invalid(&tokens, tokens.raw().clone(), detail);
    }
}

fn token_requests(errors: &mut Errors, requests: &Node<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for request in requests.items() {
        let (audience, time) = (request.get("audience"), request.get("expirationSeconds"));
        if seen.contains(&audience.text()) {
            errors.duplicate(&audience, audience.text());
            continue;
        }
        seen.push(audience.text());
        let Some(seconds) = time.opt_int() else {
            continue;
        };
        if seconds < 600 {
            errors.invalid(
                &time,
                seconds,
                "may not specify a duration less than 10 minutes",
            );
        }
        if seconds > 1 << 32 {
            errors.invalid(
                &time,
                seconds,
                "may not specify a duration larger than 2^32 seconds",
            );
        }
    }
}

pub(crate) const NODE: Kind = Kind {
    namespaced: false,
    unconditional_update: false,
    validate: |_, node, errors| validate_node(errors, node),
    validate_update: |_, new, old, errors| {
        validate_node(errors, new);
        let drivers = new.get("spec.drivers");
        for before in old.get("spec.drivers").items() {
            let same = |driver: &Node<'_>| driver.get("name").raw() == before.get("name").raw();
            for driver in drivers.items().filter(same) {
                let (now, before) = (fixed_part(driver.raw()), fixed_part(before.raw()));
                if !equal(&now, &before) {
                    let shown = internal::json("*storage.CSINodeDriver", &now);
                    errors.invalid_shown(&drivers, &shown, metadata::IMMUTABLE);
                }
            }
        }
    },
    ..Kind::new(GROUP, "csinodes")
};

/// A driver without what may change.
fn fixed_part(driver: &Value) -> Value {
    let mut driver = driver.clone();
    remove(&mut driver, "allocatable");
    driver
}

fn validate_node(errors: &mut Errors, node: &Node<'_>) {
    const ID_LIMIT: usize = 256;
    metadata::validate(errors, node, false, names::name_is_dns_subdomain);
    let mut seen: Vec<&str> = Vec::new();
    for driver in node.get("spec.drivers").items() {
        let (name, id) = (driver.get("name"), driver.get("nodeID"));
        csi_driver_name(errors, &name);
        errors.present(&id);
        if id.len() > ID_LIMIT {
            errors.invalid(
                &id,
                id.text(),
                format!("must be {ID_LIMIT} characters or less"),
            );
        }
        errors.non_negative(&driver.get("allocatable").get("count"));
        if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        }
        seen.push(name.text());
        let mut keys: Vec<&str> = Vec::new();
        for key in driver.get("topologyKeys").texts() {
            if key.is_empty() {
                errors.required(&driver, "");
            }
            if keys.contains(&key) {
                errors.duplicate(&driver, key);
            }
            keys.push(key);
            errors.messages(&driver, key, names::qualified_name(key));
        }
    }
}
