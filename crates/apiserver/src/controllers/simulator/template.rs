//! Pod templates: their hash, and pods made from them.

use object::{Value, meta};
use serde_json::json;

use super::world::owner_reference;

/// FNV-1a, as Kubernetes hashes templates.
pub(super) fn fnv32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// The letters that hashes are written in (apimachinery, `rand.SafeEncodeString`).
fn safe(text: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    text.bytes()
        .map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]))
        .collect()
}

/// A short text that changes with the template.
pub(super) fn hash(template: &Value, collisions: i64) -> String {
    let mut text = template.to_string();
    if collisions > 0 {
        text.push_str(&collisions.to_string());
    }
    safe(&fnv32(text.as_bytes()).to_string())
}

/// A pod of a template, controlled by `owner`. Without a name it gets one that begins with the owner's.
pub(super) fn pod(owner: &Value, template: &Value, name: Option<&str>) -> Value {
    let mut metadata =
        json!({"namespace": meta::namespace(owner), "ownerReferences": [owner_reference(owner)]});
    match name {
        Some(name) => metadata["name"] = json!(name),
        None => metadata["generateName"] = json!(format!("{}-", meta::name(owner))),
    }
    for key in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template.pointer(&format!("/metadata/{key}")) {
            metadata[key] = value.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// Sets a label, of a pod or a template.
pub(super) fn set_label(object: &mut Value, key: &str, value: &str) {
    object["metadata"]["labels"][key] = json!(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_follow_the_template() {
        let one = hash(&json!({"spec": {"containers": [{"image": "a"}]}}), 0);
        let two = hash(&json!({"spec": {"containers": [{"image": "b"}]}}), 0);
        assert_ne!(one, two);
        assert_eq!(
            one,
            hash(&json!({"spec": {"containers": [{"image": "a"}]}}), 0)
        );
        assert!(one.len() >= 8 && one.chars().all(|c| c.is_ascii_alphanumeric()));
    }
}
