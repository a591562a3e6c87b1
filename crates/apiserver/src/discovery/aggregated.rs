//! The aggregated form: all groups in one `APIGroupDiscoveryList`.

use object::{GroupVersion, GroupVersionKind, Value};
use serde_json::json;

use crate::core::Core;
use crate::registry::{ServedGroup, ServedResource, ServedVersion};

/// The document of `/api` or `/apis`.
pub(super) fn document(core: &Core, is_core: bool) -> Value {
    let registry = core.registry();
    let items: Vec<Value> = registry
        .groups()
        .iter()
        .filter(|group| group.group.is_empty() == is_core)
        .map(group_value)
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    })
}

fn group_value(group: &ServedGroup) -> Value {
    let metadata = if group.group.is_empty() {
        json!({})
    } else {
        json!({"name": group.group})
    };
    let versions: Vec<Value> = group.versions.iter().map(version_value).collect();
    json!({"metadata": metadata, "versions": versions})
}

fn version_value(served: &ServedVersion) -> Value {
    let resources: Vec<Value> = served
        .resources
        .iter()
        .map(|resource| resource_value(resource))
        .collect();
    json!({"version": served.version, "resources": resources, "freshness": "Current"})
}

/// The kind answered; group and version are left empty where they are those of the document.
fn response_kind(kind: &GroupVersionKind, own: &GroupVersion) -> Value {
    if kind.group_version() == *own {
        json!({"group": "", "version": "", "kind": kind.kind})
    } else {
        json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
    }
}

fn resource_value(resource: &ServedResource) -> Value {
    let own = resource.gvr.group_version();
    let mut value = json!({
        "resource": resource.gvr.resource,
        "responseKind": response_kind(&resource.gvk, &own),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        value["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        value["categories"] = json!(resource.categories);
    }
    let subresources: Vec<Value> = resource
        .subresources
        .iter()
        .map(|subresource| {
            json!({
                "subresource": subresource.name,
                "responseKind": response_kind(&subresource.gvk, &own),
                "verbs": subresource.verbs,
            })
        })
        .collect();
    if !subresources.is_empty() {
        value["subresources"] = Value::from(subresources);
    }
    value
}
