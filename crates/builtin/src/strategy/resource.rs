//! The kinds of the group `resource.k8s.io`.
//!
//! Expressions are not compiled. Source: `pkg/apis/resource` and `pkg/registry/resource`.

use object::names;
use serde_json::Value;

use super::core::validate_template_metadata;
use super::edit::{existing, items, remove, zero_default};
use super::kind::{Generation, Kind, Subresource, keep_spec_and_metadata, status};
use super::node::{Errors, Node, peek, peek_items, peek_text};
use super::{ResetFields, internal, metadata};

mod claim;
mod claim_status;
mod parts;
mod slice;

const GROUP: &str = "resource.k8s.io";

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[CLAIM, TEMPLATE, CLASS, SLICE];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    match kind {
        "ResourceClaim" => devices_defaults(object, "spec.devices"),
        "ResourceClaimTemplate" => devices_defaults(object, "spec.spec.devices"),
        _ => {}
    }
}

fn devices_defaults(object: &mut Value, path: &str) {
    let Some(devices) = existing(object, path) else {
        return;
    };
    for request in items(devices, "requests") {
        if let Some(exactly) = existing(request, "exactly") {
            request_defaults(exactly);
        }
        for sub in items(request, "firstAvailable") {
            request_defaults(sub);
        }
    }
}

fn request_defaults(request: &mut Value) {
    zero_default(request, "allocationMode", "ExactCount");
    if peek_text(request, "allocationMode") == "ExactCount" {
        zero_default(request, "count", 1);
    }
    for toleration in items(request, "tolerations") {
        zero_default(toleration, "operator", "Equal");
    }
}

const CLAIM: Kind = Kind {
    status: Some("{}"),
    prepare_create: |_, claim| drop_from_claim(claim, &Value::Null, "spec"),
    prepare_update: |_, new, old| drop_from_claim(new, old, "spec"),
    validate: |_, claim, errors| {
        metadata::validate(errors, claim, true, names::name_is_dns_subdomain);
        claim::validate(errors, &claim.get("spec"));
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        immutable(errors, new, old, "resource.ResourceClaimSpec");
    },
    subresources: &[Subresource {
        prepare: keep_spec_and_metadata,
        reset: ResetFields::Except(&[&["metadata"], &["spec"]]),
        ..status(|_, new, old, errors| {
            metadata::validate_update(errors, new, old);
            claim_status::validate(errors, new, old);
        })
    }],
    ..Kind::new(GROUP, "resourceclaims")
};

const TEMPLATE: Kind = Kind {
    prepare_create: |_, template| drop_from_claim(template, &Value::Null, "spec.spec"),
    prepare_update: |_, new, old| drop_from_claim(new, old, "spec.spec"),
    validate: |_, template, errors| validate_template(errors, template),
    validate_update: |_, new, old, errors| {
        validate_template(errors, new);
        metadata::validate_update(errors, new, old);
        immutable(errors, new, old, "resource.ResourceClaimTemplateSpec");
    },
    ..Kind::new(GROUP, "resourceclaimtemplates")
};

const CLASS: Kind = Kind {
    namespaced: false,
    generation: Generation::On(&["spec"]),
    prepare_create: |_, class| remove(class, "spec.extendedResourceName"),
    prepare_update: |_, new, old| {
        super::kind::drop_unless_used(new, old, "spec.extendedResourceName");
    },
    validate: |_, class, errors| validate_class(errors, class),
    validate_update: |_, new, old, errors| {
        validate_class(errors, new);
        metadata::validate_update(errors, new, old);
    },
    ..Kind::new(GROUP, "deviceclasses")
};

const SLICE: Kind = Kind {
    namespaced: false,
    generation: Generation::On(&["spec"]),
    prepare_create: |_, slice| slice::drop_disabled(slice, &Value::Null),
    prepare_update: |_, new, old| slice::drop_disabled(new, old),
    validate: |_, slice, errors| {
        metadata::validate(errors, slice, false, names::name_is_dns_subdomain);
        slice::validate(errors, &slice.get("spec"));
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        slice::validate(errors, &new.get("spec"));
        let (new, old) = (new.get("spec"), old.get("spec"));
        errors.immutable(&new.get("pool").get("name"), &old.get("pool").get("name"));
        errors.immutable(&new.get("driver"), &old.get("driver"));
        errors.immutable(&new.get("nodeName"), &old.get("nodeName"));
    },
    warn: slice::warn,
    warn_update: |new, _, warnings| slice::warn(new, warnings),
    ..Kind::new(GROUP, "resourceslices")
};

fn immutable(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>, shape: &str) {
    let spec = new.get("spec");
    if !super::equality::equal(spec.raw(), old.get("spec").raw()) {
        errors.invalid_shown(
            &spec,
            &internal::json(shape, spec.raw()),
            metadata::IMMUTABLE,
        );
    }
}

fn validate_template(errors: &mut Errors, template: &Node<'_>) {
    metadata::validate(errors, template, true, names::name_is_dns_subdomain);
    let spec = template.get("spec");
    validate_template_metadata(errors, &spec.get("metadata"));
    claim::validate(errors, &spec.get("spec"));
}

fn validate_class(errors: &mut Errors, class: &Node<'_>) {
    metadata::validate(errors, class, false, names::name_is_dns_subdomain);
    let spec = class.get("spec");
    claim::selectors(errors, &spec.get("selectors"));
    parts::list(errors, &spec.get("config"), 32, claim::configuration);
}

/// Drops what disabled features hide: tolerations, shares of capacity.
fn drop_from_claim(new: &mut Value, old: &Value, spec: &str) {
    let used = |field: &str| {
        peek_items(peek(old, spec), "devices.requests")
            .iter()
            .any(|request| {
                !peek(request, "exactly")
                    .get(field)
                    .unwrap_or(&Value::Null)
                    .is_null()
                    || peek_items(request, "firstAvailable")
                        .iter()
                        .any(|sub| !peek(sub, field).is_null())
            })
    };
    let hidden: Vec<&str> = ["tolerations", "capacity"]
        .into_iter()
        .filter(|field| !used(field))
        .collect();
    let constraints = peek_items(peek(old, spec), "devices.constraints");
    let distinct = constraints
        .iter()
        .any(|one| !peek(one, "distinctAttribute").is_null());
    let Some(devices) = existing(new, spec).and_then(|spec| existing(spec, "devices")) else {
        return;
    };
    for request in items(devices, "requests") {
        for field in &hidden {
            remove(request, &format!("exactly.{field}"));
            for sub in items(request, "firstAvailable") {
                remove(sub, field);
            }
        }
    }
    for constraint in items(devices, "constraints") {
        if !distinct {
            remove(constraint, "distinctAttribute");
        }
    }
}
