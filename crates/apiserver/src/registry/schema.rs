//! The types of structured merge of the built-in kinds. Each is made on first use.

use std::sync::{Arc, LazyLock};

pub use ::builtin::definitions::{definitions, patch_types};
use ::builtin::facts::{FieldType, facts};
use object::smd::managed_fields::{VersionError, Versions};
use object::smd::schema::{self, Schema};
use object::{GroupVersion, GroupVersionKind, Map, Value};
use parking_lot::RwLock;
use std::collections::HashMap;

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
