//! The recorded cases of the API server's libraries.
#![expect(
    clippy::unwrap_used,
    reason = "the recording has one form; anything else is to stop the test"
)]

#[path = "../examples/corpus/run.rs"]
mod run;

use std::collections::BTreeMap;

/// The names of the cases that are known to differ.
fn known_differences() -> BTreeMap<String, String> {
    include_str!("known-differences.toml")
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, reason)| (name.trim_matches('"').to_owned(), reason.to_owned()))
        .collect()
}

fn check(file: &str, least: usize) {
    let Some(folder) = testkit::conformance("apiserver/lib") else {
        return;
    };
    let known = known_differences();
    let mut tally = testkit::Tally::default();
    let mut settled = Vec::new();
    for case in testkit::read_jsonl(&folder.join(file)).unwrap() {
        let name = case["name"].as_str().unwrap().to_owned();
        let outcome = run::run(&case);
        match (outcome.is_ok(), known.contains_key(&name)) {
            (true, true) => settled.push(name),
            (false, true) => {}
            _ => tally.record(&name, outcome),
        }
    }
    assert!(tally.failures().is_empty(), "{}", tally.report());
    assert!(settled.is_empty(), "no longer different: {settled:?}");
    assert!(tally.passed() >= least, "only {} cases ran", tally.passed());
}

#[test]
fn rules_of_custom_resources() {
    check("cel-validation.jsonl", 800);
}

#[test]
fn schemas_of_custom_resources() {
    check("crd-schema.jsonl", 340);
}

#[test]
fn definitions() {
    check("crd-validation.jsonl", 60);
}
