//! Printing one value under a verb: Go's `fmt.pp`.

use super::flags::Flags;
use crate::text::Str;
use crate::value::{Kind, Map, Object, Value};

/// How deep values are followed. Beyond it stands [`TOO_DEEP`]: a map that holds itself would never end.
const MAX_DEPTH: usize = 1000;
/// How many bytes one print may give before values that hold themselves are cut off.
const MAX_OUTPUT: usize = 256 << 20;
const TOO_DEEP: &[u8] = b"%!v(TOO DEEP)";

/// Writes values to a buffer under the current flags.
pub(super) struct Printer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) flags: Flags,
    /// Inside the report of a bad verb, where methods are not called.
    erroring: bool,
}

impl<'a> Printer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Printer<'a> {
        Printer {
            out,
            flags: Flags::default(),
            erroring: false,
        }
    }

    fn write(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    /// Prints an operand.
    pub(super) fn print_arg(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => return self.flags.pad(self.out, b"<nil>"),
            (Value::Nil, _) => return self.bad_verb(None, verb),
            (_, 'T') => {
                let name = value.type_name();
                return self.flags.string(self.out, name.as_bytes());
            }
            (_, 'p') => return self.pointer(value, 'p'),
            _ => {}
        }
        self.print_value(value, false, verb, 0);
    }

    /// `%!verb(type=value)`; `None` is nil.
    fn bad_verb(&mut self, value: Option<&Value>, verb: char) {
        self.erroring = true;
        self.write(b"%!");
        self.write(verb.encode_utf8(&mut [0; 4]).as_bytes());
        self.write(b"(");
        match value {
            Some(value) => {
                let name = value.type_name().into_owned();
                self.write(name.as_bytes());
                self.write(b"=");
                self.print_value(value, false, 'v', 0);
            }
            None => self.write(b"<nil>"),
        }
        self.write(b")");
        self.erroring = false;
    }

    /// Prints a value; `boxed` when it lies in an `interface {}` inside another value.
    fn print_value(&mut self, value: &Value, boxed: bool, verb: char, depth: usize) {
        if depth > MAX_DEPTH || self.out.len() > MAX_OUTPUT {
            self.write(TOO_DEEP);
            return;
        }
        match value {
            Value::Nil => self.nil_inside(boxed, verb),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.flags.boolean(self.out, *truth),
                _ => self.bad_verb(Some(value), verb),
            },
            Value::Int(_, number) => self.integer(value, *number as u64, true, verb),
            Value::Uint(_, number) => self.integer(value, *number, false, verb),
            Value::Float(number) => self.float(value, *number, verb),
            Value::Complex(parts) => self.complex(value, parts.0, parts.1, verb),
            Value::String(text) => self.string(value, text, verb),
            Value::Bytes(bytes) => self.bytes(value, bytes, verb, depth),
            Value::List(list) => {
                if self.flags.sharp_v {
                    self.write(list.list_type().name().as_bytes());
                    if list.is_nil() {
                        self.write(b"(nil)");
                        return;
                    }
                }
                let boxed = list.list_type().is_boxed();
                self.sequence(list.items().iter().cloned(), boxed, verb, depth);
            }
            Value::Map(map) => self.map(map, verb, depth),
            Value::Object(object) => self.object(value, object.as_ref(), verb, depth),
        }
    }

    fn nil_inside(&mut self, boxed: bool, verb: char) {
        if !boxed && verb != 'v' {
            self.bad_verb(None, verb);
        } else if self.flags.sharp_v && boxed {
            self.write(b"interface {}(nil)");
        } else {
            self.write(b"<nil>");
        }
    }

    fn separator(&mut self, index: usize) {
        if index > 0 {
            if self.flags.sharp_v {
                self.write(b", ");
            } else {
                self.write(b" ");
            }
        }
    }

    fn sequence(
        &mut self,
        items: impl Iterator<Item = Value>,
        boxed: bool,
        verb: char,
        depth: usize,
    ) {
        let (open, close): (&[u8], &[u8]) = if self.flags.sharp_v {
            (b"{", b"}")
        } else {
            (b"[", b"]")
        };
        self.write(open);
        for (index, item) in items.enumerate() {
            self.separator(index);
            self.print_value(&item, boxed, verb, depth + 1);
        }
        self.write(close);
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        if self.flags.sharp_v {
            self.write(map.map_type().name().as_bytes());
            if map.is_nil() {
                self.write(b"(nil)");
                return;
            }
        }
        let boxed = map.map_type().is_boxed();
        self.entries(map.entries(), boxed, verb, depth);
    }

    fn entries(&mut self, entries: Vec<(Str, Value)>, boxed: bool, verb: char, depth: usize) {
        self.write(if self.flags.sharp_v { b"{" } else { b"map[" });
        for (index, (key, value)) in entries.into_iter().enumerate() {
            self.separator(index);
            self.print_value(&Value::String(key), false, verb, depth + 1);
            self.write(b":");
            self.print_value(&value, boxed, verb, depth + 1);
        }
        self.write(if self.flags.sharp_v { b"}" } else { b"]" });
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char, depth: usize) {
        if !self.erroring
            && !self.flags.sharp_v
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = object.text()
        {
            return self.string(value, &text, verb);
        }
        if let Some(underlying) = object.underlying() {
            return self.print_value(&underlying, false, verb, depth);
        }
        if let Some(items) = object.items() {
            if self.flags.sharp_v {
                self.write(object.type_name().as_bytes());
            }
            return self.sequence(items.into_iter(), false, verb, depth);
        }
        if let Some(entries) = object.entries() {
            if self.flags.sharp_v {
                self.write(object.type_name().as_bytes());
            }
            return self.entries(entries, object.entries_are_boxed(), verb, depth);
        }
        if object.kind() == Kind::Pointer {
            if depth > 0 {
                let address = std::ptr::from_ref(object).cast::<u8>() as u64;
                self.flags.integer(self.out, address, 16, false, 'x', false);
                return;
            }
            self.write(b"&");
        }
        if self.flags.sharp_v {
            let name = object.type_name();
            self.write(name.trim_start_matches('*').as_bytes());
        }
        self.write(b"{");
        for (index, (name, field)) in object.fields().into_iter().enumerate() {
            self.separator(index);
            if self.flags.plus_v || self.flags.sharp_v {
                self.write(name.as_bytes());
                self.write(b":");
            }
            self.print_value(&field, false, verb, depth + 1);
        }
        self.write(b"}");
    }

    fn integer(&mut self, value: &Value, bits: u64, signed: bool, verb: char) {
        match verb {
            'v' if self.flags.sharp_v && !signed => self.hexadecimal(bits),
            'v' | 'd' => self.flags.integer(self.out, bits, 10, signed, verb, false),
            'b' => self.flags.integer(self.out, bits, 2, signed, verb, false),
            'o' | 'O' => self.flags.integer(self.out, bits, 8, signed, verb, false),
            'x' => self.flags.integer(self.out, bits, 16, signed, verb, false),
            'X' => self.flags.integer(self.out, bits, 16, signed, verb, true),
            'c' => self.flags.character(self.out, bits),
            'q' => self.flags.quoted_character(self.out, bits),
            'U' => self.flags.unicode(self.out, bits),
            _ => self.bad_verb(Some(value), verb),
        }
    }

    /// `0x…`, whatever the flags say.
    fn hexadecimal(&mut self, bits: u64) {
        let flags = Flags {
            sharp: true,
            ..self.flags
        };
        flags.integer(self.out, bits, 16, false, 'v', false);
    }

    fn float(&mut self, value: &Value, number: f64, verb: char) {
        match verb {
            'v' => self.flags.float(self.out, number, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.flags.float(self.out, number, verb, None),
            'f' | 'e' | 'E' => self.flags.float(self.out, number, verb, Some(6)),
            'F' => self.flags.float(self.out, number, 'f', Some(6)),
            _ => self.bad_verb(Some(value), verb),
        }
    }

    fn complex(&mut self, value: &Value, real: f64, imaginary: f64, verb: char) {
        if !matches!(
            verb,
            'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E'
        ) {
            return self.bad_verb(Some(value), verb);
        }
        let plus = self.flags.plus;
        self.write(b"(");
        self.float(value, real, verb);
        self.flags.plus = true;
        self.float(value, imaginary, verb);
        self.flags.plus = plus;
        self.write(b"i)");
    }

    fn string(&mut self, value: &Value, text: &Str, verb: char) {
        let bytes = text.as_bytes();
        match verb {
            'v' if self.flags.sharp_v => self.flags.quoted(self.out, bytes),
            'v' | 's' => self.flags.string(self.out, bytes),
            'x' => self.flags.hex(self.out, bytes, false),
            'X' => self.flags.hex(self.out, bytes, true),
            'q' => self.flags.quoted(self.out, bytes),
            _ => self.bad_verb(Some(value), verb),
        }
    }

    fn bytes(&mut self, value: &Value, bytes: &Str, verb: char, depth: usize) {
        match verb {
            's' => self.flags.string(self.out, bytes.as_bytes()),
            'x' => self.flags.hex(self.out, bytes.as_bytes(), false),
            'X' => self.flags.hex(self.out, bytes.as_bytes(), true),
            'q' => self.flags.quoted(self.out, bytes.as_bytes()),
            'v' | 'd' if self.flags.sharp_v => {
                self.write(if depth == 0 { b"[]byte{" } else { b"[]uint8{" });
                for (index, byte) in bytes.as_bytes().iter().enumerate() {
                    self.separator(index);
                    self.hexadecimal(u64::from(*byte));
                }
                self.write(b"}");
            }
            'v' | 'd' | 'b' | 'o' | 'O' | 'c' | 'U' => {
                self.write(b"[");
                for (index, byte) in bytes.as_bytes().iter().enumerate() {
                    self.separator(index);
                    self.integer(value, u64::from(*byte), false, verb);
                }
                self.write(b"]");
            }
            _ => {
                let kind = crate::value::UintKind::Uint8;
                let items = bytes
                    .as_bytes()
                    .iter()
                    .map(|byte| Value::Uint(kind, u64::from(*byte)));
                let items: Vec<Value> = items.collect();
                self.sequence(items.into_iter(), false, verb, depth);
            }
        }
    }

    /// `%p`: the address of what is a reference.
    fn pointer(&mut self, value: &Value, verb: char) {
        let address = match value {
            Value::Map(map) => map.address(),
            Value::List(list) => std::sync::Arc::as_ptr(list) as usize,
            Value::Bytes(bytes) => bytes.as_bytes().as_ptr() as usize,
            Value::Object(object) if object.kind() == Kind::Pointer => {
                std::ptr::from_ref(object.as_ref()).cast::<u8>() as usize
            }
            _ => return self.bad_verb(Some(value), verb),
        };
        let flags = Flags {
            sharp: !self.flags.sharp,
            ..self.flags
        };
        flags.integer(self.out, address as u64, 16, false, 'v', false);
    }
}
