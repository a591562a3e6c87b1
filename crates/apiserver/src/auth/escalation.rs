//! Nobody grants more than they hold: writes of roles and bindings are compared with the rights of who
//! makes them.
//!
//! Sources: Kubernetes `pkg/registry/rbac/*/policybased`, `pkg/registry/rbac/validation` and
//! component-helpers `auth/rbac/validation`.

use std::collections::{BTreeMap, BTreeSet};

use object::{GroupResource, Value, meta};
use serde::Deserialize as _;

use super::rbac::Rule;
use super::{Attributes, Decision, authorize};
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;

const GROUP: &str = "rbac.authorization.k8s.io";

/// A write of a role or binding.
pub struct Write<'a> {
    /// Who writes.
    pub user: &'a User,
    /// What is written, as the path names it.
    pub resource: &'a GroupResource,
    /// The namespace of the request; empty for the cluster.
    pub namespace: &'a str,
    /// The name in the request's path; empty for `create`.
    pub name: &'a str,
    /// The object as it was.
    pub old: Option<&'a Value>,
    /// The object as it shall be.
    pub new: &'a Value,
}

/// Refuses a write that would grant rights which the user does not have.
///
/// # Errors
/// 403 with the missing rights; 404 where a binding names a role that is not there and the user may not
/// bind it unseen.
pub fn check(core: &Core, write: &Write<'_>) -> Result<(), ApiError> {
    if write.resource.group != GROUP || write.user.is_in("system:masters") {
        return Ok(());
    }
    match write.resource.resource.as_str() {
        "roles" | "clusterroles" => check_role(core, write),
        "rolebindings" | "clusterrolebindings" => check_binding(core, write),
        _ => Ok(()),
    }
}

