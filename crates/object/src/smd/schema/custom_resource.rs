//! Types out of the schema of a CustomResourceDefinition.
//!
//! Source: apiextensions-apiserver `pkg/controller/openapi/builder` (`buildKubeNative`), whose
//! document kube-openapi `schemaconv` then converts.

use serde_json::{Map as JsonMap, Value, json};

use super::openapi::{Converter, Position, definitions};
use super::{Schema, SchemaError, Type};
use crate::smd::MAX_DEPTH;

/// The type of the metadata of an object.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// A version of a custom resource, as its definition describes it.
#[derive(Debug, Clone, Copy)]
pub struct CustomResource<'a> {
    /// `spec.versions[].schema.openAPIV3Schema`, if there is one.
    pub schema: Option<&'a Value>,
    /// `spec.preserveUnknownFields` of the definition.
    pub preserve_unknown_fields: bool,
    /// An OpenAPI document (or its map of schemas) that has `ObjectMeta`.
    pub document: &'a Value,
    /// A name for the type, for messages.
    pub name: &'a str,
}

impl Schema {
    /// The type of a custom resource.
    ///
    /// `apiVersion`, `kind` and `metadata` get the types that all objects have, and so do those of
    /// embedded resources. Without a schema everything is deduced.
    ///
    /// # Errors
    /// All the problems of the schema, such as a list of type `map` without keys.
    pub fn of_custom_resource(resource: CustomResource<'_>) -> Result<Type, SchemaError> {
        let mut converter = Converter::new(definitions(resource.document));
        let atom = match resource.schema {
            None => converter.convert(
                &json!({"type": "object"}),
                Position::new(resource.name, resource.preserve_unknown_fields),
            ),
            Some(schema) => {
                let mut schema = schema.clone();
                add_object_properties(&mut schema);
                add_embedded_properties(&mut schema, 0);
                converter.convert(
                    &schema,
                    Position::new(resource.name, resource.preserve_unknown_fields),
                )
            }
        };
        let id = converter.builder.define(resource.name, atom);
        converter.convert_pending(resource.preserve_unknown_fields);
        converter.finish(id)
    }
}

fn add_object_properties(schema: &mut Value) {
    let Value::Object(schema) = schema else {
        return;
    };
    let properties = schema
        .entry("properties")
        .or_insert_with(|| Value::Object(JsonMap::new()));
    if !properties.is_object() {
        *properties = Value::Object(JsonMap::new());
    }
    if let Value::Object(properties) = properties {
        properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
        properties.insert("kind".to_owned(), json!({"type": "string"}));
        let reference = format!("#/components/schemas/{OBJECT_META}");
        properties.insert("metadata".to_owned(), json!({"$ref": reference}));
    }
}

fn add_embedded_properties(schema: &mut Value, depth: usize) {
    // What is deeper is refused when it is converted.
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut() {
            add_embedded_properties(property, depth + 1);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below) = schema.get_mut(key) {
            add_embedded_properties(below, depth + 1);
        }
    }
    if schema.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true)) {
        add_object_properties(schema);
    }
}
