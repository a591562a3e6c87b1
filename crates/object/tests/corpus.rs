//! The corpora of patches, selectors, quantities, names, times and JSONPath.

use std::path::Path;

use object::Value;
use testkit::{Tally, conformance, read_jsonl};

#[path = "../examples/corpus/jsonpath.rs"]
mod jsonpath;
#[path = "../examples/corpus/patches.rs"]
mod patches;
#[path = "../examples/corpus/selectors.rs"]
mod selectors;
#[path = "../examples/corpus/text.rs"]
mod text;

type Runner = fn(&str, &Value, &Path) -> Option<Result<(), String>>;

/// Cases that fail, and why. A case that passes must not be here.
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[];

/// Runs files and asserts that all cases pass but the known differences.
#[expect(clippy::print_stdout, reason = "the report of a test run")]
fn check(files: &[&str], run: Runner) {
    let Some(folder) = conformance("apiserver/lib") else {
        return;
    };
    for file in files {
        let mut tally = Tally::default();
        for case in read_jsonl(&folder.join(file)).expect("the file is JSON lines") {
            let name = case["name"].as_str().unwrap_or_default();
            let outcome = run(name, &case, &folder).expect("the family is known");
            let is_known = KNOWN_DIFFERENCES.iter().any(|(known, _)| *known == name);
            match outcome {
                Ok(()) if is_known => {
                    tally.record(name, Err("passes: no known difference any more".to_owned()));
                }
                Err(_) if is_known => {}
                outcome => tally.record(name, outcome),
            }
        }
        println!("{file}: {}", tally.report());
        assert!(tally.total() > 0, "{file} has no cases");
        assert!(tally.failures().is_empty(), "{file}: {}", tally.report());
    }
}

#[test]
fn strategic_merge_patches() {
    check(&["strategic-merge-patch.jsonl"], patches::run);
}

#[test]
fn json_and_merge_patches() {
    let files = [
        "json-and-merge-patch.jsonl",
        "three-way-json-merge-patch.jsonl",
    ];
    check(&files, patches::run);
}

#[test]
fn label_and_field_selectors() {
    let files = [
        "label-selector.jsonl",
        "label-selector-object.jsonl",
        "field-selector.jsonl",
    ];
    check(&files, selectors::run);
}

#[test]
fn names_quantities_and_times() {
    let files = [
        "names.jsonl",
        "quantity.jsonl",
        "times.jsonl",
        "human-duration.jsonl",
    ];
    check(&files, text::run);
}

#[test]
fn jsonpath_templates() {
    check(&["jsonpath.jsonl"], jsonpath::run);
}
