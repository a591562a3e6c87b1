//! Merging a declaration into a value.

use std::borrow::Cow;

use serde_json::{Map as JsonMap, Value};

use super::error::ValidationErrors;
use super::form::{Form, Forms, check_scalar, fields_of, invalid_atom, items_of, resolve};
use super::item::{ItemIndex, ItemKey};
use crate::smd::schema::{List, Map, Relationship, Schema, Type, TypeId};

/// Merges `right` into `left`.
pub(super) fn merge<'a>(
    left: &'a Value,
    right: &'a Value,
    type_: &Type,
) -> Result<Cow<'a, Value>, ValidationErrors> {
    let mut walker = Walker {
        schema: type_.schema(),
        errors: ValidationErrors::default(),
    };
    let merged = walker.value(Some(left), Some(right), Some(type_.id()));
    walker.errors.or(match merged {
        Merged::Left => Cow::Borrowed(left),
        Merged::Right => Cow::Borrowed(right),
        Merged::New(value) => Cow::Owned(value),
        Merged::Nothing => Cow::Owned(Value::Null),
    })
}

/// What a merge comes to, without copying one of the sides.
enum Merged {
    Left,
    Right,
    New(Value),
    Nothing,
}

struct Walker<'s> {
    schema: &'s Schema,
    errors: ValidationErrors,
}

/// Keeps the right side of a leaf, if there is one.
fn leaf(left: Option<&Value>, right: Option<&Value>) -> Merged {
    match (left, right) {
        // Not the equality of numbers: 1.0 replaces 1.
        (Some(left), Some(right)) if left == right => Merged::Left,
        (_, Some(_)) => Merged::Right,
        (Some(_), None) => Merged::Left,
        (None, None) => Merged::Nothing,
    }
}

impl<'s> Walker<'s> {
    fn value(&mut self, left: Option<&Value>, right: Option<&Value>, id: Option<TypeId>) -> Merged {
        let Some(_) = right else {
            // What is stored has been checked: there is nothing to find below it.
            return if left.is_some() {
                Merged::Left
            } else {
                Merged::Nothing
            };
        };
        let Some(atom) = resolve(self.schema, id, &mut self.errors) else {
            return Merged::Nothing;
        };
        // Where the sides are of different forms, the right one counts.
        match Forms::of(atom, right).pick(atom) {
            Some(Form::Scalar(scalar)) => {
                if let (Some(left), Some(right)) =
                    (check_scalar(scalar, left), check_scalar(scalar, right))
                {
                    self.errors.push(format!("lhs: {left}"));
                    self.errors.push(format!("rhs: {right}"));
                    return Merged::Nothing;
                }
                leaf(left, right)
            }
            Some(Form::Map(map)) => self.map(left, right, map),
            Some(Form::List(list)) => self.list(left, right, list),
            None => {
                let name = id.and_then(|id| self.schema.name_of(id));
                self.errors.push(invalid_atom(name));
                Merged::Nothing
            }
        }
    }

    fn map(&mut self, left: Option<&Value>, right: Option<&Value>, map: &'s Map) -> Merged {
        let old = fields_of(left).filter(|fields| !fields.is_empty());
        let new = fields_of(right).filter(|fields| !fields.is_empty());
        // Two empty maps are a leaf, which keeps the difference of empty and null.
        if map.relationship == Relationship::Atomic || (old.is_none() && new.is_none()) {
            return leaf(left, right);
        }
        let Some(new) = new else {
            return Merged::Left;
        };
        let mut changes: Vec<(&String, Merged)> = Vec::new();
        for (name, value) in new {
            let id = match map.field(name) {
                Some(field) => Some(field.type_id),
                None => map.element,
            };
            let mark = self.errors.mark();
            let merged = self.value(old.and_then(|old| old.get(name)), Some(value), id);
            self.errors.prefix_since(mark, || format!(".{name}"));
            if !matches!(merged, Merged::Left) {
                changes.push((name, merged));
            }
        }
        build_map(old, new, changes)
    }

    fn list(&mut self, left: Option<&Value>, right: Option<&Value>, list: &'s List) -> Merged {
        let old = items_of(left).filter(|items| !items.is_empty());
        let new = items_of(right).filter(|items| !items.is_empty());
        if list.relationship == Relationship::Atomic || (old.is_none() && new.is_none()) {
            return leaf(left, right);
        }
        let Some(new) = new else {
            return Merged::Left;
        };
        let old = old.map_or([].as_slice(), Vec::as_slice);
        let new_index = self.index(new, list, false);
        let old_index = self.index(old, list, true);
        let (Some(new_index), Some(old_index)) = (new_index, old_index) else {
            return Merged::Nothing;
        };
        let mut merger = ListMerger {
            walker: self,
            element: list.element,
            old,
            new,
            old_index,
            new_index,
            out: Vec::with_capacity(old.len().max(new.len())),
        };
        merger.run();
        let out = merger.out;
        build_list(old, new, out)
    }

    /// The identities of the items; `None` if there are errors.
    fn index<'a>(
        &mut self,
        items: &'a [Value],
        list: &'a List,
        allow_duplicates: bool,
    ) -> Option<ItemIndex<'a>>
    where
        's: 'a,
    {
        let mark = self.errors.mark();
        let mut keys = Vec::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            match ItemKey::of(self.schema, list, item) {
                Ok(key) => keys.push(key),
                Err(why) => self.errors.push(format!("element {position}: {why}")),
            }
        }
        if self.errors.mark() > mark {
            return None;
        }
        let index = ItemIndex::new(keys);
        if !allow_duplicates {
            for (position, key) in index.keys.iter().enumerate() {
                if !index.is_first(position) {
                    self.errors
                        .push(format!("duplicate entries for key {}", key.to_element()));
                }
            }
        }
        (self.errors.mark() == mark).then_some(index)
    }
}

