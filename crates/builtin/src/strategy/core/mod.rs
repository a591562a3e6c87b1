//! The kinds of the core group.

use object::names;
use serde_json::{Value, json};

use super::edit::{items, set};
use super::kind::{Generation, Kind, status};
use super::metadata;
use super::node::{Errors, Node, peek_text};

pub(crate) mod claim;
mod config;
mod defaults;
mod endpoints;
mod events;
mod limit_range;
mod namespace;
mod nodes;
pub(crate) mod paths;
pub(crate) mod persistent_volume;
pub(crate) mod pod;
pub(crate) mod quantities;
mod quota;
mod replication_controller;
mod secret_types;
mod service;
pub(crate) mod volume_source;

pub(crate) use claim::validate_template_metadata;
pub(crate) use defaults::{
    default, inline_volume as default_inline_volume, pod_template as default_pod_template,
};
pub(crate) use endpoints::validate_ip as validate_endpoint_ip;
pub(crate) use secret_types::pem_types;
pub(crate) use service::load_balancer_hosts;
pub use service::{begin_service_create, begin_service_update};

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[
    config::CONFIG_MAP,
    config::SECRET,
    namespace::KIND,
    nodes::KIND,
    pod::KIND,
    persistent_volume::KIND,
    claim::KIND,
    service::KIND,
    endpoints::KIND,
    events::KIND,
    limit_range::KIND,
    quota::KIND,
    replication_controller::KIND,
    SERVICE_ACCOUNT,
    POD_TEMPLATE,
    // Events of events.k8s.io are stored as core ones.
    Kind {
        group: "events.k8s.io",
        ..events::KIND
    },
];

const SERVICE_ACCOUNT: Kind = Kind {
    prepare_create: |_, account| clean_secrets(account),
    prepare_update: |_, account, _| clean_secrets(account),
    validate: |_, account, errors| validate_account(errors, account),
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate_account(errors, new);
    },
    warn: |account, warnings| warn_of_mountable_secrets(account, warnings),
    warn_update: |new, old, warnings| {
        if !old.get("metadata.annotations").has(MOUNTABLE_SECRETS) {
            warn_of_mountable_secrets(new, warnings);
        }
    },
    ..Kind::new("", "serviceaccounts")
};

const MOUNTABLE_SECRETS: &str = "kubernetes.io/enforce-mountable-secrets";

/// Of a reference to a secret only the name is kept.
fn clean_secrets(account: &mut Value) {
    for secret in items(account, "secrets") {
        let name = peek_text(secret, "name").to_owned();
        *secret = if name.is_empty() {
            json!({})
        } else {
            json!({ "name": name })
        };
    }
}

fn validate_account(errors: &mut Errors, account: &Node<'_>) {
    metadata::validate(errors, account, true, names::name_is_dns_subdomain);
}

fn warn_of_mountable_secrets(account: &Node<'_>, warnings: &mut Vec<String>) {
    if account.get("metadata.annotations").has(MOUNTABLE_SECRETS) {
        warnings.push(format!(
            "metadata.annotations[{MOUNTABLE_SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        ));
    }
}

const POD_TEMPLATE: Kind = Kind {
    generation: Generation::On(&["template"]),
    prepare_create: |_, object| {
        if let Some(spec) = super::edit::existing(object, "template.spec") {
            pod::drop_disabled(spec, &Value::Null);
        }
    },
    validate: |_, object, errors| {
        metadata::validate(errors, object, true, names::name_is_dns_subdomain);
        pod::validate_template(errors, &object.get("template"), pod::Options::template());
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        let options = pod::Options::template().updating(old.get("template").raw());
        pod::validate_template(errors, &new.get("template"), options);
    },
    warn: |object, warnings| pod::warnings::of_template(&object.get("template"), warnings),
    warn_update: |new, old, warnings| {
        if new.get("metadata.generation").int() != old.get("metadata.generation").int() {
            pod::warnings::of_template(&new.get("template"), warnings);
        }
    },
    ..Kind::new("", "podtemplates")
};

/// Sets a field of `metadata`.
pub(crate) fn set_metadata(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(metadata) = super::edit::field(object, "metadata") {
        set(metadata, name, value);
    }
}

/// A status that only needs sound metadata.
pub(crate) const METADATA_STATUS: super::kind::Subresource =
    status(|_, new, old, errors| metadata::validate_update(errors, new, old));
