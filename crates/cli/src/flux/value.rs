//! What flags take: the types of pflag, and Flux's own with their checks.

mod csv;
mod own;

use std::collections::BTreeMap;

use object::time::Duration;

use super::go;

pub(crate) use own::SourceReference;

/// The type of a flag's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Bool,
    /// Any text.
    Text,
    /// Comma-separated values; repeating the flag adds more.
    Slice,
    /// One value each time the flag is given.
    Array,
    /// `key=value`, comma-separated.
    Map,
    /// A Go duration.
    Duration,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// One of Flux's own types.
    Own(own::Own),
}

impl Kind {
    /// The type of the flag `name` of the command at `path`, whose help shows `type_name`.
    pub(crate) fn of(path: &str, name: &str, type_name: &str) -> Self {
        if let Some(own) = own::Own::of(path, name, type_name) {
            return Self::Own(own);
        }
        match type_name {
            "bool" => Self::Bool,
            "stringSlice" => Self::Slice,
            "stringArray" => Self::Array,
            "stringToString" => Self::Map,
            "duration" => Self::Duration,
            "int" | "int64" => Self::Integer,
            "float32" => Self::Float,
            _ => Self::Text,
        }
    }

    /// Whether giving such a flag again adds to it.
    pub(crate) fn accepts_many(self) -> bool {
        matches!(self, Self::Slice | Self::Array | Self::Map)
    }

    /// The value of the flag's default text.
    pub(crate) fn default_value(self, text: &str) -> Value {
        let inner = || text.trim_start_matches('[').trim_end_matches(']');
        match self {
            Self::Bool => Value::Bool(text == "true"),
            Self::Slice | Self::Array => Value::List(
                inner()
                    .split(',')
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            Self::Map => Value::Map(BTreeMap::new()),
            Self::Duration => Value::Duration(Duration::parse(text).unwrap_or_default()),
            Self::Integer => Value::Integer(text.parse().unwrap_or_default()),
            Self::Float => Value::Float(text.parse().unwrap_or_default()),
            Self::Text | Self::Own(_) => Value::Text(text.to_owned()),
        }
    }

    /// Sets a value from what the user wrote; `changed` says that it was set before.
    ///
    /// # Errors
    /// In the words of Go's libraries and of Flux.
    pub(crate) fn set(self, value: &mut Value, text: &str, changed: bool) -> Result<(), String> {
        let new = match self {
            Self::Bool => Value::Bool(go::parse_bool(text)?),
            Self::Text => Value::Text(text.to_owned()),
            Self::Slice => Value::List(csv::read(text)?),
            Self::Array => Value::List(vec![text.to_owned()]),
            Self::Map => Value::Map(csv::read_map(text)?),
            Self::Duration => {
                Value::Duration(Duration::parse(text).map_err(|error| error.to_string())?)
            }
            Self::Integer => Value::Integer(go::parse_int(text)?),
            Self::Float => Value::Float(go::parse_float(text)?),
            Self::Own(own) => Value::Text(own.check(text)?),
        };
        match (value, new) {
            (Value::List(items), Value::List(more)) if changed => items.extend(more),
            (Value::Map(items), Value::Map(more)) if changed => items.extend(more),
            (value, new) => *value = new,
        }
        Ok(())
    }
}

/// A flag's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Of a [`Kind::Bool`].
    Bool(bool),
    /// Of a [`Kind::Text`] and Flux's own types, after their checks.
    Text(String),
    /// Of a [`Kind::Slice`] or [`Kind::Array`].
    List(Vec<String>),
    /// Of a [`Kind::Map`].
    Map(BTreeMap<String, String>),
    /// Of a [`Kind::Duration`].
    Duration(Duration),
    /// Of a [`Kind::Integer`].
    Integer(i64),
    /// Of a [`Kind::Float`].
    Float(f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(kind: Kind, texts: &[&str]) -> Result<Value, String> {
        let mut value = kind.default_value("");
        for (index, text) in texts.iter().enumerate() {
            kind.set(&mut value, text, index > 0)?;
        }
        Ok(value)
    }

    #[test]
    fn lists_grow_and_texts_are_replaced() {
        let list =
            |items: &[&str]| Value::List(items.iter().map(|item| (*item).to_owned()).collect());
        assert_eq!(
            set(Kind::Slice, &["a,b", "\"c,d\""]),
            Ok(list(&["a", "b", "c,d"]))
        );
        assert_eq!(set(Kind::Array, &["a,b", "c"]), Ok(list(&["a,b", "c"])));
        assert_eq!(
            set(Kind::Text, &["a", "b"]),
            Ok(Value::Text("b".to_owned()))
        );
    }

    #[test]
    fn errors_are_those_of_go() {
        assert_eq!(
            set(Kind::Bool, &["maybe"]).unwrap_err(),
            "strconv.ParseBool: parsing \"maybe\": invalid syntax"
        );
        assert_eq!(
            set(Kind::Duration, &["1"]).unwrap_err(),
            "time: missing unit in duration \"1\""
        );
        assert_eq!(
            set(Kind::Integer, &["99999999999999999999"]).unwrap_err(),
            "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
        );
    }
}
