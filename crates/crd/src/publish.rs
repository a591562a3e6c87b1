//! The schemas of a version as the API server publishes them in its OpenAPI documents.
//!
//! Source: apiextensions-apiserver `pkg/controller/openapi/builder`, `pkg/controller/openapi/v2`.

mod operations;
mod reduce;

use serde_json::{Map, Value, json};

use crate::compiled::{Compiled, VersionSchema};
use crate::schema::{Additional, Restrictions, Schema, rules_json};

pub use operations::paths;

const CONVENTIONS: &str =
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenApi {
    /// Version 2, which has no `anyOf`, no `nullable` and the like.
    V2,
    /// Version 3.
    V3,
}

impl OpenApi {
    /// What stands before the name of a schema in a reference.
    fn prefix(self) -> &'static str {
        match self {
            Self::V2 => "#/definitions/",
            Self::V3 => "#/components/schemas/",
        }
    }
}

/// The name of a kind's schema in an OpenAPI document: `test.example.v1.Widget`.
pub fn model_name(group: &str, version: &str, kind: &str) -> String {
    let mut parts: Vec<&str> = group.split('.').collect();
    parts.reverse();
    format!("{}.{version}.{kind}", parts.join("."))
}

/// The schemas of the objects of a version and of lists of them, by their names.
pub fn definitions(
    definition: &Compiled,
    version: &VersionSchema,
    form: OpenApi,
) -> Map<String, Value> {
    let name = |kind: &str| model_name(&definition.group, &version.name, kind);
    let mut definitions = Map::new();
    definitions.insert(
        name(&definition.kind),
        object_schema(definition, version, form),
    );
    definitions.insert(
        name(&definition.list_kind),
        list_schema(definition, version, form),
    );
    definitions
}

fn reference(name: &str, description: &str, form: OpenApi) -> Value {
    match form {
        OpenApi::V2 => json!({"$ref": format!("#/definitions/{name}"), "description": description}),
        // Beside a reference nothing else may stand in version 3.
        OpenApi::V3 => json!({
            "description": description,
            "allOf": [{"$ref": format!("#/components/schemas/{name}")}],
        }),
    }
}

fn type_meta(properties: &mut Map<String, Value>) {
    let api_version = format!(
        "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: {CONVENTIONS}#resources"
    );
    let kind = format!(
        "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: {CONVENTIONS}#types-kinds"
    );
    properties.insert(
        "apiVersion".to_owned(),
        json!({"type": "string", "description": api_version}),
    );
    properties.insert(
        "kind".to_owned(),
        json!({"type": "string", "description": kind}),
    );
}

fn metadata(form: OpenApi) -> Value {
    let description = format!("Standard object's metadata. More info: {CONVENTIONS}#metadata");
    reference(OBJECT_META, &description, form)
}

fn mark(
    schema: &mut Map<String, Value>,
    definition: &Compiled,
    version: &VersionSchema,
    kind: &str,
) {
    schema.insert(
        "x-kubernetes-group-version-kind".to_owned(),
        json!([{"group": definition.group, "version": version.name, "kind": kind}]),
    );
    if !version.selectable_fields.is_empty() {
        let fields: Vec<Value> = version
            .selectable_fields
            .iter()
            .map(|path| json!({"fieldPath": path}))
            .collect();
        schema.insert("x-kubernetes-selectable-fields".to_owned(), fields.into());
    }
}

fn properties_of(schema: &mut Map<String, Value>) -> &mut Map<String, Value> {
    let properties = schema
        .entry("properties")
        .or_insert_with(|| Value::Object(Map::new()));
    if !properties.is_object() {
        *properties = Value::Object(Map::new());
    }
    properties
        .as_object_mut()
        .expect("it was just made an object")
}

fn object_schema(definition: &Compiled, version: &VersionSchema, form: OpenApi) -> Value {
    let schema = version.schema();
    let is_opaque = *schema == Schema::default() || form == OpenApi::V2 && schema.preserve_unknown;
    let mut published = if is_opaque {
        Map::from_iter([("type".to_owned(), json!("object"))])
    } else {
        let unfolded = reduce::unfold(schema);
        let reduced = if form == OpenApi::V2 {
            reduce::to_v2(&unfolded)
        } else {
            unfolded
        };
        let mut published = to_json(&reduced, false, form);
        let properties = properties_of(&mut published);
        properties.insert("metadata".to_owned(), metadata(form));
        type_meta(properties);
        published
    };
    mark(&mut published, definition, version, &definition.kind);
    Value::Object(published)
}

