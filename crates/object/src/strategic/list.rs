//! Merging lists whose items are told apart by a key or by their value.

use std::collections::HashSet;

use serde_json::Value;

use super::directive::{
    DELETE, MERGE, PATCH, REPLACE, has_directive, is_deletion, remove_directives,
};
use super::merge::{MergeOptions, merge_maps};
use super::order::{Item, Keys, Places, are_maps, check_merge_keys, deduplicate, interleave};
use super::schema::{PatchField, PatchSchema};
use super::{Object, StrategicError};
use crate::goprint;

/// A merged list.
pub(super) struct Merged {
    pub(super) items: Vec<Value>,
    /// What upstream finds in the memory of the live list afterwards, as numbers of keys; see
    /// [`MapList::leftover`].
    leftover: Vec<usize>,
}

/// Merges the items of a patch into a list.
pub(super) fn merge_list<S: PatchSchema>(
    live: Vec<Value>,
    patch: Vec<Value>,
    field: &PatchField<'_, S>,
    options: MergeOptions,
    is_delete_list: bool,
) -> Result<Merged, StrategicError> {
    merge_list_with(
        &mut Keys::default(),
        live,
        patch,
        field,
        options,
        is_delete_list,
    )
}

fn merge_list_with<S: PatchSchema>(
    keys: &mut Keys,
    live: Vec<Value>,
    patch: Vec<Value>,
    field: &PatchField<'_, S>,
    options: MergeOptions,
    is_delete_list: bool,
) -> Result<Merged, StrategicError> {
    let unordered = |items| Merged {
        items,
        leftover: Vec::new(),
    };
    if live.is_empty() && patch.is_empty() {
        return Ok(unordered(live));
    }
    if !are_maps(&[&live, &patch])? {
        if options.merge_parallel_lists && is_delete_list {
            let gone: HashSet<&Value> = patch.iter().collect();
            let mut live = live;
            live.retain(|item| !gone.contains(item));
            return Ok(unordered(live));
        }
        return merge_scalars(keys, live, patch, field.merge_key);
    }
    if field.merge_key.is_empty() {
        return Err(StrategicError::NoDeclaredMergeKey(field.schema.kind()));
    }
    let (list, patch_order) = MapList::merge(keys, live, patch, field, options)?;
    let leftover = list.leftover();
    let (server_order, items) = list.finish();
    check_merge_keys(items.iter().map(|item| &item.value), field.merge_key)?;
    let patch_places = Places::new(keys.len(), &patch_order);
    let server_places = Places::new(keys.len(), &server_order);
    let is_patched = |item: &Item| patch_places.contains(item.key);
    let (patched, server_only): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_patched);
    Ok(Merged {
        items: interleave(patched, server_only, &patch_places, &server_places),
        leftover,
    })
}

fn merge_scalars(
    keys: &mut Keys,
    live: Vec<Value>,
    patch: Vec<Value>,
    merge_key: &str,
) -> Result<Merged, StrategicError> {
    let live_order: Vec<usize> = live.iter().map(|item| keys.number(item)).collect();
    let patch_order: Vec<usize> = patch.iter().map(|item| keys.number(item)).collect();
    let mut both = live;
    both.extend(patch);
    let merged = deduplicate(both);
    if !merge_key.is_empty() {
        check_merge_keys(&merged, merge_key)?;
    }
    let patch_places = Places::new(keys.len(), &patch_order);
    let live_places = Places::new(keys.len(), &live_order);
    let items = merged.into_iter().map(|value| Item {
        key: keys.number(&value),
        value,
    });
    let (patched, server_only): (Vec<Item>, Vec<Item>) =
        items.partition(|item| patch_places.contains(item.key));
    Ok(Merged {
        items: interleave(patched, server_only, &patch_places, &live_places),
        leftover: live_order,
    })
}

/// A list of maps on its way: items by number, and the order in which the live ones lie.
struct MapList {
    items: Vec<Option<Item>>,
    /// Whether the item has the merge key at all.
    has_key: Vec<bool>,
    /// The live list as upstream has it in memory: what is deleted is closed up, and what stood at
    /// the end stays there beyond the `live` items that count.
    memory: Vec<usize>,
    live: usize,
    /// Items that were added.
    added: Vec<usize>,
    /// The patch replaces the list.
    is_replaced: bool,
}

