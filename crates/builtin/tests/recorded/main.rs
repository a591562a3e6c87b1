//! Writes as a real server answered them: what it made of the objects, and what it found wrong.
//!
//! The steps of a scenario are followed with the recorded answers as the store, so that each write is
//! judged on its own.

mod compare;
mod step;
mod world;

use std::collections::HashMap;
use std::path::Path;

use builtin::facts::facts;
use builtin::strategy::strategy;
use object::GroupResource;
use serde_json::json;

use compare::{Outcome, judge};
use step::{Target, fill};
use world::World;

/// Follows one file; gives the tally.
fn run(file: &Path) -> testkit::Tally {
    let mut tally = testkit::Tally::default();
    let mut world = World {
        stored: HashMap::new(),
    };
    let mut scenario = String::new();
    for mut step in testkit::read_jsonl(file).expect("the corpus can be read") {
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
        let outcome = strategy(&of)
            .filter(|_| target.subresource != "scale")
            .and_then(|rules| world.write(&target, resource, rules, &step));
        let status = step["expect"]["status"].as_i64().unwrap_or_default();
        if let Some(outcome) = &outcome
            && ((200..300).contains(&status) || status == 422)
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

/// Steps that others answer than a strategy, by what their titles start with, and why.
const OTHERS: &[(&str, &str)] = &[
    ("validation/service 13", "allocation of cluster IPs"),
    (
        "patch-json/metadata 8",
        "the patched object does not decode",
    ),
    ("patch-merge/rfc7386 28", "options of the request"),
    ("patch-merge/rfc7386 29", "options of the request"),
    (
        "conflict/optimistic-lock 17",
        "the patched object does not decode",
    ),
    (
        "conflict/optimistic-lock 18",
        "the patched object does not decode",
    ),
    (
        "conflict/no-unconditional-update",
        "updates without resourceVersion",
    ),
    ("fieldvalidation/update-and-patch", "strict decoding"),
];

#[test]
fn recorded_writes_have_the_recorded_outcome() {
    let Some(corpus) = testkit::conformance("apiserver") else {
        return;
    };
    for file in [
        "defaults",
        "validation",
        "immutable",
        "names",
        "crud",
        "update",
        "subresources",
        "conflict",
        "controllers",
        "delete",
        "dryrun",
        "fieldvalidation",
        "patch-json",
        "patch-merge",
        "table",
    ] {
        let tally = run(&corpus.join(format!("{file}.jsonl")));
        let failures = tally.failures();
        let unknown: Vec<_> = failures
            .iter()
            .filter(|(title, _)| !OTHERS.iter().any(|(start, _)| title.starts_with(start)))
            .collect();
        assert!(unknown.is_empty(), "{file}: {unknown:#?}");
        assert!(tally.total() > 0, "{file} has no writes");
    }
}
