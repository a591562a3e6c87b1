//! Reading RFC 3339 step by step, as Go's `time.Parse` does with the layouts of `metav1`.

use super::{Time, TimeError, UNIX_OFFSET, days_from_civil};

const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROSECONDS: &str = "2006-01-02T15:04:05.000000Z07:00";

/// What is left to read, and what to say when it does not fit.
struct Reader<'a> {
    text: &'a str,
    layout: &'static str,
    rest: &'a [u8],
}

/// Reads a time; `micro` wants six digits of a second.
pub(super) fn parse(text: &str, micro: bool) -> Result<Time, TimeError> {
    let mut reader = Reader {
        text,
        layout: if micro { MICROSECONDS } else { SECONDS },
        rest: text.as_bytes(),
    };
    let year = reader.year()?;
    reader.literal("-")?;
    let month = reader.number("01", true)?;
    if !(1..=12).contains(&month) {
        return Err(reader.out_of_range("month"));
    }
    reader.literal("-")?;
    let day = reader.number("02", true)?;
    reader.literal("T")?;
    let hour = reader.number("15", false)?;
    reader.at_most(hour, 23, "hour")?;
    reader.literal(":")?;
    let minute = reader.number("04", true)?;
    reader.at_most(minute, 59, "minute")?;
    reader.literal(":")?;
    let second = reader.number("05", true)?;
    reader.at_most(second, 59, "second")?;
    let nanoseconds = if micro {
        reader.microseconds()?
    } else {
        reader.fraction()
    };
    let offset = reader.zone()?;
    if !reader.rest.is_empty() {
        return Err(TimeError::ExtraText {
            value: text.to_owned(),
            rest: reader.rest_text(),
        });
    }
    if day < 1 || day > days_in(month, year) {
        return Err(reader.out_of_range("day"));
    }
    let days = days_from_civil(year, month, day);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Ok(Time::from_unix(seconds - UNIX_OFFSET, nanoseconds))
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn digit(bytes: &[u8], at: usize) -> Option<i64> {
    bytes
        .get(at)
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| i64::from(byte - b'0'))
}

impl Reader<'_> {
    fn rest_text(&self) -> String {
        String::from_utf8_lossy(self.rest).into_owned()
    }

    fn mismatch(&self, element: &'static str) -> TimeError {
        TimeError::Mismatch {
            value: self.text.to_owned(),
            layout: self.layout,
            rest: self.rest_text(),
            element,
        }
    }

    fn out_of_range(&self, part: &'static str) -> TimeError {
        TimeError::OutOfRange {
            value: self.text.to_owned(),
            part,
        }
    }

    fn at_most(&self, number: i64, most: i64, part: &'static str) -> Result<(), TimeError> {
        if number > most {
            return Err(self.out_of_range(part));
        }
        Ok(())
    }

    fn literal(&mut self, text: &'static str) -> Result<(), TimeError> {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.mismatch(text)),
        }
    }

    fn year(&mut self) -> Result<i64, TimeError> {
        let mut year = 0;
        for at in 0..4 {
            let Some(value) = digit(self.rest, at) else {
                return Err(self.mismatch("2006"));
            };
            year = year * 10 + value;
        }
        self.rest = &self.rest[4..];
        Ok(year)
    }

    /// Two digits, or one where the layout does not fix the width.
    fn number(&mut self, element: &'static str, fixed: bool) -> Result<i64, TimeError> {
        let (value, width) = match (digit(self.rest, 0), digit(self.rest, 1)) {
            (Some(tens), Some(ones)) => (tens * 10 + ones, 2),
            (Some(ones), None) if !fixed => (ones, 1),
            _ => return Err(self.mismatch(element)),
        };
        self.rest = &self.rest[width..];
        Ok(value)
    }

    /// A fraction that the layout does not mention: any number of digits, of which nine count.
    fn fraction(&mut self) -> u32 {
        if !matches!(self.rest.first(), Some(b'.' | b',')) || digit(self.rest, 1).is_none() {
            return 0;
        }
        let digits = self.rest[1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        let width = digits.count();
        let mut nanoseconds = 0;
        for at in 1..=9 {
            let value = if at <= width {
                digit(self.rest, at).unwrap_or(0)
            } else {
                0
            };
            nanoseconds = nanoseconds * 10 + value;
        }
        self.rest = &self.rest[width + 1..];
        nanoseconds as u32
    }

    /// The fraction that the layout of `MicroTime` wants, in nanoseconds.
    fn microseconds(&mut self) -> Result<u32, TimeError> {
        const ELEMENT: &str = ".000000";
        let good = self.rest.len() >= ELEMENT.len() && matches!(self.rest[0], b'.' | b',');
        if !good {
            return Err(self.mismatch(ELEMENT));
        }
        // Upstream quirk, kept: a sign may stand for the first digit.
        let (sign, digits) = match self.rest[1] {
            sign @ (b'+' | b'-') => (sign, &self.rest[2..7]),
            _ => (b'+', &self.rest[1..7]),
        };
        let mut value = 0_u32;
        for at in 0..digits.len() {
            let Some(digit) = digit(digits, at) else {
                return Err(self.mismatch(ELEMENT));
            };
            value = value * 10 + digit as u32;
        }
        if sign == b'-' && value > 0 {
            return Err(self.out_of_range("fractional second"));
        }
        self.rest = &self.rest[ELEMENT.len()..];
        Ok(value * 1000)
    }

    /// The offset from UTC in seconds.
    fn zone(&mut self) -> Result<i64, TimeError> {
        const ELEMENT: &str = "Z07:00";
        if let Some(rest) = self.rest.strip_prefix(b"Z") {
            self.rest = rest;
            return Ok(0);
        }
        if self.rest.len() < ELEMENT.len() || self.rest[3] != b':' {
            return Err(self.mismatch(ELEMENT));
        }
        let two_digits = |at| Some(digit(self.rest, at)? * 10 + digit(self.rest, at + 1)?);
        let (hours, minutes) = (two_digits(1), two_digits(4));
        // Go looks at the ranges first: what it could read counts even if the rest is wrong.
        if hours.is_some_and(|hours| hours > 24) {
            return Err(self.out_of_range("time zone offset hour"));
        }
        if hours.is_some() && minutes.is_some_and(|minutes| minutes > 60) {
            return Err(self.out_of_range("time zone offset minute"));
        }
        let sign = match self.rest[0] {
            b'+' => 1,
            b'-' => -1,
            _ => return Err(self.mismatch(ELEMENT)),
        };
        let (Some(hours), Some(minutes)) = (hours, minutes) else {
            return Err(self.mismatch(ELEMENT));
        };
        self.rest = &self.rest[ELEMENT.len()..];
        Ok(sign * (hours * 3600 + minutes * 60))
    }
}
