//! Structured merge over the conformance corpora.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails, and tells how much it ran"
)]

use std::path::Path;

use object::Value;
use testkit::Tally;

#[path = "../examples/corpus/smd.rs"]
mod corpus;

/// Cases whose outcome is another one than the peer's, with the reason. There are none.
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[];

fn check(file: &str) {
    let Some(folder) = testkit::conformance("apiserver/lib") else {
        return;
    };
    let cases = testkit::read_jsonl(&folder.join(file)).unwrap();
    let mut tally = Tally::default();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let outcome = outcome(name, case, &folder);
        tally.record(name, outcome);
    }
    println!("{file}: {} cases", tally.total());
    assert!(tally.total() > 0, "{file} has no cases");
    assert!(tally.failures().is_empty(), "{}", tally.report());
}

/// A known difference must still be one: when it goes away its entry is to be deleted.
fn outcome(name: &str, case: &Value, folder: &Path) -> Result<(), String> {
    let outcome = corpus::run(name, case, folder).unwrap();
    match KNOWN_DIFFERENCES.iter().find(|(known, _)| *known == name) {
        Some(_) if outcome.is_ok() => Err("passes now: not a known difference".to_owned()),
        Some(_) => Ok(()),
        None => outcome,
    }
}

#[test]
fn values_are_checked() {
    check("smd-parse.jsonl");
}

#[test]
fn typed_values_are_walked() {
    check("smd-typed.jsonl");
}

#[test]
fn objects_are_merged() {
    check("smd-merge.jsonl");
}

#[test]
fn random_sequences_are_merged() {
    check("smd-random.jsonl");
}
