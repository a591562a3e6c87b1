//! What the kinds of the group have in common.

use object::names;

use crate::strategy::core::volume_source::csi_driver_name;
use crate::strategy::labels::validate_label_name;
use crate::strategy::node::{Errors, Node};

const ID_LENGTH: usize = 32;
const EFFECTS: &[&str] = &["NoExecute", "NoSchedule", "None"];

/// The items of a list of `limit` at most.
pub(super) fn list(
    errors: &mut Errors,
    items: &Node<'_>,
    limit: usize,
    mut check: impl FnMut(&mut Errors, &Node<'_>),
) {
    if items.len() > limit {
        return errors.too_many(items, items.len(), limit);
    }
    for item in items.items() {
        check(errors, &item);
    }
}

/// A list whose items have keys of their own; a key is the text at `key`, or the item itself.
pub(super) fn set(
    errors: &mut Errors,
    items: &Node<'_>,
    limit: usize,
    key: &str,
    check: impl FnMut(&mut Errors, &Node<'_>),
) {
    list(errors, items, limit, check);
    if items.len() > limit {
        return;
    }
    let mut seen: Vec<&str> = Vec::new();
    for item in items.items() {
        let text = if key.is_empty() {
            item.text()
        } else {
            item.get(key).text()
        };
        if seen.contains(&text) {
            errors.duplicate(&item, text);
        }
        seen.push(text);
    }
}

/// The name of a pool: subdomains with slashes between.
pub(super) fn pool_name(errors: &mut Errors, name: &Node<'_>) {
    if name.is_empty() {
        return errors.required(name, "");
    }
    if name.len() > names::SUBDOMAIN_MAX_LENGTH {
        errors.too_long(name, names::SUBDOMAIN_MAX_LENGTH);
    }
    for part in name.text().split('/') {
        errors.messages(name, part, names::dns1123_subdomain(part));
    }
}

/// The name of an attribute: an identifier, or a domain and an identifier.
pub(super) fn qualified_name(errors: &mut Errors, at: &Node<'_>, name: &str) {
    match name.split('/').collect::<Vec<_>>()[..] {
        [id] => identifier(errors, at, id),
        [domain, id] => {
            if domain.is_empty() {
                errors.invalid(at, "", "the domain must not be empty");
            } else {
                let text = serde_json::Value::from(domain);
                csi_driver_name(errors, &Node::at(&text, at.path().clone()));
            }
            if id.is_empty() {
                errors.invalid(at, "", "the name must not be empty");
            } else {
                identifier(errors, at, id);
            }
        }
        _ => {}
    }
}

fn identifier(errors: &mut Errors, at: &Node<'_>, id: &str) {
    if id.len() > ID_LENGTH {
        errors.too_long(at, ID_LENGTH);
    }
    errors.messages(at, id, names::c_identifier(id));
}

/// A taint of a device.
pub(super) fn taint(errors: &mut Errors, taint: &Node<'_>) {
    validate_label_name(errors, &taint.get("key"));
    errors.format(&taint.get("value"), names::label_value);
    errors.choice(&taint.get("effect"), EFFECTS);
}

/// A toleration of such a taint.
pub(super) fn toleration(errors: &mut Errors, toleration: &Node<'_>) {
    let (key, value) = (toleration.get("key"), toleration.get("value"));
    if !key.is_empty() {
        validate_label_name(errors, &key);
    }
    let operator = toleration.get("operator");
    match operator.text() {
        "Exists" => {
            if !value.is_empty() {
                errors.invalid(&value, value.text(), "must be empty for operator `Exists`");
            }
        }
        "Equal" => errors.format(&value, names::label_value),
        _ => errors.choice(&operator, &["Equal", "Exists"]),
    }
    let effect = toleration.get("effect");
    if !effect.is_empty() {
        errors.one_of(&effect, EFFECTS);
    }
}

/// Parameters of a driver's own.
pub(super) fn raw_object(errors: &mut Errors, raw: &Node<'_>, limit: usize) {
    if !raw.is_set() {
        errors.required(raw, "");
    } else if raw.raw().to_string().len() > limit {
        errors.too_long(raw, limit);
    } else if !raw.raw().is_object() {
        errors.invalid(raw, "<value omitted>", "must be a valid JSON object");
    }
}
