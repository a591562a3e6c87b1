//! What definitions add to the documents.

use builtin::openapi::{Form, group_path};
use crd::publish::{self, OpenApi};
use object::{Map, Value};

use crate::registry::{Registry, ServedResource};

/// Adds paths and schemas of the custom resources of a document, or of all. Paths are in the form of
/// version 3, as those of built-in kinds are.
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
    paths.extend(publish::paths(compiled, version, OpenApi::V3));
}
