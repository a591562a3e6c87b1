//! HelmRelease, and the values file that HelmChart had as well.

use serde_json::{Map, Value, json};

use super::{Moves, patches, path};

pub(super) const MOVES: Moves = Moves {
    carried: &[
        "spec.chart.spec.valuesFile",
        "spec.postRenderers[].kustomize.patchesJson6902",
        "spec.postRenderers[].kustomize.patchesStrategicMerge",
    ],
    up,
    down,
    ..super::NONE
};

fn up(fields: &mut Map<String, Value>, _ignored: &mut Vec<String>) {
    values_file_up(fields, "spec.chart.spec");
    let Some(Value::Array(renderers)) = path::get_mut(fields, "spec.postRenderers") else {
        return;
    };
    for renderer in renderers {
        if let Some(Value::Object(kustomize)) = renderer.get_mut("kustomize") {
            patches::up(kustomize);
        }
    }
}

fn down(fields: &mut Map<String, Value>, version: &str, ignored: &mut Vec<String>) {
    if version == "v2alpha1" {
        values_file_down(fields, "spec.chart.spec", ignored);
    }
}

/// `valuesFile` goes before `valuesFiles`: source-controller merged it first.
pub(super) fn values_file_up(fields: &mut Map<String, Value>, spec: &str) {
    let Some(Value::Object(spec)) = path::get_mut(fields, spec) else {
        return;
    };
    let Some(Value::String(file)) = spec.remove("valuesFile") else {
        return;
    };
    if file.is_empty() {
        return;
    }
    match spec.entry("valuesFiles").or_insert_with(|| json!([])) {
        Value::Array(files) => files.insert(0, Value::String(file)),
        other => *other = json!([file]),
    }
}

/// For versions that knew one file only.
pub(super) fn values_file_down(
    fields: &mut Map<String, Value>,
    spec: &str,
    ignored: &mut Vec<String>,
) {
    let path = format!("{spec}.valuesFiles");
    match path::take(fields, &path) {
        Some(Value::Array(files)) if files.len() == 1 => {
            let file = files.into_iter().next().unwrap_or_default();
            path::put(fields, &format!("{spec}.valuesFile"), file);
        }
        Some(Value::Array(files)) if !files.is_empty() => ignored.push(path),
        _ => {}
    }
}
