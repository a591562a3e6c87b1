//! The corpora of Helm, as all versions that are followed.

mod corpus;

use testkit::Tally;

/// Runs a file; `known` cases may differ.
#[expect(clippy::print_stderr, reason = "the report of a test run")]
fn check(file: &str, required: f64) {
    let Some(root) = testkit::conformance("helm") else {
        return;
    };
    let mut tally = Tally::default();
    for outcome in corpus::run_path(&root.join(file)).expect("the corpus is readable") {
        let difference = outcome.difference.filter(|_| !outcome.only_text_differs);
        tally.record(&outcome.name, difference.map_or(Ok(()), Err));
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
fn manifests_are_sorted() {
    check("manifests.jsonl", 1.0);
}

#[test]
fn schemas_are_checked() {
    check("schema.jsonl", 1.0);
}

#[test]
fn versions_names_and_rules_are_read() {
    check("misc.jsonl", 1.0);
}

#[test]
fn folders_render_as_helm_template_prints() {
    let Some(root) = testkit::conformance("helm") else {
        return;
    };
    // All of them take a minute without optimisation; the corpus runner takes all.
    for name in [
        "charts/helmtest-cli-chart-with-secret",
        "charts/own-conditions-str",
        "charts/helmtest-cli-chart-with-schema-and-subchart-full",
        "real/stefanprodan-podinfo-charts-podinfo",
    ] {
        for outcome in corpus::run_folder(&root.join(name)).expect("the corpus is readable") {
            assert_eq!(outcome.difference, None, "{}", outcome.name);
        }
    }
}
