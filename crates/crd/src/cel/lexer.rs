//! The words of CEL. Source: cel-go `parser/gen/CEL.g4`.

use super::source::Issue;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// An operator, a bracket, or a word with a meaning of its own.
    Symbol(&'static str),
    Int,
    Uint,
    Float,
    Text,
    Bytes,
    Ident,
    /// An identifier in backticks.
    Quoted,
    End,
}

/// A token and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexeme<'a> {
    pub(super) token: Token,
    /// Its offset in code points.
    pub(super) offset: usize,
    pub(super) text: &'a str,
}

const SYMBOLS: [&str; 26] = [
    "==", "!=", "<=", ">=", "&&", "||", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":",
    "+", "*", "/", "%", "<", ">", "", "",
];

/// The tokens of `text`, and the errors about what is no token.
pub(super) fn lex(text: &str) -> (Vec<Lexeme<'_>>, Vec<Issue>) {
    let mut lexemes = Vec::new();
    let mut issues = Vec::new();
    let mut at = 0;
    let mut offset = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = match scan(rest) {
            Scan::Skip(length) => length,
            Scan::Token(token, length) => {
                lexemes.push(Lexeme {
                    token,
                    offset,
                    text: &rest[..length],
                });
                length
            }
            Scan::Unknown(length) => {
                let shown = rest[..length]
                    .replace('\t', "\\t")
                    .replace('\n', "\\n")
                    .replace('\r', "\\r");
                issues.push(Issue {
                    offset: Some(offset),
                    message: format!("Syntax error: token recognition error at: '{shown}'"),
                });
                length
            }
        };
        offset += rest[..length].chars().count();
        at += length;
    }
    lexemes.push(Lexeme {
        token: Token::End,
        offset,
        text: "<EOF>",
    });
    (lexemes, issues)
}

enum Scan {
    Skip(usize),
    Token(Token, usize),
    Unknown(usize),
}

fn char_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0c);
    let spaces = bytes.iter().take_while(|byte| is_space(byte)).count();
    if spaces > 0 {
        return Scan::Skip(spaces);
    }
    if text.starts_with("//") {
        return Scan::Skip(text.find('\n').unwrap_or(text.len()));
    }
    if let Some(scan) = scan_text(text) {
        return scan;
    }
    let first = bytes[0];
    if first.is_ascii_digit() || first == b'.' && bytes.get(1).is_some_and(u8::is_ascii_digit) {
        return scan_number(bytes);
    }
    if first.is_ascii_alphabetic() || first == b'_' {
        let length = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let token = match &text[..length] {
            "in" => Token::Symbol("in"),
            "true" => Token::Symbol("true"),
            "false" => Token::Symbol("false"),
            "null" => Token::Symbol("null"),
            _ => Token::Ident,
        };
        return Scan::Token(token, length);
    }
    if first == b'`' {
        let inner = bytes[1..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-/ ".contains(byte))
            .count();
        if inner > 0 && bytes.get(1 + inner) == Some(&b'`') {
            return Scan::Token(Token::Quoted, inner + 2);
        }
        let end = 1 + inner;
        return Scan::Unknown(end + char_len(&text[end..]));
    }
    let symbol = SYMBOLS
        .iter()
        .find(|symbol| !symbol.is_empty() && text.starts_with(**symbol));
    match symbol {
        Some(symbol) => Scan::Token(Token::Symbol(symbol), symbol.len()),
        // `=`, `&` and `|` could begin a symbol: the next character belongs to the error.
        None if matches!(first, b'=' | b'&' | b'|') => Scan::Unknown(1 + char_len(&text[1..])),
        None => Scan::Unknown(char_len(text)),
    }
}

