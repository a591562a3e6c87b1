//! Writes as a real server answered them: what it made of the objects, and what it found wrong.
//!
//! The steps of a scenario are followed with the recorded answers as the store, so that each write is
//! judged on its own.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use builtin::decode::decode_value;
use builtin::facts::{Resource, facts};
use builtin::strategy::{self, Context, Strategy, User};
use object::field::ErrorList;
use object::json_patch::JsonPatch as Patch;
use object::{GroupResource, GroupVersionResource, Value, merge_patch};
use serde_json::json;

const NOW: &str = "2024-01-02T03:04:05Z";

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

/// The place of a request's object.
struct Target {
    gvr: GroupVersionResource,
    namespace: String,
    name: String,
    subresource: String,
}

impl Target {
    fn parse(path: &str) -> Option<Self> {
        let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let is_core = parts.remove(0) == "api";
        if parts.len() < 3 - usize::from(is_core) {
            return None;
        }
        let group = if is_core { "" } else { parts.remove(0) };
        let version = parts.remove(0);
        let mut namespace = "";
        if parts.first() == Some(&"namespaces")
            && parts.len() > 2
            && !["status", "finalize"].contains(&parts[2])
        {
            namespace = parts[1];
            parts.drain(..2);
        }
        let mut parts = parts.into_iter();
        Some(Self {
            gvr: GroupVersionResource::new(group, version, parts.next()?),
            namespace: namespace.to_owned(),
            name: parts.next().unwrap_or_default().to_owned(),
            subresource: parts.next().unwrap_or_default().to_owned(),
        })
    }

    fn key(&self, name: &str) -> String {
        let group = if self.gvr.group == "events.k8s.io" {
            ""
        } else {
            &self.gvr.group
        };
        format!("{group}/{}/{}/{name}", self.gvr.resource, self.namespace)
    }
}

