//! The kinds of the group `flowcontrol.apiserver.k8s.io`.
//!
//! Source: `pkg/apis/flowcontrol` and `pkg/registry/flowcontrol`.

use std::sync::LazyLock;

use object::names;
use serde_json::Value;

use super::edit::{existing, field, keep, unset_default, zero_default};
use super::equality::equal;
use super::kind::{Generation, Kind, Subresource, keep_spec, status};
use super::node::{Errors, Node, peek, peek_text};
use super::{Context, ResetFields, internal, metadata};

mod flow_schema;
mod priority_level;

const GROUP: &str = "flowcontrol.apiserver.k8s.io";

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        validate: |_, schema, errors| flow_schema::validate(errors, schema),
        validate_update: |_, new, _, errors| flow_schema::validate(errors, new),
        ..kind("flowschemas")
    },
    Kind {
        validate: |_, level, errors| priority_level::validate(errors, level),
        validate_update: |_, new, _, errors| priority_level::validate(errors, new),
        ..kind("prioritylevelconfigurations")
    },
];

const STATUS: &[Subresource] = &[Subresource {
    prepare: prepare_status,
    reset: ResetFields::Except(&[&["spec"], &["metadata"]]),
    ..status(|_, new, _, errors| validate_status(errors, new))
}];

const fn kind(resource: &'static str) -> Kind {
    Kind {
        namespaced: false,
        status: Some("{}"),
        generation: Generation::On(&["spec"]),
        subresources: STATUS,
        ..Kind::new(GROUP, resource)
    }
}

/// Of the metadata only the field managers change.
fn prepare_status(cx: &Context<'_>, new: &mut Value, old: &Value) {
    let kept = peek(new, "metadata").clone();
    keep_spec(cx, new, old);
    keep(new, old, "metadata");
    for name in ["managedFields", "resourceVersion"] {
        let value = kept.get(name).cloned().unwrap_or_default();
        super::core::set_metadata(new, name, value);
    }
}

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    let Some(spec) = field(object, "spec") else {
        return;
    };
    if kind == "FlowSchema" {
        zero_default(spec, "matchingPrecedence", 1000);
    }
    if kind != "PriorityLevelConfiguration" {
        return;
    }
    for (name, shares) in [("exempt", 0), ("limited", 30)] {
        if let Some(level) = existing(spec, name) {
            unset_default(level, "nominalConcurrencyShares", shares);
            unset_default(level, "lendablePercent", 0);
        }
    }
    if let Some(queuing) = existing(spec, "limited.limitResponse.queuing") {
        zero_default(queuing, "handSize", 8);
        zero_default(queuing, "queues", 64);
        zero_default(queuing, "queueLengthLimit", 50);
    }
}

fn validate_status(errors: &mut Errors, object: &Node<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for condition in object.get("status").get("conditions").items() {
        let kind = condition.get("type");
        if seen.contains(&kind.text()) {
            errors.duplicate(&kind, kind.text());
        }
        seen.push(kind.text());
        errors.present(&kind);
    }
}

/// The object of the server's own with the name of `object`, whose spec is fixed.
fn mandatory(object: &Node<'_>) -> Option<&'static Value> {
    static OBJECTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let mut objects = crate::facts::bootstrap_objects();
        objects.retain(|object| {
            peek_text(object, "apiVersion").starts_with(GROUP)
                && ["exempt", "catch-all"].contains(&peek_text(object, "metadata.name"))
        });
        objects
    });
    OBJECTS.iter().find(|known| {
        peek(known, "kind") == object.get("kind").raw()
            && peek_text(known, "metadata.name") == object.get("metadata.name").text()
    })
}

fn fixed_spec(errors: &mut Errors, object: &Node<'_>, shape: &str, free: Option<&str>) {
    let Some(known) = mandatory(object) else {
        return;
    };
    let spec = object.get("spec");
    let name = object.get("metadata.name");
    let mut have = spec.raw().clone();
    let free = free.filter(|_| name.is("exempt"));
    if let Some(free) = free {
        keep(&mut have, peek(known, "spec"), free);
    }
    if !equal(&have, peek(known, "spec")) {
        let except = free.map_or(String::new(), |free| {
            format!(" except the 'spec.{free}' field")
        });
        let detail = format!(
            "spec of '{}'{except} must equal the fixed value",
            name.text()
        );
        errors.invalid_shown(&spec, &internal::json(shape, spec.raw()), &detail);
    }
}

fn validate_meta(errors: &mut Errors, object: &Node<'_>) {
    metadata::validate(errors, object, false, names::name_is_dns_subdomain);
}
