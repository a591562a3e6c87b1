//! Events, which are stored in the form of the core group.
//!
//! Source: `pkg/apis/core/validation/events.go`.

use object::names;

use crate::strategy::kind::Kind;
use crate::strategy::node::{Errors, Node};
use crate::strategy::{Context, metadata};

pub(crate) const KIND: Kind = Kind {
    create_on_update: true,
    validate: |cx, event, errors| {
        legacy(cx, event, errors);
        if cx.api_version != "v1" {
            modern(event, errors);
        }
    },
    validate_update: |cx, new, old, errors| {
        legacy(cx, new, errors);
        if cx.api_version != "v1" {
            modern_update(new, old, errors);
        }
    },
    ..Kind::new("", "events")
};

/// The rules of the core group.
fn legacy(cx: &Context<'_>, event: &Node<'_>, errors: &mut Errors) {
    const MISMATCH: &str = "does not match event.namespace";
    let namespace = event.get("metadata.namespace").text();
    let of = event.get("involvedObject.namespace");
    let has_time = event.get("eventTime").is_set();
    let is_elsewhere = match (has_time, of.is_empty()) {
        (false, true) => !["", "default"].contains(&namespace),
        (false, false) => !of.is(namespace),
        (true, true) => !["default", "kube-system"].contains(&namespace),
        (true, false) => false,
    };
    if is_elsewhere {
        errors.invalid(&of, of.text(), MISMATCH);
    }
    if has_time {
        timed(cx, event, errors);
    }
    let place = event.path().child("namespace");
    errors.messages(&place, namespace, names::dns1123_subdomain(namespace));
}

fn timed(cx: &Context<'_>, event: &Node<'_>, errors: &mut Errors) {
    let shown = if cx.api_version == "v1" {
        "reportingComponent"
    } else {
        "reportingController"
    };
    let controller = event
        .get("reportingComponent")
        .placed(event.path().child(shown));
    errors.present(&controller);
    errors.format(&controller, names::qualified_name);
    for (field, limit, needed) in [
        ("reportingInstance", 128, true),
        ("action", 128, true),
        ("reason", 128, true),
        ("message", 1024, false),
    ] {
        let node = event.get(field);
        if node.is_empty() && needed {
            errors.required(&node, "");
        }
        if node.len() > limit {
            errors.invalid(&node, "", format!("can have at most {limit} characters"));
        }
    }
}

/// The rules of `events.k8s.io`.
fn modern(event: &Node<'_>, errors: &mut Errors) {
    metadata::validate(errors, event, true, names::name_is_dns_subdomain);
    series(event, errors);
    let time = event.get("eventTime");
    if !time.is_set() {
        errors.required(&time, "");
    }
    let kind = event.get("type");
    if !["Normal", "Warning"].contains(&kind.text()) {
        errors.invalid(&kind, "", format!("has invalid value: {}", kind.text()));
    }
    let source = event.get("source");
    let has_source = !source.get("component").is_empty() || !source.get("host").is_empty();
    for (field, is_used) in [
        ("firstTimestamp", event.get("firstTimestamp").is_set()),
        ("lastTimestamp", event.get("lastTimestamp").is_set()),
        ("count", event.get("count").int() != 0),
        ("source", has_source),
    ] {
        if is_used {
            errors.invalid(&event.get(field), "", "needs to be unset");
        }
    }
}

fn series(event: &Node<'_>, errors: &mut Errors) {
    let series = event.get("series");
    if !series.is_set() {
        return;
    }
    if series.get("count").int() < 2 {
        errors.invalid(&series.get("count"), "", "should be at least 2");
    }
    if !series.get("lastObservedTime").is_set() {
        errors.required(&series.get("lastObservedTime"), "");
    }
}

fn modern_update(new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    metadata::validate_update(errors, new, old);
    if new.get("series").raw() != old.get("series").raw() {
        series(new, errors);
    }
    for (field, shown) in [
        ("involvedObject", "involvedObject"),
        ("reason", "reason"),
        ("message", "message"),
        ("source", "source"),
        ("firstTimestamp", "firstTimestamp"),
        ("lastTimestamp", "lastTimestamp"),
        ("count", "count"),
        ("reason", "reason"),
        ("type", "type"),
        ("eventTime", "eventTime"),
        ("action", "action"),
        ("related", "related"),
        ("reportingComponent", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ] {
        let node = new.get(field).placed(new.path().child(shown));
        errors.immutable(&node, &old.get(field));
    }
}
