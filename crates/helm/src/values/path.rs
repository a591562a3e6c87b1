//! Looking values up by dotted paths.

use gotemplate::{Map, Value};

/// The map at a dotted path. Source: Helm `Values.Table`.
pub fn table(values: &Map, path: &str) -> Option<Map> {
    let mut current = values.clone();
    for name in path.split('.') {
        match current.get(name) {
            Some(Value::Map(map)) => current = map,
            _ => return None,
        }
    }
    Some(current)
}

/// The value, no map, at a dotted path. Source: Helm `Values.PathValue`.
pub fn path_value(values: &Map, path: &str) -> Option<Value> {
    let (holder, key) = match path.rsplit_once('.') {
        Some((holder, key)) => (table(values, holder)?, key),
        None => (values.clone(), path),
    };
    holder
        .get(key)
        .filter(|value| !matches!(value, Value::Map(_)))
}
