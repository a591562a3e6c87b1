//! Durations: Go's `time.Duration`, printed and read.

use crate::strconv::quote;
use crate::text::lossy;

/// A span in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

const SECOND: u64 = 1_000_000_000;

impl Duration {
    /// As Go's `String`: `1h2m3.5s`, `1.5ms`, `0s`.
    pub fn text(self) -> String {
        let size = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        if size == 0 {
            return "0s".to_owned();
        }
        if size < SECOND {
            let (unit, name) = match size {
                0..1_000 => (1, "ns"),
                1_000..1_000_000 => (1_000, "µs"),
                _ => (1_000_000, "ms"),
            };
            return format!("{sign}{}{name}", decimal(size, unit));
        }
        let seconds = decimal(size % (60 * SECOND), SECOND);
        let minutes = size / (60 * SECOND);
        match (minutes / 60, minutes % 60) {
            (0, 0) => format!("{sign}{seconds}s"),
            (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
            (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
        }
    }

    /// Rounded to a multiple of `unit`, halves away from zero. Source: time `Duration.Round`.
    pub fn round(self, unit: Duration) -> Duration {
        if unit.0 <= 0 {
            return self;
        }
        let rest = self.0 % unit.0;
        let twice = i128::from(rest.unsigned_abs()) * 2;
        let down = self.0 - rest;
        if twice < i128::from(unit.0) {
            return Duration(down);
        }
        if self.0 < 0 {
            Duration(down.saturating_sub(unit.0))
        } else {
            Duration(down.saturating_add(unit.0))
        }
    }

    /// Cut down to a multiple of `unit`. Source: time `Duration.Truncate`.
    pub fn truncate(self, unit: Duration) -> Duration {
        if unit.0 <= 0 {
            return self;
        }
        Duration(self.0 - self.0 % unit.0)
    }

    /// How many of `unit` (in nanoseconds) it is. Source: time `Duration.Hours` and its kin.
    pub fn in_units(self, unit: i64) -> f64 {
        let (whole, rest) = (self.0 / unit, self.0 % unit);
        whole as f64 + rest as f64 / unit as f64
    }
}

/// `value / unit` with up to all its decimals.
fn decimal(value: u64, unit: u64) -> String {
    let whole = value / unit;
    let rest = value % unit;
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// Reads a duration such as `-1.5h`. The error is Go's text.
pub fn parse_duration(text: &[u8]) -> Result<Duration, String> {
    let shown = || lossy(&quote(text)).into_owned();
    let invalid = || format!("time: invalid duration {}", shown());
    let (negative, mut rest) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(Duration(0));
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        if !(rest[0] == b'.' || rest[0].is_ascii_digit()) {
            return Err(invalid());
        }
        let (whole, tail) = leading_digits(rest).ok_or_else(invalid)?;
        let before = tail.len() != rest.len();
        rest = tail;
        let mut fraction = (0, 1.0);
        let mut after = false;
        if rest.first() == Some(&b'.') {
            let tail = &rest[1..];
            let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            after = digits > 0;
            fraction = leading_fraction(&tail[..digits]);
            rest = &tail[digits..];
        }
        if !before && !after {
            return Err(invalid());
        }
        let length = rest
            .iter()
            .take_while(|byte| **byte != b'.' && !byte.is_ascii_digit())
            .count();
        if length == 0 {
            return Err(format!("time: missing unit in duration {}", shown()));
        }
        let (name, tail) = rest.split_at(length);
        rest = tail;
        let unit = unit(name).ok_or_else(|| {
            format!(
                "time: unknown unit {} in duration {}",
                lossy(&quote(name)),
                shown()
            )
        })?;
        let mut value = whole
            .checked_mul(unit)
            .filter(|value| *value <= 1 << 63)
            .ok_or_else(invalid)?;
        if fraction.0 > 0 {
            value += (fraction.0 as f64 * (unit as f64 / fraction.1)) as u64;
            if value > 1 << 63 {
                return Err(invalid());
            }
        }
        total = total
            .checked_add(value)
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
    }
    if negative {
        return Ok(Duration((total as i64).wrapping_neg()));
    }
    i64::try_from(total).map(Duration).map_err(|_| invalid())
}

fn unit(name: &[u8]) -> Option<u64> {
    Some(match name {
        b"ns" => 1,
        b"us" | b"\xC2\xB5s" | b"\xCE\xBCs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => SECOND,
        b"m" => 60 * SECOND,
        b"h" => 3600 * SECOND,
        _ => return None,
    })
}

/// The number that `text` begins with and the rest; `None` when it is beyond 2^63.
fn leading_digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    let mut position = 0;
    while let Some(byte) = text.get(position).filter(|byte| byte.is_ascii_digit()) {
        if value > (1 << 63) / 10 {
            return None;
        }
        value = value * 10 + u64::from(byte - b'0');
        if value > 1 << 63 {
            return None;
        }
        position += 1;
    }
    Some((value, &text[position..]))
}

/// Digits after a point: their value and the power of ten it is to be divided by.
fn leading_fraction(digits: &[u8]) -> (u64, f64) {
    let mut value: u64 = 0;
    let mut scale = 1.0;
    for byte in digits {
        if value > ((1 << 63) - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(byte - b'0');
        if next > 1 << 63 {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print() {
        for (text, want) in [
            ("1h2m3.5s", "1h2m3.5s"),
            ("90m", "1h30m0s"),
            ("-1.5h", "-1h30m0s"),
            ("1500us", "1.5ms"),
            ("0", "0s"),
            ("100ns", "100ns"),
        ] {
            assert_eq!(parse_duration(text.as_bytes()).unwrap().text(), want);
        }
        assert_eq!(
            parse_duration(b"3x").unwrap_err(),
            "time: unknown unit \"x\" in duration \"3x\""
        );
        assert_eq!(
            parse_duration(b"3").unwrap_err(),
            "time: missing unit in duration \"3\""
        );
        assert_eq!(
            parse_duration(b"").unwrap_err(),
            "time: invalid duration \"\""
        );
    }
}
