//! The identity of the items of a list.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use crate::smd::path::{KeyField, PathElement, compare_keys};
use crate::smd::schema::{List, Relationship, Schema};
use crate::smd::value::compare;

/// The identity of an item, borrowed from the item.
#[derive(Debug, Clone)]
pub(super) enum ItemKey<'a> {
    /// Its only key field.
    One(&'a Arc<str>, &'a Value),
    /// Its key fields, sorted by name.
    Many(Vec<(&'a Arc<str>, &'a Value)>),
    /// Its value, in a set.
    Value(&'a Value),
}

impl<'a> ItemKey<'a> {
    /// The identity of `item` in a list of this type.
    ///
    /// # Errors
    /// Why it has none.
    pub(super) fn of(schema: &'a Schema, list: &'a List, item: &'a Value) -> Result<Self, String> {
        if list.relationship != Relationship::Associative {
            return Err("invalid indexing of non-associative list".to_owned());
        }
        if list.keys.is_empty() {
            return match item {
                Value::Object(_) => {
                    Err("associative list without keys has an element that's a map type".to_owned())
                }
                Value::Array(_) => {
                    Err("not supported: associative list with lists as elements".to_owned())
                }
                Value::Null => Err(
                    "associative list without keys has an element that's an explicit null"
                        .to_owned(),
                ),
                value => Ok(Self::Value(value)),
            };
        }
        let map = match item {
            Value::Null => {
                return Err("associative list with keys may not have a null element".to_owned());
            }
            Value::Object(map) => map,
            _ => {
                return Err("associative list with keys may not have non-map elements".to_owned());
            }
        };
        if let [key] = list.keys.as_slice() {
            return match map.get(&**key) {
                Some(value) => Ok(Self::One(key, value)),
                None => match default_of(schema, list, key)? {
                    Some(value) => Ok(Self::One(key, value)),
                    None => Err(without_keys(list)),
                },
            };
        }
        let mut fields = Vec::with_capacity(list.keys.len());
        for key in &list.keys {
            let value = match map.get(&**key) {
                Some(value) => Some(value),
                None => default_of(schema, list, key)?,
            };
            // A key that is neither there nor has a default: another item than one that has it.
            fields.extend(value.map(|value| (key, value)));
        }
        if fields.is_empty() {
            return Err(without_keys(list));
        }
        fields.sort_by(|left, right| left.0.cmp(right.0));
        Ok(Self::Many(fields))
    }

    /// The path element of the item.
    pub(super) fn to_element(&self) -> PathElement {
        let field = |name: &Arc<str>, value: &Value| KeyField {
            name: Arc::clone(name),
            value: value.clone(),
        };
        match self {
            Self::One(name, value) => PathElement::Key([field(name, value)].into()),
            Self::Many(fields) => PathElement::Key(
                fields
                    .iter()
                    .map(|(name, value)| field(name, value))
                    .collect(),
            ),
            Self::Value(value) => PathElement::value((*value).clone()),
        }
    }

    fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let (one, many) = match self {
            Self::One(name, value) => (Some((&***name, *value)), [].as_slice()),
            Self::Many(fields) => (None, fields.as_slice()),
            Self::Value(_) => (None, [].as_slice()),
        };
        one.into_iter()
            .chain(many.iter().map(|(name, value)| (&***name, *value)))
    }
}

/// The order of path elements. Within one list all identities are of the same kind.
impl Ord for ItemKey<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Value(left), Self::Value(right)) => compare(left, right),
            (left, right) => compare_keys(left.fields(), right.fields()),
        }
    }
}

impl PartialOrd for ItemKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ItemKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ItemKey<'_> {}

fn without_keys(list: &List) -> String {
    let keys: Vec<String> = list
        .keys
        .iter()
        .map(|key| crate::field::quote(key))
        .collect();
    format!(
        "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
        keys.join(" ")
    )
}

/// The default of a key field.
fn default_of<'a>(schema: &'a Schema, list: &List, key: &str) -> Result<Option<&'a Value>, String> {
    let wrap = |why: &str| format!("couldn't find default value for {key}: {why}");
    let atom = match list.element {
        Some(id) => schema
            .resolve(id)
            .map_err(|_| wrap("invalid elementType for list"))?,
        None => return Err(wrap("associative list may not have non-map types")),
    };
    let map = atom
        .map
        .as_ref()
        .ok_or_else(|| wrap("associative list may not have non-map types"))?;
    Ok(map.field(key).and_then(|field| field.default.as_ref()))
}

/// Where each identity is in a list.
pub(super) struct ItemIndex<'a> {
    /// The identities, in the order of the list.
    pub(super) keys: Vec<ItemKey<'a>>,
    /// The positions, sorted by identity and then by position.
    sorted: Vec<usize>,
}

impl<'a> ItemIndex<'a> {
    pub(super) fn new(keys: Vec<ItemKey<'a>>) -> Self {
        let mut sorted: Vec<usize> = (0..keys.len()).collect();
        sorted.sort_by(|left, right| keys[*left].cmp(&keys[*right]));
        Self { keys, sorted }
    }

    /// The positions of an identity, in order; empty if it is not there.
    pub(super) fn positions(&self, key: &ItemKey<'_>) -> &[usize] {
        let start = self
            .sorted
            .partition_point(|position| self.keys[*position] < *key);
        let rest = &self.sorted[start..];
        let count = rest.partition_point(|position| self.keys[*position] == *key);
        &rest[..count]
    }

    /// Whether the item at `position` is the first one of its identity.
    pub(super) fn is_first(&self, position: usize) -> bool {
        self.positions(&self.keys[position]).first() == Some(&position)
    }
}
