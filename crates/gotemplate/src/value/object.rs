//! Values with fields and methods: Go structs and pointers that templates can reach into.

use std::any::Any;
use std::borrow::Cow;

use super::{Kind, Value};
use crate::function::{CallError, Signature};
use crate::text::Str;
use crate::time::Time;

/// A Go value of a struct, pointer or other named type.
///
/// Only [`Object::type_name`] and [`Object::as_any`] have to be given; the rest says "no such thing".
pub trait Object: Any + Send + Sync {
    /// The type's name as `%T` prints it, such as `*semver.Version`.
    fn type_name(&self) -> Cow<'_, str>;

    /// For [`Value::downcast`].
    fn as_any(&self) -> &dyn Any;

    /// The kind: a struct unless said otherwise.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// The truth in `if`: true, unless it is an empty collection.
    fn is_true(&self) -> bool {
        self.entries().is_none_or(|entries| !entries.is_empty())
            && self.items().is_none_or(|items| !items.is_empty())
    }

    /// The value of an exported field.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// The number or text underneath, for named types over basic ones such as a duration.
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// All fields in order, exported or not, for printing and JSON.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The signature of a method.
    fn method(&self, _name: &str) -> Option<&'static Signature> {
        None
    }

    /// Calls a method that [`Object::method`] has named, with arguments that fit its signature.
    fn call(&self, name: &str, _args: &[Value]) -> Result<Value, CallError> {
        Err(CallError::new(format!("{name} is not a method")))
    }

    /// What `String()` or `Error()` gives, for types that have them.
    fn text(&self) -> Option<Str> {
        None
    }

    /// What `MarshalJSON` gives, for types that have it.
    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        None
    }

    /// The entries of a type that is a map underneath, in the order of keys.
    fn entries(&self) -> Option<Vec<(Str, Value)>> {
        None
    }

    /// The type of the elements of [`Object::entries`]: whether they are held as `interface {}`.
    fn entries_are_boxed(&self) -> bool {
        true
    }

    /// What [`Object::entries`] has for a key that is not there, if missing keys are zero values.
    fn zero_entry(&self) -> Value {
        Value::Nil
    }

    /// The elements of a type that is a slice underneath.
    fn items(&self) -> Option<Vec<Value>> {
        None
    }

    /// Go's `==` on two values of this type.
    fn equals(&self, _other: &dyn Object) -> bool {
        false
    }
}

/// A `time.Time`.
#[derive(Clone, Debug)]
pub struct TimeValue(pub Time);

/// The pair that `genCA` and its kin return: sprig's `certificate` struct.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate, PEM.
    pub cert: Str,
    /// Its private key, PEM.
    pub key: Str,
}

impl Object for Certificate {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("sprig.certificate")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::String(self.cert.clone())),
            "Key" => Some(Value::String(self.key.clone())),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Cert", Value::String(self.cert.clone())),
            ("Key", Value::String(self.key.clone())),
        ]
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other
            .as_any()
            .downcast_ref::<Certificate>()
            .is_some_and(|other| self.cert == other.cert && self.key == other.key)
    }
}
