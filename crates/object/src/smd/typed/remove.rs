//! Taking fields and items out of a value, or only them.

use serde_json::{Map as JsonMap, Value};

use super::error::ValidationErrors;
use super::form::{Form, Forms, resolve};
use super::item::ItemKey;
use crate::smd::fieldset::Set;
use crate::smd::path::PathElement;
use crate::smd::schema::{List, Map, Relationship, Schema, Type, TypeId};

/// `value` without the fields and items in `items`.
pub(super) fn remove(value: &Value, items: &Set, type_: &Type) -> Value {
    let walker = Walker {
        schema: type_.schema(),
        extract: false,
    };
    walker.value(value, items, Some(type_.id()))
}

/// The fields and items of `value` that are in `items`.
pub(super) fn extract(value: &Value, items: &Set, type_: &Type) -> Value {
    let walker = Walker {
        schema: type_.schema(),
        extract: true,
    };
    walker.value(value, items, Some(type_.id()))
}

struct Walker<'s> {
    schema: &'s Schema,
    extract: bool,
}

impl Walker<'_> {
    /// What is left of `value`: null if it is a container with nothing left.
    fn value(&self, value: &Value, items: &Set, id: Option<TypeId>) -> Value {
        let mut errors = ValidationErrors::default();
        let form = resolve(self.schema, id, &mut errors)
            .and_then(|atom| Forms::of(atom, Some(value)).pick(atom));
        match (form, value) {
            (Some(Form::Scalar(_)), _) => value.clone(),
            (Some(Form::List(list)), Value::Array(_))
                if list.relationship == Relationship::Atomic =>
            {
                self.atomic(value)
            }
            (Some(Form::Map(map)), Value::Object(_))
                if map.relationship == Relationship::Atomic =>
            {
                self.atomic(value)
            }
            (Some(Form::List(list)), Value::Array(values)) => self.list(values, items, list),
            (Some(Form::Map(map)), Value::Object(fields)) => self.map(fields, items, map),
            _ => Value::Null,
        }
    }

    /// An atomic container is extracted as a whole, and removed as a whole.
    fn atomic(&self, value: &Value) -> Value {
        let is_empty = match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => true,
        };
        if self.extract && !is_empty {
            value.clone()
        } else {
            Value::Null
        }
    }

    fn list(&self, values: &[Value], items: &Set, list: &List) -> Value {
        let mut out = Vec::with_capacity(values.len());
        for value in values {
            let element = ItemKey::of(self.schema, list, value)
                .map_or(PathElement::Unidentified, |key| key.to_element());
            if items.has_member(&element) {
                if !self.extract {
                    continue;
                }
                out.push(self.value(value, items, list.element));
            }
            let below = items.child(&element);
            match below.filter(|below| !below.is_empty()) {
                // Upstream bug, kept: what is a member and has members below it is extracted twice.
                Some(below) => out.push(self.value(value, below, list.element)),
                None if self.extract => {}
                None => out.push(value.clone()),
            }
        }
        if out.is_empty() {
            return Value::Null;
        }
        Value::Array(out)
    }

    fn map(&self, fields: &JsonMap<String, Value>, items: &Set, map: &Map) -> Value {
        let mut out = JsonMap::new();
        for (name, value) in fields {
            let field = map.field(name);
            let id = field.map_or(map.element, |field| Some(field.type_id));
            if items.has_field(name) {
                if self.extract {
                    out.insert(name.clone(), self.value(value, items, id));
                }
                continue;
            }
            let below = items.field_child(name);
            match below.filter(|below| !below.is_empty()) {
                Some(below) => {
                    out.insert(name.clone(), self.value(value, below, id));
                }
                None if self.extract => {}
                None => {
                    out.insert(name.clone(), value.clone());
                }
            }
        }
        if out.is_empty() {
            return Value::Null;
        }
        Value::Object(out)
    }
}