impl MapList {
    /// Merges, and gives also the order of the patch, as numbers of keys.
    fn merge<S: PatchSchema>(
        keys: &mut Keys,
        live: Vec<Value>,
        patch: Vec<Value>,
        field: &PatchField<'_, S>,
        options: MergeOptions,
    ) -> Result<(Self, Vec<usize>), StrategicError> {
        let merge_key = field.merge_key;
        let mut list = Self {
            memory: (0..live.len()).collect(),
            live: live.len(),
            items: Vec::with_capacity(live.len() + patch.len()),
            has_key: Vec::new(),
            added: Vec::new(),
            is_replaced: false,
        };
        for value in live {
            list.push(keys, value, merge_key);
        }
        let patch = list.carry_out_directives(keys, patch, merge_key)?;
        if list.is_replaced {
            list.live = 0;
            for value in patch {
                let number = list.push(keys, Value::Object(value), merge_key);
                list.added.push(number);
            }
            return Ok((list, Vec::new()));
        }
        let mut order = Vec::with_capacity(patch.len());
        let mut known: Vec<Option<usize>> = Vec::new();
        for at in 0..list.live {
            let number = list.memory[at];
            if let Some(item) = list.items[number].as_ref().filter(|_| list.has_key[number]) {
                known.resize(known.len().max(item.key + 1), None);
                known[item.key].get_or_insert(number);
            }
        }
        for value in patch {
            let key = value
                .get(merge_key)
                .map(|key| keys.number(key))
                .ok_or_else(|| StrategicError::no_merge_key(&value, merge_key))?;
            order.push(key);
            known.resize(known.len().max(key + 1), None);
            let found = known[key].and_then(|number| list.items[number].as_mut());
            if let Some(Item {
                value: Value::Object(item),
                ..
            }) = found
            {
                *item = merge_maps(std::mem::take(item), value, &field.schema, options)?;
            } else {
                let number = list.push(keys, Value::Object(value), merge_key);
                known[key] = Some(number);
                list.added.push(number);
            }
        }
        Ok((list, order))
    }

    fn push(&mut self, keys: &mut Keys, value: Value, merge_key: &str) -> usize {
        self.has_key.push(value.get(merge_key).is_some());
        let key = keys.of(&value, merge_key);
        self.items.push(Some(Item { key, value }));
        self.items.len() - 1
    }

    /// Deletes what the patch says; gives the items of the patch that are no directives.
    fn carry_out_directives(
        &mut self,
        keys: &mut Keys,
        patch: Vec<Value>,
        merge_key: &str,
    ) -> Result<Vec<Object>, StrategicError> {
        let mut rest = Vec::with_capacity(patch.len());
        for value in patch {
            let Value::Object(map) = value else {
                return Err(StrategicError::not_a_map(&value));
            };
            match map.get(PATCH) {
                None => rest.push(map),
                Some(directive) if directive == DELETE => {
                    let key = map
                        .get(merge_key)
                        .ok_or_else(|| StrategicError::no_merge_key(&map, merge_key))?;
                    self.delete(keys.number(key));
                }
                Some(directive) if directive == REPLACE => self.is_replaced = true,
                Some(directive) if directive == MERGE => {
                    return Err(StrategicError::MergeDirective);
                }
                Some(directive) => {
                    return Err(StrategicError::unknown_directive(directive, &map));
                }
            }
        }
        Ok(rest)
    }

    /// Deletes all live items with a key.
    fn delete(&mut self, key: usize) {
        let is_it = |list: &Self, number: usize| {
            list.has_key[number]
                && list.items[number]
                    .as_ref()
                    .is_some_and(|item| item.key == key)
        };
        let mut at = 0;
        while at < self.live {
            if is_it(self, self.memory[at]) {
                self.memory.copy_within(at + 1..self.live, at);
                self.live -= 1;
            } else {
                at += 1;
            }
        }
    }

    /// The keys in the memory of the live list. Upstream goes by it where the patch gives an order:
    /// items that were added lie where items were deleted, and so have a place among the live ones.
    fn leftover(&self) -> Vec<usize> {
        let mut memory = self.memory.clone();
        // A list that is replaced is built elsewhere.
        let added = if self.is_replaced {
            &[]
        } else {
            self.added.as_slice()
        };
        for (slot, number) in memory.iter_mut().skip(self.live).zip(added) {
            *slot = *number;
        }
        let key = |number: usize| self.items[number].as_ref().map(|item| item.key);
        memory.into_iter().filter_map(key).collect()
    }

    /// The order of the live items, as numbers of keys, and all items.
    fn finish(mut self) -> (Vec<usize>, Vec<Item>) {
        let numbers: Vec<usize> = self.memory[..self.live]
            .iter()
            .chain(&self.added)
            .copied()
            .collect();
        let live = if self.is_replaced {
            usize::MAX
        } else {
            self.live
        };
        let items: Vec<Item> = numbers
            .into_iter()
            .filter_map(|number| self.items[number].take())
            .collect();
        (
            items.iter().take(live).map(|item| item.key).collect(),
            items,
        )
    }
}

