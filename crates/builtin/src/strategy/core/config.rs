//! ConfigMaps and Secrets.

use object::names;

use super::secret_types;
use crate::strategy::equality::equal;
use crate::strategy::kind::Kind;
use crate::strategy::metadata;
use crate::strategy::node::{Errors, Node};

/// The most bytes of data.
const LIMIT: usize = 1024 * 1024;
const IMMUTABLE: &str = "field is immutable when `immutable` is set";

pub(crate) const CONFIG_MAP: Kind = Kind {
    validate: |_, object, errors| validate_config_map(errors, object),
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate_immutable(errors, new, old, &["data", "binaryData"]);
        validate_config_map(errors, new);
    },
    ..Kind::new("", "configmaps")
};

pub(crate) const SECRET: Kind = Kind {
    prepare_update: |_, new, old| {
        if crate::strategy::node::peek_text(new, "type").is_empty() {
            crate::strategy::edit::keep(new, old, "type");
        }
    },
    validate: |_, object, errors| validate_secret(errors, object),
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        let kind = new.get("type");
        if kind.text() != old.get("type").text() {
            errors.invalid(&kind, kind.text(), metadata::IMMUTABLE);
        }
        validate_immutable(errors, new, old, &["data"]);
        validate_secret(errors, new);
    },
    warn: secret_types::warn_of_key_pair,
    warn_update: |new, _, warnings| secret_types::warn_of_key_pair(new, warnings),
    ..Kind::new("", "secrets")
};

fn validate_immutable(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>, fields: &[&str]) {
    if !old.get("immutable").truth() {
        return;
    }
    if !new.get("immutable").truth() {
        errors.forbidden(&new.get("immutable"), IMMUTABLE);
    }
    for field in fields {
        let (new, old) = (new.get(field), old.get(field));
        if !equal(new.raw(), old.raw()) {
            errors.forbidden(&new, IMMUTABLE);
        }
    }
}

/// How many bytes a base64 text stands for.
fn decoded_len(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

fn validate_config_map(errors: &mut Errors, object: &Node<'_>) {
    metadata::validate(errors, object, true, names::name_is_dns_subdomain);
    let binary = object.get("binaryData");
    let mut size = 0;
    for (key, value) in object.get("data").entries() {
        errors.messages(&value, key, names::config_map_key(key));
        if binary.has(key) {
            errors.invalid(&value, key, "duplicate of key present in binaryData");
        }
        size += value.len();
    }
    for (key, value) in binary.entries() {
        errors.messages(&value, key, names::config_map_key(key));
        size += decoded_len(value.text());
    }
    if size > LIMIT {
        // Upstream's path of one empty element prints so.
        errors.too_long(&object::field::Path::new("[]"), LIMIT);
    }
}

fn validate_secret(errors: &mut Errors, object: &Node<'_>) {
    metadata::validate(errors, object, true, names::name_is_dns_subdomain);
    let data = object.get("data");
    let mut size = 0;
    for (key, value) in data.entries() {
        errors.messages(&value, key, names::config_map_key(key));
        size += decoded_len(value.text());
    }
    if size > LIMIT {
        errors.too_long(&data, LIMIT);
    }
    secret_types::validate(errors, object);
}
