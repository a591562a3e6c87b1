//! The list of objects that a Kustomization or HelmRelease applied.

use std::fmt;
use std::str::FromStr;

use api_derive::shape;

/// The objects that belong to a Kustomization or HelmRelease.
#[shape]
pub struct Inventory {
    /// One entry for each object.
    pub entries: Vec<ResourceRef>,
}

/// An entry of an inventory.
#[shape]
pub struct ResourceRef {
    /// The object, as `<namespace>_<name>_<group>_<kind>`.
    pub id: String,
    /// The API version in which it was applied.
    #[shape(name = "v")]
    pub version: String,
}

/// Which object an inventory entry stands for.
///
/// Source: cli-utils, `object.ObjMetadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The namespace; empty for an object of the cluster.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
}

/// Why a text is no inventory entry; the texts are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// There are fewer than four parts.
    #[error("unable to parse stored object metadata: {0}")]
    TooFewFields(String),
    /// There are more than four parts.
    #[error("too many fields within: {0}")]
    TooManyFields(String),
}

impl ObjectId {
    /// Whether names of this kind may hold a colon, which an entry writes as `__`.
    fn is_rbac(&self) -> bool {
        self.group == "rbac.authorization.k8s.io"
            && matches!(
                self.kind.as_str(),
                "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding"
            )
    }

    /// The entry for this object, applied in `version`.
    pub fn to_entry(&self, version: &str) -> ResourceRef {
        ResourceRef {
            id: self.to_string(),
            version: version.to_owned(),
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespace,
            name,
            group,
            kind,
        } = self;
        if self.is_rbac() {
            let name = name.replace(':', "__");
            return write!(f, "{namespace}_{name}_{group}_{kind}");
        }
        write!(f, "{namespace}_{name}_{group}_{kind}")
    }
}

impl FromStr for ObjectId {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let too_few = |rest: &str| EntryError::TooFewFields(rest.to_owned());
        let (namespace, rest) = text.split_once('_').ok_or_else(|| too_few(text))?;
        let (rest, kind) = rest.rsplit_once('_').ok_or_else(|| too_few(rest))?;
        let (name, group) = rest.rsplit_once('_').ok_or_else(|| too_few(rest))?;
        let name = name.replace("__", ":");
        if name.contains('_') {
            return Err(EntryError::TooManyFields(rest.to_owned()));
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            name,
            group: group.to_owned(),
            kind: kind.to_owned(),
        })
    }
}

impl ResourceRef {
    /// The object this entry stands for.
    pub fn object_id(&self) -> Result<ObjectId, EntryError> {
        self.id.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(namespace: &str, name: &str, group: &str, kind: &str) -> ObjectId {
        ObjectId {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
            kind: kind.to_owned(),
        }
    }

    #[test]
    fn reads_what_it_writes() {
        for (id, text) in [
            (
                id("apps", "web", "apps", "Deployment"),
                "apps_web_apps_Deployment",
            ),
            (id("apps", "web", "", "Service"), "apps_web__Service"),
            (id("", "apps", "", "Namespace"), "_apps__Namespace"),
            (
                id(
                    "",
                    "system:node",
                    "rbac.authorization.k8s.io",
                    "ClusterRole",
                ),
                "_system__node_rbac.authorization.k8s.io_ClusterRole",
            ),
        ] {
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse(), Ok(id), "{text}");
        }
    }

    #[test]
    fn refuses_other_counts_of_parts() {
        for text in ["", "a", "a_b", "a_b_c"] {
            assert!(
                matches!(text.parse::<ObjectId>(), Err(EntryError::TooFewFields(_))),
                "{text}"
            );
        }
        assert_eq!(
            "a_b_c_d_e".parse::<ObjectId>().unwrap_err().to_string(),
            "too many fields within: b_c_d"
        );
    }
}
