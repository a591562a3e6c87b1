//! The functions for durations that Helm 4.3 adds. Source: Helm 4.3 `engine/funcs.go`.

use std::sync::Arc;

use gotemplate::strconv::{parse_float, quote};
use gotemplate::time::{Duration, DurationValue, parse_duration};
use gotemplate::{CallError, Function, Functions, Param, Signature, Value, lossy};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

const ONE: Signature = Signature::new(&[Param::Any]);
const TWO: Signature = Signature::new(&[Param::Any, Param::Any]);

fn of_whole_seconds(seconds: i128) -> Result<Duration, String> {
    let largest = i128::from(i64::MAX / SECOND);
    if seconds > largest || seconds < i128::from(i64::MIN / SECOND) {
        return Err(format!("duration seconds overflow: {seconds}"));
    }
    Ok(Duration(seconds as i64 * SECOND))
}

fn of_seconds(seconds: f64) -> Result<Duration, String> {
    let shown = || lossy(&Value::Float(seconds).print()).into_owned();
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {}", shown()));
    }
    if seconds.abs() > i64::MAX as f64 / SECOND as f64 {
        return Err(format!("duration seconds overflow: {}", shown()));
    }
    Ok(Duration((seconds * SECOND as f64) as i64))
}

/// A duration, a text of one, or a number of seconds as a duration.
fn duration(value: &Value) -> Result<Duration, String> {
    if let Some(value) = value.downcast::<DurationValue>() {
        return Ok(value.0);
    }
    match value {
        Value::Nil => Err("invalid duration".to_owned()),
        Value::String(text) => {
            let trimmed = gotemplate::trim_space(text.as_bytes());
            if trimmed.is_empty() {
                return Err("empty duration".to_owned());
            }
            if let Ok(duration) = parse_duration(trimmed) {
                return Ok(duration);
            }
            match parse_float(trimmed) {
                Ok(seconds) => of_seconds(seconds),
                Err(_) => Err(format!(
                    "could not parse duration {}",
                    lossy(&quote(text.as_bytes()))
                )),
            }
        }
        Value::Int(_, seconds) => of_whole_seconds(i128::from(*seconds)),
        Value::Uint(_, seconds) => of_whole_seconds(i128::from(*seconds)),
        Value::Float(seconds) => of_seconds(*seconds),
        Value::Object(object) => match object.underlying() {
            Some(value) => duration(&value),
            None => Err(format!("unsupported duration type {}", object.type_name())),
        },
        other => Err(format!("unsupported duration type {}", other.type_name())),
    }
}

fn value(duration: Duration) -> Value {
    Value::Object(Arc::new(DurationValue(duration)))
}

/// Adds the functions.
pub(super) fn add(functions: &mut Functions) {
    functions.insert(
        "mustToDuration",
        Function::new(ONE, |_, args| {
            duration(&args[0]).map(value).map_err(CallError::new)
        }),
    );
    let whole = [
        ("durationMilliseconds", 1_000_000),
        ("durationMicroseconds", 1_000),
        ("durationNanoseconds", 1),
    ];
    for (name, unit) in whole {
        functions.insert(
            name,
            Function::new(ONE, move |_, args| {
                Ok(Value::int64(
                    duration(&args[0]).map_or(0, |span| span.0 / unit),
                ))
            }),
        );
    }
    let parts = [
        ("durationSeconds", SECOND, 1.0),
        ("durationMinutes", MINUTE, 1.0),
        ("durationHours", HOUR, 1.0),
        ("durationDays", HOUR, 24.0),
        ("durationWeeks", HOUR, 168.0),
    ];
    for (name, unit, divisor) in parts {
        functions.insert(
            name,
            Function::new(ONE, move |_, args| {
                let span = duration(&args[0]).unwrap_or(Duration(0));
                let mut number = span.in_units(unit);
                if divisor > 1.0 {
                    number /= 24.0;
                }
                if divisor > 24.0 {
                    number /= 7.0;
                }
                Ok(Value::Float(number))
            }),
        );
    }
    let steps: [(&str, fn(Duration, Duration) -> Duration); 2] = [
        ("durationRoundTo", Duration::round),
        ("durationTruncateTo", Duration::truncate),
    ];
    for (name, step) in steps {
        functions.insert(
            name,
            Function::new(TWO, move |_, args| {
                let Ok(span) = duration(&args[0]) else {
                    return Ok(value(Duration(0)));
                };
                Ok(value(match duration(&args[1]) {
                    Ok(unit) => step(span, unit),
                    Err(_) => span,
                }))
            }),
        );
    }
}
