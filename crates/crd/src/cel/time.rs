//! Points in time and durations as Go has them.
//!
//! Source: Go `time`, kube-openapi `strfmt`, cel-go `common/types/{timestamp,duration}.go`.

use std::fmt;

const NANOS: i64 = 1_000_000_000;
/// 0001-01-01T00:00:00Z
const MIN_SECONDS: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z
const MAX_SECONDS: i64 = 253_402_300_799;

/// A point in time with the offset in which it was written.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// Nanoseconds of the second.
    pub nanos: u32,
    /// Seconds east of UTC, for printing.
    pub offset: i32,
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        (self.seconds, self.nanos) == (other.seconds, other.nanos)
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 for Sunday.
    pub weekday: u32,
    /// 1 to 366.
    pub year_day: u32,
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u32::from(byte - b'0'))
    })
}

fn date_part(bytes: &[u8]) -> Option<(i64, u32, u32)> {
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = i64::from(number(&bytes[..4])?);
    let (month, day) = (number(&bytes[5..7])?, number(&bytes[8..10])?);
    let is_date = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
    is_date.then_some((year, month, day))
}

impl Timestamp {
    /// A point in time; `None` outside of the years 1 to 9999.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        (MIN_SECONDS..=MAX_SECONDS)
            .contains(&seconds)
            .then_some(Self {
                seconds,
                nanos,
                offset: 0,
            })
    }

    /// Reads `2006-01-02T15:04:05.999Z` or with an offset, as Go's `time.RFC3339` does.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        Self::parse(text, false)
    }

    /// Reads what the OpenAPI format `date-time` allows: RFC 3339, or without an offset; the empty
    /// text is 1970.
    pub fn parse_date_time(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Self::new(0, 0);
        }
        Self::parse(text, true)
    }

    fn parse(text: &str, may_lack_offset: bool) -> Option<Self> {
        let bytes = text.as_bytes();
        let (year, month, day) = date_part(bytes)?;
        let clock = bytes.get(10..)?;
        if clock.len() < 9 && !(may_lack_offset && clock.len() == 9) || clock[0] != b'T' {
            return None;
        }
        // Go accepts an hour of one digit.
        let (hour, rest) = match clock[1..].iter().position(|&byte| byte == b':')? {
            2 => (number(&clock[1..3])?, &clock[3..]),
            1 => (number(&clock[1..2])?, &clock[2..]),
            _ => return None,
        };
        if rest.len() < 6 || rest[0] != b':' || rest[3] != b':' {
            return None;
        }
        let (minute, second) = (number(&rest[1..3])?, number(&rest[4..6])?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = &rest[6..];
        let mut nanos = 0;
        if matches!(rest.first(), Some(b'.' | b',')) {
            let digits = rest[1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if digits == 0 {
                return None;
            }
            let kept = &rest[1..=digits.min(9)];
            nanos = number(kept)? * 10_u32.pow(9 - kept.len() as u32);
            rest = &rest[1 + digits..];
        }
        let offset = match rest {
            b"Z" => 0,
            [] if may_lack_offset => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
                if hours > 24 || minutes > 60 {
                    return None;
                }
                let seconds = (hours * 3600 + minutes * 60) as i32;
                if *sign == b'-' { -seconds } else { seconds }
            }
            _ => return None,
        };
        let seconds = days_of(year, month, day) * 86_400
            + i64::from(hour * 3600 + minute * 60 + second)
            - i64::from(offset);
        Some(Self {
            seconds,
            nanos,
            offset,
        })
    }

    /// Reads a date, `2006-01-02`, as its first instant in UTC.
    pub fn parse_date(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        let (year, month, day) = date_part(text.as_bytes())?;
        Some(Self {
            seconds: days_of(year, month, day) * 86_400,
            nanos: 0,
            offset: 0,
        })
    }

    /// Whether it lies in the years 1 to 9999.
    pub fn is_in_range(&self) -> bool {
        (MIN_SECONDS..=MAX_SECONDS).contains(&self.seconds)
    }

    /// The same second in UTC, without its fraction.
    pub fn at_second(self) -> Self {
        Self {
            nanos: 0,
            offset: 0,
            ..self
        }
    }

    /// The time on a clock that is `offset` seconds ahead of UTC.
    pub fn civil(&self, offset: i32) -> Civil {
        let local = self.seconds + i64::from(offset);
        let days = local.div_euclid(86_400);
        let second = local.rem_euclid(86_400) as u32;
        let (year, month, day) = date_of(days);
        Civil {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second % 3600 / 60,
            second: second % 60,
            weekday: (days + 4).rem_euclid(7) as u32,
            year_day: (days - days_of(year, 1, 1)) as u32 + 1,
        }
    }

    /// This time and a duration later; `None` if that overflows.
    pub fn plus(self, nanos: i64) -> Option<Self> {
        let total = i128::from(self.seconds) * i128::from(NANOS)
            + i128::from(self.nanos)
            + i128::from(nanos);
        let seconds = i64::try_from(total.div_euclid(i128::from(NANOS))).ok()?;
        let mut later = Self::new(seconds, total.rem_euclid(i128::from(NANOS)) as u32)?;
        later.offset = self.offset;
        Some(later)
    }

    /// The duration from `other` to this time in nanoseconds; `None` if that overflows.
    pub fn minus(self, other: Self) -> Option<i64> {
        let nanos = i128::from(self.seconds - other.seconds) * i128::from(NANOS)
            + i128::from(self.nanos)
            - i128::from(other.nanos);
        i64::try_from(nanos).ok()
    }
}

