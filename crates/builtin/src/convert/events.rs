//! Events of the core group and of `events.k8s.io`: the same fields by other names.

use serde_json::{Map, Value};

/// Names in the core group and in `events.k8s.io`.
const FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// Fields that the core group always shows and `events.k8s.io` only where they say something.
const REPORTERS: [&str; 2] = ["reportingController", "reportingInstance"];

pub(super) fn to_modern(event: &mut Value) {
    rename(event, |(legacy, modern)| (legacy, modern));
    if let Some(map) = event.as_object_mut() {
        map.retain(|key, value| !(REPORTERS.contains(&key.as_str()) && *value == ""));
    }
}

pub(super) fn to_legacy(event: &mut Value) {
    if let Some(map) = event.as_object_mut() {
        for field in REPORTERS {
            map.entry(field).or_insert_with(|| Value::from(""));
        }
    }
    rename(event, |(legacy, modern)| (modern, legacy));
}

type Names = (&'static str, &'static str);

fn rename(event: &mut Value, names: fn(Names) -> Names) {
    let Some(map) = event.as_object_mut() else {
        return;
    };
    let renamed: Map<String, Value> = std::mem::take(map)
        .into_iter()
        .map(|(key, value)| {
            let pair = FIELDS
                .iter()
                .copied()
                .map(names)
                .find(|(from, _)| *from == key);
            (pair.map_or(key, |(_, to)| to.to_owned()), value)
        })
        .collect();
    *map = renamed;
}
