//! The flags, width and precision of a verb, and the writing of basic values under them.

use crate::strconv::{FloatFormat, append_float, append_quote, append_quote_rune, can_backquote};
use crate::text::{first_rune, rune_count};
use crate::unicode::is_print;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "Go's flags are just these")]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
}

const LOWER: &[u8; 17] = b"0123456789abcdefx";
const UPPER: &[u8; 17] = b"0123456789ABCDEFX";

fn digits_for(upper: bool) -> &'static [u8; 17] {
    if upper { UPPER } else { LOWER }
}

impl Flags {
    fn write_padding(&self, out: &mut Vec<u8>, count: usize) {
        let byte = if self.zero && !self.minus { b'0' } else { b' ' };
        out.resize(out.len() + count, byte);
    }

    /// Writes `text` padded to the width.
    pub(super) fn pad(&self, out: &mut Vec<u8>, text: &[u8]) {
        let Some(width) = self.width.filter(|width| *width > 0) else {
            out.extend_from_slice(text);
            return;
        };
        let missing = width.saturating_sub(rune_count(text));
        if self.minus {
            out.extend_from_slice(text);
            self.write_padding(out, missing);
        } else {
            self.write_padding(out, missing);
            out.extend_from_slice(text);
        }
    }

    fn pad_without_zeros(&self, out: &mut Vec<u8>, text: &[u8]) {
        let flags = Flags {
            zero: false,
            ..*self
        };
        flags.pad(out, text);
    }

    /// `%t`
    pub(super) fn boolean(&self, out: &mut Vec<u8>, value: bool) {
        self.pad(out, if value { b"true" } else { b"false" });
    }

    /// `%U`
    pub(super) fn unicode(&self, out: &mut Vec<u8>, code: u64) {
        let precision = self.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{code:0precision$X}");
        if self.sharp
            && let Some(char) = u32::try_from(code).ok().and_then(char::from_u32)
            && is_print(char)
        {
            text.push_str(&format!(" '{char}'"));
        }
        self.pad_without_zeros(out, text.as_bytes());
    }

    /// `%d`, `%b`, `%o`, `%O`, `%x`, `%X`. `value` holds the bits; `signed` says how to read them.
    pub(super) fn integer(
        &self,
        out: &mut Vec<u8>,
        value: u64,
        base: u32,
        signed: bool,
        verb: char,
        upper: bool,
    ) {
        let negative = signed && (value as i64) < 0;
        let mut rest = if negative {
            value.wrapping_neg()
        } else {
            value
        };
        let mut precision = 0;
        if let Some(asked) = self.precision {
            precision = asked;
            if precision == 0 && value == 0 {
                let blank = Flags {
                    zero: false,
                    ..*self
                };
                blank.write_padding(out, self.width.unwrap_or(0));
                return;
            }
        } else if self.zero && !self.minus && self.width.is_some() {
            precision = self.width.unwrap_or(0);
            if negative || self.plus || self.space {
                precision = precision.saturating_sub(1);
            }
        }
        // Written from the last digit to the first, then turned round.
        let digits = digits_for(upper);
        let mut text = Vec::new();
        loop {
            text.push(digits[(rest % u64::from(base)) as usize]);
            rest /= u64::from(base);
            if rest == 0 {
                break;
            }
        }
        while text.len() < precision {
            text.push(b'0');
        }
        if self.sharp {
            match base {
                2 => text.extend_from_slice(b"b0"),
                8 if text.last() != Some(&b'0') => text.push(b'0'),
                16 => text.extend_from_slice(&[digits[16], b'0']),
                _ => {}
            }
        }
        if verb == 'O' {
            text.extend_from_slice(b"o0");
        }
        if negative {
            text.push(b'-');
        } else if self.plus {
            text.push(b'+');
        } else if self.space {
            text.push(b' ');
        }
        text.reverse();
        self.pad_without_zeros(out, &text);
    }

