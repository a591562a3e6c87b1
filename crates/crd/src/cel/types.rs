//! The types of expressions. Source: cel-go `common/types`, `checker/{types,format}.go`.

use std::fmt;
use std::sync::Arc;

use super::shape::{Shape, ShapeKind};

/// A type.
#[derive(Debug, Clone)]
pub enum Type {
    /// Any type; checked when evaluated.
    Dyn,
    /// The type of what could not be checked.
    Error,
    /// The type of `null`.
    Null,
    /// `bool`
    Bool,
    /// `int`, 64 bits.
    Int,
    /// `uint`, 64 bits.
    Uint,
    /// `double`
    Double,
    /// `string`
    Text,
    /// `bytes`
    Bytes,
    /// `google.protobuf.Duration`
    Duration,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// A list.
    List(Arc<Type>),
    /// A map of keys to values.
    Map(Arc<(Type, Type)>),
    /// An object with fields.
    Object(Arc<Object>),
    /// A type of a library, maybe with parameters, such as `optional_type(int)`.
    Opaque(&'static str, Arc<[Type]>),
    /// The type of a type.
    Kind(Arc<Type>),
    /// A parameter of a declaration, such as `A`.
    Parameter(u8),
    /// A type that is not yet known.
    Variable(u32),
}

/// The type of an object.
#[derive(Debug)]
pub struct Object {
    /// Its name, unlike that of any other object.
    pub name: String,
    /// Its fields; `None` for an object of a library, which has none.
    pub shape: Option<Arc<Shape>>,
}

/// The name of optional types.
pub(crate) const OPTIONAL: &str = "optional_type";

impl Type {
    /// A list of `items`.
    pub fn list(items: Type) -> Self {
        Self::List(Arc::new(items))
    }

    /// A map.
    pub fn map(keys: Type, values: Type) -> Self {
        Self::Map(Arc::new((keys, values)))
    }

    /// An optional value.
    pub fn optional(value: Type) -> Self {
        Self::Opaque(OPTIONAL, Arc::from([value]))
    }

    /// A type of a library that counts as an object without fields.
    pub(crate) fn library(name: &str) -> Self {
        Self::Object(Arc::new(Object {
            name: name.to_owned(),
            shape: None,
        }))
    }

    /// The type of values of a shape; objects in it are named from `name` on.
    pub fn of_shape(shape: &Arc<Shape>, name: &str) -> Self {
        match &shape.kind {
            ShapeKind::Json
            | ShapeKind::IntOrString
            | ShapeKind::Preserved
            | ShapeKind::Untyped => Self::Dyn,
            ShapeKind::Bool => Self::Bool,
            ShapeKind::Int => Self::Int,
            ShapeKind::Double => Self::Double,
            ShapeKind::Text => Self::Text,
            ShapeKind::Bytes => Self::Bytes,
            ShapeKind::Duration => Self::Duration,
            ShapeKind::Date | ShapeKind::DateTime => Self::Timestamp,
            ShapeKind::List {
                items: Some(items), ..
            } => Self::list(Self::of_shape(items, &format!("{name}.@idx"))),
            ShapeKind::List { items: None, .. } => Self::list(Self::Dyn),
            ShapeKind::Map(values) => {
                Self::map(Self::Text, Self::of_shape(values, &format!("{name}.@elem")))
            }
            ShapeKind::Object(_) => Self::Object(Arc::new(Object {
                name: name.to_owned(),
                shape: Some(Arc::clone(shape)),
            })),
        }
    }

    pub(crate) fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn)
    }

    pub(crate) fn is_dyn_or_error(&self) -> bool {
        matches!(self, Self::Dyn | Self::Error)
    }

    /// The type in an optional one.
    pub(crate) fn unwrap_optional(&self) -> Option<&Type> {
        match self {
            Self::Opaque(OPTIONAL, parameters) => parameters.first(),
            _ => None,
        }
    }

    /// Whether `null` may stand for a value of this type.
    pub(crate) fn takes_null(&self) -> bool {
        matches!(
            self,
            Self::Null | Self::Opaque(..) | Self::Object(_) | Self::Duration | Self::Timestamp
        )
    }

    /// Whether it has one value, whose size is 1.
    pub(crate) fn is_scalar(&self) -> bool {
        match self {
            Self::Bool
            | Self::Double
            | Self::Duration
            | Self::Int
            | Self::Timestamp
            | Self::Uint => true,
            _ => self.unwrap_optional().is_some_and(Type::is_scalar),
        }
    }

    /// The name without parameters.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Dyn | Self::Parameter(_) | Self::Variable(_) => "dyn",
            Self::Error => "!error!",
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Duration => "google.protobuf.Duration",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Object(object) => &object.name,
            Self::Opaque(name, _) => name,
            Self::Kind(_) => "type",
        }
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(left), Self::List(right)) | (Self::Kind(left), Self::Kind(right)) => {
                left == right
            }
            (Self::Map(left), Self::Map(right)) => left == right,
            (Self::Object(left), Self::Object(right)) => left.name == right.name,
            (Self::Opaque(left, left_args), Self::Opaque(right, right_args)) => {
                left == right && left_args == right_args
            }
            (Self::Parameter(left), Self::Parameter(right)) => left == right,
            (Self::Variable(left), Self::Variable(right)) => left == right,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Duration => f.write_str("duration"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::List(items) => write!(f, "list({items})"),
            Self::Map(entry) => write!(f, "map({}, {})", entry.0, entry.1),
            Self::Kind(of) => write!(f, "type({of})"),
            Self::Opaque(name, parameters) if !parameters.is_empty() => {
                let texts: Vec<String> = parameters.iter().map(ToString::to_string).collect();
                write!(f, "{name}({})", texts.join(", "))
            }
            Self::Variable(number) => write!(f, "_var{number}"),
            other => f.write_str(other.name()),
        }
    }
}
