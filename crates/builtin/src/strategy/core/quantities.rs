//! Quantities and the names of resources.
//!
//! Source: `pkg/apis/core/validation` and `pkg/apis/core/helper`.

use object::names;
use object::quantity::Quantity;
use serde_json::Value;

use crate::strategy::metadata::NEGATIVE;
use crate::strategy::node::{Errors, Node};

const COMPUTE: &[&str] = &["cpu", "memory", "ephemeral-storage"];
const STORAGE: &[&str] = &["storage"];
const QUOTA: &[&str] = &[
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];
/// Resources that are counted.
const OBJECTS: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// The quantity that a value holds; zero if it holds none.
pub(crate) fn quantity(value: &Value) -> Quantity {
    Quantity::from_json(value).unwrap_or_default()
}

pub(crate) fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_quota_huge_page(name: &str) -> bool {
    is_huge_page(name) || name.starts_with("requests.hugepages-")
}

pub(crate) fn is_standard_quota(name: &str) -> bool {
    COMPUTE.contains(&name)
        || QUOTA.contains(&name)
        || OBJECTS.contains(&name)
        || is_quota_huge_page(name)
}

fn is_standard(name: &str) -> bool {
    is_standard_quota(name) || STORAGE.contains(&name)
}

/// Whether a resource belongs to Kubernetes itself.
pub(crate) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified_name(&format!("requests.{name}")).is_empty()
}

pub(crate) fn is_overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

fn is_integer(name: &str) -> bool {
    OBJECTS.contains(&name) || is_extended(name)
}

/// The name of any resource.
pub(crate) fn validate_name(errors: &mut Errors, at: &Node<'_>, name: &str) {
    let messages = names::qualified_name(name);
    if !messages.is_empty() {
        errors.messages(at, name, messages);
    } else if !name.contains('/') && !is_standard(name) {
        errors.invalid(
            at,
            name,
            "must be a standard resource type or fully qualified",
        );
    }
}

/// The name of a resource of containers.
pub(crate) fn validate_container_name(errors: &mut Errors, at: &Node<'_>, name: &str) {
    validate_name(errors, at, name);
    if !name.contains('/') {
        if !COMPUTE.contains(&name) && !is_huge_page(name) {
            errors.invalid(at, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid(at, name, "doesn't follow extended resource name standard");
    }
}

/// The name of a resource of whole pods.
pub(crate) fn validate_pod_name(errors: &mut Errors, at: &Node<'_>, name: &str) {
    let before = errors.len();
    validate_name(errors, at, name);
    if errors.len() == before && !["cpu", "memory"].contains(&name) && !is_huge_page(name) {
        errors.unsupported(at, name, &["cpu", "hugepages-", "memory"]);
    }
}

/// The name of a resource of a quota.
pub(crate) fn validate_quota_name(errors: &mut Errors, at: &Node<'_>, name: &str) {
    validate_name(errors, at, name);
    if !name.contains('/') && !is_standard_quota(name) {
        errors.invalid(at, name, "must be a standard resource for quota");
    }
}

/// The amount of a resource: 0 or more, and whole for what is counted.
pub(crate) fn validate_amount(errors: &mut Errors, at: &Node<'_>, name: &str) {
    let amount = quantity(at.raw());
    if amount.sign() < 0 {
        errors.invalid(at, amount.to_string(), NEGATIVE);
    }
    if is_integer(name) && amount.milli_value() % 1000 != 0 {
        errors.invalid(at, amount.to_string(), "must be an integer");
    }
}

/// An amount above zero.
pub(crate) fn validate_positive(errors: &mut Errors, at: &Node<'_>) {
    let amount = quantity(at.raw());
    if amount.sign() <= 0 {
        errors.invalid(at, amount.to_string(), "must be greater than zero");
    }
}

/// An amount of 0 or more, in words of its own.
pub(crate) fn validate_basic(errors: &mut Errors, at: &Node<'_>) {
    let amount = quantity(at.raw()).value();
    if amount < 0 {
        errors.invalid(at, amount, "must be a valid resource quantity");
    }
}

/// A rule for the names of resources.
type NameRule = fn(&mut Errors, &Node<'_>, &str);

/// Limits and requests of a container (or of what is like one).
pub(crate) fn validate_requirements(
    errors: &mut Errors,
    resources: &Node<'_>,
    name_rule: NameRule,
    claims: &[&str],
) {
    let (limits, requests) = (resources.get("limits"), resources.get("requests"));
    let mut has_compute = false;
    let mut has_huge_pages = false;
    for (name, limit) in limits.entries() {
        name_rule(errors, &limit, name);
        validate_amount(errors, &limit, name);
        validate_huge_page(errors, &limit, name);
        has_huge_pages |= is_huge_page(name);
        has_compute |= ["cpu", "memory"].contains(&name);
    }
    for (name, request) in requests.entries() {
        name_rule(errors, &request, name);
        validate_amount(errors, &request, name);
        let amount = quantity(request.raw());
        if limits.has(name) {
            let limit = quantity(limits.key(name).raw());
            if amount != limit && !is_overcommit_allowed(name) {
                let detail = format!("must be equal to {name} limit of {limit}");
                errors.invalid(&requests, amount.to_string(), detail);
            } else if amount > limit {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                errors.invalid(&requests, amount.to_string(), detail);
            }
        } else if !is_overcommit_allowed(name) {
            errors.required(
                &limits,
                "Limit must be set for non overcommitable resources",
            );
        }
        validate_huge_page(errors, &request, name);
        has_huge_pages |= is_huge_page(name);
        has_compute |= ["cpu", "memory"].contains(&name);
    }
    if has_huge_pages && !has_compute {
        errors.forbidden(resources, "HugePages require cpu or memory");
    }
    validate_claims(errors, &resources.get("claims"), claims);
}

fn validate_huge_page(errors: &mut Errors, at: &Node<'_>, name: &str) {
    let Some(size) = name.strip_prefix("hugepages-") else {
        return;
    };
    let amount = quantity(at.raw());
    let divisible = Quantity::parse(size).is_ok_and(|size| {
        size.sign() > 0 && size.milli_value() % 1000 == 0 && amount.value() % size.value() == 0
    });
    if !divisible {
        let text = amount.to_string();
        errors.invalid(
            at,
            text.clone(),
            format!("{text} is not positive integer multiple of {name}"),
        );
    }
}

fn validate_claims(errors: &mut Errors, claims: &Node<'_>, known: &[&str]) {
    let mut seen: Vec<String> = Vec::new();
    for claim in claims.items() {
        let name = claim.get("name").text();
        if name.is_empty() {
            errors.required(&claim, "");
            continue;
        }
        if seen.iter().any(|key| key == name) {
            errors.duplicate(&claim, name);
        } else {
            let request = claim.get("request");
            let mut key = name.to_owned();
            if !request.is_empty() {
                errors.format(&request, names::dns1123_label);
                key = format!("{name}/{}", request.text());
            }
            if seen.contains(&key) {
                errors.duplicate(&claim, key.clone());
            } else if request.is_empty() {
                let prefix = format!("{name}/");
                for _ in seen.iter().filter(|key| key.starts_with(&prefix)) {
                    errors.duplicate(&claim, name);
                }
            }
            seen.push(key);
        }
        if !known.contains(&name) {
            let mut error = object::field::Error::not_found(claim.path(), name);
            let mut sorted = known.to_vec();
            sorted.sort_unstable();
            error.detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            if sorted.is_empty() {
                error.detail.push_str(" which is empty");
            } else {
                error.detail.push_str(&format!(": {}", sorted.join(", ")));
            }
            errors.push(error);
        }
    }
}
