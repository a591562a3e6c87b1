//! Values at a path in a JSON object: `spec.chart.spec.valuesFile`.

use serde_json::{Map, Value};

/// The value at `path`, if every step leads to an object.
pub(super) fn get<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (parents, name) = split(path);
    let mut here = fields;
    for step in parents {
        here = here.get(step)?.as_object()?;
    }
    here.get(name)
}

/// The value at `path`, to change it.
pub(super) fn get_mut<'a>(fields: &'a mut Map<String, Value>, path: &str) -> Option<&'a mut Value> {
    let (parents, name) = split(path);
    parent(fields, parents)?.get_mut(name)
}

/// The text at `path`.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    get(fields, path)?.as_str()
}

/// Removes the value at `path`, and then the objects above it (below the first step) that are left empty.
pub(super) fn take(fields: &mut Map<String, Value>, path: &str) -> Option<Value> {
    let (parents, name) = split(path);
    let parents: Vec<_> = parents.collect();
    let value = parent(fields, parents.iter().copied())?.remove(name)?;
    for depth in (2..=parents.len()).rev() {
        let above = parent(fields, parents[..depth - 1].iter().copied())?;
        let is_empty = above
            .get(parents[depth - 1])
            .and_then(Value::as_object)
            .is_some_and(Map::is_empty);
        if !is_empty {
            break;
        }
        above.remove(parents[depth - 1]);
    }
    Some(value)
}

/// Puts a value at `path`, unless there is one; missing objects above it are made. The value comes back
/// when its place is taken, or is not in an object.
pub(super) fn put(fields: &mut Map<String, Value>, path: &str, value: Value) -> Option<Value> {
    let (parents, name) = split(path);
    let mut here = fields;
    for step in parents {
        let next = here
            .entry(step)
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(next) = next else {
            return Some(value);
        };
        here = next;
    }
    if here.contains_key(name) {
        return Some(value);
    }
    here.insert(name.to_owned(), value);
    None
}

/// Moves the value at `from` to `to`. When there is no room it is dropped, and its path noted.
pub(super) fn rename(
    fields: &mut Map<String, Value>,
    from: &str,
    to: &str,
    ignored: &mut Vec<String>,
) {
    if let Some(value) = take(fields, from)
        && put(fields, to, value).is_some()
    {
        ignored.push(from.to_owned());
    }
}

fn split(path: &str) -> (impl Iterator<Item = &str>, &str) {
    let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
    (parents.split('.').filter(|step| !step.is_empty()), name)
}

fn parent<'a, 'p>(
    fields: &'a mut Map<String, Value>,
    steps: impl Iterator<Item = &'p str>,
) -> Option<&'a mut Map<String, Value>> {
    let mut here = fields;
    for step in steps {
        here = here.get_mut(step)?.as_object_mut()?;
    }
    Some(here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn takes_and_leaves_no_empty_parents() {
        let mut fields = object(json!({"spec": {"a": {"b": {"c": 1}}, "d": 2}}));
        assert_eq!(take(&mut fields, "spec.a.b.c"), Some(json!(1)));
        assert_eq!(Value::Object(fields.clone()), json!({"spec": {"d": 2}}));
        assert_eq!(take(&mut fields, "spec.x.y"), None);
        assert_eq!(take(&mut fields, "spec.d"), Some(json!(2)));
        assert_eq!(Value::Object(fields), json!({"spec": {}}));
    }

    #[test]
    fn renames_only_where_there_is_room() {
        let mut fields = object(json!({"spec": {"old": 1, "older": 2, "text": "x"}}));
        let mut ignored = Vec::new();
        rename(&mut fields, "spec.old", "spec.a.b", &mut ignored);
        rename(&mut fields, "spec.older", "spec.a.b", &mut ignored);
        rename(&mut fields, "spec.missing", "spec.a.b", &mut ignored);
        assert_eq!(
            Value::Object(fields.clone()),
            json!({"spec": {"a": {"b": 1}, "text": "x"}})
        );
        assert_eq!(ignored, ["spec.older"]);
        assert_eq!(put(&mut fields, "spec.text.deep", json!(3)), Some(json!(3)));
    }
}
