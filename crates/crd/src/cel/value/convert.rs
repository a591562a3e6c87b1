//! Conversions between types, and values as text.

use std::sync::Arc;

use super::super::error::EvalError;
use super::super::time::{self, Timestamp};
use super::{Outcome, Text, Val};

/// A double as Go's `%g`.
fn print_double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count() as i32;
    // The shortest form uses an exponent from 21 on, or as many digits as there are.
    if exponent < -4 || exponent >= digits.max(21) {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    } else {
        format!("{number}")
    }
}

/// A value in a message.
pub(crate) fn to_text(value: &Val<'_>) -> String {
    match value {
        Val::Null => "null".to_owned(),
        Val::Bool(flag) => flag.to_string(),
        Val::Int(number) => number.to_string(),
        Val::Uint(number) => number.to_string(),
        Val::Double(number) => print_double(*number),
        Val::Text(text) => text.to_string(),
        Val::Duration(nanos) => time::print_duration(*nanos),
        Val::Timestamp(time) => time.to_string(),
        Val::Type(of) => of.name().to_owned(),
        Val::Error(message) => message.to_string(),
        Val::List(list) => {
            let items: Vec<String> = list.items.iter().map(to_text).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.type_name(),
    }
}

fn failed(value: &Val<'_>, to: &str) -> EvalError {
    EvalError::new(format!(
        "type conversion error from '{}' to '{to}'",
        value.type_name()
    ))
}

fn integer_overflow() -> EvalError {
    EvalError::new("integer overflow")
}

fn unsigned_overflow() -> EvalError {
    EvalError::new("unsigned integer overflow")
}

impl<'a> Val<'a> {
    /// `int(…)`
    pub(crate) fn to_int(&self) -> Outcome<'a> {
        Ok(Val::Int(match self {
            Val::Int(number) | Val::Duration(number) => *number,
            Val::Uint(number) => i64::try_from(*number).map_err(|_| integer_overflow())?,
            Val::Double(number) => {
                // Go refuses the bounds, which a float cannot tell from what lies beyond.
                if !number.is_finite() || *number <= i64::MIN as f64 || *number >= i64::MAX as f64 {
                    return Err(integer_overflow());
                }
                *number as i64
            }
            Val::Text(text) => text.parse().map_err(|_| failed(self, "int"))?,
            Val::Timestamp(time) => time.seconds,
            _ => return Err(EvalError::no_such_overload()),
        }))
    }

    /// `uint(…)`
    pub(crate) fn to_uint(&self) -> Outcome<'a> {
        Ok(Val::Uint(match self {
            Val::Uint(number) => *number,
            Val::Int(number) => u64::try_from(*number).map_err(|_| unsigned_overflow())?,
            Val::Double(number) => {
                if !number.is_finite() || *number < 0.0 || *number >= u64::MAX as f64 {
                    return Err(unsigned_overflow());
                }
                *number as u64
            }
            Val::Text(text) => text
                .parse()
                .ok()
                .filter(|_| !text.starts_with('+'))
                .ok_or_else(|| failed(self, "uint"))?,
            _ => return Err(EvalError::no_such_overload()),
        }))
    }

    /// `double(…)`
    pub(crate) fn to_double(&self) -> Outcome<'a> {
        Ok(Val::Double(match self {
            Val::Double(number) => *number,
            Val::Int(number) => *number as f64,
            Val::Uint(number) => *number as f64,
            Val::Text(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|_| text.trim().len() == text.len())
                .ok_or_else(|| failed(self, "double"))?,
            _ => return Err(EvalError::no_such_overload()),
        }))
    }

    /// `bool(…)`
    pub(crate) fn to_bool(&self) -> Outcome<'a> {
        match self {
            Val::Bool(flag) => Ok(Val::Bool(*flag)),
            Val::Text(text) => match &**text {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Val::Bool(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Val::Bool(false)),
                _ => Err(failed(self, "bool")),
            },
            _ => Err(EvalError::no_such_overload()),
        }
    }

    /// `bytes(…)`
    pub(crate) fn to_bytes(&self) -> Outcome<'a> {
        match self {
            Val::Bytes(bytes) => Ok(Val::Bytes(Arc::clone(bytes))),
            Val::Text(text) => Ok(Val::Bytes(Arc::from(text.as_bytes()))),
            _ => Err(EvalError::no_such_overload()),
        }
    }

    /// `string(…)`
    pub(crate) fn to_string_value(&self) -> Outcome<'a> {
        Ok(match self {
            Val::Text(text) => Val::Text(text.clone()),
            Val::Bool(_)
            | Val::Int(_)
            | Val::Uint(_)
            | Val::Double(_)
            | Val::Duration(_)
            | Val::Timestamp(_) => Val::text(to_text(self)),
            Val::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Val::text(text),
                Err(_) => {
                    return Err(EvalError::new(
                        "invalid UTF-8 in bytes, cannot convert to string",
                    ));
                }
            },
            Val::Ip(address) => Val::text(address.to_string()),
            Val::Cidr(address, bits) => Val::text(format!("{address}/{bits}")),
            _ => return Err(EvalError::no_such_overload()),
        })
    }

    /// `duration(…)`
    pub(crate) fn to_duration(&self) -> Outcome<'a> {
        match self {
            Val::Duration(nanos) | Val::Int(nanos) => Ok(Val::Duration(*nanos)),
            Val::Text(text) => time::parse_duration(text)
                .map(Val::Duration)
                .ok_or_else(|| failed(self, "google.protobuf.Duration")),
            _ => Err(EvalError::no_such_overload()),
        }
    }

    /// `timestamp(…)`
    pub(crate) fn to_timestamp(&self) -> Outcome<'a> {
        let overflow = || EvalError::new("timestamp overflow");
        match self {
            Val::Timestamp(time) => Ok(Val::Timestamp(*time)),
            Val::Int(seconds) => Timestamp::new(*seconds, 0)
                .map(Val::Timestamp)
                .ok_or_else(overflow),
            Val::Text(text) => match Timestamp::parse_rfc3339(text) {
                Some(time) if time.is_in_range() => Ok(Val::Timestamp(time)),
                Some(_) => Err(overflow()),
                None => Err(failed(self, "google.protobuf.Timestamp")),
            },
            _ => Err(EvalError::no_such_overload()),
        }
    }
}

impl From<&str> for Text<'static> {
    fn from(text: &str) -> Self {
        Self::Owned(Arc::from(text))
    }
}
