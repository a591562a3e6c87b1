//! Text as Go holds it: immutable bytes that are usually, but not always, UTF-8.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

/// A Go string: shared, immutable bytes. Cloning is cheap.
///
/// Templates cut strings at byte positions (`trunc`, `slice`, `substr`) and decode base64 into them, so the
/// bytes need not be UTF-8; whoever needs characters reads them as Go does, see [`runes`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str(Arc<[u8]>);

impl Str {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The length in bytes, as Go's `len`.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub fn to_text(&self) -> Cow<'_, str> {
        lossy(&self.0)
    }
}

/// `bytes` as text, with one U+FFFD for each byte that is not part of valid UTF-8, as Go's `range` sees it.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(runes(bytes).map(|(_, rune)| rune.char()).collect()),
    }
}

impl Default for Str {
    fn default() -> Self {
        Str(Arc::from(&[][..]))
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_text(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Str(Arc::from(text.as_bytes()))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Str(Arc::from(text.into_bytes()))
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Str(Arc::from(bytes))
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Str(Arc::from(bytes))
    }
}

/// One step of reading Go text: a character, or a byte that starts none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rune {
    char: char,
    width: u8,
}

impl Rune {
    /// The character; U+FFFD for an invalid byte.
    pub fn char(self) -> char {
        self.char
    }

    /// How many bytes it takes in the text.
    pub fn width(self) -> usize {
        usize::from(self.width)
    }

    /// Whether this is a byte that is not UTF-8 (rather than a written U+FFFD).
    pub fn is_invalid(self) -> bool {
        self.char == char::REPLACEMENT_CHARACTER && self.width == 1
    }
}

/// Decodes the first rune, as Go's `utf8.DecodeRune`. `None` at the end.
pub fn first_rune(bytes: &[u8]) -> Option<Rune> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some(Rune {
            char: char::from(first),
            width: 1,
        });
    }
    let width = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    let decoded = bytes
        .get(..width)
        .and_then(|part| std::str::from_utf8(part).ok())
        .and_then(|part| part.chars().next());
    Some(decoded.map_or(
        Rune {
            char: char::REPLACEMENT_CHARACTER,
            width: 1,
        },
        |char| Rune {
            char,
            width: width as u8,
        },
    ))
}

/// Decodes the last rune, as Go's `utf8.DecodeLastRune`. `None` when empty.
pub fn last_rune(bytes: &[u8]) -> Option<Rune> {
    let last = *bytes.last()?;
    if last < 0x80 {
        return first_rune(&bytes[bytes.len() - 1..]);
    }
    for width in 2..=4.min(bytes.len()) {
        let part = &bytes[bytes.len() - width..];
        if part[0] & 0xC0 == 0x80 {
            continue;
        }
        if let Some(rune) = first_rune(part)
            && rune.width() == width
        {
            return Some(rune);
        }
        break;
    }
    Some(Rune {
        char: char::REPLACEMENT_CHARACTER,
        width: 1,
    })
}

/// The runes of `bytes` with their positions, as Go's `range` over a string.
pub fn runes(bytes: &[u8]) -> impl Iterator<Item = (usize, Rune)> + '_ {
    let mut position = 0;
    std::iter::from_fn(move || {
        let rune = first_rune(&bytes[position..])?;
        let start = position;
        position += rune.width();
        Some((start, rune))
    })
}

/// The number of runes, as Go's `utf8.RuneCount`.
pub fn rune_count(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    runes(bytes).count()
}

/// The position of `needle` in `haystack`, by bytes.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// `text` with each `old` replaced by `new`, as Go's `strings.ReplaceAll`: an empty `old` matches before
/// each rune and at the end.
pub fn replace_all(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    if old.is_empty() {
        for (position, rune) in runes(text) {
            out.extend_from_slice(new);
            out.extend_from_slice(&text[position..position + rune.width()]);
        }
        out.extend_from_slice(new);
        return out;
    }
    let mut start = 0;
    for position in memchr::memmem::find_iter(text, old) {
        out.extend_from_slice(&text[start..position]);
        out.extend_from_slice(new);
        start = position + old.len();
    }
    out.extend_from_slice(&text[start..]);
    out
}

/// Splits as Go's `strings.SplitN`: `limit < 0` for all parts, an empty separator between runes.
pub fn split_n<'a>(text: &'a [u8], separator: &[u8], limit: i64) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    if limit == 0 {
        return parts;
    }
    let full = |parts: &Vec<&[u8]>| limit > 0 && parts.len() as i64 == limit - 1;
    let mut start = 0;
    if separator.is_empty() {
        for (position, rune) in runes(text) {
            if full(&parts) {
                parts.push(&text[position..]);
                return parts;
            }
            parts.push(&text[position..position + rune.width()]);
        }
        return parts;
    }
    for position in memchr::memmem::find_iter(text, separator) {
        if full(&parts) {
            break;
        }
        parts.push(&text[start..position]);
        start = position + separator.len();
    }
    parts.push(&text[start..]);
    parts
}

/// `text` without the runes that satisfy `cut` at either end, as Go's `strings.TrimFunc`.
pub fn trim_matches(text: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    let mut text = text;
    while let Some(rune) = first_rune(text)
        && cut(rune.char())
    {
        text = &text[rune.width()..];
    }
    while let Some(rune) = last_rune(text)
        && cut(rune.char())
    {
        text = &text[..text.len() - rune.width()];
    }
    text
}

/// `text` without white space at either end, as Go's `strings.TrimSpace`.
pub fn trim_space(text: &[u8]) -> &[u8] {
    trim_matches(text, crate::unicode::is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_bytes_are_one_rune_each() {
        let bytes = b"a\xE2\x82z\xFF";
        let read: Vec<_> = runes(bytes).map(|(at, rune)| (at, rune.char())).collect();
        assert_eq!(
            read,
            vec![
                (0, 'a'),
                (1, '\u{FFFD}'),
                (2, '\u{FFFD}'),
                (3, 'z'),
                (4, '\u{FFFD}')
            ]
        );
        assert!(last_rune(bytes).unwrap().is_invalid());
        assert_eq!(last_rune("é".as_bytes()).unwrap().char(), 'é');
    }

    #[test]
    fn an_empty_separator_splits_between_runes() {
        assert_eq!(
            split_n("aé".as_bytes(), b"", -1),
            vec!["a".as_bytes(), "é".as_bytes()]
        );
        assert_eq!(split_n(b"a,b,c", b",", 2), vec![&b"a"[..], b"b,c"]);
        assert_eq!(replace_all("aé".as_bytes(), b"", b"-"), "-a-é-".as_bytes());
    }
}
