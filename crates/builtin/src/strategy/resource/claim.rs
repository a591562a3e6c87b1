//! What a claim asks for.

use object::names;

use super::parts::{list, qualified_name, raw_object, set, toleration};
use crate::strategy::core::volume_source::csi_driver_name;
use crate::strategy::node::{Errors, Node};

const REQUESTS: usize = 32;
const EXPRESSION: usize = 10 * 1024;
const PARAMETERS: usize = 10 * 1024;
const NAME: &str = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/// The spec of a claim.
pub(super) fn validate(errors: &mut Errors, spec: &Node<'_>) {
    let devices = spec.get("devices");
    let known = request_names(&devices);
    set(errors, &devices.get("requests"), REQUESTS, "name", request);
    list(
        errors,
        &devices.get("constraints"),
        32,
        |errors, constraint| {
            set(
                errors,
                &constraint.get("requests"),
                REQUESTS,
                "",
                |errors, name| {
                    reference(errors, name, &known);
                },
            );
            attribute(errors, constraint);
        },
    );
    list(errors, &devices.get("config"), 32, |errors, config| {
        set(
            errors,
            &config.get("requests"),
            REQUESTS,
            "",
            |errors, name| {
                reference(errors, name, &known);
            },
        );
        configuration(errors, config);
    });
}

/// The names by which a claim's requests can be referred to.
pub(super) fn request_names(devices: &Node<'_>) -> Vec<String> {
    let mut known = Vec::new();
    for request in devices.get("requests").items() {
        let name = request.get("name").text();
        known.push(name.to_owned());
        for sub in request.get("firstAvailable").items() {
            known.push(format!("{name}/{}", sub.get("name").text()));
        }
    }
    known
}

/// A reference to a request.
pub(super) fn reference(errors: &mut Errors, name: &Node<'_>, known: &[String]) {
    if name.text().matches('/').count() > 1 {
        return errors.invalid(name, name.text(), NAME);
    }
    for part in name.text().split('/') {
        errors.messages(name, part, names::dns1123_label(part));
    }
    if !known.iter().any(|known| name.is(known)) {
        errors.invalid(name, name.text(), NAME);
    }
}

fn request(errors: &mut Errors, request: &Node<'_>) {
    errors.format(&request.get("name"), names::dns1123_label);
    let (first, exactly) = (request.get("firstAvailable"), request.get("exactly"));
    match (!first.is_empty(), exactly.is_set()) {
        (false, false) => {
            let detail = "exactly one of `exactly` or `firstAvailable` is required";
            errors.required(request, detail);
        }
        (true, true) => {
            let detail = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
            errors.invalid_shown(request, "null", detail);
        }
        (true, false) => set(errors, &first, 8, "name", |errors, sub| {
            errors.format(&sub.get("name"), names::dns1123_label);
            exact(errors, sub);
        }),
        (false, true) => exact(errors, &exactly),
    }
}

fn exact(errors: &mut Errors, request: &Node<'_>) {
    let class = request.get("deviceClassName");
    if class.is_empty() {
        errors.required(&class, "");
    } else {
        errors.format(&class, names::dns1123_subdomain);
    }
    selectors(errors, &request.get("selectors"));
    let (mode, count) = (request.get("allocationMode"), request.get("count"));
    match mode.text() {
        "All" => {
            if count.int() != 0 {
                let detail = "must not be specified when allocationMode is 'All'";
                errors.invalid(&count, count.int(), detail);
            }
        }
        "ExactCount" => errors.positive(&count),
        _ => errors.one_of(&mode, &["All", "ExactCount"]),
    }
    for item in request.get("tolerations").items() {
        toleration(errors, &item);
    }
}

/// Selectors of devices.
pub(super) fn selectors(errors: &mut Errors, selectors: &Node<'_>) {
    list(errors, selectors, 32, |errors, selector| {
        let cel = selector.get("cel");
        if !cel.is_set() {
            return errors.required(&cel, "");
        }
        let expression = cel.get("expression");
        if expression.len() > EXPRESSION {
            errors.too_long(&expression, EXPRESSION);
        }
    });
}

fn attribute(errors: &mut Errors, constraint: &Node<'_>) {
    let (same, distinct) = (
        constraint.get("matchAttribute"),
        constraint.get("distinctAttribute"),
    );
    let attribute = if same.is_set() { &same } else { &distinct };
    if !attribute.is_set() {
        return errors.required(&same, "");
    }
    qualified_name(errors, attribute, attribute.text());
    if !attribute.text().contains('/') {
        let detail = "a fully qualified name must be a domain and a name separated by a slash";
        errors.invalid(attribute, attribute.text(), detail);
    }
}

/// The configuration of a driver.
pub(super) fn configuration(errors: &mut Errors, config: &Node<'_>) {
    let opaque = config.get("opaque");
    if !opaque.is_set() {
        return errors.required(&opaque, "");
    }
    csi_driver_name(errors, &opaque.get("driver"));
    raw_object(errors, &opaque.get("parameters"), PARAMETERS);
}
