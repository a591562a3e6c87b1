//! The values of expressions.
//!
//! JSON is not copied: it becomes values as it is reached, by its [`Shape`].
//! Source: cel-go `common/types`, apiserver `pkg/cel/common/valuesunstructured.go`.

mod compare;
mod convert;
mod json;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Map as JsonObject, Value};

use super::error::EvalError;
use super::quantity::Quantity;
use super::semver::Semver;
use super::shape::{ListKind, Shape};
use super::time::Timestamp;
use super::types::Type;
use super::url::Url;

pub(crate) use compare::{compare, equal, is_in_set, item_key, set_keys};
pub(crate) use convert::to_text;
pub use json::from_json;

/// What evaluating gives.
pub(crate) type Outcome<'a> = Result<Val<'a>, EvalError>;

/// A text, of the input or made.
#[derive(Debug, Clone)]
pub enum Text<'a> {
    /// Of the input.
    Borrowed(&'a str),
    /// Made while evaluating.
    Owned(Arc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

/// A value.
#[derive(Debug, Clone)]
pub enum Val<'a> {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is not negative.
    Uint(u64),
    /// A number.
    Double(f64),
    /// A text.
    Text(Text<'a>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A duration in nanoseconds.
    Duration(i64),
    /// A point in time.
    Timestamp(Timestamp),
    /// A list.
    List(Arc<List<'a>>),
    /// A map that was made while evaluating.
    Map(Arc<Entries<'a>>),
    /// An object of the input.
    Object(&'a JsonObject<String, Value>, &'a Shape),
    /// A value of the input that can only be compared.
    Preserved(&'a Value),
    /// A type.
    Type(Type),
    /// A value that may be absent.
    Optional(Option<Arc<Val<'a>>>),
    /// A quantity.
    Quantity(Quantity),
    /// A URL.
    Url(Arc<Url>),
    /// An IP address.
    Ip(IpAddr),
    /// An IP address and the length of its prefix.
    Cidr(IpAddr, u8),
    /// A semantic version.
    Semver(Arc<Semver>),
    /// A named format.
    Format(&'static str),
    /// What could not be read; an error as soon as it is used.
    Error(Arc<str>),
}

/// A list.
#[derive(Debug, Clone)]
pub struct List<'a> {
    /// Its items.
    pub items: Vec<Val<'a>>,
    /// How it is compared and joined, if it comes from the input.
    pub kind: Option<&'a ListKind>,
}

/// A key of a map. Numbers of the same amount are the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Number(i128),
    /// A text.
    Text(String),
}

/// The entries of a map: by key, the key as it was written and the value.
pub type Entries<'a> = BTreeMap<Key, (Val<'a>, Val<'a>)>;

impl<'a> Val<'a> {
    /// A text of the value's own.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::Owned(text.into()))
    }

    /// A list of values.
    pub fn list(items: Vec<Val<'a>>) -> Self {
        Self::List(Arc::new(List { items, kind: None }))
    }

    /// A list of texts.
    pub(crate) fn texts(items: impl IntoIterator<Item = String>) -> Self {
        Self::list(items.into_iter().map(Self::text).collect())
    }

    /// A value that is there.
    pub(crate) fn some(value: Val<'a>) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The value, or the error that it stands for.
    pub(crate) fn checked(self) -> Outcome<'a> {
        match self {
            Self::Error(message) => Err(EvalError::new(&*message)),
            value => Ok(value),
        }
    }

    /// Its key in a map; `None` if it can be none.
    pub(crate) fn key(&self) -> Option<Key> {
        match self {
            Self::Bool(flag) => Some(Key::Bool(*flag)),
            Self::Int(number) => Some(Key::Number(i128::from(*number))),
            Self::Uint(number) => Some(Key::Number(i128::from(*number))),
            Self::Double(number) if number.fract() == 0.0 && number.abs() < 1e19 => {
                Some(Key::Number(*number as i128))
            }
            Self::Text(text) => Some(Key::Text(text.to_string())),
            _ => None,
        }
    }

    /// Its size as costs count it: characters, items or entries; 1 for what has none.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Text(text) => text.chars().count() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::List(list) => list.items.len() as u64,
            Self::Map(entries) => entries.len() as u64,
            Self::Object(map, _) => map.len() as u64,
            Self::Ip(IpAddr::V4(_)) => 4,
            Self::Ip(IpAddr::V6(_)) => 16,
            Self::Cidr(IpAddr::V4(_), _) => 8,
            Self::Cidr(IpAddr::V6(_), _) => 32,
            Self::Optional(Some(value)) => value.size(),
            _ => 1,
        }
    }

    /// Its type when run.
    pub(crate) fn type_of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Double(_) => Type::Double,
            Self::Text(_) => Type::Text,
            Self::Bytes(_) => Type::Bytes,
            Self::Duration(_) => Type::Duration,
            Self::Timestamp(_) => Type::Timestamp,
            Self::List(_) => Type::list(Type::Dyn),
            Self::Map(_) | Self::Object(..) => Type::map(Type::Dyn, Type::Dyn),
            Self::Type(_) => Type::Kind(Arc::new(Type::Dyn)),
            Self::Optional(_) => Type::optional(Type::Dyn),
            Self::Quantity(_) => Type::library("kubernetes.Quantity"),
            Self::Url(_) => Type::library("kubernetes.URL"),
            Self::Ip(_) => Type::Opaque("net.IP", Arc::from([])),
            Self::Cidr(..) => Type::Opaque("net.CIDR", Arc::from([])),
            Self::Semver(_) => Type::library("kubernetes.Semver"),
            Self::Format(_) => Type::library("kubernetes.NamedFormat"),
            Self::Preserved(_) => Type::library("unknown"),
            Self::Error(_) => Type::Error,
        }
    }

    /// The name of its type when run.
    pub(crate) fn type_name(&self) -> String {
        self.type_of().name().to_owned()
    }

    /// Whether `optional.ofNonZeroValue` takes it for nothing.
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(flag) => !flag,
            Self::Int(number) | Self::Duration(number) => *number == 0,
            Self::Uint(number) => *number == 0,
            Self::Double(number) => *number == 0.0,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::List(list) => list.kind.is_none() && list.items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Timestamp(time) => time.seconds == -62_135_596_800 && time.nanos == 0,
            Self::Optional(value) => value.is_none(),
            _ => false,
        }
    }

    /// The value at `key` of a map or list; `None` if there is none.
    pub(crate) fn find(&self, key: &Val<'a>) -> Result<Option<Val<'a>>, EvalError> {
        match self {
            Self::Map(entries) => {
                let found = key.key().and_then(|key| entries.get(&key));
                Ok(found.map(|(_, value)| value.clone()))
            }
            Self::Object(map, shape) => match key {
                Self::Text(name) => json::field(map, shape, name),
                _ => Err(EvalError::no_such_overload()),
            },
            Self::List(list) => {
                let index = index_of(key)?;
                let item = usize::try_from(index)
                    .ok()
                    .and_then(|index| list.items.get(index));
                item.cloned().map(Val::checked).transpose()
            }
            _ => Ok(None),
        }
    }

    /// What an index or selected field gives.
    pub(crate) fn get(&self, key: &Val<'a>) -> Outcome<'a> {
        match self.find(key)? {
            Some(value) => Ok(value),
            None if matches!(self, Self::List(_)) => Err(EvalError::new(format!(
                "index out of bounds: {}",
                to_text(key)
            ))),
            None => Err(EvalError::new(format!("no such key: {}", to_text(key)))),
        }
    }

    /// The keys of a map, or the items of a list; `None` for what is neither.
    pub(crate) fn items(&self) -> Option<Vec<Val<'a>>> {
        match self {
            Self::List(list) => Some(list.items.clone()),
            Self::Map(entries) => Some(entries.values().map(|(key, _)| key.clone()).collect()),
            Self::Object(map, shape) => Some(json::keys(map, shape)),
            _ => None,
        }
    }
}

fn index_of(key: &Val<'_>) -> Result<i64, EvalError> {
    match key {
        Val::Int(index) => Ok(*index),
        Val::Uint(index) if i64::try_from(*index).is_ok() => Ok(*index as i64),
        Val::Double(index) if index.fract() == 0.0 && index.abs() < 9e18 => Ok(*index as i64),
        Val::Uint(_) | Val::Double(_) => Err(EvalError::new(format!(
            "unsupported index value {} in list",
            to_text(key)
        ))),
        other => Err(EvalError::new(format!(
            "unsupported index type '{}' in list",
            other.type_name()
        ))),
    }
}