fn scan_number(bytes: &[u8]) -> Scan {
    let digits = |at: usize| {
        bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    if bytes.starts_with(b"0x") {
        let hex = bytes[2..]
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if hex > 0 {
            return match bytes.get(2 + hex) {
                Some(b'u' | b'U') => Scan::Token(Token::Uint, 3 + hex),
                _ => Scan::Token(Token::Int, 2 + hex),
            };
        }
    }
    let whole = digits(0);
    let mut at = whole;
    let mut is_float = false;
    if bytes.get(at) == Some(&b'.') && digits(at + 1) > 0 {
        at += 1 + digits(at + 1);
        is_float = true;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if at + 1 + sign <= bytes.len() && digits(at + 1 + sign) > 0 {
            at += 1 + sign + digits(at + 1 + sign);
            is_float = true;
        }
    }
    if is_float {
        return Scan::Token(Token::Float, at);
    }
    match bytes.get(at) {
        Some(b'u' | b'U') => Scan::Token(Token::Uint, at + 1),
        _ => Scan::Token(Token::Int, at),
    }
}

/// A text or bytes in quotes, if `text` begins with one.
fn scan_text(text: &str) -> Option<Scan> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let is_bytes = matches!(bytes.first(), Some(b'b' | b'B'));
    at += usize::from(is_bytes);
    let is_raw = matches!(bytes.get(at), Some(b'r' | b'R'));
    at += usize::from(is_raw);
    let quote = *bytes.get(at).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let token = if is_bytes { Token::Bytes } else { Token::Text };
    let triple = [quote; 3];
    if bytes[at..].starts_with(&triple) {
        if let Some(end) = end_of_text(&text[at + 3..], &triple, is_raw, true) {
            return Some(Scan::Token(token, at + 3 + end.ok()?));
        }
        // An empty text, followed by another quote.
        return Some(Scan::Token(token, at + 2));
    }
    match end_of_text(&text[at + 1..], &[quote], is_raw, false) {
        Some(Ok(end)) => Some(Scan::Token(token, at + 1 + end)),
        Some(Err(end)) => {
            let end = at + 1 + end;
            Some(Scan::Unknown(end + char_len(&text[end..])))
        }
        None => Some(Scan::Unknown(text.len())),
    }
}

/// Where the text ends, after its closing quotes; `Err` is where it breaks off; `None` if it never ends.
fn end_of_text(
    text: &str,
    close: &[u8],
    is_raw: bool,
    multiline: bool,
) -> Option<Result<usize, usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(close) {
            return Some(Ok(at + close.len()));
        }
        match bytes[at] {
            b'\\' if !is_raw => match escape_length(&bytes[at..]) {
                Ok(length) => at += length,
                Err(length) => return Some(Err(at + length)),
            },
            b'\n' | b'\r' if !multiline => return Some(Err(at)),
            _ => at += 1,
        }
    }
    None
}

/// The length of an escape; `Err` is the part of it that is right.
fn escape_length(bytes: &[u8]) -> Result<usize, usize> {
    let count = |from: usize, wanted: usize, is_right: fn(&u8) -> bool| {
        let found = bytes[from.min(bytes.len())..]
            .iter()
            .take(wanted)
            .take_while(|byte| is_right(byte))
            .count();
        if found == wanted {
            Ok(from + wanted)
        } else {
            Err(from + found)
        }
    };
    match bytes.get(1) {
        Some(
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`',
        ) => Ok(2),
        Some(b'0'..=b'3') => count(2, 2, |byte| (b'0'..=b'7').contains(byte)),
        Some(b'x' | b'X') => count(2, 2, u8::is_ascii_hexdigit),
        Some(b'u') => count(2, 4, u8::is_ascii_hexdigit),
        Some(b'U') => count(2, 8, u8::is_ascii_hexdigit),
        _ => Err(1),
    }
}

/// The content of a quoted text or bytes token.
pub(super) fn unquote(token: &str, is_bytes: bool) -> Result<Vec<u8>, &'static str> {
    const FAILED: &str = "unable to unescape string";
    let normalized = token.replace("\r\n", "\n").replace('\r', "\n");
    let mut text = normalized.as_str();
    let is_raw = text.starts_with(['r', 'R']);
    if is_raw {
        text = &text[1..];
    }
    let quotes = if text.len() >= 6 && (text.starts_with("'''") || text.starts_with("\"\"\"")) {
        3
    } else {
        1
    };
    let inner = text
        .get(quotes..text.len().saturating_sub(quotes))
        .ok_or(FAILED)?;
    if is_raw || !inner.contains('\\') {
        return Ok(inner.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(inner.len());
    let bytes = inner.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let length = escape_length(&bytes[at..]).map_err(|_| FAILED)?;
        let body = &inner[at + 2..at + length];
        let code = match bytes[at + 1] {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => 10,
            b'r' => 13,
            b't' => 9,
            b'v' => 11,
            b'x' | b'X' => u32::from_str_radix(body, 16).map_err(|_| FAILED)?,
            b'u' | b'U' if is_bytes => return Err(FAILED),
            b'u' | b'U' => u32::from_str_radix(body, 16).map_err(|_| FAILED)?,
            b'0'..=b'3' => {
                u32::from_str_radix(&inner[at + 1..at + length], 8).map_err(|_| FAILED)?
            }
            other => u32::from(other),
        };
        if is_bytes {
            out.push(code as u8);
        } else {
            let character = char::from_u32(code).ok_or("invalid unicode code point")?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        at += length;
    }
    Ok(out)
}
