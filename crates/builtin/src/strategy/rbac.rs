//! The kinds of the group `rbac.authorization.k8s.io`.
//!
//! Source: `pkg/apis/rbac` and `pkg/registry/rbac`. That nobody may grant more than he holds is the server's
//! to check.

use object::names;
use serde_json::Value;

use super::edit::{field, items, zero_default};
use super::kind::Kind;
use super::node::{Errors, Node, peek_text};
use super::{internal, labels, metadata};

const GROUP: &str = "rbac.authorization.k8s.io";

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        create_on_update: true,
        validate: |_, role, errors| validate_role(errors, role),
        validate_update: |_, new, old, errors| {
            validate_role(errors, new);
            metadata::validate_update(errors, new, old);
        },
        ..Kind::new(GROUP, "roles")
    },
    Kind {
        namespaced: false,
        create_on_update: true,
        validate: |_, role, errors| validate_cluster_role(errors, role, false),
        validate_update: |_, new, old, errors| {
            let was_invalid = old
                .get("aggregationRule.clusterRoleSelectors")
                .items()
                .any(|selector| labels::has_invalid_value(selector.raw()));
            validate_cluster_role(errors, new, was_invalid);
            metadata::validate_update(errors, new, old);
        },
        ..Kind::new(GROUP, "clusterroles")
    },
    Kind {
        create_on_update: true,
        validate: |_, binding, errors| validate_binding(errors, binding, true),
        validate_update: |_, new, old, errors| validate_binding_update(errors, new, old, true),
        ..Kind::new(GROUP, "rolebindings")
    },
    Kind {
        namespaced: false,
        create_on_update: true,
        validate: |_, binding, errors| validate_binding(errors, binding, false),
        validate_update: |_, new, old, errors| validate_binding_update(errors, new, old, false),
        ..Kind::new(GROUP, "clusterrolebindings")
    },
];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    if !["RoleBinding", "ClusterRoleBinding"].contains(&kind) {
        return;
    }
    if let Some(role) = field(object, "roleRef") {
        zero_default(role, "apiGroup", GROUP);
    }
    for subject in items(object, "subjects") {
        if ["User", "Group"].contains(&peek_text(subject, "kind")) {
            zero_default(subject, "apiGroup", GROUP);
        }
    }
}

fn validate_role(errors: &mut Errors, role: &Node<'_>) {
    metadata::validate(errors, role, true, names::name_is_path_segment);
    validate_rules(errors, role, true);
}

fn validate_cluster_role(errors: &mut Errors, role: &Node<'_>, allow_invalid_values: bool) {
    metadata::validate(errors, role, false, names::name_is_path_segment);
    validate_rules(errors, role, false);
    if !role.get("aggregationRule").is_set() {
        return;
    }
    let selectors = role.get("aggregationRule.clusterRoleSelectors");
    if selectors.is_empty() {
        let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        errors.required(&selectors, detail);
    }
    for selector in selectors.items() {
        labels::validate_selector_with(errors, &selector, allow_invalid_values);
        if !labels::is_valid(selector.raw()) {
            errors.invalid_shown(&selector, "null", "invalid label selector.");
        }
    }
}

fn validate_rules(errors: &mut Errors, role: &Node<'_>, namespaced: bool) {
    for rule in role.get("rules").items() {
        if rule.get("verbs").is_empty() {
            errors.required(&rule.get("verbs"), "verbs must contain at least one value");
        }
        let urls = rule.get("nonResourceURLs");
        let (groups, resources) = (rule.get("apiGroups"), rule.get("resources"));
        if !urls.is_empty() {
            if namespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                errors.invalid(&urls, urls.raw().clone(), detail);
            }
            if !groups.is_empty() || !resources.is_empty() || !rule.get("resourceNames").is_empty()
            {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                errors.invalid(&urls, urls.raw().clone(), detail);
            }
            continue;
        }
        if groups.is_empty() {
            errors.required(&groups, "resource rules must supply at least one api group");
        }
        if resources.is_empty() {
            errors.required(
                &resources,
                "resource rules must supply at least one resource",
            );
        }
    }
}

fn validate_binding(errors: &mut Errors, binding: &Node<'_>, namespaced: bool) {
    metadata::validate(errors, binding, namespaced, names::name_is_path_segment);
    let role = binding.get("roleRef");
    errors.one_of(&role.get("apiGroup"), &[GROUP]);
    let kinds: &[&str] = if namespaced {
        &["Role", "ClusterRole"]
    } else {
        &["ClusterRole"]
    };
    if !kinds.contains(&role.get("kind").text()) {
        // Upstream does not sort these.
        errors.unsupported(&role.get("kind"), role.get("kind").text(), kinds);
    }
    let name = role.get("name");
    if name.is_empty() {
        errors.required(&name, "");
    } else {
        errors.name(&name, names::name_is_path_segment);
    }
    for subject in binding.get("subjects").items() {
        validate_subject(errors, &subject, namespaced);
    }
}

fn validate_subject(errors: &mut Errors, subject: &Node<'_>, namespaced: bool) {
    let (name, group) = (subject.get("name"), subject.get("apiGroup"));
    errors.present(&name);
    match subject.get("kind").text() {
        "ServiceAccount" => {
            if !name.is_empty() {
                errors.name(&name, names::name_is_dns_subdomain);
            }
            errors.one_of(&group, &[""]);
            if !namespaced && subject.get("namespace").is_empty() {
                errors.required(&subject.get("namespace"), "");
            }
        }
        "User" | "Group" => errors.one_of(&group, &[GROUP]),
        kind => {
            errors.unsupported(
                &subject.get("kind"),
                kind,
                &["ServiceAccount", "User", "Group"],
            );
        }
    }
}

fn validate_binding_update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>, namespaced: bool) {
    validate_binding(errors, new, namespaced);
    metadata::validate_update(errors, new, old);
    let role = new.get("roleRef");
    if role.raw() != old.get("roleRef").raw() {
        let shown = internal::json("rbac.RoleRef", role.raw());
        errors.invalid_shown(&role, &shown, "cannot change roleRef");
    }
}
