//! Merging a patch into an object, or into another patch.

use std::collections::HashSet;

use serde_json::Value;

use super::directive::{
    DELETE, DELETE_FROM_LIST, PATCH, REPLACE, RETAIN_KEYS, SET_ORDER, discard_nulls, field_of,
    remove_directives,
};
use super::list::{merge_list, merge_ordered_list};
use super::schema::{PatchSchema, slice_field, struct_field};
use super::{Object, StrategicError};
use crate::goprint;

/// What a patch is merged into: both for an object, none for another patch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MergeOptions {
    /// Directives about lists are carried out; else they are kept.
    pub(super) merge_parallel_lists: bool,
    /// A null for a field that is not there is dropped; else it is kept.
    pub(super) ignore_unmatched_nulls: bool,
}

pub(super) fn merge_maps<S: PatchSchema>(
    mut original: Object,
    mut patch: Object,
    schema: &S,
    options: MergeOptions,
) -> Result<Object, StrategicError> {
    if let Some(directive) = patch.get(PATCH) {
        if directive == REPLACE {
            patch.remove(PATCH);
            return Ok(patch);
        }
        if directive == DELETE {
            return Ok(Object::new());
        }
        return Err(StrategicError::unknown_directive(directive, &patch));
    }
    retain_keys(&mut original, &mut patch, options)?;
    merge_ordered_lists(&mut original, &mut patch, schema, options)?;
    for (key, value) in patch {
        merge_field(&mut original, key, value, schema, options)?;
    }
    Ok(original)
}

fn merge_field<S: PatchSchema>(
    original: &mut Object,
    mut key: String,
    mut value: Value,
    schema: &S,
    options: MergeOptions,
) -> Result<(), StrategicError> {
    let is_delete_list = key.starts_with(DELETE_FROM_LIST);
    if is_delete_list {
        if !options.merge_parallel_lists {
            original.insert(key, value);
            return Ok(());
        }
        let field = field_of(&key, DELETE_FROM_LIST)?;
        if !field.is_empty() {
            key = field.to_owned();
        }
    }
    if value.is_null() {
        original.remove(&key);
        if options.ignore_unmatched_nulls {
            return Ok(());
        }
    }
    let current = original.get_mut(&key);
    let Some(current) = current.filter(|current| goprint::same_type(current, &value)) else {
        if is_delete_list {
            return Ok(());
        }
        if options.ignore_unmatched_nulls {
            discard_nulls(&mut value);
        }
        if remove_directives(&mut value) {
            original.insert(key, value);
        } else {
            original.remove(&key);
        }
        return Ok(());
    };
    match (current, value) {
        (Value::Object(current), Value::Object(value)) => {
            let field = struct_field(schema, &key)?;
            *current = if field.strategy()?.is_replace {
                value
            } else {
                merge_maps(std::mem::take(current), value, &field.schema, options)?
            };
        }
        (Value::Array(current), Value::Array(value)) => {
            let field = slice_field(schema, &key)?;
            // Items are deleted whatever the strategy of the field.
            *current = if field.strategy()?.is_merge || is_delete_list {
                let current = std::mem::take(current);
                merge_list(current, value, &field, options, is_delete_list)?.items
            } else {
                value
            };
        }
        (current, value) => *current = value,
    }
    Ok(())
}

/// Carries `$retainKeys` out, or keeps it when two patches are merged.
fn retain_keys(
    original: &mut Object,
    patch: &mut Object,
    options: MergeOptions,
) -> Result<(), StrategicError> {
    let Some(retained) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    if !options.merge_parallel_lists {
        return match original.get(RETAIN_KEYS) {
            Some(other) if *other != retained => Err(StrategicError::RetainKeysDiffer {
                left: goprint::verb_v(other),
                right: goprint::verb_v(&retained),
            }),
            Some(_) => Ok(()),
            None => {
                original.insert(RETAIN_KEYS.to_owned(), retained);
                Ok(())
            }
        };
    }
    let Value::Array(retained) = retained else {
        return Err(StrategicError::RetainKeysFormat);
    };
    let retained: HashSet<&str> = retained.iter().filter_map(Value::as_str).collect();
    let is_known = |(key, value): (&String, &Value)| {
        value.is_null()
            || key.starts_with(DELETE_FROM_LIST)
            || key.starts_with(SET_ORDER)
            || retained.contains(key.as_str())
    };
    if !patch.iter().all(is_known) {
        return Err(StrategicError::RetainKeysFormat);
    }
    original.retain(|key, _| retained.contains(key.as_str()));
    Ok(())
}

/// Merges the lists whose order the patch gives, and takes both out of the patch.
fn merge_ordered_lists<S: PatchSchema>(
    original: &mut Object,
    patch: &mut Object,
    schema: &S,
    options: MergeOptions,
) -> Result<(), StrategicError> {
    let is_order = |key: &&String| key.starts_with(SET_ORDER);
    let keys: Vec<String> = patch.keys().filter(is_order).cloned().collect();
    for key in keys {
        let order = patch.remove(&key).unwrap_or_default();
        if !options.merge_parallel_lists {
            match original.get(&key) {
                Some(other) if *other != order => {
                    return Err(StrategicError::SetElementOrderFormat);
                }
                Some(_) => {}
                None => {
                    original.insert(key.clone(), order.clone());
                }
            }
        }
        let Value::Array(order) = order else {
            return Err(StrategicError::not_a_list(&order));
        };
        let name = field_of(&key, SET_ORDER)?;
        for holder in [&*original, &*patch] {
            if let Some(value) = holder.get(name).filter(|value| !value.is_array()) {
                return Err(StrategicError::not_a_list(value));
            }
        }
        let field = slice_field(schema, name)?;
        let list = |value: &mut Value| match value {
            Value::Array(items) => std::mem::take(items),
            _ => Vec::new(),
        };
        let patched = patch.get_mut(name).map(list);
        let live = original.get_mut(name).map(list);
        if let Some(items) = merge_ordered_list(live, patched, &order, &field, options)? {
            original.insert(name.to_owned(), items.into());
            patch.remove(name);
        }
    }
    Ok(())
}
