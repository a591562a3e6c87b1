//! Encoding typed configuration as Go's encoding/json does where every field says `omitempty`.

use std::collections::BTreeMap;

use serde_json::Value;

/// A type with a JSON form.
pub(crate) trait Encode {
    /// Whether a field that holds it is left out.
    fn is_zero(&self) -> bool;
    /// Whether it is a list or map without content, which is left out behind an option too: to Go, one
    /// that is set to nothing and one that is not set are written alike.
    fn is_empty_collection(&self) -> bool {
        false
    }
    fn encode(&self) -> Value;
}

impl Encode for String {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Encode for bool {
    fn is_zero(&self) -> bool {
        !*self
    }

    fn encode(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Encode for i64 {
    fn is_zero(&self) -> bool {
        *self == 0
    }

    fn encode(&self) -> Value {
        (*self).into()
    }
}

impl Encode for isize {
    fn is_zero(&self) -> bool {
        *self == 0
    }

    fn encode(&self) -> Value {
        (*self as i64).into()
    }
}

impl Encode for Value {
    fn is_zero(&self) -> bool {
        self.is_null()
    }

    fn encode(&self) -> Value {
        self.clone()
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn is_empty_collection(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self) -> Value {
        Value::Array(self.iter().map(Encode::encode).collect())
    }
}

impl<T: Encode> Encode for Option<T> {
    fn is_zero(&self) -> bool {
        self.as_ref().is_none_or(Encode::is_empty_collection)
    }

    fn encode(&self) -> Value {
        self.as_ref().map_or(Value::Null, Encode::encode)
    }
}

impl<T: Encode> Encode for BTreeMap<String, T> {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn is_empty_collection(&self) -> bool {
        self.is_empty()
    }

    fn encode(&self) -> Value {
        let pairs = self.iter();
        Value::Object(
            pairs
                .map(|(key, value)| (key.clone(), value.encode()))
                .collect(),
        )
    }
}
