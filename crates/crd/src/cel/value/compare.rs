//! Equality and order of values.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use serde_json::{Map as JsonObject, Value};

use super::super::error::EvalError;
use super::super::shape::{self, ListKind, Shape};
use super::json::{field_shape, from_json};
use super::{List, Val};

/// Whether two values are equal. Comparing objects or lists of the input with something else fails.
pub(crate) fn equal(left: &Val<'_>, right: &Val<'_>) -> Result<bool, EvalError> {
    Ok(match (left, right) {
        (Val::Error(message), _) | (_, Val::Error(message)) => {
            return Err(EvalError::new(&**message));
        }
        (Val::Null, Val::Null) => true,
        (Val::Null, _) | (_, Val::Null) => false,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (
            Val::Int(_) | Val::Uint(_) | Val::Double(_),
            Val::Int(_) | Val::Uint(_) | Val::Double(_),
        ) => compare_numbers(left, right) == Some(Ordering::Equal),
        (Val::Text(left), Val::Text(right)) => **left == **right,
        (Val::Bytes(left), Val::Bytes(right)) => left == right,
        (Val::Duration(left), Val::Duration(right)) => left == right,
        (Val::Timestamp(left), Val::Timestamp(right)) => left == right,
        (Val::List(left), Val::List(right)) => return equal_lists(left, right),
        (Val::List(list), _) if list.kind.is_some() => return Err(EvalError::no_such_overload()),
        (Val::Object(map, shape), _) => return equal_object(map, shape, right),
        (Val::Map(left), Val::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, (_, value)) in left.iter() {
                match right.get(key) {
                    Some((_, other)) if equal(value, other).unwrap_or(true) => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Val::Map(left), Val::Object(map, _)) => {
            if left.len() != map.len() {
                return Ok(false);
            }
            for (key, value) in left.values() {
                match right.find(key).ok().flatten() {
                    Some(other) if equal(value, &other).unwrap_or(true) => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Val::Preserved(left), Val::Preserved(right)) => left == right,
        (Val::Preserved(json), other) | (other, Val::Preserved(json)) => {
            let any = shape::Shape::json();
            equal(&from_json(json, &any), other)?
        }
        (Val::Type(left), Val::Type(right)) => left.name() == right.name(),
        (Val::Optional(left), Val::Optional(right)) => match (left, right) {
            (Some(left), Some(right)) => equal(left, right)?,
            (left, right) => left.is_none() == right.is_none(),
        },
        (Val::Quantity(left), Val::Quantity(right)) => left == right,
        (Val::Url(left), Val::Url(right)) => left == right,
        (Val::Ip(left), Val::Ip(right)) => left == right,
        (Val::Cidr(left, left_bits), Val::Cidr(right, right_bits)) => {
            left == right && left_bits == right_bits
        }
        (Val::Semver(left), Val::Semver(right)) => left == right,
        (Val::Format(left), Val::Format(right)) => left == right,
        (
            Val::Quantity(_)
            | Val::Url(_)
            | Val::Ip(_)
            | Val::Cidr(..)
            | Val::Semver(_)
            | Val::Format(_),
            _,
        ) => return Err(EvalError::no_such_overload()),
        _ => false,
    })
}

/// What identifies a scalar in a set.
fn scalar_key(value: &Val<'_>) -> Option<String> {
    match value {
        Val::Text(text) => Some(format!("t{}", &**text)),
        Val::Bool(flag) => Some(format!("b{flag}")),
        Val::Int(number) => Some(format!("n{number}")),
        Val::Uint(number) => Some(format!("n{number}")),
        Val::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Some(format!("n{}", *number as i64))
        }
        Val::Double(number) => Some(format!("d{number}")),
        Val::Duration(nanos) => Some(format!("u{nanos}")),
        Val::Timestamp(time) => Some(format!("s{}.{}", time.seconds, time.nanos)),
        Val::Bytes(bytes) => Some(format!("y{bytes:?}")),
        Val::Null => Some("0".to_owned()),
        _ => None,
    }
}

/// The keys of an item of a list of type map.
pub(crate) fn item_key(item: &Val<'_>, keys: &[String]) -> Option<String> {
    let Val::Object(map, _) = item else {
        return None;
    };
    let mut out = String::new();
    for key in keys {
        // The escaped name is looked up, as upstream does.
        let name = shape::escape(key).unwrap_or_else(|| key.clone());
        out.push_str(
            &map.get(&name)
                .map_or_else(|| "null".to_owned(), Value::to_string),
        );
        out.push('\0');
    }
    Some(out)
}

/// The keys of the scalars of a set.
pub(crate) fn set_keys(items: &[Val<'_>]) -> HashSet<String> {
    items.iter().filter_map(scalar_key).collect()
}

/// Whether a set has an item, given its keys.
pub(crate) fn is_in_set(keys: &HashSet<String>, items: &[Val<'_>], item: &Val<'_>) -> bool {
    match scalar_key(item) {
        Some(key) => keys.contains(&key),
        None => items.iter().any(|own| equal(own, item).unwrap_or(false)),
    }
}

fn equal_lists(left: &List<'_>, right: &List<'_>) -> Result<bool, EvalError> {
    if left.items.len() != right.items.len() {
        return Ok(false);
    }
    match left.kind {
        Some(ListKind::Set) => {
            let keys = set_keys(&left.items);
            Ok(right
                .items
                .iter()
                .all(|item| is_in_set(&keys, &left.items, item)))
        }
        Some(ListKind::Map(keys)) => {
            let mut by_key = HashMap::new();
            for item in &left.items {
                by_key.insert(item_key(item, keys), item);
            }
            for item in &right.items {
                let key = item_key(item, keys);
                match by_key.get(&key) {
                    Some(own) if key.is_some() => {
                        if !equal(own, item)? {
                            return Ok(false);
                        }
                    }
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        Some(_) => {
            for (own, other) in left.items.iter().zip(&right.items) {
                if !equal(own, other)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        // A list that was made takes an error for equal, as upstream does.
        None => Ok(left
            .items
            .iter()
            .zip(&right.items)
            .all(|(own, other)| equal(own, other).unwrap_or(true))),
    }
}

fn equal_object(
    map: &JsonObject<String, Value>,
    shape: &Shape,
    right: &Val<'_>,
) -> Result<bool, EvalError> {
    if !matches!(right, Val::Map(_) | Val::Object(..)) {
        return Err(EvalError::no_such_overload());
    }
    if map.len() as u64 != right.size() {
        return Ok(false);
    }
    for (name, value) in map {
        if let Some(field) = field_shape(shape, name) {
            let other = right.find(&Val::text(name.as_str()))?;
            let is_nothing = value.is_null()
                && !matches!(
                    shape.kind,
                    shape::ShapeKind::Json | shape::ShapeKind::Map(_)
                );
            match (is_nothing, other) {
                (true, None) => {}
                (false, Some(other)) => {
                    if !equal(&from_json(value, field).checked()?, &other)? {
                        return Ok(false);
                    }
                }
                _ => return Ok(false),
            }
        } else {
            let Val::Object(other, _) = right else {
                return Err(EvalError::no_such_overload());
            };
            if other.get(name).is_some_and(|other| other != value) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn compare_numbers(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    match (left, right) {
        (Val::Double(left), Val::Double(right)) => left.partial_cmp(right),
        (Val::Double(left), other) => compare_double(*left, whole(other)?),
        (other, Val::Double(right)) => compare_double(*right, whole(other)?).map(Ordering::reverse),
        (left, right) => Some(whole(left)?.cmp(&whole(right)?)),
    }
}

fn whole(value: &Val<'_>) -> Option<i128> {
    match value {
        Val::Int(number) => Some(i128::from(*number)),
        Val::Uint(number) => Some(i128::from(*number)),
        _ => None,
    }
}

fn compare_double(left: f64, right: i128) -> Option<Ordering> {
    if left.is_nan() {
        return None;
    }
    if left < -1e20 {
        return Some(Ordering::Less);
    }
    if left > 1e20 {
        return Some(Ordering::Greater);
    }
    left.partial_cmp(&(right as f64))
}

/// The order of two values.
pub(crate) fn compare(left: &Val<'_>, right: &Val<'_>) -> Result<Ordering, EvalError> {
    match (left, right) {
        (
            Val::Int(_) | Val::Uint(_) | Val::Double(_),
            Val::Int(_) | Val::Uint(_) | Val::Double(_),
        ) => compare_numbers(left, right)
            .ok_or_else(|| EvalError::new("NaN values cannot be ordered")),
        (Val::Text(left), Val::Text(right)) => Ok((**left).cmp(&**right)),
        (Val::Bytes(left), Val::Bytes(right)) => Ok(left.cmp(right)),
        (Val::Bool(left), Val::Bool(right)) => Ok(left.cmp(right)),
        (Val::Duration(left), Val::Duration(right)) => Ok(left.cmp(right)),
        (Val::Timestamp(left), Val::Timestamp(right)) => Ok(left.cmp(right)),
        _ => Err(EvalError::no_such_overload()),
    }
}
