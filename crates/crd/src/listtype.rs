//! Lists that are sets or maps: no item and no key may be there twice.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/listtype`.

use std::collections::HashMap;

use object::field::{Error, ErrorList, Path};
use serde_json::{Map, Value};

use crate::schema::Schema;

/// Checks all lists with `x-kubernetes-list-type: set` or `map` in `value`.
pub fn validate(path: &Path, schema: &Schema, value: &Value) -> ErrorList {
    let mut errors = Vec::new();
    visit(path, schema, value, &mut errors);
    errors
}

fn visit(path: &Path, schema: &Schema, value: &Value, errors: &mut ErrorList) {
    match value {
        Value::Array(items) => {
            match schema.list_type.as_deref() {
                Some("set") => {
                    for index in repeated(items.iter().map(Some)) {
                        errors.push(Error::duplicate(&path.index(index), items[index].clone()));
                    }
                }
                Some("map") => list_map(path, schema, items, errors),
                _ => {}
            }
            if let Some(schema) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    if item.is_object() || item.is_array() {
                        visit(&path.index(index), schema, item, errors);
                    }
                }
            }
        }
        Value::Object(map) => {
            if let Some(values) = schema.additional_schema() {
                for (name, value) in map {
                    if value.is_object() || value.is_array() {
                        visit(&path.key(name), values, value, errors);
                    }
                }
            }
            for (name, value) in map {
                if let Some(field) = schema.properties.get(name)
                    && (value.is_object() || value.is_array())
                {
                    visit(&path.child(name), field, value, errors);
                }
            }
        }
        _ => {}
    }
}

/// The indices at which an item stands for the second time. `None` equals only `None`.
fn repeated<'a>(items: impl Iterator<Item = Option<&'a Value>>) -> Vec<usize> {
    let mut seen: HashMap<Option<String>, u32> = HashMap::new();
    let mut found = Vec::new();
    for (index, item) in items.enumerate() {
        let times = seen.entry(item.map(Value::to_string)).or_default();
        *times += 1;
        if *times == 2 {
            found.push(index);
        }
    }
    found
}

fn list_map(path: &Path, schema: &Schema, items: &[Value], errors: &mut ErrorList) {
    if let Some(index) = items
        .iter()
        .position(|item| !item.is_object() && !item.is_null())
    {
        errors.push(Error::invalid(
            &path.index(index),
            items[index].clone(),
            "must be an object for an array of list-type map",
        ));
        return;
    }
    if items.len() <= 1 {
        return;
    }
    if let [key] = schema.list_map_keys.as_slice() {
        let keys: Vec<Option<&Value>> = items.iter().map(|item| item.get(key)).collect();
        for index in repeated(keys.iter().copied()) {
            let mut shown = Map::new();
            if let Some(value) = keys[index] {
                shown.insert(key.clone(), value.clone());
            }
            errors.push(Error::duplicate(&path.index(index), Value::Object(shown)));
        }
        return;
    }
    let keys: Vec<Value> = items
        .iter()
        .map(|item| {
            let present = schema.list_map_keys.iter();
            Value::Object(
                present
                    .filter_map(|key| Some((key.clone(), item.get(key)?.clone())))
                    .collect(),
            )
        })
        .collect();
    for index in repeated(keys.iter().map(Some)) {
        errors.push(Error::duplicate(&path.index(index), keys[index].clone()));
    }
}
