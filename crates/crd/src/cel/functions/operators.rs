//! Operators.

use super::super::error::EvalError;
use super::super::value::{Outcome, Val, compare, equal};
use super::lists::append;
use super::mismatch;

fn overflow() -> EvalError {
    EvalError::new("integer overflow")
}

pub(super) fn call<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    match (function, args) {
        ("!_", [Val::Bool(flag)]) => Ok(Val::Bool(!flag)),
        ("-_", [value]) => match value {
            Val::Int(number) => number.checked_neg().map(Val::Int).ok_or_else(overflow),
            Val::Double(number) => Ok(Val::Double(-number)),
            Val::Duration(nanos) => nanos.checked_neg().map(Val::Duration).ok_or_else(overflow),
            _ => Err(EvalError::no_such_overload()),
        },
        ("size", [value]) => match value {
            Val::Text(_) | Val::Bytes(_) | Val::List(_) | Val::Map(_) | Val::Object(..) => {
                Ok(Val::Int(value.size() as i64))
            }
            _ => Err(mismatch(function, args)),
        },
        ("@in", [item, container]) => contains(item, container).map(Val::Bool),
        ("_<_", [left, right]) => Ok(Val::Bool(compare(left, right)?.is_lt())),
        ("_<=_", [left, right]) => Ok(Val::Bool(compare(left, right)?.is_le())),
        ("_>_", [left, right]) => Ok(Val::Bool(compare(left, right)?.is_gt())),
        ("_>=_", [left, right]) => Ok(Val::Bool(compare(left, right)?.is_ge())),
        ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", [left, right]) => arithmetic(function, left, right),
        _ => Err(EvalError::no_such_overload()),
    }
}

fn arithmetic<'a>(function: &str, left: &Val<'a>, right: &Val<'a>) -> Outcome<'a> {
    match (left, right) {
        (Val::Int(left), Val::Int(right)) => integers(function, *left, *right),
        (Val::Uint(left), Val::Uint(right)) => {
            let by_zero = |name: &str| EvalError::new(format!("{name} by zero"));
            match function {
                "_+_" => left.checked_add(*right),
                "_-_" => left.checked_sub(*right),
                "_*_" => left.checked_mul(*right),
                "_/_" if *right == 0 => return Err(by_zero("division")),
                "_/_" => left.checked_div(*right),
                _ if *right == 0 => return Err(by_zero("modulus")),
                _ => left.checked_rem(*right),
            }
            .map(Val::Uint)
            .ok_or_else(|| EvalError::new("unsigned integer overflow"))
        }
        (Val::Double(left), Val::Double(right)) => Ok(Val::Double(match function {
            "_+_" => left + right,
            "_-_" => left - right,
            "_*_" => left * right,
            "_/_" => left / right,
            _ => return Err(EvalError::no_such_overload()),
        })),
        (Val::Text(left), Val::Text(right)) if function == "_+_" => {
            Ok(Val::text([&**left, &**right].concat()))
        }
        (Val::Bytes(left), Val::Bytes(right)) if function == "_+_" => {
            Ok(Val::Bytes([&**left, &**right].concat().into()))
        }
        (Val::List(left), Val::List(right)) if function == "_+_" => {
            let mut joined = left.as_ref().clone();
            if left.kind.is_none() && left.items.is_empty() {
                return Ok(Val::List(right.clone()));
            }
            append(&mut joined, right);
            Ok(Val::List(joined.into()))
        }
        (Val::Duration(left), Val::Duration(right)) => match function {
            "_+_" => left.checked_add(*right),
            "_-_" => left.checked_sub(*right),
            _ => return Err(EvalError::no_such_overload()),
        }
        .map(Val::Duration)
        .ok_or_else(|| EvalError::new("duration overflow")),
        (Val::Timestamp(time), Val::Duration(nanos)) if matches!(function, "_+_" | "_-_") => {
            let nanos = if function == "_-_" {
                nanos.checked_neg()
            } else {
                Some(*nanos)
            };
            nanos
                .and_then(|nanos| time.plus(nanos))
                .map(Val::Timestamp)
                .ok_or_else(|| EvalError::new("timestamp overflow"))
        }
        (Val::Duration(nanos), Val::Timestamp(time)) if function == "_+_" => time
            .plus(*nanos)
            .map(Val::Timestamp)
            .ok_or_else(|| EvalError::new("timestamp overflow")),
        (Val::Timestamp(left), Val::Timestamp(right)) if function == "_-_" => left
            .minus(*right)
            .map(Val::Duration)
            .ok_or_else(|| EvalError::new("duration overflow")),
        _ => Err(EvalError::no_such_overload()),
    }
}

fn integers<'a>(function: &str, left: i64, right: i64) -> Outcome<'a> {
    let result = match function {
        "_+_" => left.checked_add(right),
        "_-_" => left.checked_sub(right),
        "_*_" => left.checked_mul(right),
        "_/_" if right == 0 => return Err(EvalError::new("division by zero")),
        "_/_" => left.checked_div(right),
        _ if right == 0 => return Err(EvalError::new("modulus by zero")),
        _ => left.checked_rem(right),
    };
    result.map(Val::Int).ok_or_else(overflow)
}

/// `item in container`
pub(crate) fn contains<'a>(item: &Val<'a>, container: &Val<'a>) -> Result<bool, EvalError> {
    match container {
        Val::List(list) => {
            let mut failure = None;
            for own in &list.items {
                // Lists of the input compare from their own item, others from the one that is looked for.
                let found = if list.kind.is_some() {
                    equal(own, item)
                } else {
                    equal(item, own)
                };
                match found {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(error) => {
                        failure.get_or_insert(error);
                    }
                }
            }
            match failure {
                Some(error) if list.kind.is_some() => Err(error),
                _ => Ok(false),
            }
        }
        Val::Map(_) | Val::Object(..) => Ok(container.find(item)?.is_some()),
        _ => Err(EvalError::no_such_overload()),
    }
}
