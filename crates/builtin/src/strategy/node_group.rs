//! The kinds of the group `node.k8s.io`.
//!
//! Source: `pkg/apis/node` and `pkg/registry/node`.

use object::names;

use super::core::pod::{affinity, warnings};
use super::core::quantities;
use super::kind::Kind;
use super::node::{Errors, Node};
use super::{internal, labels, metadata};

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    namespaced: false,
    create_on_update: true,
    unconditional_update: false,
    validate: |_, class, errors| validate(errors, class),
    validate_update: |_, new, old, errors| {
        validate(errors, new);
        metadata::validate_update(errors, new, old);
        errors.immutable(&new.get("handler"), &old.get("handler"));
    },
    warn,
    warn_update: |new, _, warnings| warn(new, warnings),
    ..Kind::new("node.k8s.io", "runtimeclasses")
}];

fn validate(errors: &mut Errors, class: &Node<'_>) {
    metadata::validate(errors, class, false, names::name_is_dns_subdomain);
    errors.name(&class.get("handler"), names::name_is_dns_label);
    let overhead = class.get("overhead");
    if overhead.is_set() {
        let resources = serde_json::json!({ "limits": overhead.get("podFixed").raw() });
        let resources = Node::at(&resources, overhead.path().clone());
        quantities::validate_requirements(
            errors,
            &resources,
            quantities::validate_container_name,
            &[],
        );
    }
    let scheduling = class.get("scheduling");
    labels::validate_labels(errors, &scheduling.get("nodeSelector"));
    let tolerations = scheduling.get("tolerations");
    affinity::tolerations(errors, &tolerations);
    let mut seen: Vec<[&str; 4]> = Vec::new();
    for toleration in tolerations.items() {
        let key = ["key", "operator", "value", "effect"].map(|field| toleration.get(field).text());
        if seen.contains(&key) {
            let shown = internal::json("core.Toleration", toleration.raw());
            errors.duplicate_shown(&toleration, &shown, "");
        }
        seen.push(key);
    }
}

fn warn(class: &Node<'_>, warnings: &mut Vec<String>) {
    let selector = class.get("scheduling.nodeSelector");
    for (key, _) in selector.entries() {
        if let Some(message) = warnings::deprecated_label(key) {
            warnings.push(format!("{}: {message}", selector.path()));
        }
    }
}
