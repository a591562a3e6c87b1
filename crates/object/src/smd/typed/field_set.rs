//! The set of the fields of a value.

use std::sync::Arc;

use serde_json::Value;

use super::error::ValidationErrors;
use super::form::{Form, Forms, fields_of, invalid_atom, items_of, resolve};
use super::item::{ItemIndex, ItemKey};
use crate::smd::fieldset::Set;
use crate::smd::path::PathElement;
use crate::smd::schema::{List, Map, Relationship, Schema, Type, TypeId};

/// The set of all leaf fields and items of `value`.
pub(super) fn field_set(value: &Value, type_: &Type) -> Result<Set, ValidationErrors> {
    let mut walker = Walker {
        schema: type_.schema(),
        errors: ValidationErrors::default(),
    };
    let mut set = Set::new();
    // Nobody owns the root, be it a leaf or not.
    walker.value(value, Some(type_.id()), &mut set);
    walker.errors.or(set)
}

struct Walker<'s> {
    schema: &'s Schema,
    errors: ValidationErrors,
}

impl<'s> Walker<'s> {
    /// Collects what is below `value`; returns whether it is a leaf itself.
    fn value(&mut self, value: &Value, id: Option<TypeId>, below: &mut Set) -> bool {
        let Some(atom) = resolve(self.schema, id, &mut self.errors) else {
            return false;
        };
        match Forms::of(atom, Some(value)).pick(atom) {
            Some(Form::Scalar(_)) => true,
            Some(Form::Map(map)) if map.relationship == Relationship::Atomic => true,
            Some(Form::List(list)) if list.relationship == Relationship::Atomic => true,
            Some(Form::Map(map)) => {
                self.map(value, map, below);
                false
            }
            Some(Form::List(list)) => {
                self.list(value, list, below);
                false
            }
            None => {
                let name = id.and_then(|id| self.schema.name_of(id));
                self.errors.push(invalid_atom(name));
                false
            }
        }
    }

    fn map(&mut self, value: &Value, map: &'s Map, set: &mut Set) {
        for (name, value) in fields_of(Some(value)).into_iter().flatten() {
            let field = map.field(name);
            let id = field.map_or(map.element, |field| Some(field.type_id));
            let mut below = Set::new();
            let is_leaf = self.value(value, id, &mut below);
            let is_empty =
                value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
            let element = PathElement::Field(match field {
                Some(field) => Arc::clone(&field.name),
                None => name.as_str().into(),
            });
            if is_leaf || is_empty || field.is_none() {
                set.insert_member(element.clone());
            }
            set.insert_child(element, below);
        }
    }

    fn list(&mut self, value: &Value, list: &'s List, set: &mut Set) {
        let Some(items) = items_of(Some(value)) else {
            return;
        };
        let mut identified = Vec::with_capacity(items.len());
        let mut keys = Vec::with_capacity(items.len());
        let mut unidentified = Vec::new();
        for item in items {
            match ItemKey::of(self.schema, list, item) {
                Ok(key) => {
                    keys.push(key);
                    identified.push(item);
                }
                // Values are checked before: its key was removed since.
                Err(_) => unidentified.push(item),
            }
        }
        let index = ItemIndex::new(keys);
        for (position, (key, item)) in index.keys.iter().zip(identified).enumerate() {
            let positions = index.positions(key);
            match positions {
                [_] => self.item(item, key.to_element(), list, set),
                // Duplicates are owned as a whole.
                _ if positions.first() == Some(&position) => set.insert_member(key.to_element()),
                _ => {}
            }
        }
        match unidentified.as_slice() {
            [] => {}
            [single] => self.item(single, PathElement::Unidentified, list, set),
            _ => set.insert_member(PathElement::Unidentified),
        }
    }

    fn item(&mut self, item: &Value, element: PathElement, list: &'s List, set: &mut Set) {
        let mut below = Set::new();
        self.value(item, list.element, &mut below);
        set.insert_member(element.clone());
        set.insert_child(element, below);
    }
}
