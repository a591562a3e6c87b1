//! Semantic equality: absent, null and empty are one.

use serde_json::Value;

/// Whether two values mean the same, as `apiequality.Semantic.DeepEqual` sees decoded objects: a nil map
/// or list equals an empty one. Quantities and times are compared in their canonical text.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.iter()
                .all(|(key, value)| equal(value, right.get(key).unwrap_or(&Value::Null)))
                && right
                    .iter()
                    .all(|(key, value)| left.contains_key(key) || is_nothing(value))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| equal(left, right))
        }
        (left, right) if left == right => true,
        (left, right) => is_nothing(left) && is_nothing(right),
    }
}

/// Null, an empty list or map, or a map of nothing else.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_nothing),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::equal;
    use serde_json::json;

    #[test]
    fn absent_null_and_empty_are_one() {
        for (left, right, same) in [
            (json!({"a": null}), json!({}), true),
            (json!({"a": {"b": []}}), json!({}), true),
            (json!({}), json!({"a": {}}), true),
            (json!({"a": 0}), json!({}), false),
            (json!({"a": [1]}), json!({"a": [1, 2]}), false),
            (json!({"a": false}), json!({"a": null}), false),
        ] {
            assert_eq!(equal(&left, &right), same, "{left} {right}");
        }
    }
}
