//! Whether two patches do different things.

use std::collections::BTreeMap;

use serde_json::Value;

use super::directive::{PATCH, RETAIN_KEYS};
use super::order::{are_maps, deduplicate};
use super::schema::{PatchSchema, slice_field, struct_field};
use super::{Object, StrategicError};
use crate::goprint;

/// How the field is patched that a value stands in.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    is_merge: bool,
    is_replace: bool,
    merge_key: &'a str,
}

pub(super) fn patches_have_conflicts<S: PatchSchema>(
    left: &Object,
    right: &Object,
    schema: &S,
) -> Result<bool, StrategicError> {
    objects(left, right, schema, Place::default())
}

fn objects<S: PatchSchema>(
    left: &Object,
    right: &Object,
    schema: &S,
    place: Place<'_>,
) -> Result<bool, StrategicError> {
    // A directive is about the whole map: both have to have the same, or none.
    if left.get(PATCH) != right.get(PATCH) {
        return Ok(true);
    }
    if place.is_replace {
        return Ok(false);
    }
    for (key, left) in left {
        if key == PATCH || key == RETAIN_KEYS {
            continue;
        }
        if let Some(right) = right.get(key)
            && fields(key, left, right, schema)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fields<S: PatchSchema>(
    key: &str,
    left: &Value,
    right: &Value,
    schema: &S,
) -> Result<bool, StrategicError> {
    let field = match left {
        Value::Array(_) => slice_field(schema, key)?,
        Value::Object(_) => struct_field(schema, key)?,
        left => return Ok(left != right),
    };
    let strategy = field.strategy()?;
    let place = Place {
        is_merge: strategy.is_merge,
        is_replace: strategy.is_replace,
        merge_key: field.merge_key,
    };
    values(left, right, &field.schema, place)
}

fn values<S: PatchSchema>(
    left: &Value,
    right: &Value,
    schema: &S,
    place: Place<'_>,
) -> Result<bool, StrategicError> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => objects(left, right, schema, place),
        (Value::Array(left), Value::Array(right)) => lists(left, right, schema, place),
        (left, right) => Ok(left != right),
    }
}

fn lists<S: PatchSchema>(
    left: &[Value],
    right: &[Value],
    schema: &S,
    place: Place<'_>,
) -> Result<bool, StrategicError> {
    let are_maps = are_maps(&[left, right])?;
    if place.is_merge {
        if !are_maps {
            return Ok(false);
        }
        let (left, right) = (
            by_key(left, place.merge_key)?,
            by_key(right, place.merge_key)?,
        );
        for (key, left) in left {
            if let Some(right) = right.get(&key)
                && objects(left, right, schema, Place::default())?
            {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if left.len() != right.len() {
        return Ok(true);
    }
    if !are_maps {
        return Ok(scalars(left) != scalars(right));
    }
    for (left, right) in left.iter().zip(right) {
        if values(left, right, schema, Place::default())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The scalars of a list, each once, in the order of their texts.
fn scalars(list: &[Value]) -> Vec<Value> {
    let mut list = deduplicate(list.to_vec());
    list.sort_by_cached_key(goprint::verb_v);
    list
}

/// The maps of a list by their keys as `%s` prints them; of several with one key the last.
fn by_key<'a>(
    list: &'a [Value],
    merge_key: &str,
) -> Result<BTreeMap<String, &'a Object>, StrategicError> {
    let mut maps = BTreeMap::new();
    for item in list {
        let Value::Object(map) = item else {
            return Err(StrategicError::NotMaps(goprint::list_v(list)));
        };
        let key = map
            .get(merge_key)
            .ok_or_else(|| StrategicError::NoMergeKeyInConflict {
                map: goprint::map_v(map),
                key: merge_key.to_owned(),
            })?;
        maps.insert(goprint::verb_s(key), map);
    }
    Ok(maps)
}
