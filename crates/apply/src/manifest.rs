//! A manifest: what an object should be, and where that is written.

use std::sync::Arc;

use object::{Value, meta};

/// An object to apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The object. Shared, so that callers may keep it.
    pub object: Arc<Value>,
    /// Where it comes from, as `apps/web.yaml:12`; shown with errors.
    pub origin: Option<Arc<str>>,
    /// Whether the API server may well refuse it, as far as can be seen without asking; set by [`normalize`](crate::normalize()).
    pub is_doubtful: bool,
}

impl Manifest {
    /// A manifest that comes from nowhere in particular.
    pub fn new(object: Value) -> Self {
        Self {
            object: Arc::new(object),
            origin: None,
            is_doubtful: false,
        }
    }

    /// A manifest from a place.
    pub fn from_place(object: Value, origin: impl Into<Arc<str>>) -> Self {
        Self {
            object: Arc::new(object),
            origin: Some(origin.into()),
            is_doubtful: false,
        }
    }
}

/// Adds the labels that say who applies the objects: `<group>/name` and `<group>/namespace`.
pub fn set_owner_labels(objects: &mut [Manifest], owner: &crate::Owner) {
    for manifest in objects {
        let labels = section(Arc::make_mut(&mut manifest.object), "labels");
        labels.insert(owner.name_label(), owner.name.as_str().into());
        labels.insert(owner.namespace_label(), owner.namespace.as_str().into());
    }
}

/// Adds labels and annotations to the objects; those given here win.
pub fn set_common_metadata<'a>(
    objects: &mut [Manifest],
    labels: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    annotations: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) {
    for manifest in objects {
        let object = Arc::make_mut(&mut manifest.object);
        for (part, entries) in [
            ("labels", labels.clone().into_iter().collect::<Vec<_>>()),
            ("annotations", annotations.clone().into_iter().collect()),
        ] {
            if !entries.is_empty() {
                let section = section(object, part);
                for (key, value) in entries {
                    section.insert(key.to_owned(), value.into());
                }
            }
        }
    }
}

/// The map `metadata.<part>`, made if there is none.
///
/// Upstream's quirk, kept: a map with a value that is no text counts as empty.
fn section<'a>(object: &'a mut Value, part: &str) -> &'a mut object::Map<String, Value> {
    let fields = object.as_object_mut();
    let metadata = map(fields.map(|fields| fields.entry("metadata").or_insert(Value::Null)));
    let section = map(Some(metadata.entry(part).or_insert(Value::Null)));
    if !section.values().all(Value::is_string) {
        section.clear();
    }
    section
}

/// The map that a value is, or is made to be.
fn map(value: Option<&mut Value>) -> &mut object::Map<String, Value> {
    // A manifest is a map: whoever makes manifests has seen its kind and name.
    let value = value.expect("a manifest is a map");
    if !value.is_object() {
        *value = Value::Object(object::Map::new());
    }
    value.as_object_mut().expect("it was just made a map")
}

/// Whether a label or annotation has one of the values, letter case aside.
///
/// Source: fluxcd/pkg, `ssa/utils.AnyInMetadata`.
pub(crate) fn any_in_metadata(object: &Value, pairs: &[(String, String)]) -> bool {
    pairs.iter().any(|(key, value)| {
        [meta::label(object, key), meta::annotation(object, key)]
            .into_iter()
            .flatten()
            .any(|found| matches(found, value))
    })
}

/// Whether a metadata value is the one that is looked for, letter case aside; an empty one never is.
pub(crate) fn matches(found: &str, wanted: &str) -> bool {
    !found.is_empty() && found.to_lowercase() == wanted.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_and_annotations_are_added() {
        let owner = crate::Owner::kustomization("ns", "name");
        for (metadata, labels) in [
            (json!({"name": "a"}), json!({})),
            (
                json!({"name": "a", "labels": {"x": "y"}}),
                json!({"x": "y"}),
            ),
            (
                json!({"name": "a", "labels": {"x": "y", "z": 1}}),
                json!({}),
            ),
        ] {
            let mut manifests = [Manifest::new(json!({"kind": "A", "metadata": metadata}))];
            set_owner_labels(&mut manifests, &owner);
            set_common_metadata(&mut manifests, [("l", "1")], [("a", "2")]);
            let mut expected = labels;
            expected["kustomize.toolkit.fluxcd.io/name"] = json!("name");
            expected["kustomize.toolkit.fluxcd.io/namespace"] = json!("ns");
            expected["l"] = json!("1");
            let metadata = &manifests[0].object["metadata"];
            assert_eq!(metadata["labels"], expected);
            assert_eq!(metadata["annotations"], json!({"a": "2"}));
        }
    }

    #[test]
    fn selections_look_at_labels_and_annotations() {
        let object = json!({"metadata": {"labels": {"a": "Disabled"}, "annotations": {"b": "x"}}});
        for (key, value, expected) in [
            ("a", "disabled", true),
            ("b", "X", true),
            ("b", "y", false),
            ("c", "", false),
        ] {
            let pairs = [(key.to_owned(), value.to_owned())];
            assert_eq!(any_in_metadata(&object, &pairs), expected, "{key}={value}");
        }
    }
}
