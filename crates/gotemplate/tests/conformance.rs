//! The corpora of Go's text/template and of sprig, byte for byte, error texts included.

mod corpus;

use testkit::Tally;

/// Cases that differ from the recorded result, with the reason. A case that no longer differs fails here.
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[];

/// The share of cases that must pass.
const REQUIRED_RATE: f64 = 0.995;

#[expect(clippy::print_stderr, reason = "the report of a test run")]
fn check(folder: &str, files: &[&str]) {
    let Some(root) = testkit::conformance(folder) else {
        return;
    };
    let mut tally = Tally::default();
    let (mut errors, mut errors_failed) = (0, 0);
    for file in files {
        for outcome in corpus::run_file(&root.join(file)).expect("the corpus is readable") {
            errors += usize::from(outcome.expects_error);
            errors_failed += usize::from(outcome.failed_as_expected);
            tally.record(&outcome.name, outcome.difference.map_or(Ok(()), Err));
        }
    }
    eprintln!(
        "{folder}: {} passed, {} failed",
        tally.passed(),
        tally.failures().len()
    );
    assert_eq!(
        errors,
        errors_failed,
        "a case that must fail did not: {}",
        tally.report()
    );
    assert!(tally.rate() >= REQUIRED_RATE, "{}", tally.report());
    let failed: Vec<&str> = tally
        .failures()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let known: Vec<&str> = KNOWN_DIFFERENCES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| failed.contains(name))
        .collect();
    assert_eq!(failed, known, "{}", tally.report());
}

#[test]
fn templates_render_as_in_go() {
    check("gotemplate", &["stdlib.jsonl", "own.jsonl", "parse.jsonl"]);
}

#[test]
fn sprig_functions_give_what_sprig_gives() {
    check("sprig", &["sprig-tests.jsonl", "own.jsonl"]);
}

#[test]
fn random_functions_have_their_properties() {
    check("sprig", &["nondeterministic.json"]);
}
