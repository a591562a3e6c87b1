//! `application/vnd.kubernetes.protobuf`: objects of the built-in kinds between protobuf and JSON values.
//!
//! The transcoder is led by the facts, which hold each field's number and type, so that no kind is
//! written out by hand. Clients made with client-go send and ask for this form.
//!
//! Sources: apimachinery `serializer/protobuf`, the `generated.proto` files (proto2; fields that are not
//! pointers in Go are always written).

mod decode;
mod encode;
mod wire;

use object::{GroupVersion, GroupVersionKind, Map, Value};

use crate::facts::facts;
use wire::{Reader, Writer};

/// What each encoded object begins with.
pub const MAGIC: [u8; 4] = *b"k8s\0";

/// How deep messages may nest; only the schemas of CRDs nest without a bound of their own.
const MAX_DEPTH: usize = 200;

/// Why a protobuf body was not understood or not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// The body does not begin with [`MAGIC`].
    #[error(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    )]
    Prefix,
    /// The body ends within a field.
    #[error("unexpected EOF")]
    End,
    /// A field does not have the form of its type.
    #[error("proto: {0}")]
    Malformed(String),
    /// The kind is not a built-in one.
    #[error(
        "no kind \"{kind}\" is registered for version \"{version}\" in scheme \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\""
    )]
    UnknownKind {
        /// The kind.
        kind: String,
        /// The API version.
        version: String,
    },
}

/// A decoded envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The kind as the envelope states it.
    pub gvk: GroupVersionKind,
    /// The object's message, not yet decoded.
    pub raw: Vec<u8>,
}

/// Opens the envelope of an encoded object.
///
/// # Errors
/// A wrong prefix, or a malformed envelope.
pub fn open(body: &[u8]) -> Result<Envelope, ProtobufError> {
    let rest = body
        .strip_prefix(MAGIC.as_slice())
        .ok_or(ProtobufError::Prefix)?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), Vec::new());
    let mut reader = Reader::new(rest);
    while let Some((number, field)) = reader.field()? {
        match number {
            1 => {
                let mut meta = Reader::new(field.bytes()?);
                while let Some((number, field)) = meta.field()? {
                    match number {
                        1 => api_version = field.text()?,
                        2 => kind = field.text()?,
                        _ => {}
                    }
                }
            }
            2 => raw = field.bytes()?.to_vec(),
            _ => {}
        }
    }
    Ok(Envelope {
        gvk: GroupVersion::parse(&api_version)
            .unwrap_or_default()
            .with_kind(kind),
        raw,
    })
}

/// Decodes an encoded object, with `apiVersion` and `kind` as in its envelope or, where that states
/// none, as in `default`. The object has the form that [`crate::decode`] gives.
///
/// # Errors
/// See [`ProtobufError`].
pub fn decode(body: &[u8], default: Option<&GroupVersionKind>) -> Result<Value, ProtobufError> {
    let envelope = open(body)?;
    let gvk = match default {
        Some(default) if envelope.gvk.kind.is_empty() => default.clone(),
        _ => envelope.gvk,
    };
    decode_message(&gvk, &envelope.raw)
}

/// Decodes the message of an object of the kind, without an envelope.
///
/// # Errors
/// See [`ProtobufError`].
pub fn decode_message(gvk: &GroupVersionKind, raw: &[u8]) -> Result<Value, ProtobufError> {
    let type_id = facts().type_of(gvk).ok_or_else(|| unknown(gvk))?;
    let mut object = Map::new();
    decode::message(
        facts().type_at(type_id),
        Reader::new(raw),
        &mut object,
        MAX_DEPTH,
    )?;
    object.insert("apiVersion".to_owned(), Value::from(gvk.api_version()));
    object.insert("kind".to_owned(), Value::from(gvk.kind.clone()));
    Ok(Value::Object(object))
}

/// Encodes an object with its envelope.
///
/// # Errors
/// The kind is not built in, or a value is not of its declared type.
pub fn encode(object: &Value) -> Result<Vec<u8>, ProtobufError> {
    let gvk = GroupVersionKind::of(object);
    let type_id = facts().type_of(&gvk).ok_or_else(|| unknown(&gvk))?;
    let mut message = Writer::default();
    encode::message(facts().type_at(type_id), object, &mut message)?;
    let mut meta = Writer::default();
    meta.bytes(1, gvk.api_version().as_bytes());
    meta.bytes(2, gvk.kind.as_bytes());
    let mut envelope = Writer::default();
    envelope.bytes(1, meta.as_slice());
    envelope.bytes(2, message.as_slice());
    envelope.bytes(3, b"");
    envelope.bytes(4, b"");
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(envelope.as_slice());
    Ok(out)
}

/// A frame of a watch: four bytes of length, then a `WatchEvent` around an encoded object.
///
/// # Errors
/// As [`encode`].
pub fn encode_watch_event(event_type: &str, object: &Value) -> Result<Vec<u8>, ProtobufError> {
    let mut extension = Writer::default();
    extension.bytes(1, &encode(object)?);
    let mut event = Writer::default();
    event.bytes(1, event_type.as_bytes());
    event.bytes(2, extension.as_slice());
    let event = event.as_slice();
    let mut out = (event.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(event);
    Ok(out)
}

fn unknown(gvk: &GroupVersionKind) -> ProtobufError {
    ProtobufError::UnknownKind {
        kind: gvk.kind.clone(),
        version: gvk.api_version(),
    }
}

#[cfg(test)]
mod tests;
