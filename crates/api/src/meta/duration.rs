//! Durations as Go prints and reads them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::schema::{Schema, Shape};

/// A length of time in nanoseconds, written `1h30m0s`: `metav1.Duration`.
///
/// Source: Go, `time.Duration.String` and `time.ParseDuration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// Why a text is no duration; the texts are Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a number with a unit, or out of range.
    #[error("time: invalid duration {0:?}")]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// A unit that does not exist.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
}

const SECOND: u64 = 1_000_000_000;

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A duration of `nanoseconds`.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// A duration of `seconds`; at the ends of the range it stays there.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND as i64))
    }

    /// The length in nanoseconds.
    pub const fn as_nanoseconds(self) -> i64 {
        self.0
    }

    /// The length for Rust's own APIs; a negative one is zero.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let nanoseconds = self.0.unsigned_abs();
        if nanoseconds < 1_000 {
            return write!(f, "{nanoseconds}ns");
        }
        if nanoseconds < 1_000_000 {
            return write!(f, "{}µs", decimal(nanoseconds, 1_000));
        }
        if nanoseconds < SECOND {
            return write!(f, "{}ms", decimal(nanoseconds, 1_000_000));
        }
        let minutes = nanoseconds / (60 * SECOND);
        let rest = decimal(nanoseconds % (60 * SECOND), SECOND);
        match (minutes / 60, minutes % 60) {
            (0, 0) => write!(f, "{rest}s"),
            (0, minutes) => write!(f, "{minutes}m{rest}s"),
            (hours, minutes) => write!(f, "{hours}h{minutes}m{rest}s"),
        }
    }
}

/// `value / unit` with as many decimals as it needs. `unit` is a power of ten.
fn decimal(value: u64, unit: u64) -> String {
    let fraction = value % unit;
    if fraction == 0 {
        return (value / unit).to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{}.{}", value / unit, digits.trim_end_matches('0'))
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.to_owned());
        let (is_negative, mut rest) = match text.as_bytes().first() {
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
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (amount, after) = amount(text, rest)?;
            total = total
                .checked_add(amount)
                .filter(|t| *t <= 1 << 63)
                .ok_or_else(invalid)?;
            rest = after;
        }
        let magnitude = i128::from(total);
        let signed = if is_negative { -magnitude } else { magnitude };
        i64::try_from(signed).map(Self).map_err(|_| invalid())
    }
}

/// Reads one number with its unit from the start of `rest`: nanoseconds, and what follows.
fn amount<'a>(text: &str, rest: &'a str) -> Result<(u64, &'a str), DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let digits_end = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    let whole_end = digits_end(rest);
    let (whole, mut after) = rest.split_at(whole_end);
    let mut fraction = "";
    if let Some(tail) = after.strip_prefix('.') {
        (fraction, after) = tail.split_at(digits_end(tail));
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let unit_end = after
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(after.len());
    let (name, after) = after.split_at(unit_end);
    if name.is_empty() {
        return Err(DurationError::MissingUnit(text.to_owned()));
    }
    let unit = unit(name).ok_or_else(|| DurationError::UnknownUnit {
        unit: name.to_owned(),
        text: text.to_owned(),
    })?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| invalid())?
    };
    let mut value = whole
        .checked_mul(unit)
        .filter(|v| *v <= 1 << 63)
        .ok_or_else(invalid)?;
    // Go keeps 63 bits of the fraction, then rounds down: 18 digits are more than any unit shows.
    let (mut numerator, mut scale) = (0_u64, 1_f64);
    for digit in fraction.bytes().take(18) {
        numerator = numerator * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    value += (numerator as f64 * (unit as f64 / scale)) as u64;
    if value > 1 << 63 {
        return Err(invalid());
    }
    Ok((value, after))
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => return None,
    })
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Shape for Duration {
    fn schema() -> Schema {
        Schema::of_type("string")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go_does() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (60_000_000_000, "1m0s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
            (-1_500_000_000, "-1.5s"),
        ] {
            let duration = Duration::from_nanoseconds(nanoseconds);
            assert_eq!(duration.to_string(), text);
            assert_eq!(text.parse(), Ok(duration), "{text}");
        }
    }

    #[test]
    fn reads_what_go_reads() {
        for (text, seconds) in [
            ("0", 0.0),
            ("+5s", 5.0),
            ("10m", 600.0),
            ("1h30m", 5400.0),
            (".5s", 0.5),
            ("1.s", 1.0),
            ("1.5h", 5400.0),
            ("100ms", 0.1),
            ("12us", 0.000_012),
            ("12μs", 0.000_012),
            ("-1m", -60.0),
            ("0.3333333333333333333h", 1200.0),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert!(
                (duration.as_nanoseconds() as f64 / 1e9 - seconds).abs() < 1e-6,
                "{text}: {duration}"
            );
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for (text, message) in [
            ("", "time: invalid duration \"\""),
            ("3", "time: missing unit in duration \"3\""),
            ("-", "time: invalid duration \"-\""),
            ("s", "time: invalid duration \"s\""),
            (".", "time: invalid duration \".\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            (
                "9223372036854775810ns",
                "time: invalid duration \"9223372036854775810ns\"",
            ),
            ("3000000h", "time: invalid duration \"3000000h\""),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap_err().to_string(), message);
        }
    }
}
