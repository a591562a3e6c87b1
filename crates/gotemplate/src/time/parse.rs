//! Reading times in a layout, with Go's rules and error texts.

use super::civil::{MONTH_NAMES, WEEKDAY_NAMES, days_from_date, days_in, is_leap};
use super::layout::{Element, OffsetForm, next_element};
use super::{Time, Zone};
use crate::text::lossy;

/// Why an element was not read.
enum Bad {
    /// The text does not fit the element.
    Unreadable,
    /// What is out of range.
    Range(&'static str),
}

type Read<T> = Result<T, Bad>;

/// What has been read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    am: bool,
    pm: bool,
    utc: bool,
    offset: Option<i64>,
    zone_name: String,
}

/// Go's own quoting within time errors: bytes beyond ASCII as `\x…`.
fn quoted(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=0x7F => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// Reads `value` as a time in `layout`; without a zone in it, it is one of `zone`. The error is Go's text.
///
/// Source: time `ParseInLocation`.
pub fn parse_in(layout: &[u8], value: &[u8], zone: &Zone) -> Result<Time, String> {
    let with_message = |message: &str| format!("parsing time {}: {message}", quoted(value));
    let cannot = |value_part: &[u8], layout_part: &[u8]| {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quoted(value),
            quoted(layout),
            quoted(value_part),
            quoted(layout_part)
        )
    };
    let mut fields = Fields::default();
    let mut rest = value;
    let mut layout_rest = layout;
    loop {
        let (prefix, element, suffix) = next_element(layout_rest);
        let text = &layout_rest[prefix.len()..layout_rest.len() - suffix.len()];
        rest = skip(rest, prefix).map_err(|left| cannot(left, prefix))?;
        let Some(element) = element else {
            if !rest.is_empty() {
                return Err(with_message(&format!("extra text: {}", quoted(rest))));
            }
            break;
        };
        layout_rest = suffix;
        let hold = rest;
        rest = match fields.read(element, rest, suffix) {
            Ok(left) => left,
            Err(Bad::Unreadable) => return Err(cannot(hold, text)),
            Err(Bad::Range(what)) => return Err(with_message(&format!("{what} out of range"))),
        };
    }
    fields.finish(zone).map_err(with_message)
}

/// `value` after `prefix`; spaces match runs of spaces. The error is what was left.
fn skip<'a>(value: &'a [u8], prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    let (mut value, mut prefix) = (value, prefix);
    while let Some(first) = prefix.first() {
        if *first == b' ' {
            if value.first().is_some_and(|byte| *byte != b' ') {
                return Err(value);
            }
            prefix = prefix.trim_ascii_start();
            value = cut_spaces(value);
            continue;
        }
        if value.first() != Some(first) {
            return Err(value);
        }
        prefix = &prefix[1..];
        value = &value[1..];
    }
    Ok(value)
}

fn cut_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    &text[spaces..]
}

fn digit(text: &[u8], at: usize) -> Option<i64> {
    text.get(at)
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| i64::from(byte - b'0'))
}

/// One or two digits; two if `fixed`.
fn number(text: &[u8], fixed: bool) -> Read<(i64, &[u8])> {
    match (digit(text, 0), digit(text, 1)) {
        (Some(tens), Some(ones)) => Ok((tens * 10 + ones, &text[2..])),
        (Some(ones), None) if !fixed => Ok((ones, &text[1..])),
        _ => Err(Bad::Unreadable),
    }
}

fn number3(text: &[u8], fixed: bool) -> Read<(i64, &[u8])> {
    let count = text
        .iter()
        .take(3)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if count == 0 || (fixed && count != 3) {
        return Err(Bad::Unreadable);
    }
    let value = text[..count]
        .iter()
        .fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
    Ok((value, &text[count..]))
}

/// A name of a table, or its first `length` letters, in any case.
fn name<'a>(table: &[&str], length: Option<usize>, text: &'a [u8]) -> Read<(i64, &'a [u8])> {
    for (index, name) in table.iter().enumerate() {
        let name = &name.as_bytes()[..length.unwrap_or(name.len())];
        if text.len() >= name.len() && text[..name.len()].eq_ignore_ascii_case(name) {
            return Ok((index as i64, &text[name.len()..]));
        }
    }
    Err(Bad::Unreadable)
}

fn in_range(value: i64, range: std::ops::Range<i64>, what: &'static str) -> Read<i64> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(Bad::Range(what))
    }
}

