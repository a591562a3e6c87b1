//! PEM blocks.

use base64::Engine as _;

use super::super::encoding::decode_base64;
use crate::text::{find, lossy};

/// A block: what it holds and its bytes.
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) bytes: Vec<u8>,
}

/// The first block of a text. Source: encoding/pem `Decode`.
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    let mut rest = text;
    loop {
        let start = find(rest, b"-----BEGIN ")?;
        let at_line_start = start == 0 || rest[start - 1] == b'\n';
        rest = &rest[start + 11..];
        if !at_line_start {
            continue;
        }
        let end = find(rest, b"-----")?;
        let kind = &rest[..end];
        let body = &rest[end + 5..];
        let closing = [b"-----END ", kind, b"-----"].concat();
        let Some(length) = find(body, &closing) else {
            continue;
        };
        let mut body = &body[..length];
        // Headers end with an empty line.
        if body.contains(&b':')
            && let Some(blank) = find(body, b"\n\n")
        {
            body = &body[blank + 2..];
        }
        let digits: Vec<u8> = body
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        if let Ok(bytes) = decode_base64(&digits) {
            return Some(Block {
                kind: lossy(kind).into_owned(),
                bytes,
            });
        }
    }
}

/// A block as text, with lines of 64 characters.
pub(super) fn encode(kind: &str, bytes: &[u8]) -> String {
    let digits = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {kind}-----\n");
    for line in digits.as_bytes().chunks(64) {
        out.push_str(&lossy(line));
        out.push('\n');
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}
