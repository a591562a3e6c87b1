//! What the operators do with a value.

use super::SubstituteError;

/// The value after the operator.
pub(super) fn apply(
    operator: &str,
    value: Vec<u8>,
    arguments: &[Vec<u8>],
) -> Result<Vec<u8>, SubstituteError> {
    let first = arguments.first().map(Vec::as_slice);
    let second = arguments.get(1).map(Vec::as_slice);
    Ok(match (operator, first) {
        (",", _) => map_first(value, lower),
        (",,", _) => map_all(&value, lower),
        ("^", _) => map_first(value, upper),
        ("^^", _) => map_all(&value, upper),
        ("#", None) => value.len().to_string().into_bytes(),
        ("#", Some(pattern)) => trim_shortest(value, pattern),
        ("##", Some(pattern)) => trim_longest(value, pattern),
        ("%", Some(pattern)) => reverse(&trim_shortest(reverse(&value), &reverse(pattern))),
        ("%%", Some(pattern)) => reverse(&trim_longest(reverse(&value), &reverse(pattern))),
        (":", Some(offset)) => substring(value, offset, second)?,
        ("/#", Some(pattern)) => match second {
            Some(with) if value.starts_with(pattern) => replace(&value, pattern, with, true),
            _ => value,
        },
        ("/%", Some(pattern)) => match (second, value.strip_suffix(pattern)) {
            (Some(with), Some(rest)) => [rest, with].concat(),
            _ => value,
        },
        ("/", Some(pattern)) => replace(&value, pattern, second.unwrap_or_default(), true),
        ("//", Some(pattern)) => replace(&value, pattern, second.unwrap_or_default(), false),
        _ if value.is_empty() => arguments.concat(),
        _ => value,
    })
}

/// Go's `unicode.ToLower`: one character for one.
fn lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (c, mapped.next(), mapped.next()) {
        ('İ', ..) => 'i',
        (_, Some(one), None) => one,
        _ => c,
    }
}

/// Go's `unicode.ToUpper`: one character for one.
fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (c, mapped.next(), mapped.next()) {
        ('\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}', ..) => {
            char::from_u32(u32::from(c) + 8).unwrap_or(c)
        }
        ('\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}', ..) => char::from_u32(u32::from(c) + 9).unwrap_or(c),
        (_, Some(one), None) => one,
        _ => c,
    }
}

fn map_all(value: &[u8], map: fn(char) -> char) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    text.chars().map(map).collect::<String>().into_bytes()
}

fn map_first(value: Vec<u8>, map: fn(char) -> char) -> Vec<u8> {
    let Some((first, width)) = first_char(&value) else {
        return value;
    };
    let mut mapped = map(first).to_string().into_bytes();
    mapped.extend_from_slice(&value[width..]);
    mapped
}

fn first_char(value: &[u8]) -> Option<(char, usize)> {
    let chunk = value.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(c) => Some((c, c.len_utf8())),
        None => Some((char::REPLACEMENT_CHARACTER, 1)),
    }
}

fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn substring(
    value: Vec<u8>,
    offset: &[u8],
    length: Option<&[u8]>,
) -> Result<Vec<u8>, SubstituteError> {
    let size = value.len() as i64;
    let Some(mut start) = integer(offset) else {
        return Ok(value);
    };
    if start < 0 {
        start = (size + start).max(0);
    }
    let rest = |start: i64| value.get(start as usize..).unwrap_or_default().to_vec();
    let Some(length) = length else {
        return Ok(rest(start));
    };
    let Some(length) = integer(length) else {
        return Ok(value);
    };
    let end = start.wrapping_add(length);
    if end >= size {
        return Ok(rest(start));
    }
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range
        .and_then(|(start, end)| value.get(start..end))
        .map(<[u8]>::to_vec)
        .ok_or(SubstituteError::Bounds)
}

fn replace(value: &[u8], pattern: &[u8], with: &[u8], once: bool) -> Vec<u8> {
    let mut output = Vec::with_capacity(value.len());
    let mut rest = value;
    if pattern.is_empty() {
        // Before every character, and at the end.
        loop {
            output.extend_from_slice(with);
            let Some((_, width)) = first_char(rest).filter(|_| !once) else {
                output.extend_from_slice(rest);
                return output;
            };
            output.extend_from_slice(&rest[..width]);
            rest = &rest[width..];
        }
    }
    while let Some(at) = memchr::memmem::find(rest, pattern) {
        output.extend_from_slice(&rest[..at]);
        output.extend_from_slice(with);
        rest = &rest[at + pattern.len()..];
        if once {
            break;
        }
    }
    output.extend_from_slice(rest);
    output
}