impl Fields {
    fn read<'a>(
        &mut self,
        element: Element,
        value: &'a [u8],
        layout_rest: &[u8],
    ) -> Read<&'a [u8]> {
        let rest;
        match element {
            Element::Year => {
                if value.len() < 2 {
                    return Err(Bad::Unreadable);
                }
                let year = integer(&value[..2])?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                rest = &value[2..];
            }
            Element::LongYear => {
                if value.len() < 4 || digit(value, 0).is_none() {
                    return Err(Bad::Unreadable);
                }
                self.year = integer(&value[..4])?;
                rest = &value[4..];
            }
            Element::Month | Element::LongMonth => {
                let length = (element == Element::Month).then_some(3);
                let (month, left) = name(&MONTH_NAMES, length, value)?;
                self.month = Some(month + 1);
                rest = left;
            }
            Element::WeekDay => rest = name(&WEEKDAY_NAMES, Some(3), value)?.1,
            Element::LongWeekDay => rest = name(&WEEKDAY_NAMES, None, value)?.1,
            Element::NumMonth | Element::ZeroMonth => {
                let (month, left) = number(value, element == Element::ZeroMonth)?;
                self.month = Some(in_range(month, 1..13, "month")?);
                rest = left;
            }
            Element::Day | Element::UnderDay | Element::ZeroDay => {
                let blank = element == Element::UnderDay && value.first() == Some(&b' ');
                let (day, left) =
                    number(&value[usize::from(blank)..], element == Element::ZeroDay)?;
                self.day = Some(day);
                rest = left;
            }
            Element::UnderYearDay | Element::ZeroYearDay => {
                let mut value = value;
                for _ in 0..2 {
                    if element == Element::UnderYearDay && value.first() == Some(&b' ') {
                        value = &value[1..];
                    }
                }
                let (day, left) = number3(value, element == Element::ZeroYearDay)?;
                self.year_day = Some(day);
                rest = left;
            }
            Element::Hour | Element::Hour12 | Element::ZeroHour12 => {
                let end = if element == Element::Hour { 24 } else { 13 };
                let (hour, left) = number(value, element == Element::ZeroHour12)?;
                self.hour = in_range(hour, 0..end, "hour")?;
                rest = left;
            }
            Element::Minute | Element::ZeroMinute => {
                let (minute, left) = number(value, element == Element::ZeroMinute)?;
                self.minute = in_range(minute, 0..60, "minute")?;
                rest = left;
            }
            Element::Second | Element::ZeroSecond => {
                let (second, left) = number(value, element == Element::ZeroSecond)?;
                self.second = in_range(second, 0..60, "second")?;
                rest = self.unannounced_fraction(left, layout_rest)?;
            }
            Element::UpperPm => rest = self.half_of_day(value, b"AM", b"PM")?,
            Element::LowerPm => rest = self.half_of_day(value, b"am", b"pm")?,
            Element::Offset(_, true) if value.first() == Some(&b'Z') => {
                self.utc = true;
                rest = &value[1..];
            }
            Element::Offset(form, _) => rest = self.offset(value, form)?,
            Element::ZoneName => rest = self.zone_name(value)?,
            Element::Fraction(digits, false, _) => {
                if value.len() < digits + 1 {
                    return Err(Bad::Unreadable);
                }
                self.nanosecond = nanoseconds(&value[..=digits])?;
                rest = &value[digits + 1..];
            }
            Element::Fraction(_, true, _) => {
                if value.len() < 2 || !matches!(value[0], b'.' | b',') || digit(value, 1).is_none()
                {
                    return Ok(value);
                }
                let digits = value[1..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                self.nanosecond = nanoseconds(&value[..=digits])?;
                rest = &value[digits + 1..];
            }
        }
        Ok(rest)
    }

    /// A fraction after the seconds that the layout does not mention.
    fn unannounced_fraction<'a>(&mut self, value: &'a [u8], layout_rest: &[u8]) -> Read<&'a [u8]> {
        if value.len() < 2 || !matches!(value[0], b'.' | b',') || digit(value, 1).is_none() {
            return Ok(value);
        }
        if matches!(next_element(layout_rest).1, Some(Element::Fraction(..))) {
            return Ok(value);
        }
        let digits = value[1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.nanosecond = nanoseconds(&value[..=digits])?;
        Ok(&value[digits + 1..])
    }

    fn half_of_day<'a>(&mut self, value: &'a [u8], am: &[u8], pm: &[u8]) -> Read<&'a [u8]> {
        if value.starts_with(pm) {
            self.pm = true;
        } else if value.starts_with(am) {
            self.am = true;
        } else {
            return Err(Bad::Unreadable);
        }
        Ok(&value[2..])
    }

    fn offset<'a>(&mut self, value: &'a [u8], form: OffsetForm) -> Read<&'a [u8]> {
        let (length, minutes, seconds) = match form {
            OffsetForm::Hours => (3, None, None),
            OffsetForm::Minutes => (5, Some(3), None),
            OffsetForm::ColonMinutes => (6, Some(4), None),
            OffsetForm::Seconds => (7, Some(3), Some(5)),
            OffsetForm::ColonSeconds => (9, Some(4), Some(7)),
        };
        if value.len() < length {
            return Err(Bad::Unreadable);
        }
        let colons: &[usize] = match form {
            OffsetForm::ColonMinutes => &[3],
            OffsetForm::ColonSeconds => &[3, 6],
            _ => &[],
        };
        if colons.iter().any(|at| value[*at] != b':') {
            return Err(Bad::Unreadable);
        }
        let part = |at: Option<usize>| {
            at.map_or(Ok(0), |at| {
                number(&value[at..at + 2], true).map(|(value, _)| value)
            })
        };
        let hours = part(Some(1))?;
        let minutes = part(minutes)?;
        let seconds = part(seconds)?;
        in_range(hours, 0..25, "time zone offset hour")?;
        in_range(minutes, 0..61, "time zone offset minute")?;
        in_range(seconds, 0..61, "time zone offset second")?;
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(match value[0] {
            b'+' => offset,
            b'-' => -offset,
            _ => return Err(Bad::Unreadable),
        });
        Ok(&value[length..])
    }

    fn zone_name<'a>(&mut self, value: &'a [u8]) -> Read<&'a [u8]> {
        if let Some(rest) = value.strip_prefix(b"UTC") {
            self.utc = true;
            return Ok(rest);
        }
        let length = zone_name_length(value).ok_or(Bad::Unreadable)?;
        self.zone_name = lossy(&value[..length]).into_owned();
        Ok(&value[length..])
    }

    /// Checks the fields against each other and makes the time.
    fn finish(mut self, zone: &Zone) -> Result<Time, &'static str> {
        if self.pm && self.hour < 12 {
            self.hour += 12;
        } else if self.am && self.hour == 12 {
            self.hour = 0;
        }
        if let Some(year_day) = self.year_day {
            let days = if is_leap(self.year) { 366 } else { 365 };
            if !(1..=days).contains(&year_day) {
                return Err("day-of-year out of range");
            }
            let first = days_from_date(self.year, 1, 1);
            let civil = super::Civil::from_seconds((first + year_day - 1) * 86_400);
            let (month, day) = (i64::from(civil.month), i64::from(civil.day));
            if self.month.is_some_and(|given| given != month) {
                return Err("day-of-year does not match month");
            }
            if self.day.is_some_and(|given| given != day) {
                return Err("day-of-year does not match day");
            }
            self.month = Some(month);
            self.day = Some(day);
        }
        let month = self.month.unwrap_or(1);
        let day = self.day.unwrap_or(1);
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let seconds = days_from_date(self.year, month, day) * 86_400
            + self.hour * 3600
            + self.minute * 60
            + self.second;
        Ok(self.in_zone(seconds, zone))
    }

    /// The moment of a civil time, by the zone that was read or else `zone`.
    fn in_zone(&self, seconds: i64, zone: &Zone) -> Time {
        let time = |seconds: i64, zone: Zone| Time {
            seconds,
            nanoseconds: self.nanosecond as u32,
            zone,
            monotonic: None,
        };
        if self.utc {
            return time(seconds, Zone::Utc);
        }
        if let Some(offset) = self.offset {
            let moment = seconds - offset;
            let (name, local) = zone.at(moment);
            if i64::from(local) == offset && (self.zone_name.is_empty() || name == self.zone_name) {
                return time(moment, zone.clone());
            }
            return time(moment, Zone::Fixed(self.zone_name.clone(), offset as i32));
        }
        let (name, offset) = zone.at(seconds);
        if self.zone_name.is_empty() || name == self.zone_name {
            // The offset in force at that local time: looked up twice, for the hours around a change.
            let (_, offset) = zone.at(seconds - i64::from(offset));
            return time(seconds - i64::from(offset), zone.clone());
        }
        let offset = self
            .zone_name
            .strip_prefix("GMT")
            .and_then(|hours| hours.parse::<i32>().ok())
            .map_or(0, |hours| hours * 3600);
        // Upstream keeps the clock reading as if it were UTC for zones it does not know.
        time(seconds, Zone::Fixed(self.zone_name.clone(), offset))
    }
}

/// Digits with an optional sign.
fn integer(text: &[u8]) -> Read<i64> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(Bad::Unreadable)
}

/// `.123` in nanoseconds; digits beyond the ninth are dropped.
fn nanoseconds(text: &[u8]) -> Read<i64> {
    if !matches!(text.first(), Some(b'.' | b',')) {
        return Err(Bad::Unreadable);
    }
    let digits = &text[1..text.len().min(10)];
    let value = integer(digits)?;
    if value < 0 {
        return Err(Bad::Range("fractional second"));
    }
    Ok(value * 10_i64.pow(9 - digits.len() as u32))
}

/// How long the abbreviation of a zone at the start of `text` is.
fn zone_name_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_offset_length(rest));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_offset_length(text)).filter(|length| *length > 0);
    }
    let capitals = text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    match capitals {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// The length of `+8` or `-03`; 0 when it is none.
fn signed_offset_length(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let digits = text[1..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    match std::str::from_utf8(&text[1..=digits]).map(str::parse::<u64>) {
        Ok(Ok(hours)) if hours <= 23 => digits + 1,
        _ => 0,
    }
}
