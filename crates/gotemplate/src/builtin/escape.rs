//! Escaping: `html`, `js`, `urlquery`.

use crate::text::first_rune;
use crate::unicode::is_print;

/// Appends `text` escaped for HTML.
pub fn append_html(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            0 => out.extend_from_slice("\u{FFFD}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
}

/// Appends `text` escaped for a JavaScript string.
pub fn append_js(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(rune) = first_rune(rest) {
        let char = rune.char();
        match char {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\'' => out.extend_from_slice(b"\\'"),
            '"' => out.extend_from_slice(b"\\\""),
            '<' => out.extend_from_slice(b"\\u003C"),
            '>' => out.extend_from_slice(b"\\u003E"),
            '&' => out.extend_from_slice(b"\\u0026"),
            '=' => out.extend_from_slice(b"\\u003D"),
            _ if char < ' ' => out.extend_from_slice(format!("\\u{:04X}", char as u32).as_bytes()),
            _ if char.is_ascii() || is_print(char) => out.extend_from_slice(&rest[..rune.width()]),
            _ => out.extend_from_slice(format!("\\u{:04X}", char as u32).as_bytes()),
        }
        rest = &rest[rune.width()..];
    }
}

/// Appends `text` escaped for a URL's query: Go's `url.QueryEscape`.
pub fn query_escape(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}
