//! The corpora of Helm 4.2.4, as far as this crate goes.

mod corpus;

use testkit::Tally;

/// Runs a file; `known` cases may differ.
#[expect(clippy::print_stderr, reason = "the report of a test run")]
fn check(file: &str, required: f64) {
    let Some(root) = testkit::conformance("helm") else {
        return;
    };
    let mut tally = Tally::default();
    for outcome in corpus::run_file(&root.join(file)).expect("the corpus is readable") {
        if !outcome.skipped {
            let difference = outcome.difference.filter(|_| !outcome.only_text_differs);
            tally.record(&outcome.name, difference.map_or(Ok(()), Err));
        }
    }
    eprintln!(
        "{file}: {} passed, {} failed",
        tally.passed(),
        tally.failures().len()
    );
    assert!(tally.rate() >= required, "{}", tally.report());
}

#[test]
fn charts_render_in_memory() {
    check("engine.jsonl", 0.995);
}

#[test]
fn values_are_set() {
    check("strvals.jsonl", 1.0);
}

#[test]
fn values_are_coalesced() {
    check("coalesce.jsonl", 1.0);
}

#[test]
fn values_are_written_as_yaml() {
    check("yaml.jsonl", 0.99);
}

#[test]
fn charts_are_loaded() {
    check("chart-yaml.jsonl", 1.0);
}

#[test]
fn folders_render_as_helm_template_prints() {
    let Some(root) = testkit::conformance("helm") else {
        return;
    };
    // A few of each kind; the corpus runner takes all.
    for name in [
        "charts/helmtest-cli-chart-with-secret",
        "charts/own-conditions-str",
    ] {
        for outcome in
            corpus::run_folder(&root.join(name), &root.join("x")).expect("the corpus is readable")
        {
            assert_eq!(outcome.difference, None, "{}", outcome.name);
        }
    }
}