/// Puts values where the recording has placeholders.
fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("${mtime") => {
            "2024-01-02T03:04:05.000000Z".clone_into(text)
        }
        Value::String(text) if text.starts_with("${time") => NOW.clone_into(text),
        Value::String(text) if text.contains("${uid") || text.contains("${rv") => {
            for number in 1..60 {
                *text = text
                    .replace(&format!("${{uid{number}}}"), &format!("uid-{number}"))
                    .replace(&format!("${{rv{number}}}"), &number.to_string());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(entries) => entries.values_mut().for_each(fill),
        _ => {}
    }
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
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        if let Some(Value::Object(map)) = object.pointer_mut(parent) {
            map.remove(name);
        }
    }
    if object["kind"] == "Service" {
        for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
            port.as_object_mut().unwrap().remove("nodePort");
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

/// The outcome of a write.
enum Outcome {
    Object(Value, Vec<String>),
    Errors(ErrorList),
    /// Refused before the strategy is asked.
    Undecodable,
}

struct World {
    stored: HashMap<String, Value>,
}

impl World {
    fn write(
        &self,
        target: &Target,
        resource: &Resource,
        rules: &dyn Strategy,
        step: &Value,
    ) -> Option<Outcome> {
        let user = User {
            name: "system:admin".to_owned(),
            groups: vec![
                "system:masters".to_owned(),
                "system:authenticated".to_owned(),
            ],
            ..User::default()
        };
        let api_version = target.gvr.group_version().to_string();
        let cx = Context {
            now: NOW,
            user: &user,
            api_version: &api_version,
        };
        let old = self.stored.get(&target.key(&target.name));
        let body = match &step["bodyGen"] {
            Value::Null => step["body"].clone(),
            recipe => {
                let text = |name: &str| recipe[name].as_str().unwrap_or_default();
                let count = usize::try_from(recipe["count"].as_u64()?).ok()?;
                let repeated = text("repeat").repeat(count);
                serde_json::from_str(&format!("{}{repeated}{}", text("prefix"), text("suffix")))
                    .ok()?
            }
        };
        let wanted = match step["method"].as_str()? {
            "POST" if target.subresource.is_empty() => body,
            "PUT" => body,
            "PATCH" => patched(&resource.gvk, old?, step)?,
            _ => return None,
        };
        let gvk = &resource.gvk;
        let id = facts().type_of(gvk)?;
        let Ok(decoded) = decode_value(id, wanted) else {
            return Some(Outcome::Undecodable);
        };
        let mut new = decoded.object;
        new["apiVersion"] = json!(gvk.api_version());
        new["kind"] = json!(gvk.kind);
        new["metadata"]
            .as_object_mut()
            .map(|map| map.remove("managedFields"));
        strategy::default(gvk, &mut new);
        builtin::convert::to_storage(&mut new);
        if rules.namespaced() {
            new["metadata"]["namespace"] = json!(target.namespace);
        }
        if gvk.kind == "Pod" {
            tolerate(&mut new);
        }
        let creating = step["method"] == "POST" || old.is_none();
        if creating {
            begin(&mut new, &step["expect"]["body"]);
            if gvk.kind == "Service"
                && let Err(errors) = allocated(&mut new, &Value::Null)
            {
                return Some(Outcome::Errors(errors));
            }
            rules.prepare_for_create(&cx, &mut new);
            let errors = rules.validate_create(&cx, &new);
            if !errors.is_empty() {
                return Some(Outcome::Errors(errors));
            }
            let warnings = rules.warnings_on_create(&cx, &new);
            rules.canonicalize(&mut new);
            builtin::convert::convert(&mut new, gvk);
            return Some(Outcome::Object(finished(id, new), warnings));
        }
        let mut old = old?.clone();
        builtin::convert::to_storage(&mut old);
        old["metadata"]["resourceVersion"] = json!("1");
        new["metadata"]["resourceVersion"] = json!("1");
        let subresource = target.subresource.as_str();
        if gvk.kind == "Service"
            && subresource.is_empty()
            && let Err(errors) = allocated(&mut new, &old)
        {
            return Some(Outcome::Errors(errors));
        }
        rules.prepare_for_update(&cx, subresource, &mut new, &old);
        let errors = rules.validate_update(&cx, subresource, &new, &old);
        if !errors.is_empty() {
            return Some(Outcome::Errors(errors));
        }
        let warnings = rules.warnings_on_update(&cx, subresource, &new, &old);
        rules.canonicalize(&mut new);
        builtin::convert::convert(&mut new, gvk);
        Some(Outcome::Object(finished(id, new), warnings))
    }
}

/// What the server writes of an object.
fn finished(id: builtin::facts::TypeId, object: Value) -> Value {
    match decode_value(id, object.clone()) {
        Ok(decoded) => decoded.object,
        Err(error) => panic!("{error}: {object}"),
    }
}

/// A service with what the server allocates.
fn allocated(service: &mut Value, old: &Value) -> Result<(), ErrorList> {
    if old.is_null() {
        strategy::begin_service_create(service)?;
    } else {
        strategy::begin_service_update(service, old)?;
    }
    let spec = &mut service["spec"];
    if spec["type"] != "ExternalName" && spec["clusterIPs"].as_array().is_none_or(Vec::is_empty) {
        spec["clusterIP"] = json!("10.96.0.7");
        spec["clusterIPs"] = json!(["10.96.0.7"]);
    }
    if spec["type"] == "LoadBalancer"
        && spec["externalTrafficPolicy"] == "Local"
        && spec["healthCheckNodePort"].is_null()
    {
        spec["healthCheckNodePort"] = json!(30999);
    }
    Ok(())
}

/// The tolerations that admission adds to pods.
fn tolerate(pod: &mut Value) {
    let tolerations = &mut pod["spec"]["tolerations"];
    if tolerations.is_null() {
        *tolerations = json!([]);
    }
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let list = tolerations.as_array_mut().unwrap();
        if list.iter().all(|toleration| toleration["key"] != key) {
            list.push(json!({
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }));
        }
    }
}