/// Prints as Go's `time.RFC3339Nano`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self.civil(self.offset);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if self.offset == 0 {
            return f.write_str("Z");
        }
        let (sign, offset) = if self.offset < 0 {
            ('-', -self.offset)
        } else {
            ('+', self.offset)
        };
        write!(f, "{sign}{:02}:{:02}", offset / 3600, offset % 3600 / 60)
    }
}

/// Reads a duration such as `1h30m` as Go's `time.ParseDuration`; in nanoseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let whole_end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let whole = &rest[..whole_end];
        rest = &rest[whole_end..];
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            let end = after
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(after.len());
            fraction = &after[..end];
            rest = &after[end..];
        }
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_end = rest
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit: u128 = match &rest[..unit_end] {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        rest = &rest[unit_end..];
        let whole: u128 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        if !fraction.is_empty() {
            let kept = &fraction[..fraction.len().min(18)];
            let value: u128 = kept.parse().ok()?;
            total = total.checked_add(value * unit / 10_u128.pow(kept.len() as u32))?;
        }
        if total > 1 << 63 {
            return None;
        }
    }
    let total = i128::try_from(total).ok()?;
    i64::try_from(if negative { -total } else { total }).ok()
}

/// Reads what the OpenAPI format `duration` allows: Go's form, or numbers with words for units.
pub fn parse_open_api_duration(text: &str) -> Option<i64> {
    const UNITS: &[(&[&str], i64)] = &[
        (&["ns", "nano"], 1),
        (&["us", "µs", "micro"], 1_000),
        (&["ms", "milli"], 1_000_000),
        (&["s", "sec"], NANOS),
        (&["m", "min"], 60 * NANOS),
        (&["h", "hr", "hour"], 3_600 * NANOS),
        (&["d", "day"], 86_400 * NANOS),
        (&["w", "wk", "week"], 604_800 * NANOS),
    ];
    if let Some(nanos) = parse_duration(text) {
        return Some(nanos);
    }
    let mut total: Option<i64> = None;
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[start..];
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let factor: i64 = rest[..digits].parse().ok()?;
        let after = rest[digits..].trim_start();
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic() && c != 'µ')
            .unwrap_or(after.len());
        let unit = after[..letters].to_lowercase();
        for (variants, multiplier) in UNITS {
            for (index, variant) in variants.iter().enumerate() {
                let is_last = index + 1 == variants.len();
                if !unit.is_empty() && (is_last && unit.starts_with(variant) || *variant == unit) {
                    let sum = factor.wrapping_mul(*multiplier);
                    total = Some(total.unwrap_or_default().wrapping_add(sum));
                }
            }
        }
        rest = &after[letters..];
    }
    total
}

/// Seconds with their fraction, as Go prints them without an exponent, and `s`.
pub fn print_duration(nanos: i64) -> String {
    // Go's Duration.Seconds adds the whole seconds and the rest as floats.
    let seconds = (nanos / NANOS) as f64 + (nanos % NANOS) as f64 / 1e9;
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_and_printed() {
        for (text, expected) in [
            (
                "2011-08-18T19:03:37.010000000+01:00",
                Some("2011-08-18T19:03:37.01+01:00"),
            ),
            ("2009-02-13T23:31:30Z", Some("2009-02-13T23:31:30Z")),
            ("1000-00-00T00:00:00Z", None),
            ("1000-01-01T00:00:00ZZ", None),
            ("2023-02-29T00:00:00Z", None),
        ] {
            let time = Timestamp::parse_rfc3339(text).map(|time| time.to_string());
            assert_eq!(time.as_deref(), expected, "{text}");
        }
        let time = Timestamp::parse_rfc3339("2009-02-13T23:31:30Z").unwrap();
        assert_eq!(time.seconds, 1_234_567_890);
        assert_eq!(time.civil(0).weekday, 5);
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(parse_duration("1h30m"), Some(5_400 * NANOS));
        assert_eq!(parse_duration("-1.5s"), Some(-1_500_000_000));
        assert_eq!(parse_duration("1"), None);
        assert_eq!(parse_duration("1d"), None);
        assert_eq!(parse_open_api_duration("2 days"), Some(172_800 * NANOS));
        assert_eq!(parse_open_api_duration("xyz"), None);
    }
}
