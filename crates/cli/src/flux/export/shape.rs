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

/// Boolean fields that are pointers in the Go types, so that `false` is written, too; and those that
/// are always written.
const KEPT_FALSE: [&str; 20] = [
    "prune",
    "remediateLastFailure",
    "ignoreTestFailures",
    "persistentClient",
    "enableHelmHooks",
    "strictMode",
    "atomic",
    "force",
    "preserveValues",
    "optional",
    "disableWait",
    "disableHooks",
    "deepCopy",
    "keepHistory",
    "skipCRDs",
    "cleanupOnFail",
    "recreate",
    "replace",
    "disableTakeOwnership",
    "createNamespace",
];

/// The spec as it is exported.
pub(super) fn spec(kind: &Kind, spec: &Value) -> Value {
    match spec {
        Value::Object(fields) => Value::Object(object(kind, &[], fields)),
        _ => Value::Object(Map::new()),
    }
}

/// Whether the field holds what the user wrote, not what a type says.
fn is_free(kind: &Kind, path: &[&str], field: &str) -> bool {
    match (kind.kind, path, field) {
        ("HelmRelease", [], "values") | (_, [.., "patches"], "patch") => true,
        ("Kustomization", ["postBuild"], "substitute") => true,
        (_, _, "matchLabels" | "labels" | "annotations" | "eventMetadata") => true,
        _ => false,
    }
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
        if !is_left_out(kind, path, field, &value) {
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

fn is_left_out(kind: &Kind, path: &[&str], field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(false) => {
            let pointer =
                KEPT_FALSE.contains(&field) && kind.kind == "HelmRelease" && !path.is_empty();
            let pointer = pointer
                && matches!(
                    field,
                    "remediateLastFailure" | "ignoreTestFailures" | "disableTakeOwnership"
                );
            !(pointer || field == "prune" || field == "persistentClient")
        }
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
