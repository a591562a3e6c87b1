//! A value and whether it is held in an interface: what Go's executor keeps in a `reflect.Value`.

use std::borrow::Cow;

use crate::value::Value;

/// A value as the executor holds it.
///
/// Elements of `map[string]interface {}` are held in an interface until a pipeline unwraps them. It shows
/// in messages ("in type interface {}") and in what a missing value does: nil in an interface is a nil
/// pointer to look into, no value at all (nil without interface) gives no value again.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// The value.
    pub value: Value,
    /// Whether it is held in an interface.
    pub boxed: bool,
}

impl Slot {
    /// A value of its own type.
    pub fn plain(value: Value) -> Slot {
        Slot {
            value,
            boxed: false,
        }
    }

    /// A value held in an `interface {}`.
    pub fn boxed(value: Value) -> Slot {
        Slot { value, boxed: true }
    }

    /// No value at all: Go's invalid `reflect.Value`.
    pub fn invalid() -> Slot {
        Slot::default()
    }

    /// Whether there is no value at all.
    pub fn is_invalid(&self) -> bool {
        !self.boxed && self.value.is_nil()
    }

    /// The static type's name.
    pub(crate) fn type_name(&self) -> Cow<'_, str> {
        if self.boxed {
            Cow::Borrowed("interface {}")
        } else {
            self.value.type_name()
        }
    }

    /// Without the interface.
    pub(crate) fn unboxed(mut self) -> Slot {
        self.boxed = false;
        self
    }
}
