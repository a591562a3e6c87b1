//! How objects of old versions live in an API server without a conversion webhook.
//!
//! A CRD with several versions and conversion `None` stores every object in one version, the current one,
//! by changing its `apiVersion`. What the schemas of Flux alone would do to an object of an old version
//! (source: apiextensions-apiserver, `pkg/apiserver/customresource_handler.go`):
//!
//! 1. It is pruned by the schema of the *stored* version on every write, and again on every read. A field
//!    of v1beta1 that v1 does not know is gone before a controller sees it.
//! 2. Applying the same manifest again changes the object: the field that was pruned is new each time.
//!    The generation goes up, and everything reconciles again.
//! 3. Server-side apply looks at the object in the version of every field manager, without pruning. Once
//!    an object has managers of two versions, a field that one of these does not know fails every apply:
//!    `field not declared in schema`.
//!
//! So each version also declares, as optional properties, what it lacks of the others ([`additions`]): of the
//! current version everything, of the other old versions what belongs to the spec. Nothing else changes:
//! what a version has itself keeps its rules, so an object of the current version is checked exactly as
//! Flux checks it. Then `None` is a conversion without loss between any two versions.
//!
//! Controllers read the current version and pass what they read through [`crate::convert::to_current`],
//! which moves old fields to their present place in memory and names those without effect. The stored
//! object stays as its author wrote it.
//!
//! An object stored like this may lack a field that the current version requires (`spec.sourceRef` of an
//! ImageUpdateAutomation of v1alpha1). Reading never validates. A write through the current version, of the
//! status or a finalizer, leaves the spec as it is, and what is not changed is not held against the writer
//! (CRD validation ratcheting, on by default since Kubernetes 1.30).

use serde_json::{Map, Value, json};

use crate::kind::{Kind, Version};
use crate::schema::Schema;

/// The schema of a version as it is served: its own, and what it lacks of the other versions.
pub fn schema(kind: &Kind, version: &Version) -> Value {
    merged(kind, version).0
}

/// The properties that a served version has beyond its own, such as `spec.postRenderers[].kustomize.patches`.
pub fn additions(kind: &Kind, version: &Version) -> Vec<String> {
    merged(kind, version).1
}

fn merged(kind: &Kind, version: &Version) -> (Value, Vec<String>) {
    let mut schema = Value::from((version.schema)());
    let mut added = Vec::new();
    for other in kind
        .versions
        .iter()
        .filter(|other| other.name != version.name)
    {
        let is_current = other.name == kind.current().name;
        let mut theirs = Value::from((other.schema)());
        if !is_current && let Some(properties) = theirs["properties"].as_object_mut() {
            // What old controllers observed is observed again.
            properties.remove("status");
        }
        if let (Some(own), Some(theirs)) = (schema.as_object_mut(), theirs.as_object()) {
            let note = (!is_current).then_some(other.name);
            merge(own, theirs, note, "", &mut added);
        }
    }
    added.sort();
    // What came with another addition is part of it.
    let whole = added.clone();
    added.retain(|path| {
        !whole.iter().any(|other| {
            path.strip_prefix(other.as_str())
                .is_some_and(|rest| rest.starts_with(['.', '[', '{']))
        })
    });
    (schema, added)
}

/// Adds to `own` the properties that only `theirs` has, at all depths.
///
/// `note` is the old version that they come from. Its defaults are left out: a field that has no meaning any
/// more must not appear in objects of other versions.
fn merge(
    own: &mut Map<String, Value>,
    theirs: &Map<String, Value>,
    note: Option<&str>,
    path: &str,
    added: &mut Vec<String>,
) {
    for (keyword, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let (Some(Value::Object(own)), Some(Value::Object(theirs))) =
            (own.get_mut(keyword), theirs.get(keyword))
        {
            merge(own, theirs, note, &format!("{path}{suffix}"), added);
        }
    }
    let Some(Value::Object(theirs)) = theirs.get("properties") else {
        return;
    };
    let Some(own) = own
        .entry("properties")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    else {
        return;
    };
    for (name, property) in theirs {
        let here = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match (own.get_mut(name), property) {
            (Some(Value::Object(own)), Value::Object(theirs)) => {
                merge(own, theirs, note, &here, added)
            }
            (Some(_), _) => {}
            (None, property) => {
                own.insert(name.clone(), noted(property.clone(), note));
                added.push(here);
            }
        }
    }
}

fn noted(property: Value, note: Option<&str>) -> Value {
    let Some(version) = note else {
        return property;
    };
    let text = property["description"].as_str().unwrap_or_default();
    let text = format!("For objects written as {version}. {text}");
    let mut property = Schema::from(property);
    property.describe(&text);
    property.remove("default");
    property.into()
}
