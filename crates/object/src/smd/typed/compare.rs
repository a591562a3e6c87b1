//! Comparing two values of a type.

use serde_json::{Map as JsonMap, Value};

use super::error::ValidationErrors;
use super::form::{Form, Forms, check_scalar, fields_of, invalid_atom, items_of, resolve};
use super::item::{ItemIndex, ItemKey};
use crate::smd::fieldset::{Filter, Set};
use crate::smd::path::PathElement;
use crate::smd::schema::{List, Map, Relationship, Schema, Type, TypeId};
use crate::smd::value::equal;

/// The fields that differ between two values. No field is in more than one of the sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Those that only the second value has.
    pub added: Set,
    /// Those that both have, with different values.
    pub modified: Set,
    /// Those that only the first value has.
    pub removed: Set,
}

impl Comparison {
    /// Whether there is no difference.
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// The comparison without these fields and all below them.
    pub fn without(self, fields: &Set) -> Self {
        if fields.is_empty() {
            return self;
        }
        Self {
            added: self.added.recursive_difference(fields),
            modified: self.modified.recursive_difference(fields),
            removed: self.removed.recursive_difference(fields),
        }
    }

    /// The comparison of what the filter leaves.
    pub fn filtered(self, filter: &Filter) -> Self {
        Self {
            added: filter.apply(&self.added),
            modified: filter.apply(&self.modified),
            removed: filter.apply(&self.removed),
        }
    }

    /// Adds what was found below a field, and at the field itself.
    fn add(&mut self, marks: Marks, below: Self, element: impl FnOnce() -> PathElement) {
        if !marks.any() && below.is_same() {
            return;
        }
        let element = element();
        for (marked, set, below) in [
            (marks.added, &mut self.added, below.added),
            (marks.modified, &mut self.modified, below.modified),
            (marks.removed, &mut self.removed, below.removed),
        ] {
            if marked {
                set.insert_member(element.clone());
            }
            set.insert_child(element.clone(), below);
        }
    }
}

/// What has happened to a field itself.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    added: bool,
    modified: bool,
    removed: bool,
}

impl Marks {
    fn any(self) -> bool {
        self.added || self.modified || self.removed
    }
}

/// What it takes to get from `left` to `right`.
pub(super) fn compare(
    left: &Value,
    right: &Value,
    type_: &Type,
) -> Result<Comparison, ValidationErrors> {
    let mut walker = Walker {
        schema: type_.schema(),
        errors: ValidationErrors::default(),
    };
    let mut comparison = Comparison::default();
    walker.value(Some(left), Some(right), Some(type_.id()), &mut comparison);
    walker.errors.or(comparison)
}

struct Walker<'s> {
    schema: &'s Schema,
    errors: ValidationErrors,
}

impl<'s> Walker<'s> {
    fn value(
        &mut self,
        left: Option<&Value>,
        right: Option<&Value>,
        id: Option<TypeId>,
        below: &mut Comparison,
    ) -> Marks {
        let mut marks = Marks::default();
        if let (Some(left), Some(right)) = (left, right)
            && std::ptr::eq(left, right)
        {
            return marks;
        }
        let Some(atom) = resolve(self.schema, id, &mut self.errors) else {
            return marks;
        };
        let left_forms = Forms::of(atom, left);
        let right_forms = Forms::of(atom, right);
        let mut is_leaf = false;
        let passes = if right.is_none() {
            [Some(left_forms), None]
        } else if left.is_none() || left_forms == right_forms {
            [Some(right_forms), None]
        } else {
            [Some(left_forms), Some(right_forms)]
        };
        for forms in passes.into_iter().flatten() {
            is_leaf = match forms.pick(atom) {
                Some(Form::Scalar(scalar)) => {
                    let problems = check_scalar(scalar, left).zip(check_scalar(scalar, right));
                    if let Some((left, right)) = problems {
                        self.errors.push(format!("lhs: {left}"));
                        self.errors.push(format!("rhs: {right}"));
                        false
                    } else {
                        true
                    }
                }
                Some(Form::Map(map)) => self.map(left, right, map, below),
                Some(Form::List(list)) => self.list(left, right, list, below),
                None => {
                    let name = id.and_then(|id| self.schema.name_of(id));
                    self.errors.push(invalid_atom(name));
                    false
                }
            };
            if is_leaf {
                mark_leaf(left, right, &mut marks);
            }
        }
        if !is_leaf {
            marks.added |= left.is_none();
            marks.removed |= left.is_some() && right.is_none();
        }
        marks
    }

