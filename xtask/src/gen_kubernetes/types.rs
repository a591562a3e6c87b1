//! The types: Go's view (pointers, omitempty, protobuf numbers) and OpenAPI's (defaults, enums, list types) in one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Server;
use crate::TaskError;

/// The schemas of the server's OpenAPI v2 and v3 documents, by type name.
pub(super) struct OpenApi {
    /// v2 has the patch strategies of all types in one place.
    v2: Map<String, Value>,
    /// v3 has defaults, enums and nullable.
    v3: BTreeMap<String, Value>,
    by_gvk: BTreeMap<(String, String, String), String>,
}

impl OpenApi {
    pub(super) fn read(server: &Server) -> Result<Self, TaskError> {
        let mut document = server.get("/openapi/v2")?;
        let Value::Object(v2) = document["definitions"].take() else {
            return Err(TaskError::Other(
                "/openapi/v2 has no definitions".to_owned(),
            ));
        };
        let mut v3 = BTreeMap::new();
        let index = server.get("/openapi/v3")?;
        for entry in index["paths"]
            .as_object()
            .into_iter()
            .flat_map(|paths| paths.values())
        {
            let url = entry["serverRelativeURL"].as_str().unwrap_or_default();
            let mut document = server.get(url)?;
            if let Value::Object(schemas) = document["components"]["schemas"].take() {
                v3.extend(schemas);
            }
        }
        let mut by_gvk = BTreeMap::new();
        for (name, schema) in &v2 {
            for gvk in schema["x-kubernetes-group-version-kind"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let text = |key: &str| gvk[key].as_str().unwrap_or_default().to_owned();
                by_gvk.insert((text("group"), text("version"), text("kind")), name.clone());
            }
        }
        Ok(Self { v2, v3, by_gvk })
    }

    /// The name of the type of a kind.
    pub(super) fn type_of(&self, group: &str, version: &str, kind: &str) -> Option<&str> {
        self.by_gvk
            .get(&(group.to_owned(), version.to_owned(), kind.to_owned()))
            .map(String::as_str)
    }

    /// The field of a type whose description is, or begins with, `text`.
    pub(super) fn field_described(&self, text: &str) -> Option<String> {
        let mut prefix = None;
        for (name, schema) in &self.v2 {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                let description = property["description"].as_str().unwrap_or_default();
                if description == text {
                    return Some(format!("{name}#{field}"));
                }
                if prefix.is_none()
                    && description
                        .strip_prefix(text)
                        .is_some_and(|rest| rest.starts_with("\n\nPossible enum values"))
                {
                    prefix = Some(format!("{name}#{field}"));
                }
            }
        }
        prefix
    }
}

/// One record per type that is reachable from what is served.
pub(super) fn merge(go: &Value, openapi: &OpenApi, resources: &[Value]) -> Vec<Value> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for resource in resources {
        let subresources = resource["subresources"].as_array().into_iter().flatten();
        for record in std::iter::once(resource).chain(subresources) {
            if let Some(name) = record["type"].as_str() {
                reach(name, go, &mut wanted);
                reach(&format!("{name}List"), go, &mut wanted);
            }
        }
    }
    for name in [
        "Status",
        "DeleteOptions",
        "CreateOptions",
        "UpdateOptions",
        "PatchOptions",
        "WatchEvent",
        "Table",
        "PartialObjectMetadataList",
    ] {
        reach(
            &format!("io.k8s.apimachinery.pkg.apis.meta.v1.{name}"),
            go,
            &mut wanted,
        );
    }
    wanted
        .iter()
        .map(|name| {
            let described = described_in(name, &wanted, go, openapi);
            record(name, described, &go[name], openapi)
        })
        .collect()
}

