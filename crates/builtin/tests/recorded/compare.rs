//! Comparing an outcome with the recorded one.

use std::collections::BTreeSet;

use object::Value;
use object::field::ErrorList;
use serde_json::json;

/// What the server adds, not the strategy: admission, allocation, bookkeeping.
const FOREIGN: &[&str] = &[
    "/metadata/uid",
    "/metadata/resourceVersion",
    "/metadata/creationTimestamp",
    "/metadata/managedFields",
    "/metadata/deletionTimestamp",
    "/spec/clusterIP",
    "/spec/clusterIPs",
    "/spec/healthCheckNodePort",
    "/spec/tolerations",
    "/spec/priority",
    "/spec/preemptionPolicy",
];

/// The outcome of a write.
pub(crate) enum Outcome {
    Object(Value, Vec<String>),
    Errors(ErrorList),
    /// Refused before the strategy is asked.
    Undecodable,
}

/// Leaves out what is empty.
fn prune(value: &mut Value) {
    if let Value::Object(map) = value {
        map.values_mut().for_each(prune);
        map.retain(|_, value| {
            !value.is_null() && *value != json!({}) && *value != json!([]) && *value != json!("")
        });
    } else if let Value::Array(items) = value {
        items.iter_mut().for_each(prune);
    }
}

/// An object without what the server adds.
fn comparable(object: &Value) -> Value {
    let mut object = object.clone();
    for pointer in FOREIGN {
        if let Some((parent, name)) = pointer.rsplit_once('/')
            && let Some(Value::Object(map)) = object.pointer_mut(parent)
        {
            map.remove(name);
        }
    }
    if object["kind"] == "Service" {
        for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
            port.as_object_mut().map(|port| port.remove("nodePort"));
        }
    }
    if ["PersistentVolume", "PersistentVolumeClaim"]
        .contains(&object["kind"].as_str().unwrap_or_default())
        && let Some(map) = object["metadata"].as_object_mut()
    {
        map.remove("finalizers");
    }
    prune(&mut object);
    object
}

/// The first places where two values differ.
fn differences(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = format!("{path}.{key}");
                differences(
                    &path,
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{index}]"), a, b, found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{path}: {ours} is not {theirs}")),
    }
}

/// What is wrong with our outcome of a step.
pub(crate) fn judge(outcome: &Outcome, expect: &Value) -> Result<(), String> {
    let body = &expect["body"];
    let causes: BTreeSet<(String, String, String)> = body["details"]["causes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|cause| {
            let text = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
            (text("field"), text("reason"), text("message"))
        })
        .collect();
    match outcome {
        Outcome::Errors(errors) if expect["status"] == 422 => {
            let ours: BTreeSet<_> = errors
                .iter()
                .map(|error| {
                    (
                        error.field.clone(),
                        error.kind.reason().to_owned(),
                        error.body(),
                    )
                })
                .collect();
            if ours == causes {
                return Ok(());
            }
            let extra: Vec<_> = ours.difference(&causes).collect();
            let missing: Vec<_> = causes.difference(&ours).collect();
            Err(format!("\n    extra {extra:?}\n    missing {missing:?}"))
        }
        Outcome::Errors(errors) => Err(format!(
            "errors instead of {}: {errors:?}",
            expect["status"]
        )),
        Outcome::Object(..) if expect["status"] == 422 => {
            Err(format!("no errors\n    missing {causes:?}"))
        }
        Outcome::Object(object, warnings) if body["kind"] == object["kind"] => {
            let (ours, mut theirs) = (comparable(object), comparable(body));
            if body["metadata"]["generateName"].is_string() {
                theirs["metadata"]["name"] = ours["metadata"]["name"].clone();
            }
            let mut found = Vec::new();
            differences("", &ours, &theirs, &mut found);
            let told = told_warnings(expect);
            if *warnings != told {
                found.push(format!("warnings {warnings:?} are not {told:?}"));
            }
            if found.is_empty() {
                Ok(())
            } else {
                Err(format!("\n    {}", found.join("\n    ")))
            }
        }
        Outcome::Undecodable | Outcome::Object(..) => Ok(()),
    }
}

/// The warnings that the strategy gives; those of deprecated versions are the server's.
fn told_warnings(expect: &Value) -> Vec<String> {
    let header = &expect["headers"]["Warning"];
    let lines: Vec<&Value> = match header {
        Value::Array(lines) => lines.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    };
    lines
        .into_iter()
        .filter_map(|line| line.as_str()?.strip_prefix("299 - \"")?.strip_suffix('"'))
        .map(|text| text.replace("\\\"", "\"").replace("\\\\", "\\"))
        .filter(|text| {
            !text.starts_with("unknown field") && !text.contains(" is deprecated in v1.")
        })
        .collect()
}
