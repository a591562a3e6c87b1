//! FlowSchemas.

use object::names;

use super::{fixed_spec, validate_meta, validate_status};
use crate::strategy::internal;
use crate::strategy::node::{Errors, Node};

const VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "proxy",
    "update",
    "watch",
];

/// A whole schema.
pub(super) fn validate(errors: &mut Errors, schema: &Node<'_>) {
    validate_meta(errors, schema);
    validate_spec(
        errors,
        &schema.get("spec"),
        schema.get("metadata.name").text(),
    );
    fixed_spec(errors, schema, "flowcontrol.FlowSchemaSpec", None);
    validate_status(errors, schema);
}

fn validate_spec(errors: &mut Errors, spec: &Node<'_>, name: &str) {
    const HIGHEST: i64 = 10_000;
    let precedence = spec.get("matchingPrecedence");
    let number = precedence.int();
    if number <= 0 {
        errors.invalid(&precedence, number, "must be a positive value");
    }
    if number > HIGHEST {
        errors.invalid(
            &precedence,
            number,
            format!("must not be greater than {HIGHEST}"),
        );
    }
    if number == 1 && name != "exempt" {
        let detail = "only the schema named 'exempt' may have matchingPrecedence 1";
        errors.invalid(&precedence, number, detail);
    }
    let method = spec.get("distinguisherMethod");
    if method.is_set() && !["ByNamespace", "ByUser"].contains(&method.get("type").text()) {
        let shown = internal::json("*flowcontrol.FlowDistinguisherMethod", method.raw());
        errors.unsupported_shown(&method.get("type"), &shown, &["ByNamespace", "ByUser"]);
    }
    let level = spec.get("priorityLevelConfiguration").get("name");
    if level.is_empty() {
        errors.required(&level, "must reference a priority level");
    } else {
        errors.name(&level, names::name_is_dns_subdomain);
    }
    for rule in spec.get("rules").items() {
        validate_rule(errors, &rule);
    }
}

fn validate_rule(errors: &mut Errors, rule: &Node<'_>) {
    let subjects = rule.get("subjects");
    if subjects.is_empty() {
        errors.required(&subjects, "subjects must contain at least one value");
    }
    for subject in subjects.items() {
        validate_subject(errors, &subject);
    }
    let (resources, others) = (rule.get("resourceRules"), rule.get("nonResourceRules"));
    if resources.is_empty() && others.is_empty() {
        let detail = "at least one of resourceRules and nonResourceRules has to be non-empty";
        errors.required(rule, detail);
    }
    for rule in resources.items() {
        validate_resource_rule(errors, &rule);
    }
    for rule in others.items() {
        validate_verbs(errors, &rule.get("verbs"));
        validate_urls(errors, &rule.get("nonResourceURLs"));
    }
}

fn validate_subject(errors: &mut Errors, subject: &Node<'_>) {
    const KINDS: [(&str, &str); 3] = [
        ("ServiceAccount", "serviceAccount"),
        ("User", "user"),
        ("Group", "group"),
    ];
    let kind = subject.get("kind");
    let Some((own_kind, own)) = KINDS.iter().find(|(name, _)| kind.is(name)) else {
        return errors.one_of(&kind, &["Group", "ServiceAccount", "User"]);
    };
    for (other_kind, other) in KINDS {
        if other != *own && subject.get(other).is_set() {
            let detail = format!("{other} is forbidden when subject kind is not '{other_kind}'");
            errors.forbidden(&subject.get(other), &detail);
        }
    }
    let own = subject.get(own);
    if !own.is_set() {
        let detail = format!(
            "{} is required when subject kind is '{own_kind}'",
            last(&own)
        );
        return errors.required(&own, &detail);
    }
    let name = own.get("name");
    errors.present(&name);
    if *own_kind != "ServiceAccount" {
        return;
    }
    if !name.is_empty() && !name.is("*") {
        errors.name(&name, names::name_is_dns_subdomain);
    }
    let namespace = own.get("namespace");
    if namespace.is_empty() {
        errors.required(&namespace, "must specify namespace for service account");
    } else {
        errors.name(&namespace, names::name_is_dns_label);
    }
}

fn last(node: &Node<'_>) -> String {
    let path = node.path().to_string();
    path.rsplit('.').next().unwrap_or_default().to_owned()
}

fn validate_verbs(errors: &mut Errors, verbs: &Node<'_>) {
    if verbs.is_empty() {
        errors.required(verbs, "verbs must contain at least one value");
    } else if !alone(errors, verbs, "verbs")
        && !verbs.texts().iter().all(|verb| VERBS.contains(verb))
    {
        errors.unsupported(verbs, verbs.raw().clone(), VERBS);
    }
}

/// Whether there is a `*`, which has to be the only item.
fn alone(errors: &mut Errors, list: &Node<'_>, what: &str) -> bool {
    let has_all = list.texts().contains(&"*");
    if has_all && list.len() > 1 {
        let detail = format!("if '*' is present, must not specify other {what}");
        errors.invalid(list, list.raw().clone(), detail);
    }
    has_all
}

fn validate_resource_rule(errors: &mut Errors, rule: &Node<'_>) {
    validate_verbs(errors, &rule.get("verbs"));
    for (field, what, one) in [
        ("apiGroups", "api groups", "api group"),
        ("resources", "resources", "resource"),
    ] {
        let list = rule.get(field);
        if list.is_empty() {
            errors.required(
                &list,
                &format!("resource rules must supply at least one {one}"),
            );
        } else {
            alone(errors, &list, what);
        }
    }
    let namespaces = rule.get("namespaces");
    if namespaces.is_empty() && !rule.get("clusterScope").truth() {
        let detail =
            "resource rules that are not cluster scoped must supply at least one namespace";
        return errors.required(&namespaces, detail);
    }
    if alone(errors, &namespaces, "namespaces") {
        return;
    }
    for namespace in namespaces.items() {
        for problem in names::dns1123_label(namespace.text()) {
            let detail =
                format!("each member of this list must be '*' or a DNS-1123 label; {problem}");
            errors.invalid(&namespace, namespace.text(), detail);
        }
    }
}

fn validate_urls(errors: &mut Errors, urls: &Node<'_>) {
    if urls.is_empty() {
        return errors.required(urls, "nonResourceURLs must contain at least one value");
    }
    if alone(errors, urls, "non-resource URLs") {
        return;
    }
    for url in urls.items() {
        if let Some(problem) = url_problem(url.text()) {
            errors.invalid(&url, url.text(), problem);
        }
    }
}

fn url_problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("must not be empty")
    } else if path == "/" {
        None
    } else if !path.starts_with('/') {
        Some("must start with slash")
    } else if path.contains(' ') {
        Some("must not contain white-space")
    } else if path.contains("//") {
        Some("must not contain double slash")
    } else {
        let count = path.matches('*').count();
        let is_wrong = count > 1 || (count == 1 && !path.ends_with("/*"));
        is_wrong.then_some("wildcard can only do suffix matching")
    }
}
