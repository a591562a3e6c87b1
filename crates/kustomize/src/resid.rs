//! Kinds and identities of resources, as kyaml's `resid` compares and prints them.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use yaml::{Node, Text};

use crate::Profile;

/// The namespace that cluster-scoped resources are put under for comparisons.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";

/// Group, version and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Gvk {
    pub(crate) group: Text,
    pub(crate) version: Text,
    pub(crate) kind: Text,
}

impl Gvk {
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = split_api_version(api_version);
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether every field that `selector` sets is the same here.
    pub(crate) fn is_selected(&self, selector: &Self) -> bool {
        let fits = |wanted: &Text, have: &Text| wanted.is_empty() || wanted == have;
        fits(&selector.kind, &self.kind)
            && fits(&selector.group, &self.group)
            && fits(&selector.version, &self.version)
    }

    /// The order of kinds in which field specs and, by default, objects are sorted.
    pub(crate) fn sort_key(&self) -> (i32, String) {
        (kind_rank(&self.kind), self.sort_text())
    }

    pub(crate) fn sort_text(&self) -> String {
        let or = |text: &Text, none: &str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.to_string()
            }
        };
        format!(
            "{}_{}_{}",
            or(&self.group, "~G"),
            or(&self.version, "~V"),
            or(&self.kind, "~K")
        )
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &Text, none: &'static str| {
            if text.is_empty() {
                Text::from(none)
            } else {
                text.clone()
            }
        };
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

pub(crate) const ORDER_FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
pub(crate) const ORDER_LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

fn kind_rank(kind: &str) -> i32 {
    let position = |list: &[&str]| {
        list.iter()
            .position(|name| *name == kind)
            .map(|at| at as i32)
    };
    match (position(&ORDER_FIRST), position(&ORDER_LAST)) {
        (Some(at), _) => at - ORDER_FIRST.len() as i32,
        (None, Some(at)) => 1 + at,
        (None, None) => 0,
    }
}

/// What identifies a resource. `cluster` is set for kinds that certainly have no namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct ResId {
    pub(crate) gvk: Gvk,
    pub(crate) name: Text,
    pub(crate) namespace: Text,
    pub(crate) cluster: bool,
}

impl ResId {
    /// The namespace for comparisons: `default` for none.
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.cluster {
            NO_NAMESPACE
        } else if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    /// Whether both stand for the same object.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.gvk == other.gvk
            && self.effective_namespace() == other.effective_namespace()
    }

    pub(crate) fn same_namespace(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    pub(crate) fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.same_namespace(self))
            && self.gvk.is_selected(&selector.gvk)
    }

    /// A key that is equal for the same objects.
    pub(crate) fn key(&self) -> IdKey {
        (
            self.gvk.clone(),
            self.name.clone(),
            Text::from(self.effective_namespace()),
        )
    }

    /// Go's `%#v`.
    pub(crate) fn go_syntax(&self) -> String {
        format!(
            "resid.ResId{{Gvk:resid.Gvk{{Group:{:?}, Version:{:?}, Kind:{:?}, isClusterScoped:{}}}, Name:{:?}, Namespace:{:?}}}",
            self.gvk.group.as_str(),
            self.gvk.version.as_str(),
            self.gvk.kind.as_str(),
            self.cluster,
            self.name.as_str(),
            self.namespace.as_str()
        )
    }
}

/// See [`ResId::key`].
pub(crate) type IdKey = (Gvk, Text, Text);

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() {
            "[noName]"
        } else {
            &self.name
        };
        let namespace = if self.namespace.is_empty() {
            "[noNs]"
        } else {
            &self.namespace
        };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}

/// By API version and kind: whether it has a namespace, whether all profiles know it.
type Scopes = HashMap<(&'static str, &'static str), (bool, bool)>;

/// Scopes of built-in kinds: `data/scopes.txt`.
static SCOPES: LazyLock<Scopes> = LazyLock::new(|| {
    let mut scopes = HashMap::new();
    for line in include_str!("../data/scopes.txt").lines() {
        let words: Vec<_> = line.split(' ').collect();
        if let ["C" | "N", api_version, kind, rest @ ..] = words.as_slice() {
            scopes.insert((*api_version, *kind), (words[0] == "N", rest.is_empty()));
        }
    }
    scopes
});

/// Whether a built-in kind is in namespaces; none for a kind that Kustomize does not know.
pub(crate) fn built_in_scope(api_version: &str, kind: &str, profile: Profile) -> Option<bool> {
    let (namespaced, since_581) = SCOPES.get(&(api_version, kind))?;
    (*since_581 || profile == Profile::Command).then_some(*namespaced)
}

/// The text of a root field (`kind`, `apiVersion`).
pub(crate) fn root_text<'a>(node: &'a Node, field: &str) -> &'a str {
    node.get(field).map_or("", |value| &value.value)
}

/// The text of a field of `metadata`, unless it is null or empty.
pub(crate) fn meta_text<'a>(node: &'a Node, field: &str) -> &'a str {
    node.get("metadata")
        .filter(|metadata| !metadata.is_nil_or_empty())
        .and_then(|metadata| metadata.get(field))
        .filter(|value| !value.is_nil_or_empty())
        .map_or("", |value| &value.value)
}

/// The distinct names of identities.
pub(crate) fn plain_names(ids: &[ResId]) -> Vec<Text> {
    let mut names: Vec<Text> = Vec::with_capacity(1);
    for id in ids {
        if !names.contains(&id.name) {
            names.push(id.name.clone());
        }
    }
    names
}