fn may(core: &Core, write: &Write<'_>, verb: &str, resource: &str, name: &str) -> bool {
    let attributes = Attributes {
        verb: verb.to_owned(),
        is_resource: true,
        group: GROUP.to_owned(),
        version: "*".to_owned(),
        resource: resource.to_owned(),
        namespace: write.namespace.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    matches!(authorize(core, write.user, &attributes), Decision::Allow(_))
}

fn check_role(core: &Core, write: &Write<'_>) -> Result<(), ApiError> {
    let resource = write.resource.resource.as_str();
    if may(core, write, "escalate", resource, write.name) || is_housekeeping(write) {
        return Ok(());
    }
    let refuse = |why: &str| ApiError::forbidden(write.resource, meta::name(write.new), why);
    confirm(core, write, &rules(write.new)).map_err(|why| refuse(&why))?;
    let aggregates = |role: &Value| {
        role.pointer("/aggregationRule")
            .is_some_and(|rule| !rule.is_null())
    };
    if resource == "clusterroles"
        && (aggregates(write.new) || write.old.is_some_and(aggregates))
        && confirm(core, write, &everything()).is_err()
    {
        return Err(refuse(
            "must have cluster-admin privileges to use the aggregationRule",
        ));
    }
    Ok(())
}

fn check_binding(core: &Core, write: &Write<'_>) -> Result<(), ApiError> {
    if is_housekeeping(write) {
        return Ok(());
    }
    let text = |key: &str| {
        write
            .new
            .pointer("/roleRef")
            .and_then(|role| role.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (kind, name) = (text("kind"), text("name"));
    let resource = match kind {
        "ClusterRole" => "clusterroles",
        "Role" => "roles",
        // Validation says what is wrong with it.
        _ => return Ok(()),
    };
    if may(core, write, "bind", resource, name) {
        return Ok(());
    }
    let granted = core
        .auth
        .rbac
        .role(core, kind, write.namespace, name)
        .ok_or_else(|| ApiError::not_found(&GroupResource::new(GROUP, resource), name))?;
    confirm(core, write, &granted)
        .map_err(|why| ApiError::forbidden(write.resource, meta::name(write.new), &why))
}

/// Whether only owners and finalizers change, as the garbage collector changes them.
fn is_housekeeping(write: &Write<'_>) -> bool {
    let Some(old) = write.old else { return false };
    let bare = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in ["ownerReferences", "finalizers", "selfLink", "managedFields"] {
                metadata.remove(key);
            }
        }
        object
    };
    bare(old) == bare(write.new)
}

fn rules(role: &Value) -> Vec<Rule> {
    role.get("rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|rule| Rule::deserialize(rule).ok())
        .collect()
}

fn everything() -> [Rule; 2] {
    let all = || vec!["*".to_owned()];
    let resources = Rule {
        verbs: all(),
        api_groups: all(),
        resources: all(),
        ..Rule::default()
    };
    let paths = Rule {
        verbs: all(),
        non_resource_urls: all(),
        ..Rule::default()
    };
    [resources, paths]
}

/// Compares the rights that are to be granted with those the user has where the request is made.
fn confirm(core: &Core, write: &Write<'_>, granted: &[Rule]) -> Result<(), String> {
    let (held, errors) = core.auth.rbac.rules_for(core, write.user, write.namespace);
    let missing: Vec<Rule> = granted
        .iter()
        .flat_map(split)
        .filter(|part| !held.iter().any(|own| covers(own, part)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let shown: BTreeSet<String> = compact(missing).iter().map(describe).collect();
    let shown: Vec<String> = shown.into_iter().collect();
    let quote = object::field::quote;
    let groups: Vec<String> = write.user.groups.iter().map(|group| quote(group)).collect();
    let mut message = format!(
        "user {} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        quote(&write.user.name),
        groups.join(" "),
        shown.join("\n")
    );
    if !errors.is_empty() {
        message = format!("{message}; resolution errors: [{errors}]");
    }
    Err(message)
}

/// The rule as rules of one verb, one resource and one name each.
fn split(rule: &Rule) -> Vec<Rule> {
    let mut parts = Vec::new();
    let one = |text: &String| vec![text.clone()];
    for group in &rule.api_groups {
        for resource in &rule.resources {
            for verb in &rule.verbs {
                let part = Rule {
                    verbs: one(verb),
                    api_groups: one(group),
                    resources: one(resource),
                    ..Rule::default()
                };
                if rule.resource_names.is_empty() {
                    parts.push(part);
                    continue;
                }
                parts.extend(rule.resource_names.iter().map(|name| Rule {
                    resource_names: one(name),
                    ..part.clone()
                }));
            }
        }
    }
    for url in &rule.non_resource_urls {
        parts.extend(rule.verbs.iter().map(|verb| Rule {
            verbs: one(verb),
            non_resource_urls: one(url),
            ..Rule::default()
        }));
    }
    parts
}

/// Whether a rule that the user holds covers one part of another.
fn covers(own: &Rule, part: &Rule) -> bool {
    let has = |own: &[String], wanted: &[String]| {
        own.iter().any(|item| item == "*") || wanted.iter().all(|item| own.contains(item))
    };
    let resources = has(&own.resources, &part.resources)
        || part.resources.iter().all(|resource| {
            own.resources.contains(resource)
                || resource
                    .split_once('/')
                    .is_some_and(|(_, sub)| own.resources.contains(&format!("*/{sub}")))
        });
    let names = own.resource_names.is_empty()
        || (!part.resource_names.is_empty()
            && part
                .resource_names
                .iter()
                .all(|name| own.resource_names.contains(name)));
    let urls = part.non_resource_urls.iter().all(|url| {
        own.non_resource_urls.iter().any(|owned| {
            owned == url || (owned.ends_with('*') && url.starts_with(owned.trim_end_matches('*')))
        })
    });
    has(&own.verbs, &part.verbs)
        && has(&own.api_groups, &part.api_groups)
        && resources
        && names
        && urls
}

/// Joins the parts that differ in their verbs alone.
fn compact(parts: Vec<Rule>) -> Vec<Rule> {
    let mut simple: BTreeMap<(Vec<String>, Vec<String>, Vec<String>), Rule> = BTreeMap::new();
    let mut out = Vec::new();
    for part in parts {
        if !part.non_resource_urls.is_empty() {
            out.push(part);
            continue;
        }
        let key = (
            part.api_groups.clone(),
            part.resources.clone(),
            part.resource_names.clone(),
        );
        match simple.get_mut(&key) {
            Some(known) => known.verbs.extend(part.verbs),
            None => {
                simple.insert(key, part);
            }
        }
    }
    out.extend(simple.into_values());
    out
}

/// `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`
fn describe(rule: &Rule) -> String {
    let parts = [
        ("APIGroups", &rule.api_groups),
        ("Resources", &rule.resources),
        ("NonResourceURLs", &rule.non_resource_urls),
        ("ResourceNames", &rule.resource_names),
        ("Verbs", &rule.verbs),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| {
            let list: Vec<String> = list.iter().map(|item| object::field::quote(item)).collect();
            format!("{name}:[{}]", list.join(" "))
        })
        .collect();
    format!("{{{}}}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    fn is_covered(own: &str, wanted: &str) -> bool {
        let own = rule(own);
        split(&rule(wanted)).iter().all(|part| covers(&own, part))
    }

    #[test]
    fn rules_cover_no_more_than_they_allow() {
        let pods = r#"{"verbs":["get","list"],"apiGroups":[""],"resources":["pods","*/status"]}"#;
        let all = r#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}"#;
        let named =
            r#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a"]}"#;
        let paths = r#"{"verbs":["get"],"nonResourceURLs":["/metrics/*"]}"#;
        for (own, wanted, expected) in [
            (
                pods,
                r#"{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}"#,
                true,
            ),
            (
                pods,
                r#"{"verbs":["*"],"apiGroups":[""],"resources":["pods"]}"#,
                false,
            ),
            (
                pods,
                r#"{"verbs":["get"],"apiGroups":[""],"resources":["nodes/status"]}"#,
                true,
            ),
            (
                pods,
                r#"{"verbs":["get"],"apiGroups":["apps"],"resources":["pods"]}"#,
                false,
            ),
            (all, pods, true),
            (all, paths, false),
            (named, pods, false),
            (pods, named, true),
            (named, named, true),
            (
                paths,
                r#"{"verbs":["get"],"nonResourceURLs":["/metrics/x"]}"#,
                true,
            ),
            (
                paths,
                r#"{"verbs":["get"],"nonResourceURLs":["/other"]}"#,
                false,
            ),
        ] {
            assert_eq!(is_covered(own, wanted), expected, "{own} covers {wanted}");
        }
    }

    #[test]
    fn missing_rights_are_told_by_resource() {
        let parts = split(&rule(
            r#"{"verbs":["get","list"],"apiGroups":["apps"],"resources":["deployments"]}"#,
        ));
        let shown: Vec<String> = compact(parts).iter().map(describe).collect();
        assert_eq!(
            shown,
            [r#"{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}"#]
        );
    }
}
