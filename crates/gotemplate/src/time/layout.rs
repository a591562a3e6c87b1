//! Go's layouts: the reference time `Mon Jan 2 15:04:05 MST 2006` taken apart, and formatting.

use super::Time;
use super::civil::{MONTH_NAMES, WEEKDAY_NAMES};

/// An element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// A numeric zone: its form, and whether `Z` stands for UTC.
    Offset(OffsetForm, bool),
    /// A fraction of the second: its digits, and whether trailing zeros go.
    Fraction(usize, bool, u8),
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetForm {
    /// `-07`
    Hours,
    /// `-0700`
    Minutes,
    /// `-07:00`
    ColonMinutes,
    /// `-070000`
    Seconds,
    /// `-07:00:00`
    ColonSeconds,
}

/// The first element of a layout: what stands before it, the element, what follows it. Without one, all
/// stands before it.
pub(super) fn next_element(layout: &[u8]) -> (&[u8], Option<Element>, &[u8]) {
    for start in 0..layout.len() {
        let rest = &layout[start..];
        if let Some((element, skip, length)) = element_at(rest) {
            return (
                &layout[..start + skip],
                Some(element),
                &layout[start + length..],
            );
        }
    }
    (layout, None, b"")
}

/// The element that `rest` begins with, how much of it belongs to the prefix, and where it ends.
fn element_at(rest: &[u8]) -> Option<(Element, usize, usize)> {
    use Element as E;
    let lower_follows = |at: usize| rest.get(at).is_some_and(u8::is_ascii_lowercase);
    let found = |element, length| Some((element, 0, length));
    match rest[0] {
        b'J' if rest.starts_with(b"January") => found(E::LongMonth, 7),
        b'J' if rest.starts_with(b"Jan") && !lower_follows(3) => found(E::Month, 3),
        b'M' if rest.starts_with(b"Monday") => found(E::LongWeekDay, 6),
        b'M' if rest.starts_with(b"Mon") && !lower_follows(3) => found(E::WeekDay, 3),
        b'M' if rest.starts_with(b"MST") => found(E::ZoneName, 3),
        b'0' => match rest.get(1)? {
            b'1' => found(E::ZeroMonth, 2),
            b'2' => found(E::ZeroDay, 2),
            b'3' => found(E::ZeroHour12, 2),
            b'4' => found(E::ZeroMinute, 2),
            b'5' => found(E::ZeroSecond, 2),
            b'6' => found(E::Year, 2),
            b'0' if rest.get(2) == Some(&b'2') => found(E::ZeroYearDay, 3),
            _ => None,
        },
        b'1' if rest.get(1) == Some(&b'5') => found(E::Hour, 2),
        b'1' => found(E::NumMonth, 1),
        b'2' if rest.starts_with(b"2006") => found(E::LongYear, 4),
        b'2' => found(E::Day, 1),
        b'_' if rest.starts_with(b"_2006") => Some((E::LongYear, 1, 5)),
        b'_' if rest.starts_with(b"_2") => found(E::UnderDay, 2),
        b'_' if rest.starts_with(b"__2") => found(E::UnderYearDay, 3),
        b'3' => found(E::Hour12, 1),
        b'4' => found(E::Minute, 1),
        b'5' => found(E::Second, 1),
        b'P' if rest.starts_with(b"PM") => found(E::UpperPm, 2),
        b'p' if rest.starts_with(b"pm") => found(E::LowerPm, 2),
        b'-' | b'Z' => {
            let (form, length) = offset_form(&rest[1..])?;
            found(E::Offset(form, rest[0] == b'Z'), length + 1)
        }
        b'.' | b',' => fraction(rest),
        _ => None,
    }
}

fn offset_form(rest: &[u8]) -> Option<(OffsetForm, usize)> {
    [
        (&b"070000"[..], OffsetForm::Seconds),
        (b"07:00:00", OffsetForm::ColonSeconds),
        (b"0700", OffsetForm::Minutes),
        (b"07:00", OffsetForm::ColonMinutes),
        (b"07", OffsetForm::Hours),
    ]
    .into_iter()
    .find(|(text, _)| rest.starts_with(text))
    .map(|(text, form)| (form, text.len()))
}

