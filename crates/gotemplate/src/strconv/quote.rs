//! Go's quoted strings and characters, written and read.

use crate::text::{Str, first_rune, runes};
use crate::unicode::is_print;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// `text` as a Go string literal: Go's `strconv.Quote`.
pub fn quote(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    append_quote(&mut out, text, false);
    out
}

/// Appends `text` as a Go string literal; with `ascii` everything beyond ASCII is escaped.
pub fn append_quote(out: &mut Vec<u8>, text: &[u8], ascii: bool) {
    out.push(b'"');
    for (position, rune) in runes(text) {
        if rune.is_invalid() {
            append_hex_byte(out, text[position]);
        } else {
            append_escaped(out, rune.char(), b'"', ascii);
        }
    }
    out.push(b'"');
}

/// Appends `rune` as a Go character literal. A code that is no character becomes U+FFFD.
pub fn append_quote_rune(out: &mut Vec<u8>, rune: char, ascii: bool) {
    out.push(b'\'');
    append_escaped(out, rune, b'\'', ascii);
    out.push(b'\'');
}

fn append_hex_byte(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(b"\\x");
    out.push(HEX[usize::from(byte >> 4)]);
    out.push(HEX[usize::from(byte & 15)]);
}

fn append_escaped(out: &mut Vec<u8>, char: char, quote: u8, ascii: bool) {
    if char == char::from(quote) || char == '\\' {
        out.push(b'\\');
        out.push(char as u8);
        return;
    }
    if (!ascii || char.is_ascii()) && is_print(char) {
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    match char {
        '\u{07}' => out.extend_from_slice(b"\\a"),
        '\u{08}' => out.extend_from_slice(b"\\b"),
        '\u{0C}' => out.extend_from_slice(b"\\f"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{0B}' => out.extend_from_slice(b"\\v"),
        _ if char < ' ' || char == '\u{7F}' => append_hex_byte(out, char as u8),
        _ if (char as u32) < 0x1_0000 => {
            out.extend_from_slice(format!("\\u{:04x}", char as u32).as_bytes());
        }
        _ => out.extend_from_slice(format!("\\U{:08x}", char as u32).as_bytes()),
    }
}

/// Whether `text` can be written between backquotes on one line: Go's `strconv.CanBackquote`.
pub fn can_backquote(text: &[u8]) -> bool {
    runes(text).all(|(_, rune)| {
        let char = rune.char();
        !rune.is_invalid()
            && char != '\u{FEFF}'
            && !((char < ' ' && char != '\t') || char == '`' || char == '\u{7F}')
    })
}

/// What an escape stands for.
pub enum Unquoted {
    /// A character.
    Char(char),
    /// A byte from `\x` or `\123`.
    Byte(u8),
}

/// Reads one character or escape of a literal in quotes of kind `quote`; gives it and the rest.
/// Go's `strconv.UnquoteChar`. `None` is Go's "invalid syntax".
pub fn unquote_char(text: &[u8], quote: u8) -> Option<(Unquoted, &[u8])> {
    let rune = first_rune(text)?;
    if text[0] == quote && (quote == b'\'' || quote == b'"') {
        return None;
    }
    if text[0] != b'\\' {
        let rest = &text[rune.width()..];
        return Some(if rune.is_invalid() {
            (Unquoted::Char(char::REPLACEMENT_CHARACTER), rest)
        } else {
            (Unquoted::Char(rune.char()), rest)
        });
    }
    let kind = *text.get(1)?;
    let rest = &text[2..];
    let simple = |char| Some((Unquoted::Char(char), rest));
    match kind {
        b'a' => simple('\u{07}'),
        b'b' => simple('\u{08}'),
        b'f' => simple('\u{0C}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\u{0B}'),
        b'\\' => simple('\\'),
        b'\'' | b'"' if kind == quote => simple(char::from(kind)),
        b'x' | b'u' | b'U' => unquote_hex(kind, rest),
        b'0'..=b'7' => unquote_octal(kind, rest),
        _ => None,
    }
}

fn unquote_hex(kind: u8, rest: &[u8]) -> Option<(Unquoted, &[u8])> {
    let digits = match kind {
        b'x' => 2,
        b'u' => 4,
        _ => 8,
    };
    let mut value: u32 = 0;
    for byte in rest.get(..digits)? {
        value = value << 4 | char::from(*byte).to_digit(16)?;
    }
    let rest = &rest[digits..];
    if kind == b'x' {
        return Some((Unquoted::Byte(value as u8), rest));
    }
    Some((Unquoted::Char(char::from_u32(value)?), rest))
}

fn unquote_octal(first: u8, rest: &[u8]) -> Option<(Unquoted, &[u8])> {
    let mut value = u32::from(first - b'0');
    for byte in rest.get(..2)? {
        value = value << 3 | char::from(*byte).to_digit(8)?;
    }
    let byte = u8::try_from(value).ok()?;
    Some((Unquoted::Byte(byte), &rest[2..]))
}

/// The text of a Go literal in double, single or back quotes: Go's `strconv.Unquote`.
/// `None` is Go's "invalid syntax".
pub fn unquote(literal: &[u8]) -> Option<Str> {
    let quote = *literal.first()?;
    if literal.len() < 2 || literal[literal.len() - 1] != quote {
        return None;
    }
    let mut rest = &literal[1..literal.len() - 1];
    match quote {
        b'`' => {
            if rest.contains(&b'`') {
                return None;
            }
            let kept: Vec<u8> = rest.iter().copied().filter(|byte| *byte != b'\r').collect();
            Some(Str::from(kept))
        }
        b'"' | b'\'' => {
            if rest.contains(&b'\n') {
                return None;
            }
            if quote == b'"'
                && !rest.contains(&b'\\')
                && !rest.contains(&b'"')
                && std::str::from_utf8(rest).is_ok()
            {
                return Some(Str::from(rest));
            }
            let mut out = Vec::with_capacity(rest.len());
            while !rest.is_empty() {
                let (unquoted, tail) = unquote_char(rest, quote)?;
                match unquoted {
                    Unquoted::Char(char) => {
                        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    Unquoted::Byte(byte) => out.push(byte),
                }
                rest = tail;
                if quote == b'\'' && !rest.is_empty() {
                    return None;
                }
            }
            Some(Str::from(out))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_like_go() {
        for (text, want) in [
            (&b"a\"b\\\n\x07\x7f"[..], r#""a\"b\\\n\a\x7f""#),
            (
                "é\u{A0}\u{1F600}\u{200B}".as_bytes(),
                "\"é\\u00a0\u{1F600}\\u200b\"",
            ),
            (b"\xff", r#""\xff""#),
        ] {
            assert_eq!(String::from_utf8(quote(text)).unwrap(), want);
        }
    }

    #[test]
    fn unquotes_like_go() {
        assert_eq!(
            unquote(br#""a\x41\101\u00e9\t""#).unwrap(),
            Str::from("aAA\u{e9}\t")
        );
        assert_eq!(unquote(b"`a\r\nb`").unwrap(), Str::from("a\nb"));
        assert!(unquote(br#""\400""#).is_none());
        assert!(unquote(br#""\'""#).is_none());
        assert!(unquote(br#""\ud800""#).is_none());
    }
}
