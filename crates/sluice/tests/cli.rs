//! The `flux` command line against recorded runs of the real one.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::cli_cases::{Program, name, normalized, replay};
use testkit::cli_cluster::Cluster;
use testkit::{conformance, read_jsonl};

const SLUICE: &str = env!("CARGO_BIN_EXE_sluice");

/// Cases that differ on purpose: descriptions of commands and flags are our own, also in completions,
/// and so are help texts.
const OWN_DESCRIPTIONS: [&str; 13] = [
    "complete/alias",
    "complete/bootstrap",
    "complete/completion-shells",
    "complete/create-ks-flag-prefix",
    "complete/create-source",
    "complete/create-source-git-flags",
    "complete/get",
    "complete/get-sources",
    "complete/install-flags",
    "complete/plugin",
    "complete/reconcile-image",
    "complete/root",
    "root/empty-string-command",
];

/// The program under the name that makes it Flux.
fn flux(folder: &Path) -> PathBuf {
    let link = folder.join("flux");
    std::os::unix::fs::symlink(SLUICE, &link).unwrap();
    link
}

fn check(failures: Vec<String>, total: usize) {
    #[expect(clippy::print_stderr, reason = "the report of a test run")]
    {
        eprintln!("{} of {total} cases passed", total - failures.len());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn offline(file: &str, skip_stdout: bool) {
    let Some(corpus) = conformance("cli") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let program = Program {
        path: flux(folder.path()),
        environment: Vec::new(),
        skip_stdout,
    };
    let cases = read_jsonl(&corpus.join(file)).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let known = OWN_DESCRIPTIONS.contains(&name(case));
        match (replay(&program, case), known) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => {
                failures.push(format!("{} passes: strike it off the list", name(case)))
            }
            (Err(why), false) => failures.push(format!("{}: {why}", name(case))),
        }
    }
    check(failures, cases.len());
}

#[test]
fn commands_without_a_cluster() {
    offline("cases.jsonl", false);
}

#[test]
fn installation() {
    // The manifests are ours: errors and exit codes are compared.
    offline("cases-install.jsonl", true);
}

#[test]
fn commands_on_a_cluster() {
    let Some(corpus) = conformance("cli") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = flux(folder.path());
    let (crds, objects) = (
        corpus.join("../../flux/crds"),
        corpus.join("cluster/objects.json"),
    );
    let start = || Cluster::start(SLUICE, &crds, &objects).unwrap();
    let mut cluster = start();
    let cases = read_jsonl(&corpus.join("cases-cluster.jsonl")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let kinds = case["responder"].as_array().map(|kinds| {
            kinds
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        });
        let responder = kinds.map(|kinds| cluster.respond(kinds));
        let kubeconfig = cluster.kubeconfig().to_string_lossy().into_owned();
        let program = Program {
            path: path.clone(),
            environment: vec![("KUBECONFIG".to_owned(), kubeconfig)],
            skip_stdout: false,
        };
        let outcome = replay(&program, case).and_then(|()| after(&cluster, &case["after"]));
        drop(responder);
        if let Err(why) = outcome {
            failures.push(format!("{}: {why}", name(case)));
        }
        // What a case has changed must not show in the next one.
        if !case["after"].is_null() || !case["responder"].is_null() {
            cluster = start();
        }
    }
    check(failures, cases.len());
}

fn after(cluster: &Cluster, wanted: &Value) -> Result<(), String> {
    for (id, wanted) in wanted.as_object().into_iter().flatten() {
        match (wanted.is_null(), cluster.object(id)) {
            (true, None) => {}
            (true, Some(_)) => return Err(format!("{id} is still there")),
            (false, None) => return Err(format!("{id} is not there")),
            (false, Some(found)) => {
                let found = normalized(&found);
                for (field, value) in wanted.as_object().into_iter().flatten() {
                    if found[field] != *value {
                        return Err(format!(
                            "{id}: {field} is {} instead of {value}",
                            found[field]
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}
