//! The types of the built-in kinds as an OpenAPI document, and what is made of it: the types of
//! structured merge and of strategic merge patches. Each is made on first use.

use std::sync::{Arc, LazyLock};

use ::builtin::facts::{Field, FieldType, Type, facts};
use object::smd::managed_fields::{VersionError, Versions};
use object::smd::schema::{self, Schema};
use object::strategic::PatchTypes;
use object::{GroupVersion, GroupVersionKind, Map, Value};
use parking_lot::RwLock;
use serde_json::json;
use std::collections::HashMap;

/// All types as `definitions` of an OpenAPI v2 document, without descriptions.
pub fn definitions() -> &'static Value {
    static DEFINITIONS: LazyLock<Value> = LazyLock::new(|| {
        let mut all = Map::new();
        for described in facts().types() {
            all.insert(described.name.clone(), definition(described));
        }
        json!({ "definitions": all })
    });
    &DEFINITIONS
}

/// The types as strategic merge patches see them.
pub fn patch_types() -> &'static PatchTypes {
    static TYPES: LazyLock<PatchTypes> = LazyLock::new(|| PatchTypes::from_openapi(definitions()));
    &TYPES
}

/// The structured merge type of a built-in kind.
pub fn merge_type(kind: &GroupVersionKind) -> Option<schema::Type> {
    static TYPES: LazyLock<RwLock<HashMap<GroupVersionKind, schema::Type>>> =
        LazyLock::new(RwLock::default);
    if let Some(known) = TYPES.read().get(kind) {
        return Some(known.clone());
    }
    let described = facts().type_at(facts().type_of(kind)?);
    let made = Schema::from_openapi(definitions(), &described.name, false)
        .inspect_err(|error| tracing::error!(%kind, %error, "no schema for a built-in kind"))
        .ok()?;
    TYPES.write().insert(kind.clone(), made.clone());
    Some(made)
}

/// The empty object of a built-in kind, as Go has it before anything is decoded into it.
pub fn empty_object(kind: &GroupVersionKind) -> Value {
    let Some(id) = facts().type_of(kind) else {
        return Value::Object(Map::new());
    };
    let mut empty = ::builtin::decode::zero(&FieldType::Struct(id));
    if let Some(metadata) = empty.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("creationTimestamp");
    }
    empty
}

/// The versions of the built-in kinds.
#[derive(Debug)]
pub struct BuiltinVersions;

impl Versions for BuiltinVersions {
    fn type_of(&self, kind: &GroupVersionKind) -> Option<schema::Type> {
        merge_type(kind)
    }

    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, VersionError> {
        let kind = GroupVersionKind::of(object);
        let target = to.with_kind(kind.kind.as_str());
        if facts().type_of(&target).is_none() {
            return Err(VersionError::NotRegistered(to.clone()));
        }
        Ok(super::convert::convert(object.clone(), &target))
    }
}

/// The versions of the built-in kinds, shared.
pub fn versions() -> Arc<dyn Versions> {
    Arc::new(BuiltinVersions)
}

fn definition(described: &Type) -> Value {
    let mut schema = if described.custom {
        custom(described)
    } else {
        object_schema(described)
    };
    if let Some(map_type) = &described.map_type {
        schema["x-kubernetes-map-type"] = json!(map_type);
    }
    if !described.kinds.is_empty() {
        let kinds: Vec<Value> = described
            .kinds
            .iter()
            .map(|kind| json!({"group": kind.group, "version": kind.version, "kind": kind.kind}))
            .collect();
        schema["x-kubernetes-group-version-kind"] = Value::from(kinds);
    }
    schema
}

/// Types with a JSON form of their own.
fn custom(described: &Type) -> Value {
    match described.go_name.as_str() {
        "IntOrString" => json!({"type": "string", "format": "int-or-string"}),
        "Time" | "MicroTime" => json!({"type": "string", "format": "date-time"}),
        "Quantity" | "Duration" => json!({"type": "string"}),
        "FieldsV1" | "RawExtension" => json!({"type": "object"}),
        _ => json!({}),
    }
}

fn object_schema(described: &Type) -> Value {
    let mut properties = Map::new();
    for field in described.fields() {
        properties.insert(field.name.clone(), property(field));
    }
    let mut schema = json!({"type": "object"});
    if !properties.is_empty() {
        schema["properties"] = Value::Object(properties);
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = type_schema(&field.field_type);
    let extensions = [
        ("x-kubernetes-list-type", &field.list_type),
        ("x-kubernetes-map-type", &field.map_type),
        ("x-kubernetes-patch-strategy", &field.patch_strategy),
        ("x-kubernetes-patch-merge-key", &field.patch_merge_key),
    ];
    for (name, value) in extensions {
        if let Some(value) = value {
            schema[name] = json!(value);
        }
    }
    if !field.list_map_keys.is_empty() {
        schema["x-kubernetes-list-map-keys"] = json!(field.list_map_keys);
    }
    if let Some(default) = &field.default {
        schema["default"] = default.clone();
    }
    schema
}

fn type_schema(field_type: &FieldType) -> Value {
    match field_type {
        FieldType::String => json!({"type": "string"}),
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Int(_) => json!({"type": "integer"}),
        FieldType::Float => json!({"type": "number"}),
        FieldType::Bytes => json!({"type": "string", "format": "byte"}),
        FieldType::Any => json!({}),
        FieldType::Struct(id) => {
            json!({"$ref": format!("#/definitions/{}", facts().type_at(*id).name)})
        }
        FieldType::List(element) => json!({"type": "array", "items": type_schema(element)}),
        FieldType::Map(element) => {
            json!({"type": "object", "additionalProperties": type_schema(element)})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_served_kind_has_a_merge_type() {
        for resource in facts().resources() {
            if resource.has_verb("patch") {
                assert!(merge_type(&resource.gvk).is_some(), "{}", resource.gvk);
                assert!(
                    patch_types().kind(&resource.gvk).is_some(),
                    "{}",
                    resource.gvk
                );
            }
        }
    }
}