fn list_schema(definition: &Compiled, version: &VersionSchema, form: OpenApi) -> Value {
    let name = model_name(&definition.group, &version.name, &definition.kind);
    let prefix = form.prefix();
    let items = format!("List of {}. More info: {CONVENTIONS}", definition.plural);
    let list_metadata = format!("Standard list metadata. More info: {CONVENTIONS}#types-kinds");
    let mut properties = Map::new();
    type_meta(&mut properties);
    properties.insert(
        "items".to_owned(),
        json!({
            "type": "array",
            "description": items,
            "items": {"$ref": format!("{prefix}{name}")},
        }),
    );
    properties.insert(
        "metadata".to_owned(),
        reference(LIST_META, &list_metadata, form),
    );
    let mut schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        (
            "description".to_owned(),
            format!("{} is a list of {}", definition.list_kind, definition.kind).into(),
        ),
        ("required".to_owned(), json!(["items"])),
        ("properties".to_owned(), Value::Object(properties)),
    ]);
    mark(&mut schema, definition, version, &definition.list_kind);
    Value::Object(schema)
}

fn set(out: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    out.insert(key.to_owned(), value.into());
}

/// A schema as OpenAPI; `nested` below a junctor, where only what restricts is written.
fn to_json(schema: &Schema, nested: bool, form: OpenApi) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, text) in [
        ("type", &schema.kind),
        ("description", &schema.description),
        ("title", &schema.title),
    ] {
        if !text.is_empty() {
            set(&mut out, key, text.as_str());
        }
    }
    if schema.nullable {
        set(&mut out, "nullable", true);
    }
    if let Some(default) = &schema.default {
        set(&mut out, "default", default.clone());
    }
    if let Some(items) = &schema.items {
        set(&mut out, "items", to_json(items, nested, form));
    }
    if !schema.properties.is_empty() {
        let properties: Map<String, Value> = schema
            .properties
            .iter()
            .map(|(name, field)| (name.clone(), Value::Object(to_json(field, nested, form))))
            .collect();
        set(&mut out, "properties", properties);
    }
    match &schema.additional {
        _ if nested => {}
        Some(Additional::Allowed(allowed)) => set(&mut out, "additionalProperties", *allowed),
        Some(Additional::Schema(values)) => {
            set(
                &mut out,
                "additionalProperties",
                to_json(values, nested, form),
            );
        }
        None => {}
    }
    restrictions(&schema.value, &mut out, form);
    extensions(schema, &mut out);
    if schema.embedded && !(form == OpenApi::V2 && schema.preserve_unknown) {
        embedded(&mut out, form);
    }
    out
}

fn extensions(schema: &Schema, out: &mut Map<String, Value>) {
    for (is_set, key) in [
        (
            schema.preserve_unknown,
            "x-kubernetes-preserve-unknown-fields",
        ),
        (schema.embedded, "x-kubernetes-embedded-resource"),
        (schema.int_or_string, "x-kubernetes-int-or-string"),
    ] {
        if is_set {
            set(out, key, true);
        }
    }
    if !schema.list_map_keys.is_empty() {
        set(
            out,
            "x-kubernetes-list-map-keys",
            schema.list_map_keys.clone(),
        );
    }
    for (kind, key) in [
        (&schema.list_type, "x-kubernetes-list-type"),
        (&schema.map_type, "x-kubernetes-map-type"),
    ] {
        if let Some(kind) = kind {
            set(out, key, kind.as_str());
        }
    }
    if !schema.rules.is_empty() {
        set(out, "x-kubernetes-validations", rules_json(&schema.rules));
    }
}

fn restrictions(value: &Restrictions, out: &mut Map<String, Value>, form: OpenApi) {
    for (key, text) in [("format", &value.format), ("pattern", &value.pattern)] {
        if !text.is_empty() {
            set(out, key, text.as_str());
        }
    }
    for (key, number) in [
        ("maximum", value.maximum),
        ("minimum", value.minimum),
        ("multipleOf", value.multiple_of),
    ] {
        if let Some(number) = number {
            set(out, key, whole_if_possible(number));
        }
    }
    for (key, flag) in [
        ("exclusiveMaximum", value.exclusive_maximum),
        ("exclusiveMinimum", value.exclusive_minimum),
        ("uniqueItems", value.unique_items),
    ] {
        if flag {
            set(out, key, true);
        }
    }
    for (key, number) in [
        ("maxLength", value.max_length),
        ("minLength", value.min_length),
        ("maxItems", value.max_items),
        ("minItems", value.min_items),
        ("maxProperties", value.max_properties),
        ("minProperties", value.min_properties),
    ] {
        if let Some(number) = number {
            set(out, key, number);
        }
    }
    if let Some(allowed) = &value.allowed {
        set(out, "enum", allowed.clone());
    }
    if !value.required.is_empty() {
        set(out, "required", value.required.clone());
    }
    for (key, branches) in [
        ("allOf", &value.all_of),
        ("anyOf", &value.any_of),
        ("oneOf", &value.one_of),
    ] {
        if !branches.is_empty() {
            let branches: Vec<Value> = branches
                .iter()
                .map(|branch| Value::Object(to_json(branch, true, form)))
                .collect();
            set(out, key, branches);
        }
    }
    if let Some(not) = &value.not {
        set(out, "not", to_json(not, true, form));
    }
}

