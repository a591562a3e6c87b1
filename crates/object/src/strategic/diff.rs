//! Making patches: what leads from one object to another.

use std::cmp::Ordering;

use serde_json::Value;

use super::directive::{DELETE, DELETE_FROM_LIST, PATCH, RETAIN_KEYS, SET_ORDER};
use super::list::same_key;
use super::order::{
    Item, Keys, Places, are_maps, check_merge_keys, deduplicate, sort_by_places,
    sort_with_equals_reversed,
};
use super::schema::{PatchField, PatchSchema, slice_field, struct_field};
use super::{Object, StrategicError};
use crate::goprint;

/// What goes into a patch.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent choices, as upstream has them"
)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DiffOptions {
    /// Lists that are merged get a `$setElementOrder`.
    pub(super) set_element_order: bool,
    /// Only deletions.
    pub(super) ignore_changes_and_additions: bool,
    /// All but deletions.
    pub(super) ignore_deletions: bool,
    /// This map gets `$retainKeys`.
    pub(super) retain_keys: bool,
}

/// The patch from `original` to `modified`.
///
/// Lists of scalars in `original` that are merged get sorted: upstream does that too, and later
/// comparisons with the same object see it.
pub(super) fn diff_maps<S: PatchSchema>(
    original: &mut Object,
    modified: &Object,
    schema: &S,
    options: DiffOptions,
) -> Result<Object, StrategicError> {
    let mut patch = Object::new();
    for (key, new) in modified {
        let Some(old) = original.get_mut(key) else {
            if !options.ignore_changes_and_additions {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        };
        if key == PATCH {
            if !old.is_string() || !new.is_string() {
                return Err(StrategicError::DirectiveType);
            }
            if old != new {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        }
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                diff_map_field(key, old, new, &mut patch, schema, options)?;
            }
            (Value::Array(old), Value::Array(new)) => {
                diff_list_field(key, old, new, &mut patch, schema, options)?;
            }
            (old, new) => {
                if !options.ignore_changes_and_additions && old != new {
                    patch.insert(key.clone(), new.clone());
                }
            }
        }
    }
    if !options.ignore_deletions {
        for key in original.keys().filter(|key| !modified.contains_key(*key)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    if options.retain_keys {
        add_retained_keys(&mut patch, original, modified);
    }
    Ok(patch)
}

/// Adds `$retainKeys` if anything changes.
fn add_retained_keys(patch: &mut Object, original: &Object, modified: &Object) {
    let present = modified.iter().filter(|(_, value)| !value.is_null());
    let mut keys: Vec<&String> = present.map(|(key, _)| key).collect();
    let clears = |(key, value): (&String, &Value)| !value.is_null() && !modified.contains_key(key);
    if keys.is_empty() || (patch.is_empty() && !original.iter().any(clears)) {
        return;
    }
    keys.sort_unstable();
    let keys: Vec<Value> = keys.into_iter().map(|key| key.as_str().into()).collect();
    patch.insert(RETAIN_KEYS.to_owned(), keys.into());
}

fn diff_map_field<S: PatchSchema>(
    key: &str,
    old: &mut Object,
    new: &Object,
    patch: &mut Object,
    schema: &S,
    options: DiffOptions,
) -> Result<(), StrategicError> {
    let field = match struct_field(schema, key) {
        Ok(field) => field,
        // Of a field that is not known nothing has to be known if it stays the same.
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    let strategy = field.strategy()?;
    if strategy.is_replace {
        if !options.ignore_changes_and_additions {
            patch.insert(key.to_owned(), new.clone().into());
        }
        return Ok(());
    }
    let options = DiffOptions {
        retain_keys: strategy.retain_keys,
        ..options
    };
    let inner = diff_maps(old, new, &field.schema, options)?;
    if !inner.is_empty() {
        patch.insert(key.to_owned(), inner.into());
    }
    Ok(())
}

fn diff_list_field<S: PatchSchema>(
    key: &str,
    old: &mut Vec<Value>,
    new: &[Value],
    patch: &mut Object,
    schema: &S,
    options: DiffOptions,
) -> Result<(), StrategicError> {
    let field = match slice_field(schema, key) {
        Ok(field) => field,
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    let strategy = field.strategy()?;
    if !strategy.is_merge {
        if !options.ignore_changes_and_additions && old != new {
            patch.insert(key.to_owned(), new.into());
        }
        return Ok(());
    }
    let options = DiffOptions {
        retain_keys: strategy.retain_keys,
        ..options
    };
    let lists = diff_lists(old, new, &field, options)?;
    for (key, list) in [
        (key.to_owned(), lists.items),
        (format!("{DELETE_FROM_LIST}/{key}"), lists.deletions),
        (format!("{SET_ORDER}/{key}"), lists.order),
    ] {
        if !list.is_empty() {
            patch.insert(key, list.into());
        }
    }
    Ok(())
}

/// What a patch says about one list.
#[derive(Default)]
struct ListPatch {
    items: Vec<Value>,
    deletions: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists<S: PatchSchema>(
    old: &mut Vec<Value>,
    new: &[Value],
    field: &PatchField<'_, S>,
    options: DiffOptions,
) -> Result<ListPatch, StrategicError> {
    if old.is_empty() {
        let is_silent = options.ignore_changes_and_additions;
        return Ok(ListPatch {
            items: if is_silent { Vec::new() } else { new.to_vec() },
            ..ListPatch::default()
        });
    }
    if are_maps(&[old, new])? {
        return diff_lists_of_maps(old, new, field, options);
    }
    let (items, deletions) = diff_lists_of_scalars(old, new, options);
    let items = in_order_of(items, new, field.merge_key, false)?;
    let changes = !options.ignore_changes_and_additions && old != new;
    let deletes = !options.ignore_deletions && !deletions.is_empty();
    let order = if options.set_element_order && (changes || deletes) {
        new.to_vec()
    } else {
        Vec::new()
    };
    Ok(ListPatch {
        items,
        deletions,
        order,
    })
}

/// Sorts items as they stand in the new list; deletions go to the end.
fn in_order_of(
    items: Vec<Value>,
    new: &[Value],
    merge_key: &str,
    are_maps: bool,
) -> Result<Vec<Value>, StrategicError> {
    if are_maps {
        check_merge_keys(items.iter().chain(new), merge_key)?;
    }
    let mut keys = Keys::default();
    let order: Vec<usize> = new.iter().map(|item| keys.of(item, merge_key)).collect();
    let items: Vec<Item> = items
        .into_iter()
        .map(|value| Item {
            key: keys.of(&value, merge_key),
            value,
        })
        .collect();
    let sorted = sort_by_places(items, &Places::new(keys.len(), &order));
    Ok(sorted.into_iter().map(|item| item.value).collect())
}

/// Items to add and items to delete; sorts the old list.
fn diff_lists_of_scalars(
    old: &mut [Value],
    new: &[Value],
    options: DiffOptions,
) -> (Vec<Value>, Vec<Value>) {
    old.sort_by_cached_key(goprint::verb_v);
    let mut new: Vec<&Value> = new.iter().collect();
    new.sort_by_cached_key(|value| goprint::verb_v(value));
    let (mut added, mut deleted) = (Vec::new(), Vec::new());
    let mut new = new.into_iter().peekable();
    let mut old = old.iter().peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => goprint::verb_v(old).cmp(&goprint::verb_v(new)),
        };
        let gone = if order.is_le() { old.next() } else { None };
        let come = if order.is_ge() { new.next() } else { None };
        match (gone, come) {
            (Some(gone), None) if !options.ignore_deletions => deleted.push(gone.clone()),
            (None, Some(come)) if !options.ignore_changes_and_additions => {
                added.push(come.clone());
            }
            _ => {}
        }
    }
    if !deleted.is_empty() {
        deleted = deduplicate(deleted);
    }
    (added, deleted)
}

fn diff_lists_of_maps<S: PatchSchema>(
    old: &mut [Value],
    new: &[Value],
    field: &PatchField<'_, S>,
    options: DiffOptions,
) -> Result<ListPatch, StrategicError> {
    let merge_key = field.merge_key;
    let (items, deletions) = diff_maps_by_key(old, new, field, options)?;
    let mut items = in_order_of(items, new, merge_key, true)?;
    let is_same_order = has_same_order(old, new, merge_key)?;
    items.extend(deletions);
    let changes = !options.ignore_changes_and_additions && (!items.is_empty() || !is_same_order);
    let deletes = !options.ignore_deletions && !items.is_empty();
    let mut order = Vec::new();
    if options.set_element_order && (changes || deletes) {
        order.extend(new.iter().map(|item| {
            let key = item.get(merge_key).cloned().unwrap_or_default();
            Value::Object(Object::from_iter([(merge_key.to_owned(), key)]))
        }));
    }
    Ok(ListPatch {
        items,
        deletions: Vec::new(),
        order,
    })
}

fn has_same_order(old: &[Value], new: &[Value], merge_key: &str) -> Result<bool, StrategicError> {
    if old.len() != new.len() {
        return Ok(false);
    }
    for (old, new) in old.iter().zip(new) {
        if !same_key(old, new, merge_key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Walks both lists in the order of their keys, as texts; gives changed and added items, and deletions.
fn diff_maps_by_key<S: PatchSchema>(
    old: &mut [Value],
    new: &[Value],
    field: &PatchField<'_, S>,
    options: DiffOptions,
) -> Result<(Vec<Value>, Vec<Value>), StrategicError> {
    let merge_key = field.merge_key;
    let key_text = |map: &Object| goprint::verb_v(map.get(merge_key).unwrap_or(&Value::Null));
    let old_maps = old.iter_mut().filter_map(Value::as_object_mut);
    let mut old: Vec<(String, &mut Object)> = old_maps.map(|map| (key_text(map), map)).collect();
    let new_maps = new.iter().filter_map(Value::as_object);
    let mut new: Vec<(String, &Object)> = new_maps.map(|map| (key_text(map), map)).collect();
    sort_with_equals_reversed(&mut old);
    sort_with_equals_reversed(&mut new);
    let (mut items, mut deletions) = (Vec::new(), Vec::new());
    let mut new = new.into_iter().peekable();
    let mut old = old.into_iter().peekable();
    loop {
        let has_key = |map: &Object| {
            let found = map.get(merge_key).map(|_| ());
            found.ok_or_else(|| StrategicError::no_merge_key(map, merge_key))
        };
        old.peek().map_or(Ok(()), |(_, map)| has_key(map))?;
        new.peek().map_or(Ok(()), |(_, map)| has_key(map))?;
        let order = match (old.peek(), new.peek()) {
            (None, None) => return Ok((items, deletions)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((old, _)), Some((new, _))) => old.cmp(new),
        };
        let gone = if order.is_le() { old.next() } else { None };
        let come = if order.is_ge() { new.next() } else { None };
        match (gone, come) {
            (Some((_, old)), Some((_, new))) => {
                let mut patch = diff_maps(old, new, &field.schema, options)?;
                if !patch.is_empty() {
                    let key = new.get(merge_key).cloned().unwrap_or_default();
                    patch.insert(merge_key.to_owned(), key);
                    items.push(patch.into());
                }
            }
            (None, Some((_, new))) if !options.ignore_changes_and_additions => {
                items.push(new.clone().into());
            }
            (Some((_, old)), None) if !options.ignore_deletions => {
                let key = old.get(merge_key).cloned().unwrap_or_default();
                let entries = [
                    (merge_key.to_owned(), key),
                    (PATCH.to_owned(), DELETE.into()),
                ];
                deletions.push(Object::from_iter(entries).into());
            }
            _ => {}
        }
    }
}
