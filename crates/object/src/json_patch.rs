//! JSON patches (RFC 6902) as the API server applies them.
//!
//! Source: `gopkg.in/evanphx/json-patch.v4` (v4.13), whose liberties are kept: `add` and `copy` give
//! null where there is no value, `replace` adds a field that is missing, negative indices count from
//! the end, a `test` for null passes on a missing field. Known difference: upstream compares scalars by
//! their JSON text in `test`, here they are compared as values (numbers as integers or as floats).

mod pointer;

use serde_json::{Map, Value};

use crate::field::quote;
use crate::goprint;

use pointer::{Place, find, parts};

/// The most operations that the API server takes in one patch.
pub const MAX_OPERATIONS: usize = 10_000;
/// The most bytes of JSON that the `copy` operations of one patch may add on the API server.
pub const MAX_COPIED_BYTES: usize = 3 * 1024 * 1024;
/// How deep a document may become by moving its parts into one another.
const MAX_DEPTH: usize = 1000;

/// Why a JSON patch cannot be read or applied; prints as upstream's errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    /// The patch is no list of objects.
    #[error("json: cannot unmarshal {kind} into Go value of type {target}")]
    Decode {
        /// What was found instead.
        kind: &'static str,
        /// What Go wanted to make of it.
        target: &'static str,
    },
    /// More than [`MAX_OPERATIONS`]; the API server answers 413.
    #[error("The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {0}")]
    TooManyOperations(usize),
    /// An operation cannot be applied; the API server answers 422.
    #[error("{0}")]
    Apply(String),
    /// The copies grew beyond the limit.
    #[error(
        "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {limit}"
    )]
    CopyTooLarge {
        /// How many bytes.
        copied: usize,
        /// How many are permitted.
        limit: usize,
    },
    /// The document became too deep. (Upstream has no such limit.)
    #[error("exceeded max depth of {MAX_DEPTH}")]
    TooDeep,
}

const MISSING: &str = "missing value";
const TEST_FAILED: &str = "test failed";

fn fail<T>(text: String) -> Result<T, JsonPatchError> {
    Err(JsonPatchError::Apply(text))
}

/// The name Go's decoder gives the kind of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A list of operations that are applied one after the other, all or none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonPatch {
    operations: Vec<Map<String, Value>>,
}

impl JsonPatch {
    /// Reads a patch. Operations are not looked at before they are applied; `null` is an empty patch.
    pub fn decode(patch: Value) -> Result<Self, JsonPatchError> {
        let items = match patch {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            other => {
                return Err(JsonPatchError::Decode {
                    kind: kind(&other),
                    target: "jsonpatch.Patch",
                });
            }
        };
        if items.len() > MAX_OPERATIONS {
            return Err(JsonPatchError::TooManyOperations(items.len()));
        }
        let operation = |item| match item {
            Value::Object(operation) => Ok(operation),
            Value::Null => Ok(Map::new()),
            other => Err(JsonPatchError::Decode {
                kind: kind(&other),
                target: "jsonpatch.Operation",
            }),
        };
        let operations = items.into_iter().map(operation).collect::<Result<_, _>>()?;
        Ok(Self { operations })
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are no operations.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Applies the patch to an object or a list.
    pub fn apply(self, document: Value) -> Result<Value, JsonPatchError> {
        self.apply_within(document, MAX_COPIED_BYTES)
    }

    /// Applies the patch; copies may add `limit` bytes of JSON, or any number if that is 0.
    pub fn apply_within(self, document: Value, limit: usize) -> Result<Value, JsonPatchError> {
        if !document.is_object() && !document.is_array() {
            return Err(JsonPatchError::Decode {
                kind: kind(&document),
                target: "jsonpatch.partialDoc",
            });
        }
        let mut run = Run {
            document,
            copied: 0,
            limit,
            deepening: 0,
        };
        for operation in self.operations {
            run.apply(operation)?;
        }
        Ok(run.document)
    }
}

/// A document on its way.
struct Run {
    document: Value,
    copied: usize,
    limit: usize,
    /// By how much moves and copies may have deepened the document since its depth was last seen.
    deepening: usize,
}

/// The text of a field of an operation, or why there is none.
fn text(operation: &Map<String, Value>, key: &str, missing: &str) -> Result<String, String> {
    match operation.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        None | Some(Value::Null) => Err(format!("{missing}: {MISSING}")),
        Some(other) => Err(format!(
            "json: cannot unmarshal {} into Go value of type string",
            kind(other)
        )),
    }
}

fn path(operation: &Map<String, Value>) -> Result<String, String> {
    text(operation, "path", "operation missing path field")
}

fn from(operation: &Map<String, Value>) -> Result<String, String> {
    text(operation, "from", "operation, missing from field")
}