fn reverse(value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    text.chars().rev().collect::<String>().into_bytes()
}

fn trim_shortest(value: Vec<u8>, pattern: &[u8]) -> Vec<u8> {
    let mut shortest = 0;
    for length in (1..=value.len()).rev() {
        match matches(pattern, &value[..length]) {
            None => return value,
            Some(true) => shortest = length,
            Some(false) => {}
        }
    }
    value[shortest..].to_vec()
}

fn trim_longest(value: Vec<u8>, pattern: &[u8]) -> Vec<u8> {
    for length in (1..=value.len()).rev() {
        match matches(pattern, &value[..length]) {
            None => return value,
            Some(true) => return value[length..].to_vec(),
            Some(false) => {}
        }
    }
    value
}

/// Whether the pattern matches all of `name`; none for a bad pattern that was come upon.
///
/// Go's `path.Match` of old, where `*` and `?` match slashes too.
fn matches(mut pattern: &[u8], mut name: &[u8]) -> Option<bool> {
    'chunks: while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Some(true);
        }
        match match_chunk(chunk, name) {
            Some(Some(after)) if after.is_empty() || !pattern.is_empty() => {
                name = after;
                continue;
            }
            None => return None,
            _ => {}
        }
        if star {
            for at in 1..=name.len() {
                match match_chunk(chunk, &name[at..]) {
                    Some(Some(after)) if pattern.is_empty() && !after.is_empty() => {}
                    Some(Some(after)) => {
                        name = after;
                        continue 'chunks;
                    }
                    Some(None) => {}
                    None => return None,
                }
            }
        }
        return Some(false);
    }
    Some(name.is_empty())
}

fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let pattern = &pattern[stars..];
    let mut in_range = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 < pattern.len() => at += 1,
            b'[' => in_range = true,
            b']' => in_range = false,
            b'*' if !in_range => break,
            _ => {}
        }
        at += 1;
    }
    (stars > 0, &pattern[..at], &pattern[at..])
}

/// What is left of the name; outside none for a bad pattern, inside none for no match.
#[expect(
    clippy::option_option,
    reason = "two ways to have no rest, told apart at once"
)]
fn match_chunk<'a>(mut chunk: &[u8], mut name: &'a [u8]) -> Option<Option<&'a [u8]>> {
    while let Some(first) = chunk.first() {
        if name.is_empty() {
            return Some(None);
        }
        match first {
            b'[' => {
                let (c, width) = first_char(name)?;
                name = &name[width..];
                let (found, rest) = match_class(&chunk[1..], c)?;
                if !found {
                    return Some(None);
                }
                chunk = rest;
            }
            b'?' => {
                let (_, width) = first_char(name)?;
                name = &name[width..];
                chunk = &chunk[1..];
            }
            _ => {
                if *first == b'\\' {
                    chunk = &chunk[1..];
                }
                if *chunk.first()? != name[0] {
                    return Some(None);
                }
                name = &name[1..];
                chunk = &chunk[1..];
            }
        }
    }
    Some(Some(name))
}

fn match_class(mut chunk: &[u8], c: char) -> Option<(bool, &[u8])> {
    let negated = chunk.first() == Some(&b'^');
    if negated {
        chunk = &chunk[1..];
    }
    let mut found = false;
    let mut ranges = 0;
    loop {
        if chunk.first() == Some(&b']') && ranges > 0 {
            return Some((found != negated, &chunk[1..]));
        }
        let (low, rest) = class_char(chunk)?;
        chunk = rest;
        let mut high = low;
        if chunk.first() == Some(&b'-') {
            (high, chunk) = class_char(&chunk[1..])?;
        }
        found |= low <= c && c <= high;
        ranges += 1;
    }
}

fn class_char(chunk: &[u8]) -> Option<(char, &[u8])> {
    let chunk = match chunk {
        [] | [b'-' | b']', ..] => return None,
        [b'\\', rest @ ..] => rest,
        chunk => chunk,
    };
    let (c, width) = first_char(chunk)?;
    let invalid = c == char::REPLACEMENT_CHARACTER && width == 1;
    let rest = &chunk[width..];
    (!invalid && !rest.is_empty()).then_some((c, rest))
}
