//! Durations as Go writes them: `1h30m0s`. Source: Go's `time.ParseDuration` and `Duration.String`.

use std::fmt;

use serde_json::Value;

use super::{json_kind, quote};

const MICROSECOND: i64 = 1000;
const MILLISECOND: i64 = 1000 * MICROSECOND;
const SECOND: i64 = 1000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A length of time in nanoseconds, which may be negative; some 292 years at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// Why a duration cannot be read; prints as Go's errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// No duration at all, or too long a one.
    #[error("time: invalid duration {}", quote(.0))]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {}", quote(.0))]
    MissingUnit(String),
    /// A unit that is none.
    #[error("time: unknown unit {} in duration {}", quote(unit), quote(value))]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        value: String,
    },
    /// The JSON value is no text.
    #[error("json: cannot unmarshal {0} into Go value of type string")]
    NotText(&'static str),
}

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// The longest duration.
    pub const MAX: Self = Self(i64::MAX);
    /// The longest negative duration.
    pub const MIN: Self = Self(i64::MIN);

    /// From nanoseconds.
    pub fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// From seconds; capped.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// From milliseconds; capped.
    pub fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds.saturating_mul(MILLISECOND))
    }

    /// From nanoseconds, capped.
    pub(super) fn from_i128(nanoseconds: i128) -> Self {
        let capped = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Self(capped as i64)
    }

    /// In nanoseconds.
    pub fn nanoseconds(self) -> i64 {
        self.0
    }

    /// In whole seconds, cut towards zero.
    pub fn whole_seconds(self) -> i64 {
        self.0 / SECOND
    }

    /// In whole minutes, cut towards zero.
    pub fn whole_minutes(self) -> i64 {
        self.0 / MINUTE
    }

    /// In whole hours, cut towards zero.
    pub fn whole_hours(self) -> i64 {
        self.0 / HOUR
    }

    /// As a duration of the standard library; a negative one gives none.
    pub fn to_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.0)
            .ok()
            .map(std::time::Duration::from_nanos)
    }

    /// Reads `1h30m`, `1.5s`, `-5m`, `0`; the units are `ns`, `us`, `µs`, `ms`, `s`, `m` and `h`.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0_u64;
        while !rest.is_empty() {
            let nanoseconds = parse_term(&mut rest, text)?;
            total = total
                .checked_add(nanoseconds)
                .filter(|total| *total <= LIMIT)
                .ok_or_else(invalid)?;
        }
        if negative {
            return Ok(Self(0_i64.wrapping_sub_unsigned(total)));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }

    /// Reads a `metav1.Duration` in JSON. `null` is no duration, but `""` an error.
    pub fn from_json(value: &Value) -> Result<Self, DurationError> {
        match value {
            Value::String(text) => Self::parse(text),
            // `encoding/json` leaves the text empty for a null.
            Value::Null => Self::parse(""),
            other => Err(DurationError::NotText(json_kind(other))),
        }
    }

    /// As a `metav1.Duration` in JSON.
    pub fn to_json(self) -> Value {
        Value::String(self.to_string())
    }
}

/// One more than the longest duration: what a negative one may have.
const LIMIT: u64 = 1 << 63;

/// Reads a number and its unit, in nanoseconds.
fn parse_term(rest: &mut &str, text: &str) -> Result<u64, DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let whole_digits = leading_digits(rest);
    let mut whole = 0_u64;
    for digit in whole_digits.bytes() {
        if whole > LIMIT / 10 {
            return Err(invalid());
        }
        whole = whole * 10 + u64::from(digit - b'0');
        if whole > LIMIT {
            return Err(invalid());
        }
    }
    *rest = &rest[whole_digits.len()..];
    let mut fraction_digits = "";
    if let Some(after) = rest.strip_prefix('.') {
        fraction_digits = leading_digits(after);
        *rest = &after[fraction_digits.len()..];
    }
    if whole_digits.is_empty() && fraction_digits.is_empty() {
        return Err(invalid());
    }
    let end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let unit_name = &rest[..end];
    *rest = &rest[end..];
    if unit_name.is_empty() {
        return Err(DurationError::MissingUnit(text.to_owned()));
    }
    let unit = unit(unit_name).ok_or_else(|| DurationError::UnknownUnit {
        unit: unit_name.to_owned(),
        value: text.to_owned(),
    })?;
    if whole > LIMIT / unit {
        return Err(invalid());
    }
    let (fraction, scale) = fraction(fraction_digits);
    let nanoseconds = whole * unit + (fraction as f64 * (unit as f64 / scale)) as u64;
    if nanoseconds > LIMIT {
        Err(invalid())
    } else {
        Ok(nanoseconds)
    }
}

fn leading_digits(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    &text[..end]
}

/// The digits of a fraction as far as they fit, and the power of ten they are divided by.
fn fraction(digits: &str) -> (u64, f64) {
    let (mut value, mut scale) = (0_u64, 1.0);
    for digit in digits.bytes() {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > LIMIT {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value, scale)
}

fn unit(name: &str) -> Option<u64> {
    let nanoseconds = match name {
        "ns" => 1,
        "us" | "µs" | "μs" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    };
    Some(nanoseconds.unsigned_abs())
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.unsigned_abs();
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if nanoseconds < SECOND.unsigned_abs() {
            let (unit, digits, name) = match nanoseconds {
                0..1000 => (1, 0, "ns"),
                1000..1_000_000 => (1000, 3, "µs"),
                _ => (1_000_000, 6, "ms"),
            };
            write_decimal(f, nanoseconds / unit, nanoseconds % unit, digits)?;
            return f.write_str(name);
        }
        let seconds = nanoseconds / 1_000_000_000;
        if seconds >= 3600 {
            write!(f, "{}h", seconds / 3600)?;
        }
        if seconds >= 60 {
            write!(f, "{}m", seconds / 60 % 60)?;
        }
        write_decimal(f, seconds % 60, nanoseconds % 1_000_000_000, 9)?;
        f.write_str("s")
    }
}

/// A whole part and a fraction of so many digits, without the zeros at the end.
fn write_decimal(f: &mut fmt::Formatter<'_>, whole: u64, part: u64, digits: usize) -> fmt::Result {
    write!(f, "{whole}")?;
    if part == 0 {
        return Ok(());
    }
    let text = format!("{part:0digits$}");
    write!(f, ".{}", text.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, expected) in [
            ("1h", "1h0m0s"),
            ("1.5h", "1h30m0s"),
            ("-1.5s", "-1.5s"),
            (".5ms", "500µs"),
            ("1500us", "1.5ms"),
            ("1µs1ns", "1.001µs"),
            ("+0", "0s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
            ("1h1.000000001s", "1h0m1.000000001s"),
        ] {
            assert_eq!(
                Duration::parse(text).map(|time| time.to_string()),
                Ok(expected.into())
            );
        }
    }

    #[test]
    fn errors_read_as_in_go() {
        for (text, expected) in [
            ("", "time: invalid duration \"\""),
            ("-", "time: invalid duration \"-\""),
            (".s", "time: invalid duration \".s\""),
            ("3", "time: missing unit in duration \"3\""),
            ("3x", "time: unknown unit \"x\" in duration \"3x\""),
            (
                "3ä",
                "time: unknown unit \"\\xc3\\xa4\" in duration \"3\\xc3\\xa4\"",
            ),
            (
                "9223372036854775808ns",
                "time: invalid duration \"9223372036854775808ns\"",
            ),
            (
                "99999999999999999999s",
                "time: invalid duration \"99999999999999999999s\"",
            ),
        ] {
            assert_eq!(Duration::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