/// An item of a merged list: from one of the sides, by its position, or new.
enum Item {
    Old(usize),
    New(usize),
    Merged(Value),
}

/// Interleaves the items of two lists.
///
/// The items of the right list keep its order; an item of the left list alone stays before the next
/// item that both have.
struct ListMerger<'a, 'w, 's> {
    walker: &'w mut Walker<'s>,
    element: Option<TypeId>,
    old: &'a [Value],
    new: &'a [Value],
    old_index: ItemIndex<'a>,
    new_index: ItemIndex<'a>,
    out: Vec<Item>,
}

impl ListMerger<'_, '_, '_> {
    fn run(&mut self) {
        // The items of both lists in the order of the right one, as positions in that.
        let shared: Vec<usize> = (0..self.new.len())
            .filter(|position| {
                let key = &self.new_index.keys[*position];
                !self.old_index.positions(key).is_empty()
            })
            .collect();
        let mut shared = shared.into_iter();
        let mut next_shared = shared.next();
        let mut merged = vec![false; self.new.len()];
        let (mut old, mut new) = (0, 0);
        while old < self.old.len() || new < self.new.len() {
            let in_new = self.old_index.keys.get(old).map(|key| {
                let position = self.new_index.positions(key).first().copied();
                (key, position)
            });
            if let Some((key, position)) = in_new.as_ref().filter(|_| new < self.new.len()) {
                if **key == self.new_index.keys[new] {
                    merged[new] = true;
                    self.merge_at(new);
                    old += 1;
                    new += 1;
                    next_shared = shared.next();
                    continue;
                }
                let is_next = next_shared.is_none_or(|next| self.new_index.keys[next] == **key);
                if position.is_some() && !is_next {
                    // Shared, but it is not its turn.
                    old += 1;
                    continue;
                }
            }
            if let Some((_, position)) = in_new {
                match position {
                    None => {
                        self.out.push(Item::Old(old));
                        old += 1;
                        continue;
                    }
                    Some(position) if merged[position] => old += 1,
                    Some(_) => {}
                }
            }
            if new < self.new.len() {
                merged[new] = true;
                self.merge_at(new);
                if next_shared
                    .is_some_and(|next| self.new_index.keys[next] == self.new_index.keys[new])
                {
                    next_shared = shared.next();
                }
                new += 1;
            }
        }
    }

    /// Merges the item of the right list with the one of the left list, if there is one.
    fn merge_at(&mut self, position: usize) {
        let positions = self.old_index.positions(&self.new_index.keys[position]);
        let old = match positions {
            [] => None,
            [single] => Some(&self.old[*single]),
            // Duplicates are not merged, they are replaced.
            _ => Some(&Value::Null),
        };
        // Upstream bug, kept: errors within the items of a list are lost.
        let mark = self.walker.errors.mark();
        let merged = self
            .walker
            .value(old, Some(&self.new[position]), self.element);
        self.walker.errors.0.truncate(mark);
        self.out.extend(match (merged, positions) {
            (Merged::Left, [single]) => Some(Item::Old(*single)),
            (Merged::Left, _) => Some(Item::Merged(Value::Null)),
            (Merged::Right, _) => Some(Item::New(position)),
            (Merged::New(value), _) => Some(Item::Merged(value)),
            (Merged::Nothing, _) => None,
        });
    }
}

/// The fields of `old`, with the changes that those of `new` make.
fn build_map(
    old: Option<&JsonMap<String, Value>>,
    new: &JsonMap<String, Value>,
    changes: Vec<(&String, Merged)>,
) -> Merged {
    if changes.is_empty() {
        return Merged::Left;
    }
    let all_new = || {
        changes
            .iter()
            .all(|(_, merged)| matches!(merged, Merged::Right))
    };
    if old.is_none() && all_new() {
        return Merged::Right;
    }
    let mut out = JsonMap::new();
    for (name, value) in old.into_iter().flatten() {
        if !changes.iter().any(|(changed, _)| *changed == name) {
            out.insert(name.clone(), value.clone());
        }
    }
    for (name, merged) in changes {
        let value = match merged {
            Merged::New(value) => Some(value),
            Merged::Right => new.get(name).cloned(),
            Merged::Left | Merged::Nothing => None,
        };
        if let Some(value) = value {
            out.insert(name.clone(), value);
        }
    }
    if out.is_empty() {
        return Merged::Nothing;
    }
    Merged::New(Value::Object(out))
}

fn build_list(old: &[Value], new: &[Value], out: Vec<Item>) -> Merged {
    let all = |is_at: fn(&Item) -> Option<usize>, length: usize| {
        out.len() == length
            && out
                .iter()
                .enumerate()
                .all(|(position, item)| is_at(item) == Some(position))
    };
    let old_position = |item: &Item| match item {
        Item::Old(position) => Some(*position),
        _ => None,
    };
    let new_position = |item: &Item| match item {
        Item::New(position) => Some(*position),
        _ => None,
    };
    if out.is_empty() {
        return Merged::Nothing;
    }
    if all(old_position, old.len()) {
        return Merged::Left;
    }
    if all(new_position, new.len()) {
        return Merged::Right;
    }
    let items = out
        .into_iter()
        .map(|item| match item {
            Item::Old(position) => old[position].clone(),
            Item::New(position) => new[position].clone(),
            Item::Merged(value) => value,
        })
        .collect();
    Merged::New(Value::Array(items))
}
