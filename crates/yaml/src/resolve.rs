//! What a plain scalar stands for.

use crate::error::{Dialect, Error};
use crate::node::Tag;

/// A decoded scalar; `Str` (and `Timestamp`) leave the text where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// `~`, `null` or nothing.
    Null,
    /// `true`, `false`; in v2 also `yes`, `on`, `n` …
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str,
    /// A date or a date with time.
    Timestamp,
}

/// The tag a plain, untagged scalar has in go-yaml v3.
pub fn implicit_tag(text: &str) -> Tag {
    implicit(text, Dialect::V3, true).0
}

/// Whether go-yaml v3 writes the text without quotes: it reads as a string in YAML 1.1 and 1.2.
pub fn is_plain_string(text: &str) -> bool {
    implicit_tag(text) == Tag::Str && !is_base60(text) && !is_old_bool(text)
}

/// Resolves `text` under `tag` (`Tag::None` when there is none).
///
/// # Errors
/// ``cannot decode !!str `x` as a !!int`` where the text does not fit its tag.
pub fn resolve(tag: &Tag, text: &str, dialect: Dialect) -> Result<(Tag, Scalar), Error> {
    match tag {
        Tag::None => return Ok(implicit(text, dialect, true)),
        Tag::Str => return Ok((Tag::Str, Scalar::Str)),
        Tag::Bool | Tag::Int | Tag::Float | Tag::Null | Tag::Timestamp => {}
        _ => return Ok((tag.clone(), Scalar::Str)),
    }
    let (found, scalar) = implicit(text, dialect, *tag == Tag::Timestamp);
    match (tag, scalar) {
        _ if found == *tag => Ok((found, scalar)),
        (Tag::Float, Scalar::Int(int)) => Ok((Tag::Float, Scalar::Float(int as f64))),
        _ => Err(Error::plain(format!(
            "cannot decode {} `{text}` as a {}",
            found.short(),
            tag.short()
        ))),
    }
}

fn implicit(text: &str, dialect: Dialect, timestamps: bool) -> (Tag, Scalar) {
    let Some(first) = text.bytes().next() else {
        return (Tag::Null, Scalar::Null);
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text, dialect)
        }
        b'.' => dotted(text),
        b'+' | b'-' | b'0'..=b'9' => number(text, dialect, timestamps),
        _ => None,
    }
    .unwrap_or((Tag::Str, Scalar::Str))
}