/// Bookkeeping and admission.
fn begin(new: &mut Value, expected: &Value) {
    let metadata = &mut new["metadata"];
    metadata["uid"] = match &expected["metadata"]["uid"] {
        Value::String(uid) => json!(uid),
        // A uid that only a message tells.
        _ => {
            let told = expected["message"].as_str().unwrap_or_default();
            let uid = told
                .split_once("uid-")
                .map(|(_, rest)| rest.split(|c: char| !c.is_numeric()).next());
            json!(format!("uid-{}", uid.flatten().unwrap_or("0")))
        }
    };
    metadata["creationTimestamp"] = json!(NOW);
    if metadata["name"].as_str().unwrap_or_default().is_empty()
        && let Some(prefix) = metadata["generateName"].as_str()
    {
        metadata["name"] = json!(format!("{prefix}abcde"));
    }
    if new["kind"] == "Node" && expected["spec"]["taints"].is_array() {
        new["spec"]["taints"] = expected["spec"]["taints"].clone();
    }
}

fn patched(gvk: &object::GroupVersionKind, old: &Value, step: &Value) -> Option<Value> {
    let mut document = old.clone();
    builtin::convert::convert(&mut document, gvk);
    let kind = step["headers"]["Content-Type"].as_str()?;
    let patch = step["body"].clone();
    if kind == "application/merge-patch+json" {
        merge_patch::apply(document, patch).ok()
    } else if kind.contains("json-patch") {
        Patch::decode(patch).ok()?.apply(document).ok()
    } else {
        None
    }
}

/// What is wrong with our outcome of a step.
fn judge(outcome: &Outcome, expect: &Value) -> Result<(), String> {
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
        Outcome::Undecodable => Ok(()),
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
        Outcome::Object(..) => Ok(()),
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

/// Follows one file; gives the tally.
fn run(file: &Path) -> testkit::Tally {
    let mut tally = testkit::Tally::default();
    let mut world = World {
        stored: HashMap::new(),
    };
    let mut scenario = String::new();
    for mut step in testkit::read_jsonl(file).unwrap() {
        fill(&mut step);
        let name = step["scenario"].as_str().unwrap_or_default();
        if name != scenario {
            scenario = name.to_owned();
            world.stored.clear();
        }
        let Some(target) = Target::parse(step["path"].as_str().unwrap_or_default()) else {
            continue;
        };
        let Some(resource) = facts().resource(&target.gvr) else {
            continue;
        };
        let of = GroupResource::new(&target.gvr.group, &target.gvr.resource);
        let outcome = strategy::strategy(&of)
            .filter(|_| target.subresource != "scale")
            .and_then(|rules| world.write(&target, resource, rules, &step));
        let status = step["expect"]["status"].as_i64().unwrap_or_default();
        if let Some(outcome) = &outcome
            && (200..300).contains(&status) | (status == 422)
        {
            let title = format!("{scenario} {} {}", step["step"], step["desc"]);
            tally.record(&title, judge(outcome, &step["expect"]));
        }
        if (200..300).contains(&status) {
            let body = &step["expect"]["body"];
            let answer = match outcome {
                _ if body["kind"] == json!(resource.gvk.kind) => body.clone(),
                Some(Outcome::Object(object, _)) => object,
                _ => continue,
            };
            let is_dry = step["query"]
                .as_str()
                .unwrap_or_default()
                .contains("dryRun");
            if let (false, Some(name)) = (is_dry, answer["metadata"]["name"].as_str()) {
                world.stored.insert(target.key(name), answer);
            }
        }
    }
    tally
}

#[test]
fn recorded_writes_have_the_recorded_outcome() {
    let Some(corpus) = testkit::conformance("apiserver") else {
        return;
    };
    for (file, least) in [
        ("defaults", 1.0),
        ("validation", 1.0),
        ("immutable", 1.0),
        ("names", 1.0),
        ("crud", 1.0),
        ("update", 1.0),
        ("subresources", 1.0),
        ("controllers", 1.0),
        ("delete", 1.0),
        ("dryrun", 1.0),
        ("patch-json", 1.0),
        ("patch-merge", 1.0),
    ] {
        let tally = run(&corpus.join(format!("{file}.jsonl")));
        println!("{file}: {}", tally.report());
        assert!(
            tally.rate() >= least || std::env::var_os("RECORDED_ALL").is_some(),
            "{file}: {}",
            tally.report()
        );
    }
}
