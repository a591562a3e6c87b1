//! ResourceQuotas.

use object::names;

use super::quantities::{is_standard_quota, quantity, validate_amount, validate_quota_name};
use crate::strategy::kind::{Kind, status};
use crate::strategy::node::{Errors, Node};
use crate::strategy::{internal, metadata};

pub(crate) const KIND: Kind = Kind {
    status: Some("{}"),
    validate: |_, quota, errors| {
        metadata::validate(errors, quota, true, names::name_is_dns_subdomain);
        validate_spec(errors, &quota.get("spec"));
        validate_status(errors, quota);
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate_spec(errors, &new.get("spec"));
        let sorted = |quota: &Node<'_>| {
            let mut scopes = quota.get("spec.scopes").texts();
            scopes.sort_unstable();
            scopes.dedup();
            scopes.join(",")
        };
        if sorted(new) != sorted(old) {
            let scopes = new.get("spec.scopes");
            errors.invalid(&scopes, scopes.raw().clone(), metadata::IMMUTABLE);
        }
    },
    warn,
    subresources: &[status(|_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        if new.get("metadata.resourceVersion").is_empty() {
            errors.required(&new.path().child("resourceVersion"), "");
        }
        validate_status(errors, new);
    })],
    ..Kind::new("", "resourcequotas")
};

const EXISTS: &[&str] = &[
    "BestEffort",
    "NotBestEffort",
    "Terminating",
    "NotTerminating",
    "CrossNamespacePodAffinity",
];

fn is_scope(scope: &str) -> bool {
    EXISTS.contains(&scope) || ["PriorityClass", "VolumeAttributesClass"].contains(&scope)
}

/// Whether a scope can limit a resource.
fn applies(scope: &str, resource: &str) -> bool {
    const COMPUTE: &[&str] = &[
        "cpu",
        "memory",
        "limits.cpu",
        "limits.memory",
        "requests.cpu",
        "requests.memory",
    ];
    match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => {
            ["persistentvolumeclaims", "requests.storage"].contains(&resource)
        }
        scope if is_scope(scope) => resource == "pods" || COMPUTE.contains(&resource),
        _ => true,
    }
}

fn amounts(errors: &mut Errors, list: &Node<'_>) {
    for (name, amount) in list.entries() {
        validate_quota_name(errors, &amount, name);
        validate_amount(errors, &amount, name);
    }
}

fn validate_status(errors: &mut Errors, quota: &Node<'_>) {
    amounts(errors, &quota.get("status.hard"));
    amounts(errors, &quota.get("status.used"));
}

fn validate_spec(errors: &mut Errors, spec: &Node<'_>) {
    amounts(errors, &spec.get("hard"));
    let mut hard: Vec<&str> = spec.get("hard").entries().map(|(name, _)| name).collect();
    hard.sort_unstable();
    let unfit = |scope: &str| {
        hard.iter()
            .filter(|name| is_standard_quota(name) && !applies(scope, name))
            .count()
    };
    let scopes = spec.get("scopes");
    for scope in scopes.texts() {
        if !is_scope(scope) {
            errors.invalid(&scopes, scopes.raw().clone(), "unsupported scope");
        }
        for _ in 0..unfit(scope) {
            let detail = "unsupported scope applied to resource";
            errors.invalid(&scopes, scopes.raw().clone(), detail);
        }
    }
    conflicts(errors, &scopes, &scopes.texts(), &scopes);
    let selector = spec.get("scopeSelector");
    if !selector.is_set() {
        return;
    }
    let expressions = selector.get("matchExpressions");
    let mut names = Vec::new();
    for requirement in expressions.items() {
        let scope = requirement.get("scopeName").text();
        names.push(scope);
        if !is_scope(scope) {
            errors.invalid(
                &expressions.path().child("scopeName"),
                scope,
                "unsupported scope",
            );
        }
        for _ in 0..unfit(scope) {
            let shown = internal::json("core.ScopeSelector", selector.raw());
            let detail = "unsupported scope applied to resource";
            errors.invalid_shown(&expressions, &shown, detail);
        }
        operator(errors, &requirement, &expressions, scope);
    }
    conflicts(errors, &expressions, &names, &scopes);
}

fn operator(errors: &mut Errors, requirement: &Node<'_>, at: &Node<'_>, scope: &str) {
    let (operator, values) = (
        requirement.get("operator").text(),
        requirement.get("values"),
    );
    let place = at.path().child("operator");
    if EXISTS.contains(&scope) && operator != "Exists" {
        let detail = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        errors.invalid(&place, operator, detail);
    }
    let at_values = at.path().child("values");
    match operator {
        "In" | "NotIn" => {
            if values.is_empty() {
                let detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.required(&at_values, detail);
            }
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                let detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.invalid(&at_values, values.raw().clone(), detail);
            }
        }
        other => errors.invalid(&place, other, "not a valid selector operator"),
    }
}

fn conflicts(errors: &mut Errors, at: &Node<'_>, scopes: &[&str], shown: &Node<'_>) {
    for (one, other) in [
        ("BestEffort", "NotBestEffort"),
        ("Terminating", "NotTerminating"),
    ] {
        if scopes.contains(&one) && scopes.contains(&other) {
            errors.invalid(at, shown.raw().clone(), "conflicting scopes");
        }
    }
}

fn warn(quota: &Node<'_>, warnings: &mut Vec<String>) {
    let hard = quota.get("spec.hard");
    for name in ["cpu", "memory", "storage", "ephemeral-storage"] {
        let mut request = format!("requests.{name}");
        if !hard.has(&request) && ["cpu", "memory"].contains(&name) {
            name.clone_into(&mut request);
        }
        let limit = format!("limits.{name}");
        if !hard.has(&request) || !hard.has(&limit) {
            continue;
        }
        let (less, more) = (
            quantity(hard.key(&request).raw()),
            quantity(hard.key(&limit).raw()),
        );
        if less > more {
            warnings.push(format!(
                "ResourceQuota {request} ({less}) should be less than {limit} ({more})"
            ));
        }
    }
}
