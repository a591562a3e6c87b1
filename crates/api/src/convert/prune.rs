//! Dropping what a schema does not know, as an API server does, and naming it.

use serde_json::{Map, Value};

use crate::schema::Schema;

/// Drops from `fields` what `target` does not know. What is dropped from the spec is named, unless it has
/// the value that `source`, the schema the object was written in, gives it by default.
pub(super) fn prune(
    fields: &mut Map<String, Value>,
    target: &Schema,
    source: &Schema,
    ignored: &mut Vec<String>,
) {
    let before = ignored.len();
    walk(
        fields,
        target.keywords(),
        Some(source.keywords()),
        "",
        ignored,
    );
    let mut index = before;
    while index < ignored.len() {
        if ignored[index].starts_with("spec.") {
            index += 1;
        } else {
            ignored.remove(index);
        }
    }
}

/// The fields of the spec that `old` knows and `new` does not; of an object that is not known as a whole,
/// only its own path.
pub(super) fn missing(old: &Schema, new: &Schema) -> Vec<String> {
    let mut paths = Vec::new();
    let spec = |schema: &Schema| property(schema.keywords(), "spec").cloned();
    if let (Some(old), Some(new)) = (spec(old), spec(new)) {
        compare(&old, &new, "spec", &mut paths);
    }
    paths
}

fn property<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    schema.get("properties")?.get(name)?.as_object()
}

fn child<'a>(schema: &'a Map<String, Value>, keyword: &str) -> Option<&'a Map<String, Value>> {
    schema.get(keyword)?.as_object()
}

fn walk(
    fields: &mut Map<String, Value>,
    target: &Map<String, Value>,
    source: Option<&Map<String, Value>>,
    path: &str,
    ignored: &mut Vec<String>,
) {
    let names: Vec<String> = fields.keys().cloned().collect();
    for name in names {
        // Metadata has its own rules and is the same in all versions.
        if path.is_empty() && name == "metadata" {
            continue;
        }
        let here = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let old = source.and_then(|source| property(source, &name));
        let Some(schema) =
            property(target, &name).or_else(|| child(target, "additionalProperties"))
        else {
            if target.contains_key("x-kubernetes-preserve-unknown-fields") {
                continue;
            }
            let value = fields.remove(&name);
            if value.as_ref() != old.and_then(|old| old.get("default")) {
                ignored.push(here);
            }
            continue;
        };
        if let Some(value) = fields.get_mut(&name) {
            descend(value, schema, old, &here, ignored);
        }
    }
}

fn descend(
    value: &mut Value,
    target: &Map<String, Value>,
    source: Option<&Map<String, Value>>,
    path: &str,
    ignored: &mut Vec<String>,
) {
    match value {
        Value::Object(fields) if !target.contains_key("x-kubernetes-preserve-unknown-fields") => {
            walk(fields, target, source, path, ignored);
        }
        Value::Array(items) => {
            let Some(schema) = child(target, "items") else {
                return;
            };
            let source = source.and_then(|source| child(source, "items"));
            let path = format!("{path}[]");
            for item in items {
                descend(item, schema, source, &path, ignored);
            }
        }
        _ => {}
    }
}

fn compare(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &str,
    paths: &mut Vec<String>,
) {
    for name in child(old, "properties").into_iter().flat_map(Map::keys) {
        let here = format!("{path}.{name}");
        match (property(old, name), property(new, name)) {
            (Some(old), Some(new)) => compare(old, new, &here, paths),
            (Some(_), None) => paths.push(here),
            _ => {}
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let (Some(old), Some(new)) = (child(old, keyword), child(new, keyword)) {
            let suffix = if keyword == "items" { "[]" } else { "" };
            compare(old, new, &format!("{path}{suffix}"), paths);
        }
    }
}
