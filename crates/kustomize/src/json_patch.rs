//! JSON patches (RFC 6902) with the behaviour and messages of evanphx/json-patch v4.

use serde_json::{Map, Value};

use crate::error::{BuildError, Result};
use crate::lookup::atoi;

/// A list of operations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonPatch(Vec<Map<String, Value>>);

impl JsonPatch {
    /// Reads a patch from JSON or, if it does not start with `[`, from YAML.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>> {
        let value = if text.starts_with('[') {
            serde_json::from_str(text)
                // Flow YAML that is no JSON is refused as Go's JSON decoder refuses it.
                .map_err(|error| BuildError::new(format!("invalid JSON patch: {error}")))?
        } else {
            yaml::to_json(text.as_bytes())?
        };
        match value {
            Value::Null => Ok(None),
            Value::Array(items) => {
                let mut operations = Vec::with_capacity(items.len());
                for item in items {
                    match item {
                        Value::Object(operation) => operations.push(operation),
                        Value::Null => operations.push(Map::new()),
                        other => return Err(mismatch(&other, "jsonpatch.Operation")),
                    }
                }
                Ok(Some(Self(operations)))
            }
            other => Err(mismatch(&other, "jsonpatch.Patch")),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Applies all operations.
    pub(crate) fn apply(&self, document: &mut Value) -> Result<()> {
        self.0
            .iter()
            .try_for_each(|operation| apply(document, operation))
    }
}

fn mismatch(value: &Value, go_type: &str) -> BuildError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    BuildError::new(format!(
        "json: cannot unmarshal {found} into Go value of type {go_type}"
    ))
}

const MISSING: &str = "missing value";

fn text<'a>(operation: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    operation.get(field).and_then(Value::as_str)
}

fn apply(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    match text(operation, "op").unwrap_or("unknown") {
        "add" => add(document, operation),
        "remove" => remove(document, operation),
        "replace" => replace(document, operation),
        "move" => move_value(document, operation),
        "test" => test(document, operation),
        "copy" => copy(document, operation),
        other => Err(BuildError::new(format!("Unexpected kind: {other}"))),
    }
}

fn value(operation: &Map<String, Value>) -> Value {
    operation.get("value").cloned().unwrap_or(Value::Null)
}

/// The object or list that holds what `path` names, and the last part of the path.
fn container<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    let (last, between) = parts.split_last()?;
    if between.is_empty() {
        return None;
    }
    let mut current = document;
    for part in &between[1..] {
        let next = match current {
            Value::Object(map) => map.get_mut(&decode(part))?,
            Value::Array(list) => {
                let at = index(part, list.len()).ok()?;
                list.get_mut(at)?
            }
            _ => return None,
        };
        if !(next.is_object() || next.is_array()) {
            return None;
        }
        current = next;
    }
    Some((current, decode(last)))
}

