//! The messages that a recorded API server gave about definitions and their objects.
#![expect(
    clippy::unwrap_used,
    reason = "the recording has one form; anything else is to stop the test"
)]

use std::collections::BTreeMap;

use crd::{Compiled, VersionSchema, definition};
use object::field::{ErrorList, join};
use serde_json::{Value, json};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// As much of an API server as the steps need.
#[derive(Default)]
struct Server {
    /// As they were sent, and ready for use.
    definitions: BTreeMap<String, (Value, Compiled)>,
    objects: BTreeMap<String, Value>,
    /// The object of the last step.
    last: Option<Value>,
}

/// What a new definition looks like once it is decoded.
fn prepared(definition: &Value) -> Value {
    let mut definition = definition.clone();
    definition::set_defaults(&mut definition);
    let versions = definition["spec"]["versions"].as_array();
    let stored: Vec<Value> = versions
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .take(1)
        .collect();
    definition["status"] = json!({"storedVersions": stored});
    if definition["status"]["storedVersions"] == json!([]) {
        definition["status"] = json!({"storedVersions": null});
    }
    definition
}

/// A JSON merge patch (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

impl Server {
    /// The version whose objects are at `path`, and the rest of the path.
    fn version<'p>(&self, path: &'p str) -> Option<(&VersionSchema, &'p str)> {
        let (group, rest) = path.strip_prefix("/apis/")?.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        let rest = match rest.strip_prefix("namespaces/") {
            Some(rest) => rest.split_once('/')?.1,
            None => rest,
        };
        let (plural, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let (_, compiled) = self.definitions.get(&format!("{plural}.{group}"))?;
        Some((compiled.versions.get(version)?, rest))
    }

    /// Applies a merge patch, or the replacements of a JSON patch, to a definition.
    fn change_definition(&mut self, name: &str, patch: &Value) {
        let Some((definition, compiled)) = self.definitions.get_mut(name) else {
            return;
        };
        if let Value::Array(steps) = patch {
            for step in steps.iter().filter(|step| step["op"] == "replace") {
                let place = definition.pointer_mut(step["path"].as_str().unwrap());
                place.unwrap().clone_from(&step["value"]);
            }
        } else {
            merge(definition, patch);
        }
        *compiled = crd::compile(definition).unwrap();
    }

    /// What is wrong with the object of a step; `None` if the step is not about that.
    fn errors(&mut self, step: &Value) -> Option<ErrorList> {
        let path = step["path"].as_str()?;
        let body = step.get("body")?;
        let is_dry = step["query"]
            .as_str()
            .is_some_and(|query| query.contains("dryRun"));
        let kind = step["headers"]["Content-Type"].as_str().unwrap_or_default();
        let succeeded = step["expect"]["status"].as_u64()? < 300;
        match step["method"].as_str()? {
            "POST" if path == DEFINITIONS => {
                let definition = prepared(body);
                let errors = definition::validate_create(&definition);
                if succeeded && !is_dry {
                    let name = definition["metadata"]["name"].as_str()?.to_owned();
                    let compiled = crd::compile(&definition).unwrap();
                    self.definitions.insert(name, (definition, compiled));
                }
                Some(errors)
            }
            "POST" => {
                let (version, rest) = self.version(path)?;
                let name = body["metadata"]["name"].as_str()?;
                let namespace = path
                    .split('/')
                    .nth(5)
                    .filter(|_| path.contains("/namespaces/"));
                let mut object = body.clone();
                let metadata = object["metadata"].as_object_mut()?;
                metadata.remove("namespace");
                if let Some(namespace) = namespace {
                    metadata.insert("namespace".to_owned(), namespace.into());
                }
                if version.has_status {
                    object.as_object_mut()?.remove("status");
                }
                let object = admitted(version, object)?;
                let errors = version.validate_create(&object);
                self.last = Some(object.clone());
                if rest.is_empty() && succeeded && !is_dry {
                    self.objects.insert(format!("{path}/{name}"), object);
                }
                Some(errors)
            }
            "PATCH" if path.starts_with(DEFINITIONS) => {
                if succeeded {
                    self.change_definition(path.rsplit('/').next()?, &step["body"]);
                }
                None
            }
            method @ ("PATCH" | "PUT")
                if method == "PUT" || kind == "application/merge-patch+json" =>
            {
                let (key, of_status) = match path.strip_suffix("/status") {
                    Some(key) => (key, true),
                    None => (path, false),
                };
                let old = self.objects.get(key)?.clone();
                let (version, _) = self.version(path)?;
                let object = changed(version, &old, method, body, of_status)?;
                let errors = if of_status {
                    version.validate_status_update(&object, &old)
                } else {
                    version.validate_update(&object, &old)
                };
                self.last = Some(object.clone());
                if succeeded && !is_dry {
                    self.objects.insert(key.to_owned(), object);
                }
                Some(errors)
            }
            _ => None,
        }
    }
}

