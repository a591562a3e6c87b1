//! Which old value belongs to which new one.
//!
//! Source: apiserver `pkg/cel/common/{equality,maplist}.go`.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use crate::schema::Schema;

/// A new value, the old value at the same place, and their schema.
#[derive(Debug, Clone)]
pub struct Correlation<'a> {
    new: &'a Value,
    old: &'a Value,
    schema: &'a Schema,
    list: Option<Rc<MapList<'a>>>,
}

impl<'a> Correlation<'a> {
    /// Puts two values of one schema together.
    pub fn new(new: &'a Value, old: &'a Value, schema: &'a Schema) -> Self {
        let list = match (new, old, schema.list_type.as_deref()) {
            (Value::Array(_), Value::Array(items), Some("map")) => {
                Some(Rc::new(MapList::new(schema, items)))
            }
            _ => None,
        };
        Self {
            new,
            old,
            schema,
            list,
        }
    }

    /// The values of the field `name`, if both objects have it and the schema knows it.
    pub fn key(&self, name: &str) -> Option<Self> {
        let (Value::Object(new), Value::Object(old)) = (self.new, self.old) else {
            return None;
        };
        Some(Self::new(
            new.get(name)?,
            old.get(name)?,
            self.schema.field(name)?,
        ))
    }

    /// The values of the item at `index` of the new list and of the old item with the same keys.
    /// Only lists of type map have these.
    pub fn index(&self, index: usize) -> Option<Self> {
        let new = self.new.as_array()?.get(index)?;
        let old = self.list.as_ref()?.get(new)?;
        Some(Self::new(new, old, self.schema.items.as_deref()?))
    }

    /// Whether the new value equals the old one. Fields that the schema does not know count as changed.
    pub fn is_unchanged(&self) -> bool {
        match (self.new, self.old) {
            (Value::Array(new), Value::Array(old)) => {
                if new.len() != old.len() {
                    return false;
                }
                for index in 0..new.len() {
                    match self.index(index) {
                        Some(child) if child.is_unchanged() => {}
                        None if self.list.is_none() => return new == old,
                        _ => return false,
                    }
                }
                true
            }
            (Value::Object(new), Value::Object(old)) => {
                new.len() == old.len()
                    && new
                        .keys()
                        .all(|name| self.key(name).is_some_and(|child| child.is_unchanged()))
            }
            (new, old) => new == old,
        }
    }
}

/// The items of a list of type map by their keys.
#[derive(Debug, Default)]
pub struct MapList<'a> {
    keys: Vec<String>,
    items: HashMap<String, &'a Value>,
}

impl<'a> MapList<'a> {
    /// The items of an old list. A list of another type gives an empty one.
    pub fn new(schema: &Schema, items: &'a [Value]) -> Self {
        let mut list = Self::default();
        if schema.kind == "array" && schema.list_type.as_deref() == Some("map") {
            list.keys.clone_from(&schema.list_map_keys);
            for item in items {
                if let Some(key) = list.key_of(item) {
                    list.items.entry(key).or_insert(item);
                }
            }
        }
        list
    }

    /// The old item with the keys of `item`.
    pub fn get(&self, item: &Value) -> Option<&'a Value> {
        self.items.get(&self.key_of(item)?).copied()
    }

    fn key_of(&self, item: &Value) -> Option<String> {
        let map = item.as_object()?;
        let mut key = String::new();
        if self.keys.is_empty() {
            return None;
        }
        for name in &self.keys {
            let value = map.get(name)?;
            if value.is_object() || value.is_array() || value.is_null() {
                return None;
            }
            key.push('\0');
            key.push_str(&value.to_string());
        }
        Some(key)
    }
}
