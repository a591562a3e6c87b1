//! Kustomize's words in a spec: images, patches and their targets; and CEL health checks.

use api_derive::shape;
use serde_json::Value;

/// Replaces an image wherever containers name it.
#[shape]
pub struct Image {
    /// The new digest; takes the place of the tag.
    pub digest: Option<String>,
    /// The image's name without tag.
    pub name: String,
    /// The new name.
    pub new_name: Option<String>,
    /// The new tag.
    pub new_tag: Option<String>,
}

/// Selects objects; a part that is not set matches all. Names, namespaces and kinds are anchored regular
/// expressions.
#[shape]
pub struct Selector {
    /// A label selector expression over the annotations.
    pub annotation_selector: Option<String>,
    /// The API group.
    pub group: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// A label selector expression over the labels.
    pub label_selector: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The API version.
    pub version: Option<String>,
}

/// A strategic merge patch or a JSON 6902 patch, and what it is for.
#[shape]
pub struct Patch {
    /// The patch as YAML text: an object, or a list of operations.
    pub patch: String,
    /// The objects to patch. A strategic merge patch without target is for the object it names.
    pub target: Option<Selector>,
}

/// A JSON 6902 patch written as a list, in versions before `patches`.
#[shape]
pub struct JsonPatch {
    /// The operations.
    pub patch: Vec<JsonPatchOperation>,
    /// The objects to patch.
    pub target: Selector,
}

/// One operation of a JSON 6902 patch.
#[shape]
pub struct JsonPatchOperation {
    /// Where to move or copy from.
    pub from: Option<String>,
    /// What to do.
    #[shape(one_of("test", "remove", "add", "replace", "move", "copy"))]
    pub op: String,
    /// Where to do it, as a JSON pointer.
    pub path: String,
    /// The value to test for, add or put there.
    pub value: Option<Value>,
}

/// Fields that are left alone when objects are applied or compared.
#[shape]
pub struct IgnoreRule {
    /// The fields, as JSON pointers.
    pub paths: Vec<String>,
    /// The objects this holds for; by default all.
    pub target: Option<Selector>,
}

/// How to see in CEL whether objects of a kind are healthy.
#[shape]
pub struct CustomHealthCheck {
    /// The group and version of the objects.
    pub api_version: String,
    /// Whether the object is healthy.
    pub current: String,
    /// Whether the object has failed.
    pub failed: Option<String>,
    /// Whether the object is still on its way.
    pub in_progress: Option<String>,
    /// The kind of the objects.
    pub kind: Option<String>,
}
