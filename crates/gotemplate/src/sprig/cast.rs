//! Numbers from anything, 0 where there is none: spf13/cast as sprig uses it.

use crate::strconv::{parse_float, parse_int};
use crate::time::{MonthValue, WeekdayValue};
use crate::value::Value;

/// `value` as a Go conversion of a float to `int64` gives it on amd64: out of range is the least number.
fn truncate(value: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// The number of a month or a day of the week.
fn calendar_number(value: &Value) -> Option<i64> {
    value
        .downcast::<MonthValue>()
        .map(|month| i64::from(month.0))
        .or_else(|| value.downcast::<WeekdayValue>().map(|day| day.0 as i64))
}

/// `cast.ToInt64`
pub fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => *number as i64,
        Value::Float(number) => truncate(*number),
        Value::Bool(truth) => i64::from(*truth),
        Value::String(text) => parse_int(without_zero_decimals(text.as_bytes()), 0).unwrap_or(0),
        _ => calendar_number(value).unwrap_or(0),
    }
}

/// `cast.ToFloat64`
pub fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(_, number) => *number as f64,
        Value::Uint(_, number) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::String(text) => parse_float(text.as_bytes()).unwrap_or(0.0),
        _ => calendar_number(value).map_or(0.0, |number| number as f64),
    }
}

/// `5.00` as `5`.
fn without_zero_decimals(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
    let rest = &text[..text.len() - zeros];
    match rest.split_last() {
        Some((b'.', whole)) if zeros > 0 => whole,
        _ => text,
    }
}
