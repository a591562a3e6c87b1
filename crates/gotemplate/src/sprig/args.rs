//! Reading arguments that fit their signature.

use crate::value::{List, Map, Value};

/// A `string` argument.
pub(super) fn text(args: &[Value], index: usize) -> &[u8] {
    match args.get(index) {
        Some(Value::String(text)) => text.as_bytes(),
        _ => b"",
    }
}

/// An integer argument.
pub(super) fn int(args: &[Value], index: usize) -> i64 {
    match args.get(index) {
        Some(Value::Int(_, number)) => *number,
        Some(Value::Uint(_, number)) => *number as i64,
        _ => 0,
    }
}

/// A `bool` argument.
pub(super) fn boolean(args: &[Value], index: usize) -> bool {
    matches!(args.get(index), Some(Value::Bool(true)))
}

/// A map argument; an empty one if it is none.
pub(super) fn map(args: &[Value], index: usize) -> Map {
    match args.get(index) {
        Some(Value::Map(map)) => map.clone(),
        _ => Map::new(),
    }
}

/// A `[]interface {}` argument; `None` for nil.
pub(super) fn list(args: &[Value], index: usize) -> Option<&[Value]> {
    match args.get(index) {
        Some(Value::List(list)) if !List::is_nil(list) => Some(list.items()),
        _ => None,
    }
}
