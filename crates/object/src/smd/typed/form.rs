//! Which of the possibilities of a type applies to a value.

use serde_json::Value;

use super::error::ValidationErrors;
use crate::smd::schema::{Atom, List, Map, Scalar, Schema, TypeId};
use crate::smd::value::{go_plain, go_syntax, go_type};

/// The possibilities that are left for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forms {
    scalar: bool,
    list: bool,
    map: bool,
}

/// The possibility that counts.
pub(super) enum Form<'s> {
    Map(&'s Map),
    Scalar(&'s Scalar),
    List(&'s List),
}

impl Forms {
    /// The one that fits the value, if the type allows it; else all that the type allows, and what
    /// is wrong shows later. An absent or null value fits anything.
    pub(super) fn of(atom: &Atom, value: Option<&Value>) -> Self {
        let (scalar, list, map) = match value {
            None | Some(Value::Null) => (false, false, false),
            Some(Value::Array(_)) => (false, atom.list.is_some(), false),
            Some(Value::Object(_)) => (false, false, atom.map.is_some()),
            Some(_) => (atom.scalar.is_some(), false, false),
        };
        if scalar || list || map {
            return Self { scalar, list, map };
        }
        Self {
            scalar: atom.scalar.is_some(),
            list: atom.list.is_some(),
            map: atom.map.is_some(),
        }
    }

    /// The form that counts: a map before a scalar before a list.
    pub(super) fn pick(self, atom: &Atom) -> Option<Form<'_>> {
        if let Some(map) = atom.map.as_ref().filter(|_| self.map) {
            return Some(Form::Map(map));
        }
        if let Some(scalar) = atom.scalar.as_ref().filter(|_| self.scalar) {
            return Some(Form::Scalar(scalar));
        }
        let list = atom.list.as_ref().filter(|_| self.list)?;
        Some(Form::List(list))
    }
}

/// The type `id`, where `None` is the empty one.
pub(super) fn resolve<'s>(
    schema: &'s Schema,
    id: Option<TypeId>,
    errors: &mut ValidationErrors,
) -> Option<&'s Atom> {
    let Some(id) = id else {
        errors.push(invalid_atom(None));
        return None;
    };
    match schema.resolve(id) {
        Ok(atom) => Some(atom),
        Err(name) => {
            errors.push(format!("schema error: no type found matching: {name}"));
            None
        }
    }
}

/// The message for a type that allows nothing.
pub(super) fn invalid_atom(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("schema error: invalid atom: named type: {name}"),
        None => "schema error: invalid atom: inlined".to_owned(),
    }
}

/// The items of a list; none if it is absent, null or something else.
pub(super) fn items_of(value: Option<&Value>) -> Option<&Vec<Value>> {
    value.and_then(Value::as_array)
}

/// The fields of a map; none if it is absent, null or something else.
pub(super) fn fields_of(value: Option<&Value>) -> Option<&serde_json::Map<String, Value>> {
    value.and_then(Value::as_object)
}

/// What is wrong with a scalar, if anything.
pub(super) fn check_scalar(scalar: &Scalar, value: Option<&Value>) -> Option<String> {
    let value = value.filter(|value| !value.is_null())?;
    match scalar {
        Scalar::Numeric if value.is_number() => None,
        Scalar::String if value.is_string() => None,
        Scalar::Boolean if value.is_boolean() => None,
        Scalar::Untyped if !(value.is_array() || value.is_object()) => None,
        Scalar::Numeric => Some(format!(
            "expected numeric (int or float), got {}",
            go_type(value)
        )),
        Scalar::String => Some(format!(
            "expected string, got &value.valueUnstructured{{Value:{}}}",
            go_syntax(value)
        )),
        Scalar::Boolean => Some(format!("expected boolean, got &{{{}}}", go_plain(value))),
        Scalar::Untyped => Some(format!("expected any scalar, got &{{{}}}", go_plain(value))),
        Scalar::Unknown(name) => Some(format!("unexpected scalar type in schema: {name}")),
    }
}
