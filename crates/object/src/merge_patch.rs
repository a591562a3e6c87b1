//! JSON merge patches (RFC 7386): applying, creating, and creating from three versions.
//!
//! Sources: `gopkg.in/evanphx/json-patch.v4` (v4.13) and apimachinery `util/jsonmergepatch` (v0.35).

use serde_json::{Map, Number, Value};

use crate::precondition::{self, Conflict, Precondition, PreconditionFailed, have_conflicts};

/// Why a merge patch cannot be applied or made; prints as upstream's errors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MergePatchError {
    /// The document is null, or no object where it has to be one.
    #[error("Invalid JSON Document")]
    BadDocument,
    /// The patch is neither an object nor a list. The API server answers 400.
    #[error("Invalid JSON Patch")]
    BadPatch,
    /// One document is a list and the other is none.
    #[error("Mismatched JSON Documents")]
    Mismatch,
    /// Lists of documents have no patch of three.
    #[error("json: cannot unmarshal array into Go value of type map[string]interface {{}}")]
    ListOfDocuments,
    /// The patch undoes a change of someone else.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The patch touches what it must leave alone.
    #[error(transparent)]
    Precondition(#[from] PreconditionFailed),
}

/// Applies a merge patch: null removes, objects are merged, everything else replaces.
pub fn apply(document: Value, patch: Value) -> Result<Value, MergePatchError> {
    combine(document, patch, false)
}

/// Merges two merge patches into one that does what both do one after the other.
pub fn merge_patches(first: Value, second: Value) -> Result<Value, MergePatchError> {
    combine(first, second, true)
}

fn combine(document: Value, patch: Value, keep_nulls: bool) -> Result<Value, MergePatchError> {
    if document.is_null() {
        return Err(MergePatchError::BadDocument);
    }
    match (document, patch) {
        (Value::Object(mut document), Value::Object(patch)) => {
            merge_maps(&mut document, patch, keep_nulls);
            Ok(document.into())
        }
        (_, Value::Object(patch)) if keep_nulls => Ok(patch.into()),
        (_, mut patch @ (Value::Object(_) | Value::Array(_))) => {
            prune_nulls(&mut patch);
            Ok(patch)
        }
        _ => Err(MergePatchError::BadPatch),
    }
}

fn merge_maps(document: &mut Map<String, Value>, patch: Map<String, Value>, keep_nulls: bool) {
    for (key, mut value) in patch {
        if value.is_null() {
            if keep_nulls {
                document.insert(key, Value::Null);
            } else {
                document.remove(&key);
            }
            continue;
        }
        match document.get_mut(&key) {
            Some(Value::Object(current)) => match value {
                Value::Object(patch) => merge_maps(current, patch, keep_nulls),
                // Upstream quirk, kept: what replaces an object keeps the nulls it has inside.
                other => {
                    document.insert(key, other);
                }
            },
            Some(current) if !current.is_null() => {
                prune_nulls(&mut value);
                *current = value;
            }
            _ => {
                if !keep_nulls {
                    prune_nulls(&mut value);
                }
                document.insert(key, value);
            }
        }
    }
}

/// Takes away fields that are null, also of objects in lists; null items stay.
fn prune_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(prune_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(prune_nulls),
        _ => {}
    }
}

/// Makes the patch that leads from one document to another; for two lists of documents of the same
/// length, a list of patches.
///
/// Upstream quirk, kept: numbers pass through floats, so that `1` and `1.0` are the same and integers
/// beyond 2⁵³ lose digits.
pub fn create(original: &Value, modified: &Value) -> Result<Value, MergePatchError> {
    match (original, modified) {
        (Value::Array(originals), Value::Array(modifieds)) => {
            if originals.len() != modifieds.len() {
                return Err(MergePatchError::BadDocument);
            }
            let pairs = originals.iter().zip(modifieds);
            let patches = pairs.map(|(original, modified)| create_map(original, modified));
            patches.collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        (Value::Array(_), _) | (_, Value::Array(_)) => Err(MergePatchError::Mismatch),
        (original, modified) => create_map(original, modified),
    }
}

fn create_map(original: &Value, modified: &Value) -> Result<Value, MergePatchError> {
    let empty = Map::new();
    let original = map_or_null(original, &empty)?;
    let modified = map_or_null(modified, &empty)?;
    Ok(difference(original, modified).into())
}

fn map_or_null<'a>(
    value: &'a Value,
    empty: &'a Map<String, Value>,
) -> Result<&'a Map<String, Value>, MergePatchError> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(empty),
        _ => Err(MergePatchError::BadDocument),
    }
}

