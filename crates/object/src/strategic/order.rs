//! The order of lists: what the patch says, then what the live object has.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::StrategicError;
use super::directive::is_deletion;
use crate::goprint;

/// Numbers for merge keys and scalars, so that they are compared and looked up cheaply.
#[derive(Default)]
pub(super) struct Keys {
    numbers: HashMap<Value, usize>,
}

impl Keys {
    /// The number of a value.
    pub(super) fn number(&mut self, value: &Value) -> usize {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = self.numbers.len();
        self.numbers.insert(value.clone(), number);
        number
    }

    /// The number of an item: that of its merge key, or of itself if there is no merge key. A missing
    /// key counts as null.
    pub(super) fn of(&mut self, item: &Value, merge_key: &str) -> usize {
        match item {
            Value::Object(map) => self.number(map.get(merge_key).unwrap_or(&Value::Null)),
            Value::Array(_) => self.number(&Value::Null),
            scalar => self.number(scalar),
        }
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// An item of a list and the number of its key.
pub(super) struct Item {
    pub(super) key: usize,
    pub(super) value: Value,
}

/// The first place of each number in a list.
pub(super) struct Places(Vec<Option<usize>>);

impl Places {
    pub(super) fn new(count: usize, order: &[usize]) -> Self {
        let mut places = vec![None; count];
        for (at, key) in order.iter().enumerate() {
            places[*key].get_or_insert(at);
        }
        Self(places)
    }

    pub(super) fn get(&self, key: usize) -> Option<usize> {
        self.0.get(key).copied().flatten()
    }

    pub(super) fn contains(&self, key: usize) -> bool {
        self.get(key).is_some()
    }
}

/// Sorts items by their places; those marked as deletions go to the end.
pub(super) fn sort_by_places(items: Vec<Item>, places: &Places) -> Vec<Item> {
    let is_deletion = |item: &Item| item.value.as_object().is_some_and(is_deletion);
    let (deletions, mut kept): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_deletion);
    if kept.iter().all(|item| places.contains(item.key)) {
        kept.sort_by_key(|item| places.get(item.key));
    } else {
        // Upstream takes an item without a place for less than any other, which is no order; the
        // outcome is that of the sort by insertion that Go uses for short lists.
        for end in 1..kept.len().min(GO_INSERTION_BLOCK) {
            let mut at = end;
            while at > 0 {
                let pair = (places.get(kept[at].key), places.get(kept[at - 1].key));
                if matches!(pair, (Some(right), Some(left)) if right >= left) {
                    break;
                }
                kept.swap(at, at - 1);
                at -= 1;
            }
        }
    }
    kept.extend(deletions);
    kept
}

/// How many items Go's stable sort sorts by insertion.
const GO_INSERTION_BLOCK: usize = 20;

/// Joins items of the patch and items of the server alone into one list. Both keep their own order;
/// an item of the server stands before the first item of the patch that follows it in the live list.
pub(super) fn interleave(
    patch: Vec<Item>,
    server_only: Vec<Item>,
    patch_places: &Places,
    server_places: &Places,
) -> Vec<Value> {
    let mut patch = sort_by_places(patch, patch_places).into_iter().peekable();
    let mut server = sort_by_places(server_only, server_places)
        .into_iter()
        .peekable();
    let mut all = Vec::with_capacity(patch.len() + server.len());
    loop {
        let takes_server = match (server.peek(), patch.peek()) {
            (None, None) => return all,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(left), Some(right)) => {
                match (server_places.get(left.key), server_places.get(right.key)) {
                    (Some(left), Some(right)) => left < right,
                    _ => false,
                }
            }
        };
        let next = if takes_server {
            server.next()
        } else {
            patch.next()
        };
        all.extend(next.map(|item| item.value));
    }
}

/// Takes repeated scalars out of a list.
///
/// Upstream puts the last item in the place of a repeated one, so the order changes; so it does here.
pub(super) fn deduplicate(items: Vec<Value>) -> Vec<Value> {
    let mut keys = Keys::default();
    let numbers: Vec<usize> = items.iter().map(|item| keys.number(item)).collect();
    if keys.len() == items.len() {
        return items;
    }
    let mut places: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); keys.len()];
    for (at, number) in numbers.iter().enumerate() {
        places[*number].insert(at);
    }
    let mut slots: Vec<usize> = (0..items.len()).collect();
    let mut last = items.len() - 1;
    let mut at = 0;
    while at < last {
        let number = numbers[slots[at]];
        while at < last
            && let Some(repeated) = places[number].range(at + 1..=last).next().copied()
        {
            places[number].remove(&repeated);
            if repeated != last {
                let moved = slots[last];
                places[numbers[moved]].remove(&last);
                places[numbers[moved]].insert(repeated);
                slots[repeated] = moved;
            }
            last -= 1;
        }
        at += 1;
    }
    slots.truncate(last + 1);
    let mut items: Vec<Option<Value>> = items.into_iter().map(Some).collect();
    slots
        .into_iter()
        .filter_map(|slot| items[slot].take())
        .collect()
}

/// Whether the items of some lists are maps. All have to have one type, and none may be a list.
pub(super) fn are_maps(lists: &[&[Value]]) -> Result<bool, StrategicError> {
    let mut items = lists.iter().flat_map(|list| list.iter());
    let first = items.next().ok_or(StrategicError::NoElements)?;
    match first {
        Value::Array(_) => return Err(StrategicError::ListOfLists),
        Value::Null => return Err(StrategicError::NullElement),
        _ => {}
    }
    if items.any(|item| !goprint::same_type(first, item)) {
        let lists: Vec<String> = lists.iter().map(|list| goprint::list_v(list)).collect();
        return Err(StrategicError::MixedList(format!("[{}]", lists.join(" "))));
    }
    Ok(first.is_object())
}

/// Checks that all items are maps with a merge key.
pub(super) fn check_merge_keys<'a>(
    items: impl IntoIterator<Item = &'a Value>,
    merge_key: &str,
) -> Result<(), StrategicError> {
    for item in items {
        let Value::Object(map) = item else {
            return Err(StrategicError::not_a_map(item));
        };
        if !map.contains_key(merge_key) {
            return Err(StrategicError::no_merge_key(map, merge_key));
        }
    }
    Ok(())
}

/// Sorts as Go's `sort.Sort` does with "less or equal" in place of "less": texts in order, and equal
/// ones turned around in short lists.
pub(super) fn sort_with_equals_reversed<T>(items: &mut [(String, T)]) {
    if items.len() > GO_UNSTABLE_BLOCK {
        items.sort_by(|left, right| left.0.cmp(&right.0));
        return;
    }
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && items[at].0 <= items[at - 1].0 {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// Up to how many items Go's unstable sort sorts by insertion.
const GO_UNSTABLE_BLOCK: usize = 12;
