//! Comparison: `eq`, `ne`, `lt`, `le`, `gt`, `ge`.

use std::cmp::Ordering;

use crate::exec::Slot;
use crate::fmt::sprintf;
use crate::function::CallError;
use crate::text::lossy;
use crate::value::Value;

const BAD_TYPE: &str = "invalid type for comparison";

type Compared = Result<Slot, CallError>;

fn answer(truth: bool) -> Compared {
    Ok(Slot::plain(Value::Bool(truth)))
}

fn incompatible(left: &Value, right: &Value) -> CallError {
    CallError::new(format!(
        "incompatible types for comparison: {} and {}",
        left.type_name(),
        right.type_name()
    ))
}

/// `==` against any of the others.
pub(super) fn eq(slots: &[Slot]) -> Compared {
    if slots.len() == 1 {
        return Err(CallError::new("missing argument for comparison"));
    }
    let left = &slots[0].value;
    for slot in &slots[1..] {
        if equal(left, &slot.value)? {
            return answer(true);
        }
    }
    answer(false)
}

/// Go's kinds that `==` is defined on here.
fn basic_kind(value: &Value) -> Option<u8> {
    match object_number(value).as_ref().unwrap_or(value) {
        Value::Bool(_) => Some(0),
        Value::Complex(_) => Some(1),
        Value::Int(..) => Some(2),
        Value::Float(_) => Some(3),
        Value::String(_) => Some(4),
        Value::Uint(..) => Some(5),
        _ => None,
    }
}

/// An object whose kind is a basic one, such as a duration, as that: it is compared by its number.
fn object_number(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => object.underlying(),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, CallError> {
    let (left_number, right_number) = (object_number(left), object_number(right));
    let (plain_left, plain_right) = (
        left_number.as_ref().unwrap_or(left),
        right_number.as_ref().unwrap_or(right),
    );
    match (plain_left, plain_right) {
        (Value::Int(_, left), Value::Uint(_, right)) => {
            return Ok(u64::try_from(*left).is_ok_and(|left| left == *right));
        }
        (Value::Uint(_, left), Value::Int(_, right)) => {
            return Ok(u64::try_from(*right).is_ok_and(|right| *left == right));
        }
        (Value::Bool(left), Value::Bool(right)) => return Ok(left == right),
        (Value::Complex(left), Value::Complex(right)) => return Ok(left == right),
        (Value::Float(left), Value::Float(right)) => return Ok(left == right),
        (Value::Int(_, left), Value::Int(_, right)) => return Ok(left == right),
        (Value::String(left), Value::String(right)) => return Ok(left == right),
        (Value::Uint(_, left), Value::Uint(_, right)) => return Ok(left == right),
        _ => {}
    }
    if basic_kind(left) != basic_kind(right) {
        if !left.is_nil() && !right.is_nil() {
            return Err(incompatible(left, right));
        }
        return Ok(false);
    }
    equal_references(left, right)
}

/// Values of neither basic kind.
fn equal_references(left: &Value, right: &Value) -> Result<bool, CallError> {
    let same_kind = left.kind() == right.kind();
    if !same_kind && !left.is_nil() && !right.is_nil() {
        let text = sprintf(
            b"non-comparable types %s: %v, %s: %v",
            &[
                left.clone(),
                Value::string(left.type_name().into_owned()),
                Value::string(right.type_name().into_owned()),
                right.clone(),
            ],
        );
        return Err(CallError::new(lossy(&text).into_owned()));
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    match right {
        Value::Map(_) | Value::List(_) | Value::Bytes(_) => {
            let text = sprintf(
                b"non-comparable type %s: %v",
                &[right.clone(), Value::string(right.type_name().into_owned())],
            );
            Err(CallError::new(lossy(&text).into_owned()))
        }
        Value::Object(right) => match left {
            Value::Object(left) => {
                Ok(left.type_name() == right.type_name() && left.equals(right.as_ref()))
            }
            _ => Ok(false),
        },
        _ => Ok(false),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Map(map) => map.is_nil(),
        Value::List(list) => list.is_nil(),
        _ => false,
    }
}

/// `!=`
pub(super) fn ne(slots: &[Slot]) -> Compared {
    answer(!equal(&slots[0].value, &slots[1].value)?)
}

/// The order of two values of kinds that have one. `None` for NaN.
fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, CallError> {
    let (Some(left_kind), Some(right_kind)) = (basic_kind(left), basic_kind(right)) else {
        return Err(CallError::new(BAD_TYPE));
    };
    let (left_number, right_number) = (object_number(left), object_number(right));
    let (plain_left, plain_right) = (
        left_number.as_ref().unwrap_or(left),
        right_number.as_ref().unwrap_or(right),
    );
    match (plain_left, plain_right) {
        (Value::Int(_, left), Value::Uint(_, right)) => Ok(Some(
            u64::try_from(*left).map_or(Ordering::Less, |left| left.cmp(right)),
        )),
        (Value::Uint(_, left), Value::Int(_, right)) => Ok(Some(
            u64::try_from(*right).map_or(Ordering::Greater, |right| left.cmp(&right)),
        )),
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::Int(_, left), Value::Int(_, right)) => Ok(Some(left.cmp(right))),
        (Value::Uint(_, left), Value::Uint(_, right)) => Ok(Some(left.cmp(right))),
        (Value::String(left), Value::String(right)) => Ok(Some(left.cmp(right))),
        _ if left_kind == right_kind => Err(CallError::new(BAD_TYPE)),
        _ => Err(incompatible(left, right)),
    }
}

fn is_less(slots: &[Slot]) -> Result<bool, CallError> {
    Ok(compare(&slots[0].value, &slots[1].value)? == Some(Ordering::Less))
}

fn is_less_or_equal(slots: &[Slot]) -> Result<bool, CallError> {
    Ok(is_less(slots)? || equal(&slots[0].value, &slots[1].value)?)
}

/// `<`
pub(super) fn lt(slots: &[Slot]) -> Compared {
    answer(is_less(slots)?)
}

/// `<=`
pub(super) fn le(slots: &[Slot]) -> Compared {
    answer(is_less_or_equal(slots)?)
}

/// `>`: not `<=`, which differs from the usual for NaN.
pub(super) fn gt(slots: &[Slot]) -> Compared {
    answer(!is_less_or_equal(slots)?)
}

/// `>=`: not `<`.
pub(super) fn ge(slots: &[Slot]) -> Compared {
    answer(!is_less(slots)?)
}
