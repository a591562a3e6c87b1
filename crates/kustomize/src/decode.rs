//! Decoding JSON values into typed configuration as Go's encoding/json does, error texts included.
//!
//! Fields match without regard to case, null leaves the default, and the first problem in the order of
//! the keys is the one that is reported while decoding goes on.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{BuildError, Result};

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Unknown fields are errors; a number is no string (`Kustomization`).
    Strict,
    /// Unknown fields are passed over; numbers and booleans become strings where strings are wanted
    /// (sigs.k8s.io/yaml's `Unmarshal`: configurations of plugins).
    Lenient,
    /// As `Lenient`, in an embedded structure: numbers and booleans stay what they are.
    LenientEmbedded,
    /// As `Lenient`, but unknown fields are errors (`UnmarshalStrict`: `configurations`).
    LenientStrict,
}

impl Mode {
    fn makes_texts(self) -> bool {
        matches!(self, Self::Lenient | Self::LenientStrict)
    }

    fn passes_unknown(self) -> bool {
        matches!(self, Self::Lenient | Self::LenientEmbedded)
    }
}

/// What is being decoded, for messages.
pub(crate) struct Decoder {
    mode: Mode,
    problem: Option<String>,
    structure: &'static str,
    path: Vec<&'static str>,
}

/// A type that a JSON value can be decoded into.
pub(crate) trait Decode: Sized + Default {
    /// The Go type's name.
    fn go_type() -> String;
    /// Overwrites `self` with what the value sets.
    fn decode(&mut self, value: &Value, decoder: &mut Decoder);
}

/// Decodes a value.
///
/// # Errors
/// The first mismatch, as Go words it.
pub(crate) fn decode<T: Decode>(value: &Value, mode: Mode) -> Result<T> {
    let mut decoder = Decoder {
        mode,
        problem: None,
        structure: "",
        path: Vec::new(),
    };
    let mut result = T::default();
    result.decode(value, &mut decoder);
    match decoder.problem {
        None => Ok(result),
        Some(problem) => Err(BuildError::new(problem)),
    }
}

/// sigs.k8s.io/yaml's `Unmarshal` of a text.
pub(crate) fn from_yaml<T: Decode>(text: &[u8]) -> Result<T> {
    let value = yaml::to_json(text)
        .map_err(|error| BuildError::from(error).wrap("error converting YAML to JSON"))?;
    from_value(&value)
}

/// As [`from_yaml`], once the text is read.
pub(crate) fn from_value<T: Decode>(value: &Value) -> Result<T> {
    decode(value, Mode::Lenient)
        .map_err(|error| error.wrap("error unmarshaling JSON: while decoding JSON"))
}

impl Decoder {
    /// Notes that a value of another type was found.
    pub(crate) fn mismatch(&mut self, value: &Value, go_type: &str) {
        if self.problem.is_some() {
            return;
        }
        let found = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(number) if go_type.starts_with("int") => format!("number {number}"),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        self.problem = Some(if self.structure.is_empty() {
            format!("json: cannot unmarshal {found} into Go value of type {go_type}")
        } else {
            format!(
                "json: cannot unmarshal {found} into Go struct field {}.{} of type {go_type}",
                self.structure,
                self.path.join(".")
            )
        });
    }

    /// Decodes the field `name` of `structure`, or of a structure `embedded` in it.
    ///
    /// sigs.k8s.io/yaml does not see into embedded structures, so that nothing there becomes a text.
    pub(crate) fn field<T: Decode>(
        &mut self,
        structure: &'static str,
        name: &'static str,
        embedded: Option<&'static str>,
        target: &mut T,
        value: &Value,
    ) {
        let outer = std::mem::replace(&mut self.structure, structure);
        let mode = self.mode;
        let depth = self.path.len();
        if let Some(embedded) = embedded {
            self.path.push(embedded);
            self.mode = match mode {
                Mode::Lenient | Mode::LenientEmbedded => Mode::LenientEmbedded,
                Mode::LenientStrict | Mode::Strict => Mode::Strict,
            };
        }
        self.path.push(name);
        target.decode(value, self);
        self.path.truncate(depth);
        self.mode = mode;
        self.structure = outer;
    }

    /// Notes a field that the type does not have.
    pub(crate) fn unknown(&mut self, name: &str) {
        if !self.mode.passes_unknown() && self.problem.is_none() {
            self.problem = Some(format!("json: unknown field {name:?}"));
        }
    }
}

impl Decode for String {
    fn go_type() -> String {
        "string".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::Null => {}
            Value::String(text) => text.clone_into(self),
            Value::Bool(flag) if decoder.mode.makes_texts() => *self = flag.to_string(),
            Value::Number(number) if decoder.mode.makes_texts() => {
                *self = match number.as_f64().filter(|_| number.is_f64()) {
                    Some(float) => yaml::go_float_32(float),
                    None => number.to_string(),
                };
            }
            other => decoder.mismatch(other, "string"),
        }
    }
}

