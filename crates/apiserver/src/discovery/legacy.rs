//! The documents `APIVersions`, `APIGroupList`, `APIGroup` and `APIResourceList`.

use object::Value;
use serde_json::json;

use crate::core::Core;
use crate::error::ApiError;
use crate::registry::{ServedGroup, ServedResource, ServedVersion};

/// The document at a path (without a slash at its end); `None` if nothing is served there.
pub(super) fn document(core: &Core, path: &str) -> Option<Result<Value, ApiError>> {
    let registry = core.registry();
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match parts.as_slice() {
        ["api"] => Some(Ok(json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [
                {"clientCIDR": "0.0.0.0/0", "serverAddress": core.config.advertise},
            ],
        }))),
        ["api", version] => Some(
            registry
                .version("", version)
                .map(|served| {
                    let mut list = resource_list("", served);
                    // The core group's list is of a time before lists had a version.
                    list.as_object_mut().map(|map| map.remove("apiVersion"));
                    list
                })
                .ok_or_else(ApiError::unknown_resource),
        ),
        ["api", ..] => Some(Err(ApiError::unknown_resource())),
        ["apis"] => {
            let groups: Vec<Value> = registry
                .groups()
                .iter()
                .filter(|group| !group.group.is_empty())
                .map(group_value)
                .collect();
            Some(Ok(
                json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}),
            ))
        }
        ["apis", group] => {
            let mut value = group_value(registry.group(group).filter(|_| !group.is_empty())?);
            value["kind"] = Value::from("APIGroup");
            value["apiVersion"] = Value::from("v1");
            Some(Ok(value))
        }
        ["apis", group, version] => {
            let group = registry.group(group).filter(|_| !group.is_empty())?;
            let served = group
                .versions
                .iter()
                .find(|served| served.version == *version);
            Some(
                served
                    .map(|served| resource_list(&group.group, served))
                    .ok_or_else(ApiError::unknown_resource),
            )
        }
        _ => None,
    }
}

fn group_value(group: &ServedGroup) -> Value {
    let version = |served: &ServedVersion| {
        json!({
            "groupVersion": format!("{}/{}", group.group, served.version),
            "version": served.version,
        })
    };
    let versions: Vec<Value> = group.versions.iter().map(version).collect();
    json!({
        "name": group.group,
        "preferredVersion": versions.first(),
        "versions": versions,
    })
}

fn resource_list(group: &str, served: &ServedVersion) -> Value {
    let group_version = object::GroupVersion::new(group, served.version.as_str()).to_string();
    let resources: Vec<Value> = served
        .resources
        .iter()
        .flat_map(|resource| resource_values(resource))
        .collect();
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    })
}

fn resource_values(resource: &ServedResource) -> Vec<Value> {
    let mut value = json!({
        "name": resource.gvr.resource,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.gvk.kind,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        value["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        value["categories"] = json!(resource.categories);
    }
    if !resource.storage_hash.is_empty() {
        value["storageVersionHash"] = json!(resource.storage_hash);
    }
    let mut values = vec![value];
    for subresource in &resource.subresources {
        let mut value = json!({
            "name": format!("{}/{}", resource.gvr.resource, subresource.name),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": subresource.gvk.kind,
            "verbs": subresource.verbs,
        });
        if subresource.gvk.group_version() != resource.gvk.group_version() {
            value["group"] = json!(subresource.gvk.group);
            value["version"] = json!(subresource.gvk.version);
        }
        values.push(value);
    }
    values
}
