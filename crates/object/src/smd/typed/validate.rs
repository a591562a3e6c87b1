//! Checking a value against its type.

use serde_json::Value;

use super::Duplicates;
use super::error::ValidationErrors;
use super::form::{Form, Forms, check_scalar, invalid_atom, resolve};
use super::item::{ItemIndex, ItemKey};
use crate::smd::MAX_DEPTH;
use crate::smd::path::PathElement;
use crate::smd::schema::{List, Map, Relationship, Schema, Type, TypeId};
use crate::smd::value::go_plain;

/// All the places where `value` does not conform to `type_`.
pub(super) fn validate(
    value: &Value,
    type_: &Type,
    duplicates: Duplicates,
) -> Result<(), ValidationErrors> {
    let mut walker = Walker {
        schema: type_.schema(),
        duplicates,
        errors: ValidationErrors::default(),
    };
    walker.value(value, Some(type_.id()), 0);
    walker.errors.or(())
}

struct Walker<'s> {
    schema: &'s Schema,
    duplicates: Duplicates,
    errors: ValidationErrors,
}

impl<'s> Walker<'s> {
    fn value(&mut self, value: &Value, id: Option<TypeId>, depth: usize) {
        if depth > MAX_DEPTH {
            self.errors
                .push(format!("nested more than {MAX_DEPTH} levels deep"));
            return;
        }
        let Some(atom) = resolve(self.schema, id, &mut self.errors) else {
            return;
        };
        match Forms::of(atom, Some(value)).pick(atom) {
            Some(Form::Map(map)) => self.map(value, map, depth),
            Some(Form::List(list)) => self.list(value, list, depth),
            Some(Form::Scalar(scalar)) => {
                if let Some(message) = check_scalar(scalar, Some(value)) {
                    self.errors.push(message);
                }
            }
            None => {
                let name = id.and_then(|id| self.schema.name_of(id));
                self.errors.push(invalid_atom(name));
            }
        }
    }

    fn map(&mut self, value: &Value, map: &'s Map, depth: usize) {
        let fields = match value {
            Value::Object(fields) => fields,
            Value::Null => return,
            other => {
                self.errors
                    .push(format!("expected map, got &{{{}}}", go_plain(other)));
                return;
            }
        };
        for (name, field) in fields {
            let mark = self.errors.mark();
            let id = match map.field(name) {
                Some(field) => Some(field.type_id),
                None if map.element.is_some() => map.element,
                None => {
                    self.errors.push("field not declared in schema".to_owned());
                    self.errors.prefix_since(mark, || format!(".{name}"));
                    // The library looks no further either.
                    return;
                }
            };
            self.value(field, id, depth + 1);
            self.errors.prefix_since(mark, || format!(".{name}"));
        }
    }

    fn list(&mut self, value: &Value, list: &'s List, depth: usize) {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return,
            other => {
                self.errors
                    .push(format!("expected list, got &{{{}}}", go_plain(other)));
                return;
            }
        };
        if list.relationship != Relationship::Associative {
            for (index, item) in items.iter().enumerate() {
                let mark = self.errors.mark();
                self.value(item, list.element, depth + 1);
                self.errors
                    .prefix_since(mark, || PathElement::Index(index as i64).to_string());
            }
            return;
        }
        let mut keys = Vec::with_capacity(items.len());
        let mut broken = None;
        for (index, item) in items.iter().enumerate() {
            match ItemKey::of(self.schema, list, item) {
                Ok(key) => keys.push(key),
                Err(why) => {
                    broken = Some(format!("element {index}: {why}"));
                    break;
                }
            }
        }
        let unique = self.duplicates == Duplicates::Forbidden && keys.len() > 1;
        let index = unique.then(|| ItemIndex::new(keys.clone()));
        for (position, (key, item)) in keys.iter().zip(items).enumerate() {
            if index
                .as_ref()
                .is_some_and(|index| !index.is_first(position))
            {
                self.errors
                    .push(format!("duplicate entries for key {}", key.to_element()));
            }
            let mark = self.errors.mark();
            self.value(item, list.element, depth + 1);
            self.errors
                .prefix_since(mark, || key.to_element().to_string());
        }
        // An item without identity ends the walk over its list.
        if let Some(message) = broken {
            self.errors.push(message);
        }
    }
}
