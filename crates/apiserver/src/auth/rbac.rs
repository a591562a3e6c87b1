//! Role-based access control: who may do what, from the roles and bindings in the store.
//!
//! Source: Kubernetes `plugin/pkg/auth/authorizer/rbac` and `pkg/registry/rbac/validation`.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::{GroupResource, Value};
use parking_lot::RwLock;
use serde::Deserialize;

use super::{Attributes, Decision};
use crate::context::User;
use crate::core::Core;
use crate::store::Range;

const GROUP: &str = "rbac.authorization.k8s.io";

/// What a rule of a role allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// Verbs; `*` is all.
    #[serde(deserialize_with = "null_is_empty")]
    pub verbs: Vec<String>,
    /// API groups.
    #[serde(deserialize_with = "null_is_empty")]
    pub api_groups: Vec<String>,
    /// Resources and `resource/subresource`, also `*/subresource`.
    #[serde(deserialize_with = "null_is_empty")]
    pub resources: Vec<String>,
    /// Names of objects; none is all.
    #[serde(deserialize_with = "null_is_empty")]
    pub resource_names: Vec<String>,
    /// Paths that are not resources; a `*` at the end is any rest.
    #[serde(rename = "nonResourceURLs", deserialize_with = "null_is_empty")]
    pub non_resource_urls: Vec<String>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Option::<Vec<String>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Whether a list holds `*` or the value.
fn holds(list: &[String], value: &str) -> bool {
    list.iter().any(|item| item == "*" || item == value)
}

impl Rule {
    /// Whether the rule allows a request.
    pub fn allows(&self, attributes: &Attributes) -> bool {
        if !holds(&self.verbs, &attributes.verb) {
            return false;
        }
        if !attributes.is_resource {
            return self
                .non_resource_urls
                .iter()
                .any(|url| match url.strip_suffix('*') {
                    Some(prefix) => attributes.path.starts_with(prefix),
                    None => *url == attributes.path,
                });
        }
        holds(&self.api_groups, &attributes.group)
            && self.allows_resource(&attributes.resource, &attributes.subresource)
            && (self.resource_names.is_empty() || self.resource_names.contains(&attributes.name))
    }

    fn allows_resource(&self, resource: &str, subresource: &str) -> bool {
        self.resources.iter().any(|allowed| {
            if allowed == "*" {
                return true;
            }
            if subresource.is_empty() {
                return allowed == resource;
            }
            match allowed.split_once('/') {
                Some(("*", allowed)) => allowed == subresource,
                Some((parent, allowed)) => parent == resource && allowed == subresource,
                None => false,
            }
        })
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    kind: String,
    name: String,
    #[serde(default)]
    namespace: String,
}

impl Subject {
    fn applies_to(&self, user: &User, binding_namespace: &str) -> bool {
        match self.kind.as_str() {
            "User" => user.name == self.name,
            "Group" => user.is_in(&self.name),
            "ServiceAccount" => {
                let namespace = if self.namespace.is_empty() {
                    binding_namespace
                } else {
                    &self.namespace
                };
                let account = user
                    .name
                    .strip_prefix("system:serviceaccount:")
                    .and_then(|rest| rest.split_once(':'));
                !namespace.is_empty() && account == Some((namespace, &self.name))
            }
            _ => false,
        }
    }

