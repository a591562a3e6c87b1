//! `patchesStrategicMerge` and `patchesJson6902` become `patches`.

use serde_json::{Map, Value, json};

/// Moves the old lists of patches in `fields` to `patches`.
///
/// Kustomize applies strategic merge patches before the other ones, and JSON 6902 patches after them, so
/// that is their order in the new list. A patch becomes text, as Flux handed it to Kustomize.
pub(super) fn up(fields: &mut Map<String, Value>) {
    let strategic = list(fields.remove("patchesStrategicMerge"));
    let json6902 = list(fields.remove("patchesJson6902"));
    if strategic.is_empty() && json6902.is_empty() {
        return;
    }
    let mut patches: Vec<Value> = strategic
        .into_iter()
        .map(|patch| json!({"patch": text(patch)}))
        .collect();
    patches.extend(list(fields.remove("patches")));
    for patch in json6902 {
        let Value::Object(mut patch) = patch else {
            continue;
        };
        let operations = patch.remove("patch").unwrap_or_else(|| json!([]));
        let mut new = json!({"patch": text(operations)});
        if let Some(target) = patch.remove("target") {
            new["target"] = target;
        }
        patches.push(new);
    }
    fields.insert("patches".to_owned(), Value::Array(patches));
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// The patch as text. A strategic merge patch was allowed to be text already.
fn text(patch: Value) -> String {
    match patch {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
