//! Values as Go's templates see them: the kinds kept apart, maps shared and changeable, lists immutable.

mod list;
mod map;
mod object;
mod types;

pub use list::{List, ListType};
pub use map::{Map, MapType, NamedMap};
pub use object::{Certificate, Object, TimeValue};
pub use types::{IntKind, Kind, UintKind};

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::text::Str;

/// A Go value. Cloning is cheap: text, lists, maps and objects are shared.
///
/// Maps are references, as in Go: what `set` changes, every holder sees. Everything else is immutable.
#[derive(Clone, Default)]
pub enum Value {
    /// `nil` without a type.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// A signed integer.
    Int(IntKind, i64),
    /// An unsigned integer.
    Uint(UintKind, u64),
    /// `float64`
    Float(f64),
    /// `complex128`
    Complex(Arc<(f64, f64)>),
    /// `string`
    String(Str),
    /// `[]byte`
    Bytes(Str),
    /// A slice.
    List(Arc<List>),
    /// A map with string keys.
    Map(Map),
    /// A value with fields and methods: a time, a version, a certificate, or one of the caller's.
    Object(Arc<dyn Object>),
}

impl Value {
    /// A Go `int`.
    pub fn int(value: i64) -> Value {
        Value::Int(IntKind::Int, value)
    }

    /// A Go `int64`.
    pub fn int64(value: i64) -> Value {
        Value::Int(IntKind::Int64, value)
    }

    /// A Go `string`.
    pub fn string(text: impl Into<Str>) -> Value {
        Value::String(text.into())
    }

    /// A Go `[]interface {}`.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(List::new(ListType::Any, items)))
    }

    /// A Go `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Value {
        let items = items.into_iter().map(Value::string).collect();
        Value::List(Arc::new(List::new(ListType::String, items)))
    }

    /// A Go `map[string]interface {}`.
    pub fn map(entries: impl IntoIterator<Item = (Str, Value)>) -> Value {
        Value::Map(Map::from_entries(entries))
    }

    /// Whether this is the untyped `nil`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&Str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list.items()),
            _ => None,
        }
    }

    /// The object of type `T`, if this is one.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Value::Object(object) => object.as_any().downcast_ref::<T>(),
            _ => None,
        }
    }

    /// Go's `reflect.Kind`.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Nil => Kind::Invalid,
            Value::Bool(_) => Kind::Bool,
            Value::Int(kind, _) => kind.kind(),
            Value::Uint(kind, _) => kind.kind(),
            Value::Float(_) => Kind::Float64,
            Value::Complex(_) => Kind::Complex128,
            Value::String(_) => Kind::String,
            Value::Bytes(_) | Value::List(_) => Kind::Slice,
            Value::Map(_) => Kind::Map,
            Value::Object(object) => object.kind(),
        }
    }

    /// The name of the Go type, as `%T` prints it; `<nil>` for nil.
    pub fn type_name(&self) -> Cow<'_, str> {
        match self {
            Value::Nil => Cow::Borrowed("<nil>"),
            Value::Bool(_) => Cow::Borrowed("bool"),
            Value::Int(kind, _) => Cow::Borrowed(kind.name()),
            Value::Uint(kind, _) => Cow::Borrowed(kind.name()),
            Value::Float(_) => Cow::Borrowed("float64"),
            Value::Complex(_) => Cow::Borrowed("complex128"),
            Value::String(_) => Cow::Borrowed("string"),
            Value::Bytes(_) => Cow::Borrowed("[]uint8"),
            Value::List(list) => Cow::Borrowed(list.list_type().name()),
            Value::Map(map) => Cow::Borrowed(map.map_type().name()),
            Value::Object(object) => object.type_name(),
        }
    }

    /// The truth of a value in `if` and `with`: Go's `template.IsTrue`.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(value) => *value,
            Value::Int(_, value) => *value != 0,
            Value::Uint(_, value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Complex(value) => value.0 != 0.0 || value.1 != 0.0,
            Value::String(text) | Value::Bytes(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Object(object) => object.is_true(),
        }
    }

    /// How long a string, list or map is; `None` for other kinds.
    pub fn length(&self) -> Option<usize> {
        match self {
            Value::String(text) | Value::Bytes(text) => Some(text.len()),
            Value::List(list) => Some(list.len()),
            Value::Map(map) => Some(map.len()),
            Value::Object(object) => {
                let items = object.items().map(|items| items.len());
                items.or_else(|| object.entries().map(|entries| entries.len()))
            }
            _ => None,
        }
    }

    /// What `fmt.Sprint` prints for this value alone.
    pub fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        crate::fmt::append_value(&mut out, self);
        out
    }
}

/// Drops values without recursion: a chain of maps may be a million long, the stack is not.
fn drop_flat(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::Map(mut map) => pending.append(&mut map.take_if_unshared()),
            Value::List(mut list) => pending.append(&mut List::take_if_unshared(&mut list)),
            _ => {}
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}({})",
            self.type_name(),
            crate::text::lossy(&self.print())
        )
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Value::String(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(map)
    }
}