impl Run {
    fn apply(&mut self, operation: Map<String, Value>) -> Result<(), JsonPatchError> {
        let name = match operation.get("op") {
            Some(Value::String(name)) => name.as_str(),
            _ => "unknown",
        };
        match name {
            "add" => self.add(operation),
            "remove" => self.remove(&operation),
            "replace" => self.replace(operation),
            "move" => self.relocate(&operation),
            "test" => self.test(&operation),
            "copy" => self.copy(&operation),
            other => fail(format!("Unexpected kind: {other}")),
        }
    }

    fn add(&mut self, mut operation: Map<String, Value>) -> Result<(), JsonPatchError> {
        let Ok(path) = path(&operation) else {
            return fail(format!("add operation failed to decode path: {MISSING}"));
        };
        let value = operation.remove("value").unwrap_or_default();
        let Some(place) = find(&mut self.document, &path) else {
            return fail(format!(
                "add operation does not apply: doc is missing path: \"{path}\": {MISSING}"
            ));
        };
        let added = place.add(value);
        added.or_else(|error| fail(format!("error in add for path: '{path}': {error}")))
    }

    fn remove(&mut self, operation: &Map<String, Value>) -> Result<(), JsonPatchError> {
        let Ok(path) = path(operation) else {
            return fail(format!("remove operation failed to decode path: {MISSING}"));
        };
        let Some(place) = find(&mut self.document, &path) else {
            return fail(format!(
                "remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"
            ));
        };
        match place.remove() {
            Ok(_) => Ok(()),
            Err(error) => fail(format!("error in remove for path: '{path}': {error}")),
        }
    }

    fn replace(&mut self, mut operation: Map<String, Value>) -> Result<(), JsonPatchError> {
        let path = match path(&operation) {
            Ok(path) => path,
            Err(error) => {
                return fail(format!("replace operation failed to decode path: {error}"));
            }
        };
        let value = operation.remove("value").unwrap_or_default();
        if path.is_empty() {
            if !value.is_object() && !value.is_array() {
                // Upstream quirk, kept: it formats an error that is not there.
                return fail(
                    "replace operation value must be object or array: %!w(<nil>)".to_owned(),
                );
            }
            self.document = value;
            return Ok(());
        }
        let Some(place) = find(&mut self.document, &path) else {
            return fail(format!(
                "replace operation does not apply: doc is missing path: {path}: {MISSING}"
            ));
        };
        place.replace(value).or_else(|_| {
            fail(format!(
                "replace operation does not apply: doc is missing key: {path}: {MISSING}"
            ))
        })
    }

    fn relocate(&mut self, operation: &Map<String, Value>) -> Result<(), JsonPatchError> {
        let from = match from(operation) {
            Ok(from) => from,
            Err(error) => return fail(format!("move operation failed to decode from: {error}")),
        };
        let Some(place) = find(&mut self.document, &from) else {
            return fail(format!(
                "move operation does not apply: doc is missing from path: {from}: {MISSING}"
            ));
        };
        let key = place.key().to_owned();
        let value = match place.remove() {
            Ok(value) => value,
            Err(error) => return fail(format!("error in move for path: '{key}': {error}")),
        };
        let path = match path(operation) {
            Ok(path) => path,
            Err(error) => return fail(format!("move operation failed to decode path: {error}")),
        };
        self.deepen(&from, &path, &value)?;
        let Some(place) = find(&mut self.document, &path) else {
            return fail(format!(
                "move operation does not apply: doc is missing destination path: {path}: {MISSING}"
            ));
        };
        let added = place.add(value);
        added.or_else(|error| fail(format!("error in move for path: '{path}': {error}")))
    }

    fn copy(&mut self, operation: &Map<String, Value>) -> Result<(), JsonPatchError> {
        let from = match from(operation) {
            Ok(from) => from,
            Err(error) => return fail(format!("copy operation failed to decode from: {error}")),
        };
        let Some(place) = find(&mut self.document, &from) else {
            return fail(format!(
                "copy operation does not apply: doc is missing from path: {from}: {MISSING}"
            ));
        };
        let value = match place.get() {
            Ok(value) => value,
            Err(error) => return fail(format!("error in copy for from: '{from}': {error}")),
        };
        // The size is known before the copy is made, so that a huge one never is.
        let size = value.map_or(0, |value| {
            if value.is_null() {
                0
            } else {
                goprint::json_len(value)
            }
        });
        let Ok(path) = path(operation) else {
            return fail(format!("copy operation failed to decode path: {MISSING}"));
        };
        let copied = self.copied.saturating_add(size);
        let is_too_large = self.limit > 0 && copied > self.limit;
        let value = if is_too_large {
            Value::Null
        } else {
            value.cloned().unwrap_or_default()
        };
        self.deepen(&from, &path, &value)?;
        let Some(place) = find(&mut self.document, &path) else {
            return fail(format!(
                "copy operation does not apply: doc is missing destination path: {path}: {MISSING}"
            ));
        };
        if is_too_large {
            return Err(JsonPatchError::CopyTooLarge {
                copied,
                limit: self.limit,
            });
        }
        self.copied = copied;
        let added = place.add(value);
        added.or_else(|error| fail(format!("error while adding value during copy: {error}")))
    }

