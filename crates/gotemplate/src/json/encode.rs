//! Writing JSON: sorted keys, Go's escapes and Go's numbers.

use base64::Engine as _;

use crate::parse::{RED_ZONE, STACK_SEGMENT};
use crate::strconv::{FloatFormat, append_float};
use crate::text::{Str, runes};
use crate::value::{Object, Value};

/// How to write.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodeOptions {
    /// Whether `<`, `>` and `&` are escaped: Go's default.
    pub escape_html: bool,
    /// Whether to break lines and indent by two spaces.
    pub pretty: bool,
}

/// How deep values are followed before it is held for a cycle.
const MAX_DEPTH: usize = 5000;
/// The most bytes written, so that shared parts of a value cannot make it endless.
const MAX_OUTPUT: usize = 256 << 20;

/// `value` as JSON. The error is Go's text.
pub fn encode(value: &Value, options: EncodeOptions) -> Result<Vec<u8>, String> {
    let mut encoder = Encoder {
        out: Vec::new(),
        options,
        depth: 0,
    };
    encoder.value(value)?;
    Ok(encoder.out)
}

struct Encoder {
    out: Vec<u8>,
    options: EncodeOptions,
    depth: usize,
}

impl Encoder {
    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            Value::Int(_, number) => self
                .out
                .extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            Value::Uint(_, number) => self
                .out
                .extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            Value::Float(number) => self.float(*number)?,
            Value::Complex(_) => return Err("json: unsupported type: complex128".to_owned()),
            Value::String(text) => {
                append_string(&mut self.out, text.as_bytes(), self.options.escape_html)
            }
            Value::Bytes(bytes) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(bytes.as_bytes());
                self.out.push(b'"');
                self.out.extend_from_slice(encoded.as_bytes());
                self.out.push(b'"');
            }
            Value::List(list) if list.is_nil() => self.out.extend_from_slice(b"null"),
            Value::List(list) => self.nested(value, |encoder| encoder.array(list.items()))?,
            Value::Map(map) if map.is_nil() => self.out.extend_from_slice(b"null"),
            Value::Map(map) => self.nested(value, |encoder| encoder.object(map.entries()))?,
            Value::Object(object) => {
                self.nested(value, |encoder| encoder.typed(object.as_ref()))?
            }
        }
        Ok(())
    }

    /// Writes the inside of a value one level deeper, on more stack when this one ends.
    fn nested(
        &mut self,
        value: &Value,
        write: impl FnOnce(&mut Encoder) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.depth >= MAX_DEPTH || self.out.len() > MAX_OUTPUT {
            return Err(format!(
                "json: unsupported value: encountered a cycle via {}",
                value.type_name()
            ));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || write(self));
        self.depth -= 1;
        result
    }

    fn typed(&mut self, object: &dyn Object) -> Result<(), String> {
        if let Some(json) = object.json() {
            self.out.extend_from_slice(&json?);
            return Ok(());
        }
        if let Some(items) = object.items() {
            return self.array(&items);
        }
        if let Some(entries) = object.entries() {
            return self.object(entries);
        }
        let fields = object
            .fields()
            .into_iter()
            .filter(|(name, _)| name.starts_with(|first: char| first.is_ascii_uppercase()))
            .map(|(name, value)| (Str::from(name), value))
            .collect();
        self.object(fields)
    }

    fn line(&mut self) {
        if self.options.pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + self.depth * 2, b' ');
        }
    }

    fn array(&mut self, items: &[Value]) -> Result<(), String> {
        self.out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.line();
            self.value(item)?;
        }
        self.close(items.is_empty(), b']');
        Ok(())
    }

    fn object(&mut self, entries: Vec<(Str, Value)>) -> Result<(), String> {
        self.out.push(b'{');
        let empty = entries.is_empty();
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.line();
            append_string(&mut self.out, key.as_bytes(), self.options.escape_html);
            self.out.push(b':');
            if self.options.pretty {
                self.out.push(b' ');
            }
            self.value(&value)?;
        }
        self.close(empty, b'}');
        Ok(())
    }

    fn close(&mut self, empty: bool, bracket: u8) {
        if !empty {
            self.depth -= 1;
            self.line();
            self.depth += 1;
        }
        self.out.push(bracket);
    }

    fn float(&mut self, number: f64) -> Result<(), String> {
        if !number.is_finite() {
            let mut text = Vec::new();
            append_float(&mut text, number, FloatFormat::General, None);
            return Err(format!(
                "json: unsupported value: {}",
                crate::text::lossy(&text)
            ));
        }
        append_number(&mut self.out, number);
        Ok(())
    }
}

/// Appends a finite number as Go's JSON has it: no exponent between 1e-6 and 1e21.
fn append_number(out: &mut Vec<u8>, number: f64) {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        append_float(out, number, FloatFormat::Fixed, None);
        return;
    }
    append_float(out, number, FloatFormat::Exponent, None);
    // e-09 is written e-9.
    let length = out.len();
    if length >= 4 && out[length - 4] == b'e' && out[length - 3] == b'-' && out[length - 2] == b'0'
    {
        out.remove(length - 2);
    }
}

/// Appends `text` as a JSON string.
pub fn append_string(out: &mut Vec<u8>, text: &[u8], escape_html: bool) {
    out.push(b'"');
    for (position, rune) in runes(text) {
        match rune.char() {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{08}' => out.extend_from_slice(b"\\b"),
            '\u{0C}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            char if char < ' ' || (escape_html && matches!(char, '<' | '>' | '&')) => {
                out.extend_from_slice(format!("\\u{:04x}", char as u32).as_bytes());
            }
            '\u{2028}' => out.extend_from_slice(b"\\u2028"),
            '\u{2029}' => out.extend_from_slice(b"\\u2029"),
            _ if rune.is_invalid() => out.extend_from_slice(b"\\ufffd"),
            _ => out.extend_from_slice(&text[position..position + rune.width()]),
        }
    }
    out.push(b'"');
}
