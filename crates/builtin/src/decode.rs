//! Decoding an object of a built-in kind as Go's typed JSON decoder does, in one pass over the text.
//!
//! The result is the object as the server would encode it again: unknown fields are left out (and
//! listed, for `fieldValidation`), values are of their declared types, quantities and times are in
//! their canonical form, empty optional fields are absent and empty mandatory ones present.
//!
//! Sources: sigs.k8s.io/json (a fork of encoding/json), apimachinery `serializer/json`. Known
//! differences: of several type errors the first in the document is told, as in Go, but a syntax error
//! behind a type error is not; a number that does not fit is shown as it was understood (`1e3` as `1000.0`).

mod custom;
mod syntax;
mod visitor;
mod zero;

use std::cell::RefCell;

use object::Value;
use serde::de::DeserializeSeed;

use crate::facts::{FieldType, Type, TypeId, facts};
use visitor::{Path, Seed, State};

pub use syntax::syntax_error;
pub(crate) use zero::{complete, is_shown};
pub use zero::{settle, zero};

/// A decoded object.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The object.
    pub object: Value,
    /// What strict decoding objects to, in the order of the document, at most 100: `unknown field
    /// "spec.foo"`, `duplicate field "spec.replicas"`.
    pub strict: Vec<String>,
}

/// Why an object could not be decoded; prints as Go prints it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The text is not JSON.
    #[error("{0}")]
    Syntax(String),
    /// A value is not of the declared type, or not in its form.
    #[error("{0}")]
    Type(String),
}

/// Decodes a JSON text as an object of the type.
///
/// # Errors
/// See [`DecodeError`]; the texts are Go's: `json: cannot unmarshal string into Go struct field
/// DeploymentSpec.spec.replicas of type int32`.
pub fn decode_slice(type_id: TypeId, text: &[u8]) -> Result<Decoded, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let state = RefCell::new(State::default());
    let outcome = run(type_id, &mut deserializer, &state);
    let object = match outcome {
        Ok(object) => object,
        Err(error) => return Err(failure(state, text, &error)),
    };
    if let Err(error) = deserializer.end() {
        return Err(failure(state, text, &error));
    }
    Ok(Decoded {
        object,
        strict: state.into_inner().strict,
    })
}

fn failure(state: RefCell<State>, text: &[u8], error: &serde_json::Error) -> DecodeError {
    match (state.into_inner().error, syntax_error(text)) {
        // Go checks the whole text before it decodes.
        (_, Some(message)) => DecodeError::Syntax(message),
        (Some(message), None) => DecodeError::Type(message),
        (None, None) => DecodeError::Syntax(error.to_string()),
    }
}

/// Decodes a value, as [`decode_slice`] does; there can be no duplicate fields.
///
/// # Errors
/// [`DecodeError::Type`].
pub fn decode_value(type_id: TypeId, value: Value) -> Result<Decoded, DecodeError> {
    let state = RefCell::new(State::default());
    match run(type_id, value, &state) {
        Ok(object) => Ok(Decoded {
            object,
            strict: state.into_inner().strict,
        }),
        Err(error) => {
            let message = state
                .into_inner()
                .error
                .unwrap_or_else(|| error.to_string());
            Err(DecodeError::Type(message))
        }
    }
}

fn run<'de, D: serde::Deserializer<'de>>(
    type_id: TypeId,
    deserializer: D,
    state: &RefCell<State>,
) -> Result<Value, D::Error> {
    let described: &Type = facts().type_at(type_id);
    let go_name = go_type_name(described);
    let field_type = FieldType::Struct(type_id);
    let seed = Seed {
        field_type: &field_type,
        go_type: Some(&go_name),
        owner: None,
        path: &Path::Root,
        state,
    };
    seed.deserialize(deserializer)
}

/// Go's name of a type with its package, as reflection prints it: `v1.Pod`.
fn go_type_name(described: &Type) -> String {
    let package = described.name.rsplit('.').nth(1).unwrap_or_default();
    format!("{package}.{}", described.go_name)
}

#[cfg(test)]
mod tests;
