//! Whether an object has drifted, and where.
//!
//! Source: fluxcd/pkg, `ssa/manager_diff.go` (`hasDrifted`).

use object::{Map, Value};

/// The most fields that are named.
const MOST: usize = 30;

/// Whether labels, annotations, or anything but metadata and status differ.
pub(crate) fn has_drifted(live: &Value, wanted: &Value) -> bool {
    ["/metadata/labels", "/metadata/annotations"]
        .iter()
        .any(|pointer| !is_same_map(live.pointer(pointer), wanted.pointer(pointer)))
        || !is_same_content(live, wanted)
}

/// Whether two maps are equal; an absent one is empty.
fn is_same_map(left: Option<&Value>, right: Option<&Value>) -> bool {
    let is_empty = |value: Option<&Value>| {
        value.is_none_or(|value| value.is_null() || value.as_object().is_some_and(Map::is_empty))
    };
    left == right || (is_empty(left) && is_empty(right))
}

fn is_same_content(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (left.as_object(), right.as_object()) else {
        return left == right;
    };
    let content = |fields: &Map<String, Value>| {
        let keys = fields.keys().filter(|key| !is_left_out(key));
        keys.count()
    };
    content(left) == content(right)
        && left
            .iter()
            .filter(|(key, _)| !is_left_out(key))
            .all(|(key, value)| right.get(key) == Some(value))
}

fn is_left_out(key: &str) -> bool {
    matches!(key, "metadata" | "status")
}

/// The fields in which two objects differ, of those that [`has_drifted`] looks at: `.spec.replicas`,
/// `.metadata.labels.app`, `.spec.containers[0].image`. Values are never told.
pub(crate) fn changed_fields(live: &Value, wanted: &Value) -> Vec<String> {
    let mut fields = Vec::new();
    for part in ["labels", "annotations"] {
        let pointer = format!("/metadata/{part}");
        let empty = Value::Object(Map::new());
        let of = |object: &Value| {
            object
                .pointer(&pointer)
                .filter(|map| map.is_object())
                .cloned()
        };
        let (left, right) = (of(live), of(wanted));
        walk(
            left.as_ref().unwrap_or(&empty),
            right.as_ref().unwrap_or(&empty),
            &mut format!(".metadata.{part}"),
            &mut fields,
        );
    }
    let without = |object: &Value| {
        let fields = object.as_object().cloned().unwrap_or_default();
        let kept = fields.into_iter().filter(|(key, _)| !is_left_out(key));
        Value::Object(kept.collect())
    };
    walk(
        &without(live),
        &without(wanted),
        &mut String::new(),
        &mut fields,
    );
    if fields.len() > MOST {
        let more = fields.len() - MOST;
        fields.truncate(MOST);
        fields.push(format!("and {more} more"));
    }
    fields
}

fn walk(left: &Value, right: &Value, at: &mut String, fields: &mut Vec<String>) {
    match (left, right) {
        (left, right) if left == right => {}
        (Value::Object(left), Value::Object(right)) => {
            let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let length = at.len();
                push_key(at, key);
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => walk(left, right, at, fields),
                    _ => fields.push(at.clone()),
                }
                at.truncate(length);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (place, (left, right)) in left.iter().zip(right).enumerate() {
                let length = at.len();
                at.push_str(&format!("[{place}]"));
                walk(left, right, at, fields);
                at.truncate(length);
            }
        }
        _ => fields.push(at.clone()),
    }
}

fn push_key(at: &mut String, key: &str) {
    let is_plain = !key.is_empty()
        && key
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_');
    if is_plain {
        at.push('.');
        at.push_str(key);
    } else {
        at.push_str(&format!("[{key:?}]"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn drift_is_in_labels_annotations_and_content() {
        let start = json!({"metadata": {"labels": {"a": "b"}, "uid": "1"}, "spec": {"x": [1, {"y": 2}]}, "status": {"z": 1}});
        let with = |pointer: &str, value: Value| {
            let mut object = start.clone();
            *object.pointer_mut(pointer).unwrap() = value;
            object
        };
        for (other, fields) in [
            (with("/status", json!({})), vec![]),
            (with("/metadata/uid", json!("2")), vec![]),
            (
                with("/metadata/labels", json!({"a": "c", "d.e/f": "g"})),
                vec![".metadata.labels.a", ".metadata.labels[\"d.e/f\"]"],
            ),
            (with("/spec/x/1/y", json!(3)), vec![".spec.x[1].y"]),
            (with("/spec/x", json!([])), vec![".spec.x"]),
        ] {
            assert_eq!(changed_fields(&start, &other), fields, "{other}");
            assert_eq!(has_drifted(&start, &other), !fields.is_empty(), "{other}");
        }
        let mut more = start.clone();
        more["data"] = json!(1);
        assert!(has_drifted(&start, &more) && has_drifted(&more, &start));
        let empty = json!({"metadata": {"annotations": {}}});
        assert!(!has_drifted(&json!({}), &empty));
    }
}