/// The object once it is replaced or patched.
fn changed(
    version: &VersionSchema,
    old: &Value,
    method: &str,
    body: &Value,
    of_status: bool,
) -> Option<Value> {
    let mut object = old.clone();
    if method == "PATCH" {
        merge(&mut object, body);
    } else {
        object.clone_from(body);
        object["metadata"]["namespace"] = old["metadata"]["namespace"].clone();
    }
    if !object["metadata"]["resourceVersion"].is_string() {
        // The store refuses it before it is validated.
        return None;
    }
    if of_status {
        let status = object["status"].take();
        object.clone_from(old);
        object["status"] = status;
    } else if version.has_status {
        object["status"] = old["status"].clone();
    }
    object.as_object_mut()?.retain(|_, value| !value.is_null());
    admitted(version, object)
}

/// The object as it is once it is decoded and an API server has filled in what it fills in.
fn admitted(version: &VersionSchema, mut object: Value) -> Option<Value> {
    version.prune(&mut object).ok()?;
    version.default(&mut object);
    object["metadata"]["uid"] = "u".into();
    object["metadata"]["resourceVersion"] = "1".into();
    Some(object)
}

/// The object without what only a server can know.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("metadata");
    }
    whole_numbers(&mut object);
    object
}

/// Writes numbers as Go does: without a fraction if it is zero.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0);
            if let Some(whole) = whole.filter(|_| number.is_f64()) {
                *value = json!(whole as i64);
            }
        }
        _ => {}
    }
}

fn check(server: &mut Server, step: &Value) -> Option<Result<(), String>> {
    let answer = &step["expect"];
    let status = answer["status"].as_u64()?;
    if !matches!(status, 200 | 201 | 422) {
        return None;
    }
    let expected = match answer["body"]["message"].as_str() {
        Some(message) if status == 422 => message.split_once(" is invalid: ")?.1,
        _ => "",
    };
    server.last = None;
    let errors = server.errors(step)?;
    if let Some(object) = &server.last
        && let answered = &answer["body"]
        && answered["kind"] == object["kind"]
        && bare(answered) != bare(object)
    {
        let (answered, object) = (bare(answered), bare(object));
        return Some(Err(format!("expected {answered}\n     got {object}")));
    }
    let got = join(&errors);
    // A server goes over properties in any order.
    let is_permuted = got.len() == expected.len()
        && errors
            .iter()
            .all(|error| expected.contains(&error.to_string()));
    if is_permuted {
        return Some(Ok(()));
    }
    Some(Err(format!("expected {expected}\n     got {got}")))
}

#[test]
fn messages_about_definitions_and_objects() {
    let Some(folder) = testkit::conformance("apiserver") else {
        return;
    };
    let mut tally = testkit::Tally::default();
    let mut server = Server::default();
    for step in testkit::read_jsonl(&folder.join("crd.jsonl")).unwrap() {
        if let Some(outcome) = check(&mut server, &step) {
            let name = format!("{} {}", step["scenario"].as_str().unwrap(), step["step"]);
            tally.record(&name, outcome);
        }
    }
    assert!(tally.failures().is_empty(), "{}", tally.report());
    assert!(tally.passed() >= 190, "only {} steps ran", tally.passed());
}