/// The type in whose schema the fields of a type stand: its own, or (for one that OpenAPI does not have
/// because it is only ever inlined) that of a type which inlines it.
fn described_in<'a>(
    name: &'a str,
    wanted: &'a BTreeSet<String>,
    go: &Value,
    openapi: &OpenApi,
) -> &'a str {
    if openapi.v2.contains_key(name) {
        return name;
    }
    let inlines = |parent: &str| {
        let fields = go[parent]["fields"].as_array().into_iter().flatten();
        fields
            .filter(|field| field["i"] == true)
            .any(|field| field["t"] == name)
    };
    let mut parents = wanted.iter().map(String::as_str);
    parents
        .find(|parent| openapi.v2.contains_key(*parent) && inlines(parent))
        .unwrap_or(name)
}

fn reach(name: &str, go: &Value, wanted: &mut BTreeSet<String>) {
    let Some(fields) = go[name]["fields"].as_array() else {
        return;
    };
    if !wanted.insert(name.to_owned()) {
        return;
    }
    for field in fields {
        let text = field["t"].as_str().unwrap_or_default();
        let element = text
            .trim_start_matches("[]")
            .trim_start_matches("map[string]")
            .trim_start_matches("[]");
        reach(element, go, wanted);
    }
}

fn record(name: &str, described: &str, go: &Value, openapi: &OpenApi) -> Value {
    let empty = Value::Null;
    let v2 = openapi.v2.get(described).unwrap_or(&empty);
    let v3 = openapi.v3.get(described).unwrap_or(&empty);
    let required: Vec<&str> = v2["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut out = Map::new();
    out.insert("name".to_owned(), json!(name));
    out.insert("go".to_owned(), go["go"].clone());
    if go["custom"] == true {
        out.insert("custom".to_owned(), json!(true));
    }
    // Only kinds that are served: Go registers option kinds in every group.
    if described == name
        && let Some(gvks) = v2["x-kubernetes-group-version-kind"].as_array()
    {
        let gvks: Vec<Value> = gvks
            .iter()
            .map(|gvk| json!([gvk["group"], gvk["version"], gvk["kind"]]))
            .collect();
        if gvks.len() < 4 {
            out.insert("gvk".to_owned(), Value::from(gvks));
        }
    }
    if described == name
        && let Some(kind) = v2.get("x-kubernetes-map-type")
    {
        out.insert("mapType".to_owned(), kind.clone());
    }
    // What Go holds inside such a type is not what stands in JSON.
    let fields = if go["custom"] == true {
        &empty
    } else {
        &go["fields"]
    };
    let fields: Vec<Value> = fields
        .as_array()
        .into_iter()
        .flatten()
        .map(|field| {
            let name = field["n"].as_str().unwrap_or_default();
            field_record(
                field,
                &v2["properties"][name],
                &v3["properties"][name],
                required.contains(&name),
            )
        })
        .collect();
    out.insert("fields".to_owned(), Value::from(fields));
    Value::Object(out)
}

fn field_record(go: &Value, v2: &Value, v3: &Value, required: bool) -> Value {
    let mut out = Map::new();
    for (from, to) in [
        ("n", "n"),
        ("t", "t"),
        ("gt", "g"),
        ("p", "p"),
        ("o", "o"),
        ("z", "z"),
        ("i", "i"),
        ("pb", "b"),
    ] {
        if let Some(value) = go.get(from)
            && value != ""
        {
            out.insert(to.to_owned(), value.clone());
        }
    }
    if required {
        out.insert("r".to_owned(), json!(true));
    }
    for (from, to) in [
        ("format", "f"),
        ("x-kubernetes-list-type", "lt"),
        ("x-kubernetes-list-map-keys", "lk"),
        ("x-kubernetes-map-type", "mt"),
        ("x-kubernetes-patch-strategy", "ps"),
        ("x-kubernetes-patch-merge-key", "pk"),
    ] {
        if let Some(value) = v2.get(from) {
            out.insert(to.to_owned(), value.clone());
        }
    }
    for (schema, suffix) in [(v3, ""), (&v3["items"], "i")] {
        if let Some(value) = schema.get("enum") {
            out.insert(format!("e{suffix}"), value.clone());
        }
        if let Some(value) = schema.get("default") {
            out.insert(format!("d{suffix}"), value.clone());
        }
    }
    Value::Object(out)
}