fn word(text: &str, dialect: Dialect) -> Option<(Tag, Scalar)> {
    let boolean = |value| Some((Tag::Bool, Scalar::Bool(value)));
    match text {
        "true" | "True" | "TRUE" => boolean(true),
        "false" | "False" | "FALSE" => boolean(false),
        "~" | "null" | "Null" | "NULL" => Some((Tag::Null, Scalar::Null)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::V2 => {
            boolean(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::V2 => {
            boolean(false)
        }
        _ => None,
    }
}

fn dotted(text: &str) -> Option<(Tag, Scalar)> {
    let float = match text {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        _ => finite(text)?,
    };
    Some((Tag::Float, Scalar::Float(float)))
}

/// Go's `ParseFloat` for what starts with a digit, sign or dot; out of range is no number.
fn finite(text: &str) -> Option<f64> {
    let plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    if !text.bytes().all(plain) {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

fn number(text: &str, dialect: Dialect, timestamps: bool) -> Option<(Tag, Scalar)> {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Some((Tag::Float, Scalar::Float(f64::INFINITY))),
        "-.inf" | "-.Inf" | "-.INF" => {
            return Some((Tag::Float, Scalar::Float(f64::NEG_INFINITY)));
        }
        _ => {}
    }
    if timestamps && is_timestamp(text) {
        return Some((Tag::Timestamp, Scalar::Timestamp));
    }
    let owned;
    let plain = if text.contains('_') {
        owned = text.replace('_', "");
        owned.as_str()
    } else {
        text
    };
    let whole = |scalar| Some((Tag::Int, scalar));
    if let Some(scalar) = parse_whole(plain) {
        return whole(scalar);
    }
    if is_yaml_float(plain)
        && let Some(float) = finite(plain)
    {
        return Some((Tag::Float, Scalar::Float(float)));
    }
    let mut radixes = vec![("0b", "-0b", 2)];
    if dialect == Dialect::V3 {
        radixes.push(("0o", "-0o", 8));
    }
    for (positive, negative, radix) in radixes {
        if let Some(digits) = plain.strip_prefix(positive) {
            if let Some(int) = parse_signed(digits, radix) {
                return whole(Scalar::Int(int));
            }
            if let Ok(uint) = u64::from_str_radix(digits.trim_start_matches('+'), radix)
                && !digits.starts_with('+')
            {
                return whole(Scalar::Uint(uint));
            }
        } else if let Some(digits) = plain.strip_prefix(negative)
            && let Some(int) = parse_signed(&format!("-{digits}"), radix)
        {
            return whole(Scalar::Int(int));
        }
    }
    None
}

/// Go's `ParseInt(text, 0, 64)`, else `ParseUint(text, 0, 64)`.
fn parse_whole(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        [b'+', ..] => ("+", &text[1..]),
        _ => ("", text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        "-" if magnitude <= 1 << 63 => Some(Scalar::Int((magnitude as i64).wrapping_neg())),
        "-" => None,
        _ => match (i64::try_from(magnitude), sign) {
            (Ok(int), _) => Some(Scalar::Int(int)),
            (Err(_), "") => Some(Scalar::Uint(magnitude)),
            _ => None,
        },
    }
}

fn parse_signed(text: &str, radix: u32) -> Option<i64> {
    i64::from_str_radix(text, radix).ok()
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_yaml_float(text: &str) -> bool {
    let digits = |bytes: &[u8]| {
        bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut rest = text.as_bytes();
    if let [b'-' | b'+', tail @ ..] = rest {
        rest = tail;
    }
    let whole = digits(rest);
    rest = &rest[whole..];
    if let [b'.', tail @ ..] = rest {
        let fraction = digits(tail);
        if whole == 0 && fraction == 0 {
            return false;
        }
        rest = &tail[fraction..];
    } else if whole == 0 {
        return false;
    }
    if let [b'e' | b'E', tail @ ..] = rest {
        let tail = match tail {
            [b'-' | b'+', tail @ ..] | tail => tail,
        };
        let exponent = digits(tail);
        return exponent > 0 && exponent == tail.len();
    }
    rest.is_empty()
}

/// Whether Go's `time.Parse` takes it under one of go-yaml's four layouts.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let year_ends = text.len() > 4
        && text.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && text.as_bytes()[4] == b'-';
    year_ends && timestamp(text.as_bytes()).is_some()
}

fn timestamp(text: &[u8]) -> Option<()> {
    let year: u32 = std::str::from_utf8(&text[..4]).ok()?.parse().ok()?;
    let mut rest = &text[5..];
    let month = take_number(&mut rest, 1, 12)?;
    expect(&mut rest, b"-")?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    take_number(&mut rest, 1, days)?;
    let zoned = match rest {
        [] => return Some(()),
        [b'T' | b't', tail @ ..] => {
            rest = tail;
            true
        }
        [b' ', tail @ ..] => {
            rest = tail;
            // Go skips any number of spaces where the layout has one.
            while let [b' ', tail @ ..] = rest {
                rest = tail;
            }
            false
        }
        _ => return None,
    };
    take_number(&mut rest, 0, 23)?;
    expect(&mut rest, b":")?;
    take_number(&mut rest, 0, 59)?;
    expect(&mut rest, b":")?;
    take_number(&mut rest, 0, 59)?;
    if let [b'.' | b',', digit, ..] = rest
        && digit.is_ascii_digit()
    {
        let fraction = rest[1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        rest = &rest[1 + fraction..];
    }
    match (zoned, rest) {
        (false, []) | (true, [b'Z']) => Some(()),
        (true, [b'+' | b'-', zone @ ..]) => {
            let [h1, h2, b':', m1, m2] = zone else {
                return None;
            };
            let two = |a: &u8, b: &u8| {
                (a.is_ascii_digit() && b.is_ascii_digit()).then(|| (a - b'0') * 10 + (b - b'0'))
            };
            (two(h1, h2)? <= 24 && two(m1, m2)? < 60).then_some(())
        }
        _ => None,
    }
}

fn expect(rest: &mut &[u8], what: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(what)?;
    Some(())
}

/// One or two digits in a range.
fn take_number(rest: &mut &[u8], least: u8, most: u8) -> Option<u8> {
    let digit = |at: usize| {
        rest.get(at)
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| byte - b'0')
    };
    let (value, width) = match (digit(0)?, digit(1)) {
        (tens, Some(ones)) => (tens * 10 + ones, 2),
        (ones, None) => (ones, 1),
    };
    *rest = &rest[width..];
    (least..=most).contains(&value).then_some(value)
}

/// A timestamp as Go's JSON has it: RFC 3339, in UTC unless it names a zone.
pub(crate) fn rfc3339(text: &str) -> String {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut next = || {
        numbers
            .next()
            .and_then(|digits| digits.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let (year, month, day) = (next(), next(), next());
    let Some(clock_at) = text.find(['T', 't', ' ']) else {
        return format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
    };
    let clock = text[clock_at + 1..].trim_start();
    let zone_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone_at);
    let (whole, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let mut parts = whole
        .split(':')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let (hour, minute, second) = (part(), part(), part());
    let fraction = fraction[..fraction.len().min(9)].trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let zone = match zone {
        "" | "+00:00" | "-00:00" => "Z",
        zone => zone,
    };
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}{zone}"
    )
}

/// Whether `text` is a number in base 60, which YAML 1.1 has and go-yaml quotes on the way out.
pub(crate) fn is_base60(text: &str) -> bool {
    let mut parts = text.strip_prefix(['-', '+']).unwrap_or(text).split(':');
    let first = parts.next().unwrap_or_default();
    let starts = first.starts_with(|c: char| c.is_ascii_digit())
        && first
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_');
    if !starts {
        return false;
    }
    let mut any = false;
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        any = true;
        let part = match (parts.peek(), part.split_once('.')) {
            (None, Some((whole, fraction))) => {
                if !fraction
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'_')
                {
                    return false;
                }
                whole
            }
            _ => part,
        };
        let fits = match part.as_bytes() {
            [ones] => ones.is_ascii_digit(),
            [tens, ones] => matches!(tens, b'0'..=b'5') && ones.is_ascii_digit(),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    any
}

/// Whether YAML 1.1 reads `text` as a boolean that YAML 1.2 does not know.
pub(crate) fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, v2: Scalar, v3: Scalar) {
        assert_eq!(implicit(text, Dialect::V2, true).1, v2, "{text} in v2");
        assert_eq!(implicit(text, Dialect::V3, true).1, v3, "{text} in v3");
    }

    #[test]
    fn scalars_resolve_as_in_go() {
        let same = |text, scalar| check(text, scalar, scalar);
        same("", Scalar::Null);
        same("0x1F", Scalar::Int(31));
        same("-0b11", Scalar::Int(-3));
        same("017", Scalar::Int(15));
        same("0o17", Scalar::Int(15));
        same("08", Scalar::Float(8.0));
        same("1_000", Scalar::Int(1000));
        same("1e3", Scalar::Float(1000.0));
        same("1e400", Scalar::Str);
        same("18446744073709551615", Scalar::Uint(u64::MAX));
        same(
            "18446744073709551616",
            Scalar::Float(18_446_744_073_709_551_616.0),
        );
        same("1:30", Scalar::Str);
        same("2024-02-30", Scalar::Str);
        same("2024-2-3", Scalar::Timestamp);
        same("2024-02-03T01:02:03.5+01:00", Scalar::Timestamp);
        same(".5", Scalar::Float(0.5));
        same("+", Scalar::Str);
        check("yes", Scalar::Bool(true), Scalar::Str);
        check("OFF", Scalar::Bool(false), Scalar::Str);
    }

    #[test]
    fn base_60_is_recognised() {
        for (text, expected) in [
            ("1:30", true),
            ("12:30:45.5", true),
            ("1:60", false),
            ("a:1", false),
            ("1", false),
        ] {
            assert_eq!(is_base60(text), expected, "{text}");
        }
    }
}