/// Go writes a float without a fraction as a whole number.
fn whole_if_possible(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

/// An embedded resource has a type and metadata.
fn embedded(out: &mut Map<String, Value>, form: OpenApi) {
    let api_version = format!(
        "apiVersion defines the versioned schema of this representation of an object. More info: {CONVENTIONS}#resources"
    );
    let kind = format!(
        "kind is a string value representing the type of this object. In CamelCase. More info: {CONVENTIONS}#types-kinds"
    );
    let properties = properties_of(out);
    properties.insert(
        "apiVersion".to_owned(),
        json!({"type": "string", "description": api_version}),
    );
    properties.insert(
        "kind".to_owned(),
        json!({"type": "string", "description": kind}),
    );
    properties.insert("metadata".to_owned(), metadata(form));
    let required = out.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        for name in ["kind", "apiVersion"] {
            if !required.iter().any(|known| known == name) {
                required.push(name.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(schema: &Value, form: OpenApi) -> Map<String, Value> {
        let compiled = crate::compile(&json!({"spec": {
            "group": "bar.k8s.io",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo", "listKind": "FooList"},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": schema},
                "selectableFields": [{"jsonPath": ".spec.a"}],
            }],
        }}))
        .expect("the schema can be read");
        definitions(&compiled, &compiled.versions["v1"], form)
    }

    fn field(schema: &Value, form: OpenApi) -> Value {
        let root = json!({"type": "object", "properties": {"a": schema}});
        published(&root, form)["io.k8s.bar.v1.Foo"]["properties"]["a"].clone()
    }

    #[test]
    fn objects_and_lists_carry_their_kinds() {
        let definitions = published(&json!({"type": "object"}), OpenApi::V2);
        let foo = &definitions["io.k8s.bar.v1.Foo"];
        let list = &definitions["io.k8s.bar.v1.FooList"];
        assert_eq!(
            foo["properties"]["metadata"]["$ref"],
            "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
        );
        assert_eq!(
            list["x-kubernetes-group-version-kind"],
            json!([{"group": "bar.k8s.io", "version": "v1", "kind": "FooList"}])
        );
        assert_eq!(
            list["properties"]["items"]["items"],
            json!({"$ref": "#/definitions/io.k8s.bar.v1.Foo"})
        );
        assert_eq!(
            foo["x-kubernetes-selectable-fields"],
            json!([{"fieldPath": "spec.a"}])
        );
    }

    #[test]
    fn version_2_says_nothing_of_objects_with_unknown_fields() {
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let definitions = published(&schema, OpenApi::V2);
        assert_eq!(definitions["io.k8s.bar.v1.Foo"]["type"], "object");
        assert!(definitions["io.k8s.bar.v1.Foo"].get("properties").is_none());
    }

    #[test]
    fn integers_or_strings_are_written_out_in_version_3() {
        let either = json!([{"type": "integer"}, {"type": "string"}]);
        let plain = json!({"x-kubernetes-int-or-string": true});
        assert_eq!(field(&plain, OpenApi::V2), plain);
        assert_eq!(
            field(&plain, OpenApi::V3),
            json!({"x-kubernetes-int-or-string": true, "anyOf": either})
        );
        let restricted = json!({"x-kubernetes-int-or-string": true, "anyOf": [{"minimum": 42}]});
        assert_eq!(field(&restricted, OpenApi::V2), plain);
        assert_eq!(
            field(&restricted, OpenApi::V3)["allOf"],
            json!([{"anyOf": either}])
        );
    }

    #[test]
    fn what_may_be_null_has_no_type_in_version_2() {
        let schema = json!({"type": "string", "nullable": true, "minLength": 1});
        assert_eq!(field(&schema, OpenApi::V2), json!({"minLength": 1}));
        assert_eq!(field(&schema, OpenApi::V3), schema);
    }

    #[test]
    fn embedded_resources_have_metadata() {
        let schema = json!({
            "type": "object",
            "x-kubernetes-embedded-resource": true,
            "properties": {"spec": {"type": "object"}},
        });
        let embedded = field(&schema, OpenApi::V3);
        assert_eq!(embedded["required"], json!(["kind", "apiVersion"]));
        assert!(embedded["properties"]["metadata"].is_object());
        let open = json!({
            "type": "object",
            "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true,
        });
        assert_eq!(
            field(&open, OpenApi::V2),
            json!({
                "x-kubernetes-embedded-resource": true,
                "x-kubernetes-preserve-unknown-fields": true,
            })
        );
    }
}
