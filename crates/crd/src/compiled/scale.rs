//! The scale subresource: where replicas and the selector stand in an object.

use object::field::{Error, ErrorList, Path};
use object::goprint;
use serde_json::{Map, Value};

/// The paths of a scale subresource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// The wanted replicas, below `.spec`.
    pub spec_replicas: String,
    /// The actual replicas, below `.status`.
    pub status_replicas: String,
    /// The selector of the pods, as a text.
    pub label_selector: Option<String>,
}

/// The value at a path such as `.spec.replicas`; the error is Go's about what is no object.
fn at<'a>(object: &'a Value, path: &str) -> Result<Option<&'a Value>, String> {
    let mut value = object;
    let mut seen = String::new();
    for name in path.trim_start_matches('.').split('.') {
        match value {
            Value::Object(map) => {
                seen.push('.');
                seen.push_str(name);
                match map.get(name) {
                    Some(found) => value = found,
                    None => return Ok(None),
                }
            }
            Value::Null => return Ok(None),
            other => {
                return Err(format!(
                    "{seen} accessor error: {} is of the type {}, expected map[string]interface{{}}",
                    goprint::verb_v(other),
                    goprint::type_name(other)
                ));
            }
        }
    }
    Ok(Some(value))
}

fn wrong_type(path: &str, value: &Value, expected: &str) -> String {
    format!(
        "{path} accessor error: {} is of the type {}, expected {expected}",
        goprint::verb_v(value),
        goprint::type_name(value)
    )
}

fn integer(object: &Value, path: &str) -> Result<Option<i64>, String> {
    match at(object, path)? {
        None => Ok(None),
        Some(Value::Number(number)) if goprint::is_int64(number) => Ok(number.as_i64()),
        Some(other) => Err(wrong_type(path, other, "int64")),
    }
}

fn check_replicas(object: &Value, path: &str, errors: &mut ErrorList) {
    let place = Path::new(path);
    match integer(object, path) {
        Err(detail) => errors.push(Error::invalid(&place, 0, detail)),
        Ok(Some(replicas)) if replicas < 0 => {
            errors.push(Error::invalid(
                &place,
                replicas,
                "should be a non-negative integer",
            ));
        }
        Ok(Some(replicas)) if replicas > i64::from(i32::MAX) => {
            let detail = format!("should be less than or equal to {}", i32::MAX);
            errors.push(Error::invalid(&place, replicas, detail));
        }
        Ok(_) => {}
    }
}

impl Scale {
    pub(super) fn read(scale: &Value) -> Self {
        Self {
            spec_replicas: super::text(scale, "specReplicasPath"),
            status_replicas: super::text(scale, "statusReplicasPath"),
            label_selector: scale
                .get("labelSelectorPath")
                .and_then(Value::as_str)
                .map(str::to_owned),
        }
    }

    /// The wanted replicas; `None` if the object gives none.
    pub fn replicas(&self, object: &Value) -> Option<i64> {
        integer(object, &self.spec_replicas).ok().flatten()
    }

    /// The actual replicas; 0 if the object gives none.
    pub fn actual_replicas(&self, object: &Value) -> i64 {
        integer(object, &self.status_replicas)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// The selector of the pods; empty if the object gives none.
    pub fn selector<'a>(&self, object: &'a Value) -> &'a str {
        let path = self.label_selector.as_deref().unwrap_or_default();
        if path.is_empty() {
            return "";
        }
        at(object, path)
            .ok()
            .flatten()
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Sets the wanted replicas; false if something on the way is no object.
    pub fn set_replicas(&self, object: &mut Value, replicas: i64) -> bool {
        let mut value = object;
        for name in self.spec_replicas.trim_start_matches('.').split('.') {
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            match value {
                Value::Object(map) => value = map.entry(name).or_insert(Value::Null),
                _ => return false,
            }
        }
        *value = replicas.into();
        true
    }

    pub(super) fn check_spec(&self, object: &Value, errors: &mut ErrorList) {
        check_replicas(object, &self.spec_replicas, errors);
    }

    pub(super) fn check_status(&self, object: &Value, errors: &mut ErrorList) {
        check_replicas(object, &self.status_replicas, errors);
        let Some(path) = self.label_selector.as_deref() else {
            return;
        };
        let detail = match at(object, path) {
            Err(detail) => detail,
            Ok(Some(value)) if !value.is_string() => wrong_type(path, value, "string"),
            Ok(_) => return,
        };
        errors.push(Error::invalid(&Path::new(path), "", detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn replicas_are_read_and_set() {
        let scale = Scale {
            spec_replicas: ".spec.size".to_owned(),
            status_replicas: ".status.size".to_owned(),
            label_selector: Some(".status.selector".to_owned()),
        };
        let mut object = json!({"status": {"size": 2, "selector": "a=b"}});
        assert_eq!(scale.replicas(&object), None);
        assert!(scale.set_replicas(&mut object, 3));
        assert_eq!(scale.replicas(&object), Some(3));
        assert_eq!(scale.actual_replicas(&object), 2);
        assert_eq!(scale.selector(&object), "a=b");
        object["spec"]["size"] = json!(-1);
        let mut errors = Vec::new();
        scale.check_spec(&object, &mut errors);
        assert_eq!(
            object::field::join(&errors),
            ".spec.size: Invalid value: -1: should be a non-negative integer"
        );
    }
}