/// `.000` or `.999`, when no other digit follows.
fn fraction(rest: &[u8]) -> Option<(Element, usize, usize)> {
    let digit = *rest.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
    let count = rest[1..].iter().take_while(|byte| **byte == digit).count();
    if rest.get(count + 1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((
        Element::Fraction(count, digit == b'9', rest[0]),
        0,
        count + 1,
    ))
}

/// `time` in `layout`. Source: time `Time.AppendFormat`.
pub(super) fn format(time: &Time, layout: &[u8]) -> Vec<u8> {
    let (zone_name, offset) = time.zone.at(time.seconds);
    let civil = time.civil();
    let mut out = Vec::new();
    let mut rest = layout;
    loop {
        let (prefix, element, suffix) = next_element(rest);
        out.extend_from_slice(prefix);
        let Some(element) = element else {
            return out;
        };
        rest = suffix;
        let month = MONTH_NAMES[(civil.month - 1) as usize];
        let weekday = WEEKDAY_NAMES[civil.weekday()];
        let hour12 = if civil.hour.is_multiple_of(12) {
            12
        } else {
            civil.hour % 12
        };
        match element {
            Element::LongMonth => out.extend_from_slice(month.as_bytes()),
            Element::Month => out.extend_from_slice(&month.as_bytes()[..3]),
            Element::LongWeekDay => out.extend_from_slice(weekday.as_bytes()),
            Element::WeekDay => out.extend_from_slice(&weekday.as_bytes()[..3]),
            Element::NumMonth => append_int(&mut out, i64::from(civil.month), 0),
            Element::ZeroMonth => append_int(&mut out, i64::from(civil.month), 2),
            Element::Day => append_int(&mut out, i64::from(civil.day), 0),
            Element::ZeroDay => append_int(&mut out, i64::from(civil.day), 2),
            Element::UnderDay => out.extend_from_slice(format!("{:2}", civil.day).as_bytes()),
            Element::UnderYearDay => {
                out.extend_from_slice(format!("{:3}", civil.year_day()).as_bytes())
            }
            Element::ZeroYearDay => append_int(&mut out, civil.year_day(), 3),
            Element::Hour => append_int(&mut out, i64::from(civil.hour), 2),
            Element::Hour12 => append_int(&mut out, i64::from(hour12), 0),
            Element::ZeroHour12 => append_int(&mut out, i64::from(hour12), 2),
            Element::Minute => append_int(&mut out, i64::from(civil.minute), 0),
            Element::ZeroMinute => append_int(&mut out, i64::from(civil.minute), 2),
            Element::Second => append_int(&mut out, i64::from(civil.second), 0),
            Element::ZeroSecond => append_int(&mut out, i64::from(civil.second), 2),
            Element::LongYear => append_int(&mut out, civil.year, 4),
            Element::Year => append_int(&mut out, civil.year.max(0) % 100, 2),
            Element::UpperPm => out.extend_from_slice(if civil.hour >= 12 { b"PM" } else { b"AM" }),
            Element::LowerPm => out.extend_from_slice(if civil.hour >= 12 { b"pm" } else { b"am" }),
            Element::ZoneName => append_zone_name(&mut out, &zone_name, offset),
            Element::Offset(_, true) if offset == 0 => out.push(b'Z'),
            Element::Offset(form, _) => append_offset(&mut out, offset, form),
            Element::Fraction(digits, trim, point) => {
                append_fraction(&mut out, time.nanoseconds, digits, trim, point);
            }
        }
    }
}

fn append_int(out: &mut Vec<u8>, value: i64, width: usize) {
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(format!("{:0width$}", value.unsigned_abs()).as_bytes());
}

/// The abbreviation; for a zone without one its offset.
fn append_zone_name(out: &mut Vec<u8>, name: &str, offset: i32) {
    if !name.is_empty() {
        out.extend_from_slice(name.as_bytes());
        return;
    }
    let minutes = offset / 60;
    out.push(if minutes < 0 { b'-' } else { b'+' });
    let minutes = minutes.unsigned_abs();
    append_int(out, i64::from(minutes / 60), 2);
    append_int(out, i64::from(minutes % 60), 2);
}

fn append_offset(out: &mut Vec<u8>, offset: i32, form: OffsetForm) {
    let minutes = offset / 60;
    out.push(if minutes < 0 { b'-' } else { b'+' });
    let absolute = offset.unsigned_abs();
    let minutes = minutes.unsigned_abs();
    let colon = matches!(form, OffsetForm::ColonMinutes | OffsetForm::ColonSeconds);
    append_int(out, i64::from(minutes / 60), 2);
    if form == OffsetForm::Hours {
        return;
    }
    if colon {
        out.push(b':');
    }
    append_int(out, i64::from(minutes % 60), 2);
    if matches!(form, OffsetForm::Seconds | OffsetForm::ColonSeconds) {
        if colon {
            out.push(b':');
        }
        append_int(out, i64::from(absolute % 60), 2);
    }
}

fn append_fraction(out: &mut Vec<u8>, nanoseconds: u32, digits: usize, trim: bool, point: u8) {
    let mut text = format!("{nanoseconds:09}");
    while text.len() < digits {
        text.push('0');
    }
    text.truncate(digits);
    let shown = if trim {
        text.trim_end_matches('0')
    } else {
        &text
    };
    if trim && shown.is_empty() {
        return;
    }
    out.push(point);
    out.extend_from_slice(shown.as_bytes());
}
