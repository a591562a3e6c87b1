//! Deep equality: Go's `reflect.DeepEqual`.

use std::sync::Arc;

use crate::value::{Map, Value};

/// How deep values are compared. Beyond it they count as equal: they hold themselves.
const MAX_DEPTH: usize = 10_000;

/// Whether two values are of the same type and deeply equal.
pub fn deep_equal(left: &Value, right: &Value) -> bool {
    equal(left, right, 0)
}

fn equal(left: &Value, right: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return true;
    }
    match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left_kind, left), Value::Int(right_kind, right)) => {
            left_kind == right_kind && left == right
        }
        (Value::Uint(left_kind, left), Value::Uint(right_kind, right)) => {
            left_kind == right_kind && left == right
        }
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Complex(left), Value::Complex(right)) => left == right,
        (Value::String(left), Value::String(right)) | (Value::Bytes(left), Value::Bytes(right)) => {
            left == right
        }
        (Value::List(left), Value::List(right)) => {
            Arc::ptr_eq(left, right)
                || (left.list_type() == right.list_type()
                    && left.is_nil() == right.is_nil()
                    && left.len() == right.len()
                    && deeper(|| {
                        let pairs = left.items().iter().zip(right.items());
                        pairs
                            .into_iter()
                            .all(|(left, right)| equal(left, right, depth + 1))
                    }))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.is_same(right) || deeper(|| equal_maps(left, right, depth))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.type_name() == right.type_name()
                && (Arc::ptr_eq(left, right) || left.equals(right.as_ref()))
        }
        _ => false,
    }
}

fn equal_maps(left: &Map, right: &Map, depth: usize) -> bool {
    if left.map_type() != right.map_type()
        || left.is_nil() != right.is_nil()
        || left.len() != right.len()
    {
        return false;
    }
    let right = right.entries();
    left.entries()
        .iter()
        .zip(&right)
        .all(|((left_key, left), (right_key, right))| {
            left_key == right_key && equal(left, right, depth + 1)
        })
}

fn deeper(compare: impl FnOnce() -> bool) -> bool {
    stacker::maybe_grow(crate::parse::RED_ZONE, crate::parse::STACK_SEGMENT, compare)
}