impl Decode for bool {
    fn go_type() -> String {
        "bool".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::Null => {}
            Value::Bool(flag) => *self = *flag,
            other => decoder.mismatch(other, "bool"),
        }
    }
}

impl Decode for i64 {
    fn go_type() -> String {
        "int64".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match (value, value.as_i64()) {
            (Value::Null, _) => {}
            (_, Some(number)) => *self = number,
            (other, None) => decoder.mismatch(other, "int64"),
        }
    }
}

/// Go's `int`.
impl Decode for isize {
    fn go_type() -> String {
        "int".to_owned()
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match (value, value.as_i64()) {
            (Value::Null, _) => {}
            (_, Some(number)) => *self = number as Self,
            (other, None) => decoder.mismatch(other, "int"),
        }
    }
}

impl Decode for Value {
    fn go_type() -> String {
        "interface {}".to_owned()
    }

    fn decode(&mut self, value: &Value, _: &mut Decoder) {
        *self = value.clone();
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn go_type() -> String {
        format!("[]{}", T::go_type())
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::Null => {}
            Value::Array(items) => {
                self.clear();
                for item in items {
                    let mut element = T::default();
                    element.decode(item, decoder);
                    self.push(element);
                }
            }
            other => decoder.mismatch(other, &Self::go_type()),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn go_type() -> String {
        format!("*{}", T::go_type())
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        if value.is_null() {
            *self = None;
        } else {
            self.get_or_insert_default().decode(value, decoder);
        }
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn go_type() -> String {
        format!("map[string]{}", T::go_type())
    }

    fn decode(&mut self, value: &Value, decoder: &mut Decoder) {
        match value {
            Value::Null => {}
            Value::Object(map) => {
                for (key, value) in map {
                    let mut element = T::default();
                    element.decode(value, decoder);
                    self.insert(key.clone(), element);
                }
            }
            other => decoder.mismatch(other, &Self::go_type()),
        }
    }
}

/// A structure with Go's name of it and of its fields.
macro_rules! go_struct {
    ($(#[$doc:meta])* struct $name:ident = $go:literal {
        $($(#[$field_doc:meta])* $field:ident : $type:ty = $key:literal $(@ $embedded:literal)?,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        #[allow(clippy::struct_field_names, reason = "the names are Kustomize's")]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }

        impl $crate::encode::Encode for $name {
            fn is_zero(&self) -> bool {
                false
            }

            fn encode(&self) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $(if !$crate::encode::Encode::is_zero(&self.$field) {
                    map.insert($key.to_owned(), $crate::encode::Encode::encode(&self.$field));
                })*
                serde_json::Value::Object(map)
            }
        }

        impl $crate::decode::Decode for $name {
            fn go_type() -> String {
                concat!("types.", $go).to_owned()
            }

            fn decode(&mut self, value: &serde_json::Value, decoder: &mut $crate::decode::Decoder) {
                let map = match value {
                    serde_json::Value::Null => return,
                    serde_json::Value::Object(map) => map,
                    other => return decoder.mismatch(other, &Self::go_type()),
                };
                for (name, value) in map {
                    let exact = [$($key),*].contains(&name.as_str());
                    $(if name == $key || (!exact && name.eq_ignore_ascii_case($key)) {
                        let embedded: Option<&'static str> = None $(.or(Some($embedded)))?;
                        decoder.field($go, $key, embedded, &mut self.$field, value);
                        continue;
                    })*
                    decoder.unknown(name);
                }
            }
        }
    };
}
pub(crate) use go_struct;

#[cfg(test)]
mod tests {
    use super::*;

    go_struct! {
        struct Inner = "Inner" {
            count: i64 = "count",
        }
    }
    go_struct! {
        struct Outer = "Outer" {
            name: String = "name",
            list: Vec<Inner> = "list",
        }
    }

    fn problem(json: serde_json::Value) -> String {
        decode::<Outer>(&json, Mode::Strict).unwrap_err().message
    }

    #[test]
    fn mismatches_are_worded_as_in_go() {
        let json = serde_json::json!({"list": [{"count": "x"}], "zzz": 1});
        assert_eq!(
            problem(json),
            "json: cannot unmarshal string into Go struct field Inner.list.count of type int64"
        );
        assert_eq!(
            problem(serde_json::json!({"zzz": 1})),
            "json: unknown field \"zzz\""
        );
        assert_eq!(
            problem(serde_json::json!([])),
            "json: cannot unmarshal array into Go value of type types.Outer"
        );
        let lenient: Outer = from_value(&serde_json::json!({"NAME": 5, "zzz": 1})).unwrap();
        assert_eq!(lenient.name, "5");
    }
}
