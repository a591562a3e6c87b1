//! The table of served resources: built-in kinds and established definitions.
//!
//! A [`Registry`] is immutable; a change of definitions makes a new one, which requests that begin
//! later see at once.

mod builtin;
pub mod convert;
pub mod custom;
pub mod defaults;
pub mod definitions;
pub mod schema;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use object::{GroupResource, GroupVersionKind, GroupVersionResource};

pub use crate::pipeline::Managers;
pub use custom::CustomVersion;

/// A resource in one version, as requests name it.
#[derive(Debug, Clone)]
pub struct ServedResource {
    /// Where it is served.
    pub gvr: GroupVersionResource,
    /// The kind of its objects in this version.
    pub gvk: GroupVersionKind,
    /// The kind of its lists.
    pub list_kind: String,
    /// The singular name.
    pub singular: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Short names, as `deploy`.
    pub short_names: Vec<String>,
    /// Categories, as `all`.
    pub categories: Vec<String>,
    /// The verbs, in the order of discovery.
    pub verbs: Vec<String>,
    /// The subresources, in the order of discovery.
    pub subresources: Vec<ServedSubresource>,
    /// Under which resource objects are stored: several versions, and for events two groups, share it.
    pub storage: GroupResource,
    /// The kind and version in which objects are stored.
    pub storage_gvk: GroupVersionKind,
    /// What discovery shows as `storageVersionHash`; empty where nothing is stored.
    pub storage_hash: String,
    /// Built in, or from a definition.
    pub kind: ResourceKind,
    /// The field managers, made on first use.
    pub managers: Arc<Managers>,
}

/// A subresource.
#[derive(Debug, Clone)]
pub struct ServedSubresource {
    /// Its name, as `status`.
    pub name: String,
    /// The kind of what is read and written there.
    pub gvk: GroupVersionKind,
    /// The verbs.
    pub verbs: Vec<String>,
}

/// Where the knowledge about a resource comes from.
#[derive(Debug, Clone)]
pub enum ResourceKind {
    /// `builtin::facts` and `builtin::strategy`.
    Builtin,
    /// A CustomResourceDefinition, in one of its versions.
    Custom(Arc<CustomVersion>),
}

impl ServedResource {
    /// Its group and resource, as messages name it.
    pub fn group_resource(&self) -> GroupResource {
        self.gvr.group_resource()
    }

    /// The subresource of that name.
    pub fn subresource(&self, name: &str) -> Option<&ServedSubresource> {
        self.subresources.iter().find(|known| known.name == name)
    }

    /// Whether it has a verb.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// The definition it comes from, if it is not built in.
    pub fn custom(&self) -> Option<&Arc<CustomVersion>> {
        match &self.kind {
            ResourceKind::Builtin => None,
            ResourceKind::Custom(custom) => Some(custom),
        }
    }

    /// Whether it is served in the version in which it is stored, so that stored bytes can be
    /// answered as they are.
    pub fn is_storage_version(&self) -> bool {
        self.gvk == self.storage_gvk
    }
}

/// A version of a group.
#[derive(Debug, Clone, Default)]
pub struct ServedVersion {
    /// The version.
    pub version: String,
    /// Its resources, in the order of discovery.
    pub resources: Vec<Arc<ServedResource>>,
    index: HashMap<String, usize>,
}

/// A group.
#[derive(Debug, Clone, Default)]
pub struct ServedGroup {
    /// The group; empty for the core group.
    pub group: String,
    /// Its versions, the preferred first.
    pub versions: Vec<ServedVersion>,
}

/// All that is served. See the [module](self).
#[derive(Debug, Clone, Default)]
pub struct Registry {
    groups: Vec<ServedGroup>,
    index: HashMap<String, usize>,
    /// Counts the changes; part of discovery's entity tags.
    pub generation: u64,
}

impl Registry {
    /// The built-in kinds.
    pub fn builtin() -> Self {
        builtin::registry()
    }

    /// The groups, in the order of discovery.
    pub fn groups(&self) -> &[ServedGroup] {
        &self.groups
    }

    /// A group.
    pub fn group(&self, group: &str) -> Option<&ServedGroup> {
        self.index.get(group).map(|index| &self.groups[*index])
    }

    /// A version of a group.
    pub fn version(&self, group: &str, version: &str) -> Option<&ServedVersion> {
        self.group(group)?
            .versions
            .iter()
            .find(|served| served.version == version)
    }

    /// A resource.
    pub fn resource(
        &self,
        group: &str,
        version: &str,
        resource: &str,
    ) -> Option<&Arc<ServedResource>> {
        let served = self.version(group, version)?;
        served
            .index
            .get(resource)
            .map(|index| &served.resources[*index])
    }

    /// The resource of a kind.
    pub fn resource_of(&self, gvk: &GroupVersionKind) -> Option<&Arc<ServedResource>> {
        self.version(&gvk.group, &gvk.version)?
            .resources
            .iter()
            .find(|resource| resource.gvk == *gvk)
    }

    /// A resource in the preferred version of its group that has it.
    pub fn preferred(&self, resource: &GroupResource) -> Option<&Arc<ServedResource>> {
        let group = self.group(&resource.group)?;
        group.versions.iter().find_map(|served| {
            served
                .index
                .get(&resource.resource)
                .map(|index| &served.resources[*index])
        })
    }

    /// All resources in all versions.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<ServedResource>> {
        self.groups
            .iter()
            .flat_map(|group| &group.versions)
            .flat_map(|version| &version.resources)
    }

    /// The resources that hold objects, each stored resource once, in its preferred version.
    pub fn stored(&self) -> Vec<Arc<ServedResource>> {
        let mut seen = BTreeMap::new();
        for resource in self.resources() {
            if resource.has_verb("list") && !resource.storage_hash.is_empty() {
                seen.entry(resource.storage.clone())
                    .or_insert_with(|| Arc::clone(resource));
            }
        }
        seen.into_values().collect()
    }

    /// Adds a resource; its group and version are appended where they are new.
    pub(crate) fn add(&mut self, resource: ServedResource) {
        let group = resource.gvr.group.clone();
        let version = resource.gvr.version.clone();
        self.ensure_version(&group, &version);
        let index = self.index[&group];
        if let Some(served) = self.groups[index]
            .versions
            .iter_mut()
            .find(|served| served.version == version)
        {
            let name = resource.gvr.resource.clone();
            match served.index.get(&name) {
                Some(place) => served.resources[*place] = Arc::new(resource),
                None => {
                    served.index.insert(name, served.resources.len());
                    served.resources.push(Arc::new(resource));
                }
            }
        }
    }

    /// Makes sure that a version of a group is there, even without resources.
    pub(crate) fn ensure_version(&mut self, group: &str, version: &str) {
        let index = *self.index.entry(group.to_owned()).or_insert_with(|| {
            self.groups.push(ServedGroup {
                group: group.to_owned(),
                versions: Vec::new(),
            });
            self.groups.len() - 1
        });
        let versions = &mut self.groups[index].versions;
        if !versions.iter().any(|served| served.version == version) {
            versions.push(ServedVersion {
                version: version.to_owned(),
                ..ServedVersion::default()
            });
        }
    }
}
