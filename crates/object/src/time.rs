//! Points in time and durations as Kubernetes writes them: `metav1.Time`, `MicroTime` and `Duration`.
//!
//! Sources: apimachinery `apis/meta/v1` (v0.35) and Go's `time.Parse` and `time.ParseDuration` (1.25),
//! whose error texts the API server shows.

pub mod duration;
pub mod human;
mod layout;

use std::fmt;

use serde_json::Value;

pub use duration::{Duration, DurationError};

/// Why a time cannot be read; prints as Go's `time.ParseError`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text does not follow the layout from here on.
    #[error(
        "parsing time {} as {}: cannot parse {} as {}",
        quote(value),
        quote(layout),
        quote(rest),
        quote(element)
    )]
    Mismatch {
        /// The text.
        value: String,
        /// The layout, in Go's notation.
        layout: &'static str,
        /// What is left of the text.
        rest: String,
        /// The element of the layout that was expected there.
        element: &'static str,
    },
    /// The text goes on after the time.
    #[error("parsing time {}: extra text: {}", quote(value), quote(rest))]
    ExtraText {
        /// The text.
        value: String,
        /// What is left of the text.
        rest: String,
    },
    /// A part is too large or too small.
    #[error("parsing time {}: {part} out of range", quote(value))]
    OutOfRange {
        /// The text.
        value: String,
        /// `month`, `day`, `hour`, `minute`, `second`, `time zone offset hour`, …
        part: &'static str,
    },
    /// The JSON value is no text.
    #[error("json: cannot unmarshal {0} into Go value of type string")]
    NotText(&'static str),
}

/// Go's `time.quote`: only quotes, backslashes and bytes outside of printable ASCII are escaped.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c < ' ' || !c.is_ascii() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    out.push_str(&format!("\\x{byte:02x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The name `encoding/json` gives the kind of a JSON value in its errors.
fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null | Value::String(_) => "string",
    }
}

/// A point in time in UTC with nanoseconds, in the proleptic Gregorian calendar.
///
/// [`Time::ZERO`], the first instant of year 1, stands for "not set" and is `null` in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Seconds since 0001-01-01T00:00:00Z.
    seconds: i64,
    nanoseconds: u32,
}

/// Seconds from year 1 to 1970.
const UNIX_OFFSET: i64 = 62_135_596_800;

impl Time {
    /// The time that is not set.
    pub const ZERO: Self = Self {
        seconds: 0,
        nanoseconds: 0,
    };

    /// From seconds since 1970 and nanoseconds below a thousand million (more are cut).
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Self {
        Self {
            seconds: seconds.saturating_add(UNIX_OFFSET),
            nanoseconds: nanoseconds.min(999_999_999),
        }
    }

    /// Seconds since 1970.
    pub fn unix_seconds(self) -> i64 {
        self.seconds.saturating_sub(UNIX_OFFSET)
    }

    /// The nanoseconds within the second.
    pub fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Whether it is not set.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// The time since `earlier`, capped to what a [`Duration`] holds (`time.Time.Sub`).
    pub fn since(self, earlier: Self) -> Duration {
        let seconds = i128::from(self.seconds) - i128::from(earlier.seconds);
        let nanoseconds = i128::from(self.nanoseconds) - i128::from(earlier.nanoseconds);
        Duration::from_i128(seconds * 1_000_000_000 + nanoseconds)
    }

    /// Reads RFC 3339 (`metav1.Time`). A fraction of a second is taken whatever its length.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        layout::parse(text, false)
    }

    /// Reads RFC 3339 with exactly six digits of a second or more (`metav1.MicroTime`).
    pub fn parse_micro(text: &str) -> Result<Self, TimeError> {
        layout::parse(text, true)
    }

    /// Reads a `metav1.Time` in JSON; `null` is [`Time::ZERO`].
    pub fn from_json(value: &Value) -> Result<Self, TimeError> {
        Self::read_json(value, Self::parse)
    }

    /// Reads a `metav1.MicroTime` in JSON; `null` is [`Time::ZERO`].
    pub fn from_json_micro(value: &Value) -> Result<Self, TimeError> {
        Self::read_json(value, Self::parse_micro)
    }

    fn read_json(
        value: &Value,
        parse: fn(&str) -> Result<Self, TimeError>,
    ) -> Result<Self, TimeError> {
        match value {
            Value::Null => Ok(Self::ZERO),
            Value::String(text) => parse(text),
            other => Err(TimeError::NotText(json_kind(other))),
        }
    }

    /// As a `metav1.Time` in JSON: to the second, or `null`.
    pub fn to_json(self) -> Value {
        if self.is_zero() {
            return Value::Null;
        }
        Value::String(self.to_string())
    }

    /// As a `metav1.MicroTime` in JSON: to the microsecond, or `null`.
    pub fn to_json_micro(self) -> Value {
        if self.is_zero() {
            return Value::Null;
        }
        Value::String(self.to_micro_text())
    }

    /// RFC 3339 in UTC with six digits of a second.
    pub fn to_micro_text(self) -> String {
        format!("{}.{:06}Z", Civil::of(self), self.nanoseconds / 1000)
    }
}

/// RFC 3339 in UTC to the second, as `metav1.Time` is written.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", Civil::of(*self))
    }
}

/// Date and time of day.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl Civil {
    fn of(time: Time) -> Self {
        let days = time.seconds.div_euclid(86_400);
        // Days since 0000-03-01: leap days then come last in a year.
        let shifted = days + 306;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            second_of_day: time.seconds.rem_euclid(86_400),
        }
    }
}

/// Days from 0001-01-01 to a date.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 306
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.second_of_day;
        // Go writes the year with four digits at least, and a sign before those of a negative year.
        if self.year < 0 {
            write!(f, "-{:04}", -self.year)?;
        } else {
            write!(f, "{:04}", self.year)?;
        }
        write!(
            f,
            "-{:02}-{:02}T{:02}:{:02}:{:02}",
            self.month,
            self.day,
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
            ("2024-02-29T23:59:59+14:00", "2024-02-29T09:59:59Z"),
            ("2024-01-01T00:00:00-00:30", "2024-01-01T00:30:00Z"),
            ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("2024-01-02T03:04:05,5Z", "2024-01-02T03:04:05Z"),
        ] {
            assert_eq!(
                Time::parse(text).map(|time| time.to_string()),
                Ok(expected.into())
            );
        }
        assert_eq!(
            Time::parse("1970-01-01T00:00:01Z").unwrap().unix_seconds(),
            1
        );
        assert_eq!(
            Time::from_unix(0, 5000).to_micro_text(),
            "1970-01-01T00:00:00.000005Z"
        );
    }

    #[test]
    fn zero_is_null() {
        assert_eq!(
            Time::parse("0001-01-01T00:00:00Z").unwrap().to_json(),
            Value::Null
        );
        assert_eq!(Time::from_json(&Value::Null), Ok(Time::ZERO));
    }

    #[test]
    fn differences_are_capped() {
        let (early, late) = (Time::ZERO, Time::from_unix(i64::MAX / 2, 0));
        assert_eq!(late.since(early), Duration::MAX);
        assert_eq!(early.since(late), Duration::MIN);
        assert_eq!(
            Time::from_unix(61, 0)
                .since(Time::from_unix(1, 0))
                .to_string(),
            "1m0s"
        );
    }
}
