//! The kinds of the group `apiregistration.k8s.io`.
//!
//! Source: kube-aggregator `pkg/apis/apiregistration` and `pkg/registry/apiservice`.

use base64::Engine as _;
use object::names;
use serde_json::{Value, json};

use super::edit::{existing, keep, set, unset_default};
use super::kind::{Kind, Subresource, keep_spec, status};
use super::node::{Errors, Node, peek};
use super::{ResetFields, metadata};

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    namespaced: false,
    unconditional_update: false,
    status: Some("{}"),
    prepare_create: |cx, service| {
        if peek(service, "spec.service").is_null() {
            let condition = json!({
                "type": "Available",
                "status": "True",
                "lastTransitionTime": cx.now,
                "reason": "Local",
                "message": "Local APIServices are always available",
            });
            set(service, "status", json!({ "conditions": [condition] }));
        }
    },
    validate: |_, service, errors| validate(errors, service),
    validate_update: |_, new, old, errors| {
        errors.extend(metadata::validate_object_meta_update(new.raw(), old.raw()));
        validate(errors, new);
    },
    subresources: &[Subresource {
        prepare: |cx, new, old| {
            keep_spec(cx, new, old);
            for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
                keep(new, old, &format!("metadata.{field}"));
            }
        },
        reset: ResetFields::Except(&[&["spec"], &["metadata"]]),
        ..status(|_, new, old, errors| {
            errors.extend(metadata::validate_object_meta_update(new.raw(), old.raw()));
            for condition in new.get("status.conditions").items() {
                errors.one_of(&condition.get("status"), &["True", "False", "Unknown"]);
            }
        })
    }],
    ..Kind::new("apiregistration.k8s.io", "apiservices")
}];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(_: &str, object: &mut Value) {
    if let Some(service) = existing(object, "spec.service") {
        unset_default(service, "port", 443);
    }
}

fn validate(errors: &mut Errors, service: &Node<'_>) {
    metadata::object_meta(errors, &service.get("metadata"), false, |_, _| Vec::new());
    let spec = service.get("spec");
    let (group, version) = (spec.get("group"), spec.get("version"));
    let name = service.get("metadata.name");
    let required = format!("{}.{}", version.text(), group.text());
    let problems = names::path_segment_name(name.text());
    if !name.is_empty() && problems.is_empty() && name.text() != required {
        let shown = object::field::quote(&required);
        let detail = format!("must be `spec.version+\".\"+spec.group`: {shown}");
        errors.invalid(&name, name.text(), detail);
    } else {
        errors.messages(&name, name.text(), problems);
    }
    if !group.is_empty() {
        errors.format(&group, names::dns1123_subdomain);
    } else if !version.is("v1") {
        let detail = "only v1 may have an empty group and it better be legacy kube";
        errors.required(&group, detail);
    }
    errors.format(&version, names::dns1035_label);
    for (field, limit) in [("groupPriorityMinimum", 20_000), ("versionPriority", 1000)] {
        let node = spec.get(field);
        if node.int() <= 0 || node.int() > limit {
            let detail = format!("must be positive and less than {limit}");
            errors.invalid(&node, node.int(), detail);
        }
    }
    let (of, bundle, insecure) = (
        spec.get("service"),
        spec.get("caBundle"),
        spec.get("insecureSkipTLSVerify"),
    );
    if !of.is_set() {
        if !bundle.is_empty() {
            let bytes = base64::engine::general_purpose::STANDARD.decode(bundle.text());
            let shown = format!("{} bytes", bytes.unwrap_or_default().len());
            errors.invalid(&bundle, shown, "local APIServices may not have a caBundle");
        }
        if insecure.truth() {
            let detail = "local APIServices may not have insecureSkipTLSVerify";
            errors.invalid(&insecure, true, detail);
        }
        return;
    }
    errors.present(&of.get("namespace"));
    errors.present(&of.get("name"));
    let port = of.get("port");
    let problems = names::port_number(port.int());
    if !problems.is_empty() {
        let detail = format!("port is not valid: {}", problems.join(", "));
        errors.invalid(&port, port.int(), detail);
    }
    if insecure.truth() && !bundle.is_empty() {
        errors.invalid(&insecure, true, "may not be true if caBundle is present");
    }
}