fn decode(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

fn not_a_number(key: &str) -> String {
    format!("strconv.Atoi: parsing {key:?}: invalid syntax")
}

fn invalid_index(at: i64) -> String {
    format!("Unable to access invalid index: {at}: invalid index referenced")
}

/// A place in a list; negative ones count from the end.
fn index(key: &str, length: usize) -> std::result::Result<usize, String> {
    let at = atoi(key).ok_or_else(|| not_a_number(key))?;
    let from_start = if at < 0 { at + length as i64 } else { at };
    usize::try_from(from_start)
        .ok()
        .filter(|from_start| *from_start < length)
        .ok_or_else(|| invalid_index(at))
}

/// What is at `key`; a missing key of an object is null without being an error.
fn get(container: &Value, key: &str) -> std::result::Result<Option<Value>, String> {
    match container {
        Value::Object(map) => Ok(map.get(key).cloned()),
        Value::Array(list) => index(key, list.len()).map(|at| Some(list[at].clone())),
        _ => Ok(None),
    }
}

fn insert(container: &mut Value, key: &str, new: Value) -> std::result::Result<(), String> {
    match container {
        Value::Object(map) => {
            map.insert(key.to_owned(), new);
            Ok(())
        }
        Value::Array(list) if key == "-" => {
            list.push(new);
            Ok(())
        }
        Value::Array(list) => {
            let at = atoi(key).ok_or_else(|| {
                format!(
                    "value was not a proper array index: '{key}': {}",
                    not_a_number(key)
                )
            })?;
            let places = list.len() as i64 + 1;
            let from_start = if at < 0 { at + places } else { at };
            if !(0..places).contains(&from_start) {
                return Err(invalid_index(at));
            }
            list.insert(from_start as usize, new);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn take(container: &mut Value, key: &str) -> std::result::Result<(), String> {
    match container {
        Value::Object(map) => match map.remove(key) {
            Some(_) => Ok(()),
            None => Err(format!(
                "Unable to remove nonexistent key: {key}: {MISSING}"
            )),
        },
        Value::Array(list) => {
            let at = index(key, list.len())?;
            list.remove(at);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn add(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let Some(path) = text(operation, "path") else {
        return Err(format!("add operation failed to decode path: {MISSING}").into());
    };
    let Some((container, key)) = container(document, path) else {
        return Err(format!(
            "add operation does not apply: doc is missing path: \"{path}\": {MISSING}"
        )
        .into());
    };
    insert(container, &key, value(operation))
        .map_err(|error| format!("error in add for path: '{path}': {error}").into())
}

fn remove(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let Some(path) = text(operation, "path") else {
        return Err(format!("remove operation failed to decode path: {MISSING}").into());
    };
    let Some((container, key)) = container(document, path) else {
        return Err(format!(
            "remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"
        )
        .into());
    };
    take(container, &key)
        .map_err(|error| format!("error in remove for path: '{path}': {error}").into())
}

fn no_path(operation: &str, field: &str) -> BuildError {
    let text = if field == "path" {
        "operation missing path field"
    } else {
        "operation, missing from field"
    };
    BuildError::new(format!(
        "{operation} operation failed to decode {field}: {text}: {MISSING}"
    ))
}

fn replace(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let path = text(operation, "path").ok_or_else(|| no_path("replace", "path"))?;
    if path.is_empty() {
        let new = value(operation);
        if !(new.is_object() || new.is_array()) {
            return Err("replace operation value must be object or array: %!w(<nil>)".into());
        }
        *document = new;
        return Ok(());
    }
    let Some((container, key)) = container(document, path) else {
        return Err(format!(
            "replace operation does not apply: doc is missing path: {path}: {MISSING}"
        )
        .into());
    };
    if get(container, &key).is_err() {
        return Err(format!(
            "replace operation does not apply: doc is missing key: {path}: {MISSING}"
        )
        .into());
    }
    match container {
        Value::Object(map) => {
            map.insert(key, value(operation));
        }
        Value::Array(list) => {
            let at = index(&key, list.len()).map_err(BuildError::new)?;
            list[at] = value(operation);
        }
        _ => {}
    }
    Ok(())
}

fn move_value(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let from = text(operation, "from").ok_or_else(|| no_path("move", "from"))?;
    let Some((source, key)) = container(document, from) else {
        return Err(format!(
            "move operation does not apply: doc is missing from path: {from}: {MISSING}"
        )
        .into());
    };
    let failure =
        |error: String| BuildError::new(format!("error in move for path: '{key}': {error}"));
    let moved = get(source, &key).map_err(failure)?;
    take(source, &key).map_err(failure)?;
    let path = text(operation, "path").ok_or_else(|| no_path("move", "path"))?;
    let Some((target, key)) = container(document, path) else {
        return Err(format!(
            "move operation does not apply: doc is missing destination path: {path}: {MISSING}"
        )
        .into());
    };
    insert(target, &key, moved.unwrap_or(Value::Null))
        .map_err(|error| format!("error in move for path: '{path}': {error}").into())
}

fn copy(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let from = text(operation, "from").ok_or_else(|| no_path("copy", "from"))?;
    let Some((source, key)) = container(document, from) else {
        return Err(format!(
            "copy operation does not apply: doc is missing from path: {from}: {MISSING}"
        )
        .into());
    };
    let copied = get(source, &key)
        .map_err(|error| BuildError::new(format!("error in copy for from: '{from}': {error}")))?;
    let Some(path) = text(operation, "path") else {
        return Err(format!("copy operation failed to decode path: {MISSING}").into());
    };
    let Some((target, key)) = container(document, path) else {
        return Err(format!(
            "copy operation does not apply: doc is missing destination path: {path}: {MISSING}"
        )
        .into());
    };
    insert(target, &key, copied.unwrap_or(Value::Null))
        .map_err(|error| format!("error while adding value during copy: {error}").into())
}

fn test(document: &mut Value, operation: &Map<String, Value>) -> Result<()> {
    let path = text(operation, "path").ok_or_else(|| no_path("test", "path"))?;
    let failed = || BuildError::new(format!("testing value {path} failed: test failed"));
    let wanted = operation.get("value").filter(|value| !value.is_null());
    if path.is_empty() {
        return if wanted == Some(&*document) {
            Ok(())
        } else {
            Err(failed())
        };
    }
    let Some((container, key)) = container(document, path) else {
        return Err(
            format!("test operation does not apply: is missing path: {path}: {MISSING}").into(),
        );
    };
    let found = get(container, &key)
        .map_err(|error| BuildError::new(format!("error in test for path: '{path}': {error}")))?;
    match (found.filter(|found| !found.is_null()), wanted) {
        (None, None) => Ok(()),
        (Some(found), Some(wanted)) if found == *wanted => Ok(()),
        _ => Err(failed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patch: &str, expected: std::result::Result<&str, &str>) {
        let mut document = serde_json::json!({"a": {"b": [1, 2]}, "c": null});
        let patch = JsonPatch::parse(patch).unwrap().unwrap();
        let result = patch.apply(&mut document).map(|()| document.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(result.map_err(|error| error.message), expected);
    }

    #[test]
    fn operations_do_what_they_do_upstream() {
        check(
            r#"[{"op":"add","path":"/a/b/-","value":3}]"#,
            Ok(r#"{"a":{"b":[1,2,3]},"c":null}"#),
        );
        check(
            "- op: replace\n  path: /a/b/-1\n  value: 9",
            Ok(r#"{"a":{"b":[1,9]},"c":null}"#),
        );
        check(
            r#"[{"op":"test","path":"/c","value":null}]"#,
            Ok(r#"{"a":{"b":[1,2]},"c":null}"#),
        );
        check(
            r#"[{"op":"add","path":"/x/y","value":3}]"#,
            Err("add operation does not apply: doc is missing path: \"/x/y\": missing value"),
        );
        check(
            r#"[{"op":"remove","path":"/x"}]"#,
            Err(
                "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value",
            ),
        );
    }
}