    fn describe(&self, binding_namespace: &str) -> String {
        if self.kind != "ServiceAccount" {
            return format!("{} {}", self.kind, object::field::quote(&self.name));
        }
        let namespace = if self.namespace.is_empty() {
            binding_namespace
        } else {
            &self.namespace
        };
        format!(
            "{} {}",
            self.kind,
            object::field::quote(&format!("{}/{namespace}", self.name))
        )
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleRef {
    kind: String,
    name: String,
}

#[derive(Debug, Clone)]
struct Binding {
    name: String,
    namespace: String,
    subjects: Vec<Subject>,
    role: RoleRef,
}

impl Binding {
    fn read(value: &Value) -> Option<Self> {
        let subjects = value.get("subjects").filter(|subjects| !subjects.is_null());
        Some(Self {
            name: object::meta::name(value).to_owned(),
            namespace: object::meta::namespace(value).to_owned(),
            subjects: subjects
                .map_or(Some(Vec::new()), |subjects| Vec::deserialize(subjects).ok())?,
            role: RoleRef::deserialize(value.get("roleRef")?).ok()?,
        })
    }

    fn describe(&self, subject: &Subject) -> String {
        let quote = object::field::quote;
        let (kind, name) = if self.namespace.is_empty() {
            ("ClusterRoleBinding", self.name.clone())
        } else {
            ("RoleBinding", format!("{}/{}", self.name, self.namespace))
        };
        format!(
            "{kind} {} of {} {} to {}",
            quote(&name),
            self.role.kind,
            quote(&self.role.name),
            subject.describe(&self.namespace)
        )
    }
}

/// A rule that applies to a user, with the binding and the subject through which it does.
type Applying<'a> = (&'a Binding, &'a Subject, &'a Rule);

/// Roles and bindings, read from the store at a moment.
#[derive(Debug, Default)]
struct Index {
    cluster_roles: BTreeMap<String, Vec<Rule>>,
    /// By namespace and name.
    roles: BTreeMap<(String, String), Vec<Rule>>,
    cluster_bindings: Vec<Binding>,
    /// By namespace.
    bindings: BTreeMap<String, Vec<Binding>>,
}

impl Index {
    fn read(core: &Core) -> Self {
        let all = |resource: &str| {
            let bucket = core.store.bucket(&GroupResource::new(GROUP, resource));
            bucket
                .list(&Range::namespace(""))
                .objects
                .into_iter()
                .map(|stored| stored.value())
        };
        let rules = |value: &Value| -> Vec<Rule> {
            let rules = value
                .get("rules")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            rules
                .iter()
                .filter_map(|rule| Rule::deserialize(rule).ok())
                .collect()
        };
        let mut index = Self::default();
        for role in all("clusterroles") {
            index
                .cluster_roles
                .insert(object::meta::name(&role).to_owned(), rules(&role));
        }
        for role in all("roles") {
            let key = (
                object::meta::namespace(&role).to_owned(),
                object::meta::name(&role).to_owned(),
            );
            index.roles.insert(key, rules(&role));
        }
        index.cluster_bindings = all("clusterrolebindings")
            .filter_map(|value| Binding::read(&value))
            .collect();
        for binding in all("rolebindings").filter_map(|value| Binding::read(&value)) {
            index
                .bindings
                .entry(binding.namespace.clone())
                .or_default()
                .push(binding);
        }
        index
    }

    fn rules_of(&self, binding: &Binding) -> Result<&[Rule], String> {
        let (rules, resource) = if binding.role.kind == "Role" {
            (
                self.roles
                    .get(&(binding.namespace.clone(), binding.role.name.clone())),
                "role",
            )
        } else {
            (self.cluster_roles.get(&binding.role.name), "clusterrole")
        };
        let missing = || {
            format!(
                "{resource}.{GROUP} {} not found",
                object::field::quote(&binding.role.name)
            )
        };
        rules.map(Vec::as_slice).ok_or_else(missing)
    }

    /// Calls back for every rule that applies to the user in the namespace, until told to stop.
    fn visit(
        &self,
        user: &User,
        namespace: &str,
        visitor: &mut dyn FnMut(Result<Applying<'_>, String>) -> bool,
    ) {
        let local = self
            .bindings
            .get(namespace)
            .filter(|_| !namespace.is_empty());
        for binding in self
            .cluster_bindings
            .iter()
            .chain(local.into_iter().flatten())
        {
            let Some(subject) = binding
                .subjects
                .iter()
                .find(|subject| subject.applies_to(user, &binding.namespace))
            else {
                continue;
            };
            let goes_on = match self.rules_of(binding) {
                Ok(rules) => rules
                    .iter()
                    .all(|rule| visitor(Ok((binding, subject, rule)))),
                Err(missing) => visitor(Err(missing)),
            };
            if !goes_on {
                return;
            }
        }
    }
}

/// The authorizer: an index that is read anew when a role or binding has changed.
#[derive(Default)]
pub struct Rbac {
    index: RwLock<Option<(Revisions, Arc<Index>)>>,
}

/// The newest change of each of the four resources.
type Revisions = [i64; 4];

impl Rbac {
    fn index(&self, core: &Core) -> Arc<Index> {
        let resources = [
            "clusterroles",
            "roles",
            "clusterrolebindings",
            "rolebindings",
        ];
        let revisions = resources.map(|resource| {
            core.store
                .bucket(&GroupResource::new(GROUP, resource))
                .last_change()
        });
        if let Some((known, index)) = &*self.index.read()
            && *known == revisions
        {
            return Arc::clone(index);
        }
        let index = Arc::new(Index::read(core));
        *self.index.write() = Some((revisions, Arc::clone(&index)));
        index
    }

