//! The OpenAPI documents beside those of a running server.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that reports rates"
)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use builtin::openapi::{self, Form};
use flate2::read::GzDecoder;
use serde_json::{Map, Value};

/// The part of equal definitions, and of equal paths, that is asked for. What is missing is printed.
///
/// The facts do not yet know unions, the merge keys of inlined types and some enumerations; the paths of
/// logs and connections lack the parameters of their option types.
const DEFINITIONS: f64 = 0.975;
const SCHEMAS: f64 = 0.935;
const PATHS: f64 = 0.97;

fn recorded(file: &Path) -> Value {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Without descriptions, and with the shared parameters of version 2 in their places.
fn structure(value: &Value, shared: &Value) -> Value {
    match value {
        Value::Object(map) => {
            if let Some(name) = map
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|text| text.strip_prefix("#/parameters/"))
            {
                return structure(&shared[name], shared);
            }
            let entries = map
                .iter()
                .filter(|(key, value)| *key != "description" || !value.is_string())
                .map(|(key, value)| (key.clone(), structure(value, shared)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| structure(item, shared)).collect();
            // Shared parameters are sorted by names that hold a hash.
            if items.iter().all(|item| item.get("in").is_some()) {
                items.sort_by_key(|item| item["name"].to_string());
            }
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// How many entries of `expected` are the same in `actual`.
#[derive(Default)]
struct Tally {
    same: usize,
    all: usize,
    different: Vec<String>,
    descriptions: usize,
    all_descriptions: usize,
}

impl Tally {
    fn compare(&mut self, at: &str, expected: &Value, actual: &Map<String, Value>, shared: &Value) {
        for (name, expected) in expected.as_object().unwrap() {
            self.all += 1;
            let actual = actual.get(name).unwrap_or(&Value::Null);
            self.describe(expected, actual);
            let (expected, actual) = (structure(expected, shared), structure(actual, shared));
            if expected == actual {
                self.same += 1;
            } else {
                self.different
                    .push(format!("{at} {name}\n  {expected}\n  {actual}"));
            }
        }
    }

    fn describe(&mut self, expected: &Value, actual: &Value) {
        match expected {
            Value::Object(map) => {
                for (key, value) in map {
                    let other = actual.get(key).unwrap_or(&Value::Null);
                    if key == "description" && value.is_string() {
                        self.all_descriptions += 1;
                        self.descriptions += usize::from(value == other);
                    } else {
                        self.describe(value, other);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.describe(item, actual.get(index).unwrap_or(&Value::Null));
                }
            }
            _ => {}
        }
    }

    #[track_caller]
    fn assert(&self, what: &str, least: f64) {
        let part = self.same as f64 / self.all as f64;
        println!(
            "{what}: {} of {} equal, {} of {} descriptions",
            self.same, self.all, self.descriptions, self.all_descriptions
        );
        for difference in self.different.iter().take(40) {
            println!("{difference}");
        }
        assert!(
            part >= least,
            "{what}: only {:.2} % are equal",
            part * 100.0
        );
    }
}

#[test]
fn version_2_is_as_recorded() {
    let Some(folder) = testkit::conformance("../kubernetes") else {
        return;
    };
    let recorded = recorded(&folder.join("openapi-v2.json.gz"));
    let mut paths = Map::new();
    for name in openapi::documents() {
        paths.extend(openapi::paths(&name));
    }
    let mut names = Vec::new();
    for item in paths.values() {
        openapi::references(item, Form::V3, &mut names);
    }
    let schemas = openapi::schemas(names.iter().map(String::as_str), Form::V2);
    let document = openapi::v2::document(paths, schemas);
    let map = |key: &str| document[key].as_object().unwrap();
    let mut definitions = Tally::default();
    definitions.compare(
        "",
        &recorded["definitions"],
        map("definitions"),
        &Value::Null,
    );
    let mut paths = Tally::default();
    paths.compare(
        "",
        &recorded["paths"],
        map("paths"),
        &recorded["parameters"],
    );
    paths.assert("paths of version 2", PATHS);
    definitions.assert("definitions of version 2", DEFINITIONS);
    assert_eq!(
        map("definitions").len(),
        definitions.all,
        "nothing is there that should not be"
    );
    for key in ["swagger", "info", "security", "securityDefinitions"] {
        assert_eq!(recorded[key], document[key]);
    }
}

#[test]
fn version_3_is_as_recorded() {
    let Some(folder) = testkit::conformance("../kubernetes/openapi-v3") else {
        return;
    };
    let mut schemas = Tally::default();
    let mut paths = Tally::default();
    let mut extra = BTreeMap::new();
    for name in openapi::documents() {
        let file = format!("{}.json.gz", name.replace('/', "__"));
        let recorded = recorded(&folder.join(file));
        let own = openapi::paths(&name);
        let mut names = Vec::new();
        for item in own.values() {
            openapi::references(item, Form::V3, &mut names);
        }
        let found = openapi::schemas(names.iter().map(String::as_str), Form::V3);
        let expected = &recorded["components"]["schemas"];
        if expected.is_object() {
            schemas.compare(&name, expected, &found, &Value::Null);
        }
        let more = found.keys().filter(|name| expected.get(*name).is_none());
        let more: Vec<String> = more.cloned().collect();
        if !more.is_empty() {
            extra.insert(name.clone(), more);
        }
        paths.compare(&name, &recorded["paths"], &own, &Value::Null);
    }
    paths.assert("paths of version 3", PATHS);
    schemas.assert("schemas of version 3", SCHEMAS);
    assert!(extra.is_empty(), "{extra:?}");
}