fn difference(original: &Map<String, Value>, modified: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (key, new) in modified {
        match (original.get(key), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let inner = difference(old, new);
                if !inner.is_empty() {
                    patch.insert(key.clone(), inner.into());
                }
            }
            (Some(old), new) if is_same(old, new) => {}
            (_, new) => {
                patch.insert(key.clone(), through_floats(new));
            }
        }
    }
    for key in original.keys() {
        if !modified.contains_key(key) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    patch
}

/// Equality where all numbers are floats.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| is_same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| is_same(left, right)))
        }
        (left, right) => left == right,
    }
}

/// A value after it was decoded and encoded again with all numbers as floats.
fn through_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(through_float(number)),
        Value::Array(items) => items.iter().map(through_floats).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), through_floats(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn through_float(number: &Number) -> Number {
    let Some(float) = number.as_f64() else {
        return number.clone();
    };
    // A whole float is written without a point, and read again as an integer if it fits in one.
    crate::goprint::float_json(float)
        .parse()
        .unwrap_or_else(|_| number.clone())
}

/// Makes the patch that brings `current` to `modified`, but leaves alone what `original`, the version
/// applied last, did not have (`CreateThreeWayJSONMergePatch`). Null stands for an empty document.
pub fn create_three_way(
    original: &Value,
    modified: &Value,
    current: &Value,
    preconditions: &[Precondition<'_>],
) -> Result<Value, MergePatchError> {
    let changes = filter(&create(current, modified)?, false)?;
    let deletions = filter(&create(original, modified)?, true)?;
    if have_conflicts(&changes, &deletions) {
        return Err(MergePatchError::Conflict(Conflict {
            patch: changes,
            changes: deletions,
        }));
    }
    let patch = apply(deletions, changes)?;
    if let Value::Object(patch) = &patch {
        precondition::check(patch, preconditions)?;
    }
    Ok(patch)
}

/// Only the nulls of a patch, or all but them.
fn filter(patch: &Value, keep_nulls: bool) -> Result<Value, MergePatchError> {
    match patch {
        Value::Object(patch) => Ok(filter_map(patch, keep_nulls).into()),
        _ => Err(MergePatchError::ListOfDocuments),
    }
}

fn filter_map(patch: &Map<String, Value>, keep_nulls: bool) -> Map<String, Value> {
    let mut kept = Map::new();
    for (key, value) in patch {
        let value = match value {
            Value::Null if keep_nulls => Value::Null,
            Value::Null => continue,
            Value::Object(inner) if !inner.is_empty() => {
                let inner = filter_map(inner, keep_nulls);
                if inner.is_empty() {
                    continue;
                }
                inner.into()
            }
            _ if keep_nulls => continue,
            other => other.clone(),
        };
        kept.insert(key.clone(), value);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn creating_then_applying_gives_the_modified_document() {
        let original = json!({"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": null});
        let modified = json!({"a": "1", "b": {"c": [2]}, "f": {"g": true}});
        let patch = create(&original, &modified).unwrap();
        assert_eq!(
            patch,
            json!({"a": "1", "b": {"c": [2], "d": null}, "e": null, "f": {"g": true}})
        );
        assert_eq!(apply(original, patch).unwrap(), modified);
    }

    #[test]
    fn numbers_pass_through_floats() {
        assert_eq!(
            create(&json!({"a": 1}), &json!({"a": 1.0})).unwrap(),
            json!({})
        );
        assert_eq!(
            create(
                &json!({}),
                &json!({"a": 9_007_199_254_740_993_i64, "b": 2.0})
            )
            .unwrap(),
            json!({"a": 9_007_199_254_740_992_i64, "b": 2})
        );
    }

    #[test]
    fn lists_of_documents() {
        let (left, right) = (json!([{"a": 1}, null]), json!([{"a": 2}, {"b": 1}]));
        assert_eq!(create(&left, &right).unwrap(), json!([{"a": 2}, {"b": 1}]));
        assert_eq!(create(&left, &json!([])), Err(MergePatchError::BadDocument));
        assert_eq!(create(&left, &json!({})), Err(MergePatchError::Mismatch));
        assert!(create_three_way(&left, &right, &left, &[]).is_err());
    }

    #[test]
    fn patches_are_merged() {
        let (first, second) = (
            json!({"a": 1, "b": {"c": 1}}),
            json!({"a": null, "b": {"d": null}}),
        );
        assert_eq!(
            merge_patches(first, second).unwrap(),
            json!({"a": null, "b": {"c": 1, "d": null}})
        );
    }

    #[test]
    fn preconditions_are_checked() {
        let (original, modified) = (json!({"kind": "A"}), json!({"kind": "B"}));
        let error = create_three_way(
            &original,
            &modified,
            &original,
            &[Precondition::KeyUnchanged("kind")],
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "precondition failed for: map[kind:B]"
        );
    }
}