    fn truncate<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let Some(limit) = self.precision else {
            return text;
        };
        let mut end = 0;
        for _ in 0..limit {
            match first_rune(&text[end..]) {
                Some(rune) => end += rune.width(),
                None => break,
            }
        }
        &text[..end]
    }

    /// `%s`
    pub(super) fn string(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.pad(out, self.truncate(text));
    }

    /// `%q` of text.
    pub(super) fn quoted(&self, out: &mut Vec<u8>, text: &[u8]) {
        let text = self.truncate(text);
        let mut quoted = Vec::with_capacity(text.len() + 2);
        if self.sharp && can_backquote(text) {
            quoted.push(b'`');
            quoted.extend_from_slice(text);
            quoted.push(b'`');
        } else {
            append_quote(&mut quoted, text, self.plus);
        }
        self.pad(out, &quoted);
    }

    /// `%x` and `%X` of text.
    pub(super) fn hex(&self, out: &mut Vec<u8>, text: &[u8], upper: bool) {
        let digits = digits_for(upper);
        let length = self
            .precision
            .map_or(text.len(), |limit| limit.min(text.len()));
        if length == 0 {
            if let Some(width) = self.width {
                self.write_padding(out, width);
            }
            return;
        }
        let mut encoded = Vec::with_capacity(length * 2);
        for (index, byte) in text[..length].iter().enumerate() {
            if self.space && index > 0 {
                encoded.push(b' ');
            }
            if self.sharp && (self.space || index == 0) {
                encoded.extend_from_slice(&[b'0', digits[16]]);
            }
            encoded.push(digits[usize::from(byte >> 4)]);
            encoded.push(digits[usize::from(byte & 15)]);
        }
        self.pad(out, &encoded);
    }

    /// `%c`
    pub(super) fn character(&self, out: &mut Vec<u8>, code: u64) {
        self.pad(out, rune_of(code).encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `%q` of an integer.
    pub(super) fn quoted_character(&self, out: &mut Vec<u8>, code: u64) {
        let mut quoted = Vec::new();
        append_quote_rune(&mut quoted, rune_of(code), self.plus);
        self.pad(out, &quoted);
    }

    /// The floating-point verbs; `precision` is the verb's own default.
    pub(super) fn float(
        &self,
        out: &mut Vec<u8>,
        value: f64,
        verb: char,
        precision: Option<usize>,
    ) {
        let precision = self.precision.or(precision);
        let format = match verb.to_ascii_lowercase() {
            'b' => FloatFormat::Binary,
            'e' => FloatFormat::Exponent,
            'f' => FloatFormat::Fixed,
            'x' => FloatFormat::Hex,
            _ => FloatFormat::General,
        };
        let mut text = Vec::new();
        append_float(&mut text, value, format, precision);
        if verb.is_ascii_uppercase() && value.is_finite() {
            text.make_ascii_uppercase();
        }
        if !matches!(text.first(), Some(b'-' | b'+')) {
            text.insert(0, b'+');
        }
        if self.space && text[0] == b'+' && !self.plus {
            text[0] = b' ';
        }
        if !value.is_finite() {
            // Infinity keeps its sign also without the flag.
            let start = usize::from(value.is_nan() && !self.space && !self.plus);
            self.pad_without_zeros(out, &text[start..]);
            return;
        }
        if self.sharp && verb != 'b' {
            text = with_forced_point(&text, verb, precision);
        }
        if self.plus || text[0] != b'+' {
            if self.zero
                && !self.minus
                && let Some(width) = self.width.filter(|width| *width > text.len())
            {
                out.push(text[0]);
                self.write_padding(out, width - text.len());
                out.extend_from_slice(&text[1..]);
                return;
            }
            self.pad(out, &text);
            return;
        }
        self.pad(out, &text[1..]);
    }
}

fn rune_of(code: u64) -> char {
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The `#` flag: a decimal point always, and trailing zeros up to the precision for `g`.
fn with_forced_point(text: &[u8], verb: char, precision: Option<usize>) -> Vec<u8> {
    let mut missing: i64 = match verb {
        'g' | 'G' | 'v' | 'x' => precision.map_or(6, |digits| digits as i64),
        _ => 0,
    };
    let hexadecimal = matches!(verb, 'x' | 'X');
    let mut head = text;
    let mut tail: &[u8] = b"";
    let (mut point, mut nonzero) = (false, false);
    for (index, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'.' => point = true,
            b'p' | b'P' => {
                (head, tail) = text.split_at(index);
                break;
            }
            b'e' | b'E' if !hexadecimal => {
                (head, tail) = text.split_at(index);
                break;
            }
            _ => {
                nonzero |= *byte != b'0';
                if nonzero {
                    missing -= 1;
                }
            }
        }
    }
    let mut out = head.to_vec();
    if !point {
        if out.len() == 2 && out[1] == b'0' {
            missing -= 1;
        }
        out.push(b'.');
    }
    out.resize(out.len() + missing.max(0) as usize, b'0');
    out.extend_from_slice(tail);
    out
}
