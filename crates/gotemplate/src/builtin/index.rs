//! Reaching into values: `index`, `slice`, `len`.

use std::sync::Arc;

use crate::exec::Slot;
use crate::function::CallError;
use crate::value::{UintKind, Value};

/// An index as a position up to and including `limit`.
fn position(index: &Value, limit: usize) -> Result<usize, CallError> {
    let number = match index {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => *number as i64,
        Value::Nil => return Err(CallError::new("cannot index slice/array with nil")),
        _ => {
            return Err(CallError::new(format!(
                "cannot index slice/array with type {}",
                index.type_name()
            )));
        }
    };
    match usize::try_from(number) {
        Ok(position) if position <= limit => Ok(position),
        _ => Err(CallError::new(format!("index out of range: {number}"))),
    }
}

/// `index item a b c`: `item[a][b][c]`.
pub(super) fn index(slots: &[Slot]) -> Result<Slot, CallError> {
    let mut item = slots[0].clone();
    if item.value.is_nil() {
        return Err(CallError::new("index of untyped nil"));
    }
    for index in &slots[1..] {
        let index = &index.value;
        item = match &item.value {
            Value::Nil => return Err(CallError::new("index of nil pointer")),
            Value::String(text) | Value::Bytes(text) => {
                let at = position(index, text.len())?;
                match text.as_bytes().get(at) {
                    Some(byte) => Slot::plain(Value::Uint(UintKind::Uint8, u64::from(*byte))),
                    None if matches!(item.value, Value::String(_)) => {
                        return Err(CallError::new("reflect: string index out of range"));
                    }
                    None => return Err(CallError::new("reflect: slice index out of range")),
                }
            }
            Value::List(list) => {
                let at = position(index, list.len())?;
                match list.items().get(at) {
                    Some(value) => Slot {
                        value: value.clone(),
                        boxed: list.list_type().is_boxed(),
                    },
                    None => return Err(CallError::new("reflect: slice index out of range")),
                }
            }
            Value::Map(map) => {
                let key = key(index)?;
                Slot {
                    value: map.get(key).unwrap_or_else(|| map.map_type().zero()),
                    boxed: map.map_type().is_boxed(),
                }
            }
            Value::Object(object) => match object.entries() {
                Some(entries) => {
                    let wanted = key(index)?;
                    let found = entries
                        .into_iter()
                        .find(|(name, _)| name.as_bytes() == wanted);
                    Slot {
                        value: found.map_or_else(|| object.zero_entry(), |(_, value)| value),
                        boxed: object.entries_are_boxed(),
                    }
                }
                None => return Err(cannot_index(&item.value)),
            },
            _ => return Err(cannot_index(&item.value)),
        };
    }
    Ok(item)
}

fn cannot_index(item: &Value) -> CallError {
    CallError::new(format!("can't index item of type {}", item.type_name()))
}

/// An index of a map: a string.
fn key(index: &Value) -> Result<&[u8], CallError> {
    match index {
        Value::String(key) => Ok(key.as_bytes()),
        Value::Nil => Err(CallError::new("value is nil; should be of type string")),
        _ => Err(CallError::new(format!(
            "value has type {}; should be string",
            index.type_name()
        ))),
    }
}

/// `slice item i j k`: `item[i:j:k]`.
pub(super) fn slice(slots: &[Slot]) -> Result<Slot, CallError> {
    let item = &slots[0].value;
    let indexes = &slots[1..];
    if item.is_nil() {
        return Err(CallError::new("slice of untyped nil"));
    }
    if indexes.len() > 3 {
        return Err(CallError::new(format!(
            "too many slice indexes: {}",
            indexes.len()
        )));
    }
    let (length, capacity) = match item {
        Value::String(_) if indexes.len() == 3 => {
            return Err(CallError::new("cannot 3-index slice a string"));
        }
        Value::String(text) | Value::Bytes(text) => (text.len(), text.len()),
        Value::List(list) => (list.len(), list.capacity()),
        _ => {
            return Err(CallError::new(format!(
                "can't slice item of type {}",
                item.type_name()
            )));
        }
    };
    let mut bounds = [0, length, capacity];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        // Upstream does not look into interfaces here, as it does for `index`.
        if index.boxed {
            return Err(CallError::new(
                "cannot index slice/array with type interface {}",
            ));
        }
        *bound = position(&index.value, capacity)?;
    }
    let [start, end, max] = bounds;
    if start > end {
        return Err(CallError::new(format!(
            "invalid slice index: {start} > {end}"
        )));
    }
    if end > max {
        return Err(CallError::new(format!(
            "invalid slice index: {end} > {max}"
        )));
    }
    Ok(Slot::plain(match item {
        Value::String(text) => Value::string(&text.as_bytes()[start..end]),
        Value::Bytes(bytes) => Value::Bytes(bytes.as_bytes()[start..end].into()),
        Value::List(list) => Value::List(Arc::new(list.slice(start, end, max))),
        _ => Value::Nil,
    }))
}

/// `len`
pub(super) fn length(slots: &[Slot]) -> Result<Slot, CallError> {
    let slot = &slots[0];
    if slot.is_invalid() {
        return Err(CallError::new(
            "reflect: call of reflect.Value.Type on zero Value",
        ));
    }
    if slot.value.is_nil() {
        return Err(CallError::new("len of nil pointer"));
    }
    match slot.value.length() {
        Some(length) => Ok(Slot::plain(Value::int(length as i64))),
        None => Err(CallError::new(format!(
            "len of type {}",
            slot.value.type_name()
        ))),
    }
}
