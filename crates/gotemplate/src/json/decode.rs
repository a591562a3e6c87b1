//! Reading JSON into values, with Go's texts for what is wrong with it.

use std::collections::BTreeMap;

use crate::parse::{RED_ZONE, STACK_SEGMENT};
use crate::text::{Str, first_rune};
use crate::value::{IntKind, List, ListType, Map, MapType, UintKind, Value};

/// What JSON numbers become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// `float64`, as `json.Unmarshal` has it.
    #[default]
    Float,
    /// Whole numbers `int`, or `uint64` where they do not fit.
    Int,
    /// Whole numbers `int64`, or `uint64` where they do not fit.
    Int64,
}

/// What is wrong with a JSON text: Go's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);

/// How deep JSON may nest, as in Go.
const MAX_DEPTH: usize = 10_000;

/// Reads a JSON text. Gives what could be read even where a number does not fit, as Go does; nil when
/// the text is no JSON.
pub fn decode(text: &[u8], numbers: Numbers) -> (Value, Option<DecodeError>) {
    let mut decoder = Decoder {
        text,
        position: 0,
        depth: 0,
        numbers,
        out_of_range: None,
    };
    match decoder.document() {
        Ok(value) => (value, decoder.out_of_range),
        Err(error) => (Value::Nil, Some(error)),
    }
}

/// Reads one JSON value at the start of `text`; gives it and how much of the text it takes. What follows
/// does not matter.
pub fn decode_prefix(text: &[u8], numbers: Numbers) -> Result<(Value, usize), DecodeError> {
    let mut decoder = Decoder {
        text,
        position: 0,
        depth: 0,
        numbers,
        out_of_range: None,
    };
    decoder.skip_space();
    let value = decoder.value()?;
    match decoder.out_of_range {
        Some(error) => Err(error),
        None => Ok((value, decoder.position)),
    }
}

struct Decoder<'a> {
    text: &'a [u8],
    position: usize,
    depth: usize,
    numbers: Numbers,
    /// The first number that does not fit a float.
    out_of_range: Option<DecodeError>,
}

type Decoded<T> = Result<T, DecodeError>;

