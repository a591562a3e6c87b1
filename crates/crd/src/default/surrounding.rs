//! A default value, put where it belongs in an otherwise empty object, and taken out again.

use serde_json::{Map, Value};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index,
}

/// The way from the root of an object to a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place(Vec<Step>);

impl Place {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    /// An object that holds only `value`, at this place. `None` if that is no object.
    pub(super) fn surround(&self, value: Value) -> Option<Value> {
        let object = self.0.iter().rev().fold(value, |inner, step| match step {
            Step::Key(name) => {
                let mut map = Map::new();
                map.insert(name.clone(), inner);
                Value::Object(map)
            }
            Step::Index => Value::Array(vec![inner]),
        });
        object.is_object().then_some(object)
    }

    /// Like [`Place::surround`], with the type of a made-up object where none is given.
    pub(super) fn surround_with_type(&self, value: Value) -> Option<Value> {
        let mut object = self.surround(value)?;
        let map = object.as_object_mut()?;
        map.entry("kind").or_insert_with(|| "Validation".into());
        map.entry("apiVersion")
            .or_insert_with(|| "validation/v1".into());
        Some(object)
    }

    /// What is at this place in `object`.
    pub(super) fn extract(&self, object: Value) -> Option<Value> {
        self.0
            .iter()
            .try_fold(object, |value, step| match (step, value) {
                (Step::Key(name), Value::Object(mut map)) => map.remove(name),
                (Step::Index, Value::Array(items)) => items.into_iter().next(),
                _ => None,
            })
    }
}
