//! LimitRanges.

use object::names;
use object::quantity::{Format, Quantity};

use super::quantities::{is_overcommit_allowed, quantity, validate_container_name, validate_name};
use crate::strategy::kind::Kind;
use crate::strategy::metadata;
use crate::strategy::node::{Errors, Node};

pub(crate) const KIND: Kind = Kind {
    create_on_update: true,
    validate: |_, range, errors| validate(errors, range),
    validate_update: |_, new, _, errors| validate(errors, new),
    ..Kind::new("", "limitranges")
};

fn validate(errors: &mut Errors, range: &Node<'_>) {
    metadata::validate(errors, range, true, names::name_is_dns_subdomain);
    let mut seen: Vec<&str> = Vec::new();
    for limit in range.get("spec.limits").items() {
        let kind = limit.get("type");
        validate_type(errors, &kind);
        if seen.contains(&kind.text()) {
            errors.duplicate(&kind, kind.text());
        }
        seen.push(kind.text());
        validate_limit(errors, &limit, kind.text());
    }
}

fn validate_type(errors: &mut Errors, kind: &Node<'_>) {
    let text = kind.text();
    let messages = names::qualified_name(text);
    if !messages.is_empty() {
        errors.messages(kind, text, messages);
    } else if !text.contains('/') && !["Pod", "Container", "PersistentVolumeClaim"].contains(&text)
    {
        errors.invalid(
            kind,
            text,
            "must be a standard limit type or fully qualified",
        );
    }
}

fn validate_limit(errors: &mut Errors, limit: &Node<'_>, kind: &str) {
    let mut keys: Vec<&str> = Vec::new();
    for field in [
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    ] {
        let list = limit.get(field);
        if kind == "Pod" && field.starts_with("default") {
            if !list.is_empty() {
                errors.forbidden(&list, "may not be specified when `type` is 'Pod'");
            }
            continue;
        }
        if kind == "PersistentVolumeClaim" && field == "maxLimitRequestRatio" {
            storage_bounds(errors, limit);
        }
        for (name, place) in list.entries() {
            if kind == "Pod" || kind == "Container" {
                validate_container_name(errors, &place, name);
            } else {
                validate_name(errors, &place, name);
            }
            if !keys.contains(&name) {
                keys.push(name);
            }
        }
    }
    for name in keys {
        compare(errors, limit, kind, name);
    }
}

fn storage_bounds(errors: &mut Errors, limit: &Node<'_>) {
    if !limit.get("min").has("storage") && !limit.get("max").has("storage") {
        let detail =
            "either minimum or maximum storage value is required, but neither was provided";
        errors.required(&limit.get("limits"), detail);
    }
}

fn compare(errors: &mut Errors, limit: &Node<'_>, kind: &str, name: &str) {
    let amount = |field: &str| {
        let node = limit.get(field).key(name);
        let is_ignored = kind == "Pod" && field.starts_with("default");
        (node.is_set() && !is_ignored).then(|| quantity(node.raw()))
    };
    let (min, max) = (amount("min"), amount("max"));
    let (default, request) = (amount("default"), amount("defaultRequest"));
    let mut above = |low: &Option<Quantity>,
                     high: &Option<Quantity>,
                     field: &str,
                     shown: &Option<Quantity>,
                     low_name: &str,
                     high_name: &str| {
        if let (Some(low), Some(high), Some(shown)) = (low, high, shown)
            && low > high
        {
            let detail = format!("{low_name} value {low} is greater than {high_name} value {high}");
            errors.invalid(
                &limit.get(field).path().key(name),
                shown.to_string(),
                detail,
            );
        }
    };
    above(&min, &max, "min", &min, "min", "max");
    above(
        &min,
        &request,
        "defaultRequest",
        &request,
        "min",
        "default request",
    );
    above(
        &request,
        &max,
        "defaultRequest",
        &request,
        "default request",
        "max",
    );
    above(
        &request,
        &default,
        "defaultRequest",
        &request,
        "default request",
        "default limit",
    );
    above(&min, &default, "default", &min, "min", "default");
    above(&default, &max, "default", &max, "default", "max");
    ratio(errors, limit, name, min.as_ref(), max.as_ref());
    if let (Some(default), Some(request)) = (default, request)
        && !is_overcommit_allowed(name)
        && default != request
    {
        let detail = format!(
            "default value {default} must equal to defaultRequest value {request} in {name}"
        );
        errors.invalid(
            &limit.get("defaultRequest").path().key(name),
            request.to_string(),
            detail,
        );
    }
}

/// Above this, thousandths do not fit.
const MAX_MILLI: i64 = i64::MAX / 1000;

fn ratio(
    errors: &mut Errors,
    limit: &Node<'_>,
    name: &str,
    min: Option<&Quantity>,
    max: Option<&Quantity>,
) {
    let node = limit.get("maxLimitRequestRatio").key(name);
    if !node.is_set() {
        return;
    }
    let ratio = quantity(node.raw());
    if ratio < Quantity::new(1, Format::DecimalSi) {
        errors.invalid(
            &node,
            ratio.to_string(),
            format!("ratio {ratio} is less than 1"),
        );
    }
    let (Some(min), Some(max)) = (min, max) else {
        return;
    };
    let is_small = [&ratio, min, max]
        .iter()
        .all(|amount| amount.value() < MAX_MILLI);
    let (value, min, max) = if is_small {
        (
            ratio.milli_value() as f64 / 1000.0,
            min.milli_value(),
            max.milli_value(),
        )
    } else {
        (ratio.value() as f64, min.value(), max.value())
    };
    let bound = max as f64 / min as f64;
    if value > bound {
        let detail = format!("ratio {ratio} is greater than max/min = {bound:.6}");
        errors.invalid(&node, ratio.to_string(), detail);
    }
}
