//! Changing an object while defaulting and preparing it.

use serde_json::{Map, Value};

/// The map at a value that is a map, or becomes one if it was null.
pub(crate) fn map_of(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

/// The field of a map, made (as null) if absent. `None` if `value` is something else than a map.
pub(crate) fn field<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    Some(map_of(value)?.entry(name).or_insert(Value::Null))
}

/// The field of a map if it is there and not null.
pub(crate) fn existing<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let mut value = value;
    for name in path.split('.') {
        value = value.get_mut(name)?;
    }
    (!value.is_null()).then_some(value)
}

/// The items of the list at a path.
pub(crate) fn items<'a>(value: &'a mut Value, path: &str) -> std::slice::IterMut<'a, Value> {
    existing(value, path)
        .and_then(Value::as_array_mut)
        .map_or_else(Default::default, |list| list.iter_mut())
}

/// Sets a field.
pub(crate) fn set(value: &mut Value, name: &str, to: impl Into<Value>) {
    if let Some(map) = map_of(value) {
        map.insert(name.to_owned(), to.into());
    }
}

/// Sets a field that is absent or null.
pub(crate) fn unset_default(value: &mut Value, name: &str, to: impl Into<Value>) {
    if let Some(field) = field(value, name)
        && field.is_null()
    {
        *field = to.into();
    }
}

/// Sets a field that is absent, null or the zero value of its type.
pub(crate) fn zero_default(value: &mut Value, name: &str, to: impl Into<Value>) {
    if let Some(field) = field(value, name)
        && is_zero(field)
    {
        *field = to.into();
    }
}

/// Whether Go would call a value of this kind zero.
pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Takes a field away.
pub(crate) fn remove(value: &mut Value, path: &str) {
    let (parent, name) = match path.rsplit_once('.') {
        Some((parent, name)) => match existing(value, parent) {
            Some(parent) => (parent, name),
            None => return,
        },
        None => (value, path),
    };
    if let Some(map) = parent.as_object_mut() {
        map.remove(name);
    }
}

/// Gives a field the value that it has in another object, or takes it away.
pub(crate) fn keep(new: &mut Value, old: &Value, path: &str) {
    let value = super::node::peek(old, path).clone();
    if value.is_null() {
        return remove(new, path);
    }
    let mut parent = new;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            return set(parent, name, value);
        }
        match field(parent, name) {
            Some(child) => parent = child,
            None => return,
        }
    }
}