/// Merges a list and puts it in the order that the patch gives. `None` if neither side has the list.
pub(super) fn merge_ordered_list<S: PatchSchema>(
    live: Option<Vec<Value>>,
    patch: Option<Vec<Value>>,
    order: &[Value],
    field: &PatchField<'_, S>,
    options: MergeOptions,
) -> Result<Option<Vec<Value>>, StrategicError> {
    let strategy = field.strategy()?;
    let merge_key = field.merge_key;
    check_order(patch.as_deref().unwrap_or_default(), order, merge_key)?;
    // Types and keys of the lists as they were count below, after merging.
    let sides = [
        live.as_deref().unwrap_or_default(),
        patch.as_deref().unwrap_or_default(),
    ];
    let type_check = are_maps(&sides);
    let live_check = check_merge_keys(sides[0], merge_key);
    let mut keys = Keys::default();
    let mut server_order: Vec<usize> = sides[0]
        .iter()
        .map(|item| keys.of(item, merge_key))
        .collect();
    let merged = match (live, patch) {
        (None, None) => return Ok(None),
        (Some(live), None) => live,
        (None, Some(mut patch)) => {
            patch.retain_mut(remove_directives);
            patch
        }
        (Some(_), Some(patch)) if !strategy.is_merge => patch,
        (Some(live), Some(patch)) => {
            let merged = merge_list_with(&mut keys, live, patch, field, options, false)?;
            server_order = merged.leftover;
            merged.items
        }
    };
    if merge_key.is_empty() {
        if merged
            .iter()
            .any(|item| item.is_object() || item.is_array())
        {
            return Err(StrategicError::SetElementOrderFormat);
        }
    } else {
        check_merge_keys(&merged, merge_key)?;
        if !merged.is_empty()
            && let Some(at) = order.iter().position(|item| !item.is_object())
        {
            return Err(StrategicError::NotMap(at));
        }
    }
    if type_check? {
        check_merge_keys(order, merge_key)?;
        live_check?;
    }
    let order: Vec<usize> = order.iter().map(|item| keys.of(item, merge_key)).collect();
    let items: Vec<Item> = merged
        .into_iter()
        .map(|value| Item {
            key: keys.of(&value, merge_key),
            value,
        })
        .collect();
    let places = Places::new(keys.len(), &order);
    let server_places = Places::new(keys.len(), &server_order);
    let (patched, server_only): (Vec<Item>, Vec<Item>) = items
        .into_iter()
        .partition(|item| places.contains(item.key));
    Ok(Some(interleave(
        patched,
        server_only,
        &places,
        &server_places,
    )))
}

/// Checks that the items of a patch stand in the order it gives, deletions aside.
fn check_order(patch: &[Value], order: &[Value], merge_key: &str) -> Result<(), StrategicError> {
    if order.is_empty() || patch.is_empty() {
        return Ok(());
    }
    if !merge_key.is_empty()
        && let Some(item) = patch.iter().find(|item| !item.is_object())
    {
        return Err(StrategicError::not_a_map(item));
    }
    let is_kept =
        |item: &&Value| merge_key.is_empty() || !item.as_object().is_some_and(is_deletion);
    let mut kept = patch.iter().filter(is_kept).peekable();
    let mut order_left = order.iter();
    while let Some(item) = kept.peek() {
        // Upstream quirk, kept: a directive is passed over, but not behind the end of the order.
        if order_left.len() > 0 && has_directive(item) {
            kept.next();
            continue;
        }
        match order_left.next() {
            Some(ordered) if same_key(item, ordered, merge_key)? => {
                kept.next();
            }
            Some(_) => {}
            None => break,
        }
    }
    if kept.peek().is_none() {
        return Ok(());
    }
    Err(StrategicError::Order {
        patch: goprint::list_v(patch),
        order: goprint::list_v(order),
    })
}

/// Whether two items have the same merge key, or are equal if there is no merge key.
pub(super) fn same_key(
    left: &Value,
    right: &Value,
    merge_key: &str,
) -> Result<bool, StrategicError> {
    if merge_key.is_empty() {
        return Ok(left == right);
    }
    let map = |value: &Value| match value {
        Value::Object(_) => Ok(()),
        other => Err(StrategicError::not_a_map(other)),
    };
    map(left)?;
    map(right)?;
    let key = |value: &Value| match value {
        Value::Object(map) if !map.contains_key(merge_key) => {
            Err(StrategicError::no_merge_key(map, merge_key))
        }
        _ => Ok(()),
    };
    key(left)?;
    key(right)?;
    Ok(left.get(merge_key) == right.get(merge_key))
}