impl Decoder<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// "invalid character … `context`" at the current position.
    fn invalid<T>(&self, context: &str) -> Decoded<T> {
        // At the end Go's scanner is given a space: where that cannot stand either, it is what is named.
        let takes_space = !context.starts_with("in ") && !context.starts_with("after decimal");
        let byte = match self.peek() {
            Some(byte) => byte,
            None if takes_space || context == "in string literal" => {
                return Err(DecodeError("unexpected end of JSON input".to_owned()));
            }
            None => b' ',
        };
        let shown = match byte {
            b'\'' => "'\\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            _ => {
                let char = char::from(byte).to_string();
                let quoted = crate::strconv::quote(char.as_bytes());
                let quoted = crate::text::lossy(&quoted);
                format!("'{}'", &quoted[1..quoted.len() - 1])
            }
        };
        Err(DecodeError(format!("invalid character {shown} {context}")))
    }

    fn document(&mut self) -> Decoded<Value> {
        self.skip_space();
        let value = self.value()?;
        self.skip_space();
        if self.position < self.text.len() {
            return self.invalid("after top-level value");
        }
        Ok(value)
    }

    fn value(&mut self) -> Decoded<Value> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => {
                self.position += 1;
                Ok(Value::String(self.string()?))
            }
            Some(b't') => self.literal(b"true", Value::Bool(true)),
            Some(b'f') => self.literal(b"false", Value::Bool(false)),
            Some(b'n') => self.literal(b"null", Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.invalid("looking for beginning of value"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Decoded<Value>) -> Decoded<Value> {
        self.position += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(DecodeError("exceeded max depth".to_owned()));
        }
        let value = stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || read(self));
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Decoded<Value> {
        let mut entries = BTreeMap::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.position += 1;
            return Ok(Value::Map(Map::typed(MapType::Any, entries)));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return self.invalid("looking for beginning of object key string");
            }
            self.position += 1;
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return self.invalid("after object key");
            }
            self.position += 1;
            self.skip_space();
            let value = self.value()?;
            entries.insert(key, value);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b'}') => {
                    self.position += 1;
                    return Ok(Value::Map(Map::typed(MapType::Any, entries)));
                }
                _ => return self.invalid("after object key:value pair"),
            }
        }
    }

    fn array(&mut self) -> Decoded<Value> {
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.position += 1;
            return Ok(Value::list(items));
        }
        loop {
            self.skip_space();
            items.push(self.value()?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b']') => {
                    self.position += 1;
                    let list = List::grown(ListType::Any, items);
                    return Ok(Value::List(std::sync::Arc::new(list)));
                }
                _ => return self.invalid("after array element"),
            }
        }
    }

    fn literal(&mut self, word: &[u8], value: Value) -> Decoded<Value> {
        for byte in word.iter().copied() {
            if self.peek() != Some(byte) {
                let word = crate::text::lossy(word);
                return self.invalid(&format!(
                    "in literal {word} (expecting '{}')",
                    char::from(byte)
                ));
            }
            self.position += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
    }

    fn number(&mut self) -> Decoded<Value> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        match self.peek() {
            Some(b'0') => self.position += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.invalid("in numeric literal"),
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.position += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.invalid("after decimal point in numeric literal");
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.invalid("in exponent of numeric literal");
            }
            self.digits();
        }
        let literal = crate::text::lossy(&self.text[start..self.position]).into_owned();
        Ok(self.number_value(&literal, whole))
    }

    fn number_value(&mut self, literal: &str, whole: bool) -> Value {
        if whole && self.numbers != Numbers::Float {
            let kind = match self.numbers {
                Numbers::Int64 => IntKind::Int64,
                _ => IntKind::Int,
            };
            if let Ok(number) = literal.parse() {
                return Value::Int(kind, number);
            }
            if let Ok(number) = literal.parse() {
                return Value::Uint(UintKind::Uint64, number);
            }
        }
        match literal.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Float(number),
            _ => {
                let error = format!(
                    "json: cannot unmarshal number {literal} into Go value of type float64"
                );
                self.out_of_range.get_or_insert(DecodeError(error));
                Value::Nil
            }
        }
    }

    /// The rest of a string, after its opening quote.
    fn string(&mut self) -> Decoded<Str> {
        let mut out = Vec::new();
        loop {
            let rest = &self.text[self.position..];
            let plain = rest
                .iter()
                .take_while(|byte| (0x20..0x80).contains(*byte) && !matches!(**byte, b'"' | b'\\'))
                .count();
            out.extend_from_slice(&rest[..plain]);
            self.position += plain;
            match self.peek() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(Str::from(out));
                }
                Some(b'\\') => {
                    self.position += 1;
                    self.escape(&mut out)?;
                }
                Some(0x80..) => {
                    if let Some(rune) = first_rune(&self.text[self.position..]) {
                        out.extend_from_slice(rune.char().encode_utf8(&mut [0; 4]).as_bytes());
                        self.position += rune.width();
                    }
                }
                _ => return self.invalid("in string literal"),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Decoded<()> {
        let byte = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.position += 1;
                let char = self.unicode_escape()?;
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return self.invalid("in string escape code"),
        };
        out.push(byte);
        self.position += 1;
        Ok(())
    }

    fn hex4(&mut self) -> Decoded<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.invalid("in \\u hexadecimal character escape");
            };
            code = code << 4 | digit;
            self.position += 1;
        }
        Ok(code)
    }

    /// What follows `\u`: a character, or two halves of one. A lone half is U+FFFD.
    fn unicode_escape(&mut self) -> Decoded<char> {
        let high = self.hex4()?;
        if (0xD800..0xDC00).contains(&high) && self.text[self.position..].starts_with(b"\\u") {
            let back = self.position;
            self.position += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.position = back;
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}