    fn test(&mut self, operation: &Map<String, Value>) -> Result<(), JsonPatchError> {
        let path = match path(operation) {
            Ok(path) => path,
            Err(error) => return fail(format!("test operation failed to decode path: {error}")),
        };
        let failed = || fail(format!("testing value {path} failed: {TEST_FAILED}"));
        let expected = operation.get("value").unwrap_or(&Value::Null);
        if path.is_empty() {
            return if self.document == *expected {
                Ok(())
            } else {
                failed()
            };
        }
        let Some(place) = find(&mut self.document, &path) else {
            return fail(format!(
                "test operation does not apply: is missing path: {path}: {MISSING}"
            ));
        };
        match place.get() {
            Ok(found) if found.unwrap_or(&Value::Null) == expected => Ok(()),
            Ok(_) => failed(),
            Err(error) => fail(format!("error in test for path: '{path}': {error}")),
        }
    }

    /// Takes note of a move from one depth to another, and refuses what goes too deep.
    fn deepen(&mut self, from: &str, to: &str, value: &Value) -> Result<(), JsonPatchError> {
        self.deepening += parts(to).saturating_sub(parts(from));
        if self.deepening > MAX_DEPTH / 2 {
            if depth(&self.document).max(parts(to) + depth(value)) > MAX_DEPTH / 2 {
                return Err(JsonPatchError::TooDeep);
            }
            self.deepening = 0;
        }
        Ok(())
    }
}

/// The depth of a value, found without recursion.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut open = vec![(value, 1)];
    while let Some((value, depth)) = open.pop() {
        deepest = deepest.max(depth);
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => open.extend(map.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    deepest
}

/// Go's `strconv.Atoi` with its error text.
fn index(key: &str) -> Result<i64, String> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    key.parse().map_err(|error: std::num::ParseIntError| {
        let why = match error.kind() {
            PosOverflow | NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.Atoi: parsing {}: {why}", quote(key))
    })
}

impl Place<'_> {
    fn invalid_index(index: i64) -> String {
        format!("Unable to access invalid index: {index}: invalid index referenced")
    }

    /// The place of an index in a list of `length` items, if it is one of them.
    fn position(key: &str, length: usize) -> Result<usize, String> {
        let index = index(key)?;
        let length_signed = length as i64;
        let at = if index < 0 {
            index + length_signed
        } else {
            index
        };
        if (0..length_signed).contains(&at) {
            Ok(at as usize)
        } else {
            Err(Self::invalid_index(index))
        }
    }

    /// The value here. A missing field has none, a missing item is an error.
    fn get(&self) -> Result<Option<&Value>, String> {
        match self {
            Self::Field(map, key) => Ok(map.get(key)),
            Self::Item(list, key) => {
                let at = Self::position(key, list.len())?;
                Ok(list.get(at))
            }
        }
    }

    /// Puts another value here; a missing field is made, a missing item is an error.
    fn replace(self, value: Value) -> Result<(), String> {
        match self {
            Self::Field(map, key) => {
                map.insert(key, value);
            }
            Self::Item(list, key) => {
                let at = Self::position(&key, list.len())?;
                list[at] = value;
            }
        }
        Ok(())
    }

    fn add(self, value: Value) -> Result<(), String> {
        match self {
            Self::Field(map, key) => {
                map.insert(key, value);
            }
            Self::Item(list, key) if key == "-" => list.push(value),
            Self::Item(list, key) => {
                let index = index(&key).map_err(|error| {
                    format!("value was not a proper array index: '{key}': {error}")
                })?;
                // One more place than there are items: behind the last.
                let length = list.len() as i64 + 1;
                let at = if index < 0 { index + length } else { index };
                if !(0..length).contains(&at) {
                    return Err(Self::invalid_index(index));
                }
                list.insert(at as usize, value);
            }
        }
        Ok(())
    }

    fn remove(self) -> Result<Value, String> {
        match self {
            Self::Field(map, key) => map
                .remove(&key)
                .ok_or_else(|| format!("Unable to remove nonexistent key: {key}: {MISSING}")),
            Self::Item(list, key) => {
                let at = Self::position(&key, list.len())?;
                Ok(list.remove(at))
            }
        }
    }
}

#[cfg(test)]
mod tests;
