//! Places in a document, named by JSON pointers (RFC 6901).

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A field of an object or an item of a list, which may be there or not.
pub(super) enum Place<'a> {
    /// The object and the field's name.
    Field(&'a mut Map<String, Value>, String),
    /// The list and the index as written.
    Item(&'a mut Vec<Value>, String),
}

impl Place<'_> {
    /// The field's name or the index.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Field(_, key) | Self::Item(_, key) => key,
        }
    }
}

/// The place that a pointer names; `None` if what would hold it is missing, null or a scalar.
///
/// Upstream quirk, kept: what stands before the first slash is not looked at, and a pointer without
/// a slash names nothing.
pub(super) fn find<'a>(document: &'a mut Value, pointer: &str) -> Option<Place<'a>> {
    let (_, pointer) = pointer.split_once('/')?;
    let (parents, key) = pointer
        .rsplit_once('/')
        .map_or((None, pointer), |(parents, key)| (Some(parents), key));
    let mut holder = document;
    for part in parents.into_iter().flat_map(|parents| parents.split('/')) {
        let part = decode(part);
        holder = match holder {
            Value::Object(map) => map.get_mut(part.as_ref())?,
            Value::Array(list) => {
                let at = Place::position(&part, list.len()).ok()?;
                &mut list[at]
            }
            _ => return None,
        };
    }
    let key = decode(key).into_owned();
    match holder {
        Value::Object(map) => Some(Place::Field(map, key)),
        Value::Array(list) => Some(Place::Item(list, key)),
        _ => None,
    }
}

/// How many parts a pointer has.
pub(super) fn parts(pointer: &str) -> usize {
    pointer.bytes().filter(|byte| *byte == b'/').count()
}

/// `~1` stands for a slash and `~0` for a tilde.
fn decode(part: &str) -> Cow<'_, str> {
    if !part.contains('~') {
        return part.into();
    }
    // After the first replacement a `~0` followed by `1` must not be taken for a `~1`.
    part.replace("~1", "/").replace("~0", "~").into()
}
