//! The `fieldsV1` form of a set.
//!
//! A field is an object key; its value has a key for each field below it, and `.` if it is itself a
//! member although it has members below it. Source: structured-merge-diff `fieldpath/serialize.go`.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Child, Set};
use crate::smd::MAX_DEPTH;
use crate::smd::path::{PathElement, PathElementError};
use crate::smd::value::write_json_text;

/// A `fieldsV1` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    /// Something that is not an object stands where the fields below a field belong.
    #[error("expected an object with fields, got {0}")]
    NotAnObject(&'static str),
    /// A key names no path element.
    #[error("parsing key as path element: {0}")]
    Element(#[from] PathElementError),
    /// It is nested deeper than [`MAX_DEPTH`].
    #[error("fields are nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// One entry of a level: whether the field is a member, and the set below it.
struct Entry<'a> {
    element: &'a PathElement,
    is_member: bool,
    below: Option<&'a Set>,
}

impl Set {
    /// Members and children of this level in their joint order.
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let (mut i, mut j) = (0, 0);
        std::iter::from_fn(move || {
            let member = self.members.get(i);
            let child = self.children.get(j);
            let order = match (member, child) {
                (None, None) => return None,
                (Some(member), Some(child)) => member.cmp(&child.element),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
            };
            i += usize::from(order.is_le());
            j += usize::from(order.is_ge());
            let member = member.filter(|_| order.is_le());
            let child = child.filter(|_| order.is_ge());
            Some(Entry {
                element: member.or(child.map(|child| &child.element))?,
                is_member: member.is_some(),
                below: child.map(|child| &*child.set),
            })
        })
    }

    /// The `fieldsV1` object. Its keys are in the order of the JSON library's maps; for the bytes as
    /// the Go library writes them see [`Set::to_json`].
    pub fn to_value(&self) -> Value {
        Value::Object(self.to_map(false))
    }

    fn to_map(&self, is_member: bool) -> Map<String, Value> {
        let mut map = Map::new();
        if is_member && !(self.members.is_empty() && self.children.is_empty()) {
            map.insert(".".to_owned(), Value::Object(Map::new()));
        }
        for entry in self.entries() {
            let size = entry.element.as_field().map_or(32, |name| name.len() + 2);
            let mut key = String::with_capacity(size);
            entry.element.write(&mut key);
            let below = match entry.below {
                Some(set) => set.to_map(entry.is_member),
                None => Map::new(),
            };
            map.insert(key, Value::Object(below));
        }
        map
    }

    /// The `fieldsV1` object as compact JSON, its keys in the order of the path elements: fields,
    /// keys, values, indices.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(false, &mut out);
        out
    }

    fn write_json(&self, is_member: bool, out: &mut String) {
        out.push('{');
        let mut first = true;
        if is_member && !(self.members.is_empty() && self.children.is_empty()) {
            out.push_str("\".\":{}");
            first = false;
        }
        let mut key = String::new();
        for entry in self.entries() {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            key.clear();
            entry.element.write(&mut key);
            write_json_text(out, &key, false);
            out.push(':');
            match entry.below {
                Some(set) => set.write_json(entry.is_member, out),
                None => out.push_str("{}"),
            }
        }
        out.push('}');
    }

    /// Reads a `fieldsV1` object; `null` is the empty set.
    ///
    /// Elements of unknown kinds are dropped, with all that is below them.
    pub fn from_value(fields: &Value) -> Result<Self, FieldsError> {
        let (set, _) = read(fields, 0)?;
        Ok(set.unwrap_or_default())
    }
}

/// Reads what is below one field: the set, and whether the field itself is a member.
fn read(fields: &Value, depth: usize) -> Result<(Option<Set>, bool), FieldsError> {
    if depth > MAX_DEPTH {
        return Err(FieldsError::TooDeep);
    }
    let map = match fields {
        Value::Object(map) => map,
        Value::Null => return Ok((None, true)),
        Value::Bool(_) => return Err(FieldsError::NotAnObject("a boolean")),
        Value::Number(_) => return Err(FieldsError::NotAnObject("a number")),
        Value::String(_) => return Err(FieldsError::NotAnObject("a text")),
        Value::Array(_) => return Err(FieldsError::NotAnObject("a list")),
    };
    let mut is_member = false;
    let mut set: Option<Set> = None;
    for (key, below) in map {
        if key == "." {
            is_member = true;
            continue;
        }
        let Some(element) = PathElement::parse(key)? else {
            continue;
        };
        let (child, child_is_member) = read(below, depth + 1)?;
        let set = set.get_or_insert_with(|| Set {
            members: Vec::with_capacity(map.len()),
            children: Vec::new(),
        });
        if child_is_member {
            set.insert_member(element.clone());
        }
        if let Some(child) = child {
            // The same element in two spellings: the last one counts, as upstream.
            match set.find_child(&element) {
                Ok(index) => set.children[index].set = Arc::new(child),
                Err(index) => {
                    let set_of_child = Arc::new(child);
                    set.children.insert(
                        index,
                        Child {
                            element,
                            set: set_of_child,
                        },
                    );
                }
            }
        }
    }
    let is_member = is_member || set.is_none();
    Ok((set, is_member))
}
