//! The little of protobuf's wire format that documents need.

use object::{Map, Value};

/// The entries of an object; none for anything else.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The items of a list; none for anything else.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A message in the making. Empty values are left out, as proto3 does.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// What was written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.bytes.push(value.to_le_bytes()[0]);
    }

    /// Bytes, even if there are none.
    pub(super) fn raw(&mut self, number: u32, bytes: &[u8]) {
        self.varint(u64::from(number) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// A message, even an empty one.
    pub(super) fn message(&mut self, number: u32, message: &Self) {
        self.raw(number, &message.bytes);
    }

    /// A message that holds nothing but another: one choice of several.
    pub(super) fn choice(number: u32, message: &Self) -> Self {
        let mut out = Self::default();
        out.message(number, message);
        out
    }

    /// A choice that is a truth value, which is written even if it is false.
    pub(super) fn choice_of_flag(number: u32, flag: bool) -> Self {
        let mut out = Self::default();
        out.varint(u64::from(number) << 3);
        out.varint(u64::from(flag));
        out
    }

    /// A `Named…`: a name and a value.
    pub(super) fn named(&mut self, number: u32, name: &str, value: &Self) {
        let mut pair = Self::default();
        pair.raw(1, name.as_bytes());
        pair.message(2, value);
        self.message(number, &pair);
    }

    pub(super) fn text(&mut self, number: u32, value: &Value) {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            self.raw(number, text.as_bytes());
        }
    }

    pub(super) fn texts(&mut self, number: u32, values: &Value) {
        for text in items(values).filter_map(Value::as_str) {
            self.raw(number, text.as_bytes());
        }
    }

    pub(super) fn flag(&mut self, number: u32, value: &Value) {
        if value.as_bool() == Some(true) {
            self.varint(u64::from(number) << 3);
            self.varint(1);
        }
    }

    pub(super) fn integer(&mut self, number: u32, value: &Value) {
        if let Some(whole) = value.as_u64().filter(|whole| *whole != 0) {
            self.varint(u64::from(number) << 3);
            self.varint(whole);
        }
    }

    pub(super) fn float(&mut self, number: u32, value: &Value) {
        if let Some(float) = value.as_f64().filter(|float| *float != 0.0) {
            self.double(number, float);
        }
    }

    /// A floating point number, even zero.
    pub(super) fn double(&mut self, number: u32, float: f64) {
        self.varint(u64::from(number) << 3 | 1);
        self.bytes.extend_from_slice(&float.to_le_bytes());
    }

    /// An `Any`, if there is a value: a YAML text. JSON is YAML.
    pub(super) fn any(&mut self, number: u32, value: &Value) {
        if !value.is_null() {
            self.message(number, &any(value));
        }
    }

    /// The extensions of an object.
    pub(super) fn extensions(&mut self, number: u32, object: &Value) {
        for (key, value) in entries(object) {
            if key.starts_with("x-") {
                self.named(number, key, &any(value));
            }
        }
    }
}

fn any(value: &Value) -> Message {
    let mut message = Message::default();
    // Texts of YAML end with a line.
    message.raw(2, format!("{value}\n").as_bytes());
    message
}
