//! What definitions add to the documents.

use builtin::openapi::{Action, Endpoint, Form, group_path};
use crd::publish::{self, OpenApi};
use object::{GroupVersionKind, Map, Value};

use crate::registry::{Registry, ServedResource};

const SCALE: &str = "io.k8s.api.autoscaling.v1.Scale";

/// Adds paths and schemas of the custom resources of a document, or of all.
pub(super) fn add(
    registry: &Registry,
    document: Option<&str>,
    form: Form,
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    for resource in registry.resources() {
        let path = group_path(&resource.gvr.group, &resource.gvr.version);
        if document.is_none_or(|document| document == path) {
            add_resource(resource, form, paths, schemas);
        }
    }
}

fn add_resource(
    resource: &ServedResource,
    form: Form,
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    let Some(custom) = resource.custom() else {
        return;
    };
    let Some(version) = custom.schema() else {
        return;
    };
    let compiled = &custom.definition.compiled;
    let published = match form {
        Form::V2 => OpenApi::V2,
        Form::V3 => OpenApi::V3,
    };
    schemas.extend(publish::definitions(compiled, version, published));
    let name = |kind: &str| publish::model_name(&compiled.group, &version.name, kind);
    let schema = name(&compiled.kind);
    let list_schema = name(&compiled.list_kind);
    let scale = GroupVersionKind::new("autoscaling", "v1", "Scale");
    for route in publish::routes(compiled, version) {
        let is_scale = route.subresource == "scale";
        let actions: Vec<Action> = route
            .actions
            .iter()
            .filter_map(|name| Action::named(name))
            .collect();
        let endpoint = Endpoint {
            path: &route.path,
            group: &resource.gvr.group,
            version: &resource.gvr.version,
            kind: &resource.gvk.kind,
            object_kind: if is_scale { &scale } else { &resource.gvk },
            subresource: route.subresource,
            schema: if is_scale { SCALE } else { &schema },
            list_schema: &list_schema,
            is_builtin: false,
            can_watch: false,
            is_across: resource.namespaced && !route.path.contains("{namespace}"),
        };
        paths.insert(route.path.clone(), endpoint.item(&actions));
    }
}
