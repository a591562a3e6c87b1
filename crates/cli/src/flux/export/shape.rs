//! Specs as Flux's Go types write them: durations in Go's form, and without fields at their zero value
//! where the type leaves those out.

use object::time::Duration;
use serde_json::{Map, Value};

use crate::flux::cluster::kinds::Kind;

/// Fields that are durations, wherever they stand.
const DURATIONS: [&str; 4] = [
    "interval",
    "timeout",
    "retryInterval",
    "serviceAccountTokenTTL",
];

/// Fields that Go's types write although they are `false`, `0` or empty: pointers, and those without
/// `omitempty`.
const KEPT: [&str; 10] = [
    "extract",
    "ignoreTestFailures",
    "issuer",
    "maxHistory",
    "pattern",
    "persistentClient",
    "prune",
    "remediateLastFailure",
    "serverSideApply",
    "subject",
];

/// The spec as it is exported.
pub(super) fn spec(kind: &Kind, spec: &Value) -> Value {
    match spec {
        Value::Object(fields) => {
            let mut fields = object(kind, &[], fields);
            if let Some(Value::Object(filter)) = fields.get_mut("filterTags") {
                filter.entry("extract").or_insert_with(|| "".into());
            }
            Value::Object(fields)
        }
        _ => Value::Object(Map::new()),
    }
}

/// Whether the field holds what the user wrote, not what a type says.
fn is_free(kind: &Kind, path: &[&str], field: &str) -> bool {
    matches!(
        (kind.kind, path, field),
        ("HelmRelease", [], "values")
            | ("Kustomization", ["postBuild"], "substitute")
            | (_, [.., "patches"], "patch")
            | (
                _,
                _,
                "matchLabels" | "labels" | "annotations" | "eventMetadata"
            )
    )
}

fn object(kind: &Kind, path: &[&str], fields: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (field, value) in fields {
        if is_free(kind, path, field) {
            out.insert(field.clone(), value.clone());
            continue;
        }
        let inner: Vec<&str> = path.iter().copied().chain([field.as_str()]).collect();
        let value = match value {
            Value::String(text) if DURATIONS.contains(&field.as_str()) => duration(text),
            Value::Object(map) => Value::Object(object(kind, &inner, map)),
            Value::Array(items) => items
                .iter()
                .map(|item| match item {
                    Value::Object(map) => Value::Object(object(kind, &inner, map)),
                    other => other.clone(),
                })
                .collect(),
            other => other.clone(),
        };
        if !is_left_out(field, &value) {
            out.insert(field.clone(), value);
        }
    }
    out
}

fn duration(text: &str) -> Value {
    match Duration::parse(text) {
        Ok(duration) => duration.to_string().into(),
        Err(_) => text.into(),
    }
}

/// Whether Go's encoder leaves the field out: at the zero value of its type, with few exceptions.
fn is_left_out(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on && !KEPT.contains(&field),
        Value::Number(number) => number.as_i64() == Some(0) && !KEPT.contains(&field),
        Value::String(text) => text.is_empty() && !KEPT.contains(&field),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flux::cluster::kinds::{HELM_RELEASE, IMAGE_POLICY};

    #[test]
    fn zero_values_are_left_out_unless_they_are_pointers() {
        let release = json!({
            "interval": "5m", "suspend": false, "maxHistory": 0, "persistentClient": false,
            "install": {"remediation": {"retries": 0, "remediateLastFailure": false}, "skipCRDs": false},
            "values": {"a": false, "b": "", "interval": "1m"},
        });
        let exported = json!({
            "interval": "5m0s", "maxHistory": 0, "persistentClient": false,
            "install": {"remediation": {"remediateLastFailure": false}},
            "values": {"a": false, "b": "", "interval": "1m"},
        });
        assert_eq!(spec(&HELM_RELEASE, &release), exported);
    }

    #[test]
    fn what_types_always_write_is_there() {
        let policy = json!({"filterTags": {"pattern": "^v"}});
        assert_eq!(spec(&IMAGE_POLICY, &policy)["filterTags"]["extract"], "");
    }
}