    /// Compares maps; `true` if they are a leaf.
    fn map(
        &mut self,
        left: Option<&Value>,
        right: Option<&Value>,
        map: &'s Map,
        out: &mut Comparison,
    ) -> bool {
        let old = fields_of(left).filter(|fields| !fields.is_empty());
        let new = fields_of(right).filter(|fields| !fields.is_empty());
        if map.relationship == Relationship::Atomic || (old.is_none() && new.is_none()) {
            return true;
        }
        let get = |fields: Option<&'_ JsonMap<String, Value>>, name: &str| {
            fields.is_some_and(|fields| fields.contains_key(name))
        };
        for (name, value) in old.into_iter().flatten() {
            let other = new.and_then(|new| new.get(name));
            self.field(name, Some(value), other, map, out);
        }
        for (name, value) in new.into_iter().flatten() {
            if !get(old, name) {
                self.field(name, None, Some(value), map, out);
            }
        }
        false
    }

    fn field(
        &mut self,
        name: &str,
        left: Option<&Value>,
        right: Option<&Value>,
        map: &'s Map,
        out: &mut Comparison,
    ) {
        let field = map.field(name);
        let id = field.map_or(map.element, |field| Some(field.type_id));
        let mark = self.errors.mark();
        let mut below = Comparison::default();
        let marks = self.value(left, right, id, &mut below);
        self.errors.prefix_since(mark, || format!(".{name}"));
        out.add(marks, below, || {
            PathElement::Field(field.map_or_else(|| name.into(), |field| field.name.clone()))
        });
    }

    /// Compares lists; `true` if they are a leaf.
    fn list(
        &mut self,
        left: Option<&Value>,
        right: Option<&Value>,
        list: &'s List,
        out: &mut Comparison,
    ) -> bool {
        let old = items_of(left).map_or([].as_slice(), Vec::as_slice);
        let new = items_of(right).map_or([].as_slice(), Vec::as_slice);
        if list.relationship == Relationship::Atomic || (old.is_empty() && new.is_empty()) {
            return true;
        }
        let (Some(old_index), Some(new_index)) = (self.index(old, list), self.index(new, list))
        else {
            return false;
        };
        for (position, key) in old_index.keys.iter().enumerate() {
            if old_index.is_first(position) {
                let old = pick(old, old_index.positions(key));
                let new = pick(new, new_index.positions(key));
                self.items(key, &old, &new, list, out);
            }
        }
        for (position, key) in new_index.keys.iter().enumerate() {
            if new_index.is_first(position) && old_index.positions(key).is_empty() {
                let new = pick(new, new_index.positions(key));
                self.items(key, &[], &new, list, out);
            }
        }
        false
    }

    fn index<'a>(&mut self, items: &'a [Value], list: &'a List) -> Option<ItemIndex<'a>>
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
        (self.errors.mark() == mark).then(|| ItemIndex::new(keys))
    }

    /// Compares all the items with one identity. Duplicates are compared as a whole.
    fn items(
        &mut self,
        key: &ItemKey<'_>,
        old: &[&Value],
        new: &[&Value],
        list: &'s List,
        out: &mut Comparison,
    ) {
        let mut marks = Marks::default();
        match (old, new) {
            ([] | [_], [] | [_]) => {
                self.item(key, old.first().copied(), new.first().copied(), list, out);
            }
            ([_, _, ..], [_, _, ..]) => {
                marks.modified = old.len() != new.len()
                    || old.iter().zip(new).any(|(old, new)| !equal(old, new));
            }
            ([_, _, ..], _) => {
                if let Some(new) = new.first() {
                    self.item(key, None, Some(new), list, out);
                }
                marks.removed = true;
            }
            (_, [_, _, ..]) => {
                if let Some(old) = old.first() {
                    self.item(key, Some(old), None, list, out);
                }
                marks.added = true;
            }
        }
        out.add(marks, Comparison::default(), || key.to_element());
    }

    fn item(
        &mut self,
        key: &ItemKey<'_>,
        left: Option<&Value>,
        right: Option<&Value>,
        list: &'s List,
        out: &mut Comparison,
    ) {
        let mark = self.errors.mark();
        let mut below = Comparison::default();
        let marks = self.value(left, right, list.element, &mut below);
        self.errors
            .prefix_since(mark, || key.to_element().to_string());
        out.add(marks, below, || key.to_element());
    }
}

/// Marks a leaf that differs.
fn mark_leaf(left: Option<&Value>, right: Option<&Value>, marks: &mut Marks) {
    match (left, right) {
        (None, _) => marks.added = true,
        (_, None) => marks.removed = true,
        (Some(left), Some(right)) => marks.modified |= !equal(left, right),
    }
}

fn pick<'a>(items: &'a [Value], positions: &[usize]) -> Vec<&'a Value> {
    positions.iter().map(|position| &items[*position]).collect()
}
