//! JSON pointers into objects, with the liberties that Flux takes.

use object::Value;

/// The parts of a pointer, unescaped. `None` if it does not begin with a slash.
pub(crate) fn parts(pointer: &str) -> Option<Vec<String>> {
    let rest = pointer.strip_prefix('/')?;
    Some(
        rest.split('/')
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

/// The place in a list that a part means; negative ones count from the end.
fn place(part: &str, length: usize) -> Option<usize> {
    let index: isize = part.parse().ok()?;
    let index = if index < 0 {
        index + isize::try_from(length).ok()?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|index| *index < length)
}

fn step<'a>(value: &'a mut Value, part: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(fields) => fields.get_mut(part),
        Value::Array(items) => {
            let place = place(part, items.len())?;
            items.get_mut(place)
        }
        _ => None,
    }
}

/// Removes the value at a pointer; one that is not there is no error.
pub(crate) fn remove(object: &mut Value, pointer: &str) {
    let Some(parts) = parts(pointer) else {
        return;
    };
    let Some((last, parents)) = parts.split_last() else {
        return;
    };
    let parent = parents
        .iter()
        .try_fold(object, |value, part| step(value, part));
    match parent {
        Some(Value::Object(fields)) => {
            fields.remove(last);
        }
        Some(Value::Array(items)) => {
            if let Some(place) = place(last, items.len()) {
                items.remove(place);
            }
        }
        _ => {}
    }
}

/// Replaces the value at a pointer, if there is one.
pub(crate) fn replace(object: &mut Value, pointer: &str, new: Value) {
    let Some(parts) = parts(pointer) else {
        return;
    };
    if let Some(value) = parts
        .iter()
        .try_fold(object, |value, part| step(value, part))
    {
        *value = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_removed_and_replaced_where_they_are() {
        let start = json!({"a": {"b/c": 1, "l": [1, 2, 3]}});
        for (pointer, expected) in [
            ("/a/b~1c", json!({"a": {"l": [1, 2, 3]}})),
            ("/a/l/0", json!({"a": {"b/c": 1, "l": [2, 3]}})),
            ("/a/l/-1", json!({"a": {"b/c": 1, "l": [1, 2]}})),
            ("/a/l/7", start.clone()),
            ("/a/x/y", start.clone()),
            ("a", start.clone()),
            ("/a", json!({})),
        ] {
            let mut object = start.clone();
            remove(&mut object, pointer);
            assert_eq!(object, expected, "{pointer}");
        }
        let mut object = start.clone();
        replace(&mut object, "/a/l/1", json!("x"));
        replace(&mut object, "/a/none", json!("x"));
        assert_eq!(object, json!({"a": {"b/c": 1, "l": [1, "x", 3]}}));
    }
}
