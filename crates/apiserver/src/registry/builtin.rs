//! The built-in kinds, from the facts.

use std::sync::Arc;

use ::builtin::facts::{Resource, facts};
use object::{GroupResource, GroupVersionKind};

use super::{Registry, ResourceKind, ServedResource, ServedSubresource};

/// All built-in groups, versions and resources, in the order of kube-apiserver's discovery.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    for group in &facts().groups {
        for version in &group.versions {
            registry.ensure_version(&group.name, version);
        }
    }
    for resource in facts().resources() {
        registry.add(served(resource));
    }
    registry
}

fn served(resource: &Resource) -> ServedResource {
    let (storage, storage_gvk) = storage_of(resource);
    ServedResource {
        gvr: resource.gvr.clone(),
        gvk: resource.gvk.clone(),
        list_kind: format!("{}List", resource.gvk.kind),
        singular: resource.singular.clone(),
        namespaced: resource.namespaced,
        short_names: resource.short_names.clone(),
        categories: resource.categories.clone(),
        verbs: resource.verbs.clone(),
        subresources: resource
            .subresources
            .iter()
            .map(|subresource| ServedSubresource {
                name: subresource.gvr.resource.clone(),
                gvk: subresource.gvk.clone(),
                verbs: subresource.verbs.clone(),
            })
            .collect(),
        storage,
        storage_gvk,
        storage_hash: resource.storage_version_hash.clone(),
        kind: ResourceKind::Builtin,
        managers: Arc::default(),
    }
}

/// Where objects are kept, and in which version: events of both groups are the same objects, stored
/// as core ones; otherwise it is the group's preferred version that has the resource.
fn storage_of(resource: &Resource) -> (GroupResource, GroupVersionKind) {
    let gvr = &resource.gvr;
    if gvr.group == "events.k8s.io" {
        return (
            GroupResource::new("", "events"),
            GroupVersionKind::new("", "v1", "Event"),
        );
    }
    let preferred = facts()
        .groups
        .iter()
        .find(|group| group.name == gvr.group)
        .and_then(|group| {
            group.versions.iter().find(|version| {
                let mut other = gvr.clone();
                other.version.clone_from(version);
                facts().resource(&other).is_some()
            })
        });
    let version = preferred.unwrap_or(&gvr.version);
    (
        gvr.group_resource(),
        GroupVersionKind::new(
            gvr.group.as_str(),
            version.as_str(),
            resource.gvk.kind.as_str(),
        ),
    )
}
