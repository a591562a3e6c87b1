//! The kinds of the group `scheduling.k8s.io`.
//!
//! Source: `pkg/apis/scheduling` and `pkg/registry/scheduling`.

use object::names;
use serde_json::Value;

use super::edit::unset_default;
use super::kind::{Generation, Kind};
use super::metadata;
use super::node::{Errors, Node};

const HIGHEST_OF_USERS: i64 = 1_000_000_000;
const SYSTEM: &[(&str, i64)] = &[
    ("system-node-critical", 2_000_001_000),
    ("system-cluster-critical", 2_000_000_000),
];

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    namespaced: false,
    generation: Generation::On(&[]),
    validate: |_, class, errors| validate(errors, class),
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        if new.get("value").int() != old.get("value").int() {
            errors.forbidden(&new.get("value"), "may not be changed in an update.");
        }
        errors.immutable(&new.get("preemptionPolicy"), &old.get("preemptionPolicy"));
    },
    ..Kind::new("scheduling.k8s.io", "priorityclasses")
}];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    if kind == "PriorityClass" {
        unset_default(object, "preemptionPolicy", "PreemptLowerPriority");
    }
}

fn validate(errors: &mut Errors, class: &Node<'_>) {
    metadata::validate(errors, class, false, names::name_is_dns_subdomain);
    let name = class.get("metadata.name");
    let value = class.get("value");
    if name.text().starts_with("system-") {
        if let Some(problem) = system_problem(name.text(), class) {
            let detail = format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {problem}"
            );
            errors.forbidden(&name, &detail);
        }
    } else if value.int() > HIGHEST_OF_USERS {
        let detail =
            format!("maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}");
        errors.forbidden(&value, &detail);
    }
    let policy = class.get("preemptionPolicy");
    if policy.is_set() {
        errors.choice(&policy, &["PreemptLowerPriority", "Never"]);
    }
}

/// Why a class is not one of the system's.
fn system_problem(name: &str, class: &Node<'_>) -> Option<String> {
    let Some((_, value)) = SYSTEM.iter().find(|(known, _)| *known == name) else {
        return Some(format!("{name} is not a known system priority class"));
    };
    if class.get("value").int() != *value {
        return Some(format!("value of {name} PriorityClass must be {value}"));
    }
    class
        .get("globalDefault")
        .truth()
        .then(|| format!("globalDefault of {name} PriorityClass must be false"))
}
