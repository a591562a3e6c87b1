//! From bytes to text: encodings, the byte order mark and the characters YAML allows.

use std::borrow::Cow;

use crate::error::Error;

/// The text of `bytes` (UTF-8, or UTF-16 with a byte order mark) without its byte order mark.
///
/// Fails where a byte sequence is no text, or a character is one that YAML does not allow, in the
/// words of go-yaml's reader.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => decode_utf8(rest).map(Cow::Borrowed),
    }
}

fn decode_utf8(bytes: &[u8]) -> Result<&str, Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            check_characters(text)?;
            Ok(text)
        }
        Err(error) => {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            if let Ok(text) = std::str::from_utf8(good) {
                check_characters(text)?;
            }
            Err(Error::plain(utf8_problem(bad)))
        }
    }
}

/// Names what is wrong with the sequence at the start of `bytes`.
fn utf8_problem(bytes: &[u8]) -> &'static str {
    let width = match bytes[0] {
        octet if octet & 0xE0 == 0xC0 => 2,
        octet if octet & 0xF0 == 0xE0 => 3,
        octet if octet & 0xF8 == 0xF0 => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    if bytes.len() < width {
        return "incomplete UTF-8 octet sequence";
    }
    if bytes[1..width].iter().any(|octet| octet & 0xC0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    let overlong = match width {
        2 => bytes[0] < 0xC2,
        3 => bytes[0] == 0xE0 && bytes[1] < 0xA0,
        _ => bytes[0] == 0xF0 && bytes[1] < 0x90,
    };
    if overlong {
        "invalid length of a UTF-8 sequence"
    } else {
        "invalid Unicode character"
    }
}

fn check_characters(text: &str) -> Result<(), Error> {
    let plain = |byte: u8| matches!(byte, 0x20..=0x7E | b'\n' | b'\t' | b'\r');
    if text.bytes().all(plain) {
        return Ok(());
    }
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{D7FF}'
            | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
    };
    if text.chars().all(allowed) {
        Ok(())
    } else {
        Err(Error::plain("control characters are not allowed"))
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Error> {
    let mut text = String::with_capacity(bytes.len());
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let units: Vec<u16> = pairs.map(|pair| unit([pair[0], pair[1]])).collect();
    let mut rest = units.as_slice();
    while let Some((&first, tail)) = rest.split_first() {
        let (character, tail) = match (first & 0xFC00, tail.first()) {
            (0xDC00, _) => return Err(Error::plain("unexpected low surrogate area")),
            (0xD800, None) => return Err(Error::plain("incomplete UTF-16 surrogate pair")),
            (0xD800, Some(&low)) => {
                if low & 0xFC00 != 0xDC00 {
                    return Err(Error::plain("expected low surrogate area"));
                }
                let high = u32::from(first & 0x3FF) << 10;
                (0x10000 + high + u32::from(low & 0x3FF), &tail[1..])
            }
            _ => (u32::from(first), tail),
        };
        text.push(char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = tail;
    }
    if odd {
        return Err(Error::plain("incomplete UTF-16 character"));
    }
    check_characters(&text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_yaml_allows_and_names_what_it_does_not() {
        assert_eq!(decode(b"\xEF\xBB\xBFa: 1").unwrap(), "a: 1");
        assert_eq!(decode(b"\xFF\xFEa\0:\0").unwrap(), "a:");
        for (bytes, problem) in [
            (&b"a\x00"[..], "control characters are not allowed"),
            (b"\xFFx", "invalid leading UTF-8 octet"),
            (b"\xC3", "incomplete UTF-8 octet sequence"),
            (b"\xC3x", "invalid trailing UTF-8 octet"),
            (b"\xC0\x80", "invalid length of a UTF-8 sequence"),
            (b"\xED\xA0\x80", "invalid Unicode character"),
        ] {
            assert_eq!(decode(bytes), Err(Error::plain(problem)), "{bytes:?}");
        }
    }
}