    /// Decides on a request.
    pub fn authorize(&self, core: &Core, user: &User, attributes: &Attributes) -> Decision {
        let index = self.index(core);
        let mut allowed = None;
        let mut errors = Vec::new();
        index.visit(user, &attributes.namespace, &mut |outcome| match outcome {
            Ok((binding, subject, rule)) if rule.allows(attributes) => {
                allowed = Some(format!("RBAC: allowed by {}", binding.describe(subject)));
                false
            }
            Ok(_) => true,
            Err(error) => {
                errors.push(error);
                true
            }
        });
        match allowed {
            Some(reason) => Decision::Allow(reason),
            None => Decision::Deny(aggregate(&errors)),
        }
    }

    /// All rules that apply to a user in a namespace, and what went wrong while looking.
    pub fn rules_for(&self, core: &Core, user: &User, namespace: &str) -> (Vec<Rule>, String) {
        let index = self.index(core);
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        index.visit(user, namespace, &mut |outcome| {
            match outcome {
                Ok((_, _, rule)) => rules.push(rule.clone()),
                Err(error) => errors.push(error),
            }
            true
        });
        let errors = aggregate(&errors);
        (
            rules,
            errors.strip_prefix("RBAC: ").unwrap_or_default().to_owned(),
        )
    }

    /// The rules of a role, if it is there.
    pub fn role(&self, core: &Core, kind: &str, namespace: &str, name: &str) -> Option<Vec<Rule>> {
        let index = self.index(core);
        if kind == "Role" {
            return index
                .roles
                .get(&(namespace.to_owned(), name.to_owned()))
                .cloned();
        }
        index.cluster_roles.get(name).cloned()
    }
}

/// `RBAC: ` and the errors, repeated ones once.
fn aggregate(errors: &[String]) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for error in errors {
        if !unique.contains(&error.as_str()) {
            unique.push(error);
        }
    }
    match unique.as_slice() {
        [] => String::new(),
        [one] => format!("RBAC: {one}"),
        many => format!("RBAC: [{}]", many.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    fn resource(
        verb: &str,
        group: &str,
        resource: &str,
        subresource: &str,
        name: &str,
    ) -> Attributes {
        Attributes {
            verb: verb.to_owned(),
            is_resource: true,
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        }
    }

    #[test]
    fn rules_allow_what_they_name() {
        let pods = rule(
            r#"{"verbs":["get","list"],"apiGroups":[""],"resources":["pods","*/scale","deployments/status"]}"#,
        );
        let named =
            rule(r#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"resourceNames":["a"]}"#);
        for (rule, attributes, expected) in [
            (&pods, resource("get", "", "pods", "", "x"), true),
            (&pods, resource("delete", "", "pods", "", "x"), false),
            (&pods, resource("get", "apps", "pods", "", "x"), false),
            (&pods, resource("get", "", "pods", "log", "x"), false),
            (&pods, resource("get", "", "anything", "scale", "x"), true),
            (
                &pods,
                resource("get", "", "deployments", "status", "x"),
                true,
            ),
            (&pods, resource("get", "", "deployments", "", "x"), false),
            (
                &named,
                resource("delete", "apps", "deployments", "scale", "a"),
                true,
            ),
            (
                &named,
                resource("list", "apps", "deployments", "", ""),
                false,
            ),
        ] {
            assert_eq!(rule.allows(&attributes), expected, "{attributes:?}");
        }
    }

    #[test]
    fn paths_end_in_a_star() {
        let rule = rule(r#"{"verbs":["get"],"nonResourceURLs":["/metrics","/custom/*"]}"#);
        for (path, expected) in [
            ("/metrics", true),
            ("/metrics/x", false),
            ("/custom/x", true),
            ("/custom", false),
        ] {
            let attributes = Attributes {
                verb: "get".to_owned(),
                path: path.to_owned(),
                ..Attributes::default()
            };
            assert_eq!(rule.allows(&attributes), expected, "{path}");
        }
    }

    #[test]
    fn subjects_are_users_groups_and_accounts() {
        let user = User {
            name: "system:serviceaccount:apps:bot".to_owned(),
            groups: vec!["system:serviceaccounts".to_owned()],
            ..User::default()
        };
        let subject = |kind: &str, name: &str, namespace: &str| Subject {
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        assert!(subject("ServiceAccount", "bot", "apps").applies_to(&user, ""));
        assert!(subject("ServiceAccount", "bot", "").applies_to(&user, "apps"));
        assert!(!subject("ServiceAccount", "bot", "other").applies_to(&user, "apps"));
        assert!(subject("Group", "system:serviceaccounts", "").applies_to(&user, ""));
        assert!(subject("User", "system:serviceaccount:apps:bot", "").applies_to(&user, ""));
        assert!(!subject("User", "bot", "").applies_to(&user, ""));
    }
}
