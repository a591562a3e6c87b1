//! `cargo xtask conformance-cli`: replays recorded runs of the `flux` command line with our binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use testkit::cli_cases::{Program, name, normalized, replay};
use testkit::cli_cluster::Cluster;
use testkit::{Tally, read_jsonl};

use crate::{TaskError, workspace_root};

/// The flags of `conformance-cli`.
#[derive(clap::Args)]
pub(crate) struct ConformanceCli {
    /// Files of cases, one JSON object a line
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only cases whose name holds this
    #[arg(long, default_value = "")]
    filter: String,
    /// The program [default: target/debug/sluice]
    #[arg(long)]
    program: Option<PathBuf>,
    /// How many cases run at once
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// The folder with Flux's CRDs [default: ../shared/flux/crds]
    #[arg(long)]
    crds: Option<PathBuf>,
    /// Print only this many failures in full
    #[arg(long, default_value_t = usize::MAX)]
    show: usize,
}

/// Replays the files.
#[expect(clippy::print_stdout, reason = "the report is the result")]
pub(crate) fn run(arguments: &ConformanceCli) -> Result<(), TaskError> {
    let other = |error: std::io::Error| TaskError::Other(error.to_string());
    let real = arguments
        .program
        .clone()
        .unwrap_or_else(|| workspace_root().join("target/debug/sluice"));
    let real = fs::canonicalize(&real).map_err(other)?;
    let folder =
        std::env::temp_dir().join(format!("sluice-conformance-cli-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(other)?;
    let flux = folder.join("flux");
    if !flux.exists() {
        std::os::unix::fs::symlink(&real, &flux).map_err(other)?;
    }
    let mut tally = Tally::default();
    for file in &arguments.files {
        let mut cases = read_jsonl(file).map_err(other)?;
        cases.retain(|case| name(case).contains(&arguments.filter));
        let cluster = cases.iter().any(|case| case["needs"] == "api-server");
        let cluster = cluster || file.to_string_lossy().contains("cluster");
        if cluster {
            in_cluster(arguments, file, &flux, &real, &cases, &mut tally)?;
        } else {
            alone(arguments, file, &flux, &cases, &mut tally);
        }
    }
    // The folder holds a link only.
    let _ = fs::remove_dir_all(&folder);
    for (index, (name, why)) in tally.failures().iter().enumerate() {
        if index < arguments.show {
            println!("FAIL {name}: {why}");
        } else {
            println!("FAIL {name}");
        }
    }
    println!(
        "{} passed, {} failed",
        tally.passed(),
        tally.failures().len()
    );
    if tally.failures().is_empty() {
        Ok(())
    } else {
        Err(TaskError::Other(format!(
            "{} cases differ",
            tally.failures().len()
        )))
    }
}

/// Cases that need nothing, or what is already there; those of a registry build on each other.
fn alone(arguments: &ConformanceCli, file: &Path, flux: &Path, cases: &[Value], tally: &mut Tally) {
    let file = file.to_string_lossy();
    let program = Program {
        path: flux.to_path_buf(),
        environment: Vec::new(),
        skip_stdout: file.contains("install"),
    };
    let jobs = if file.contains("registry") || file.contains("ssh") {
        1
    } else {
        arguments.jobs.max(1)
    };
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<(usize, Result<(), String>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else {
                        return;
                    };
                    let outcome = replay(&program, case);
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push((index, outcome));
                    }
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_default();
    outcomes.sort_by_key(|(index, _)| *index);
    for (index, outcome) in outcomes {
        tally.record(name(&cases[index]), outcome);
    }
}

fn in_cluster(
    arguments: &ConformanceCli,
    file: &Path,
    flux: &Path,
    real: &Path,
    cases: &[Value],
    tally: &mut Tally,
) -> Result<(), TaskError> {
    let crds = arguments
        .crds
        .clone()
        .unwrap_or_else(|| workspace_root().join("../shared/flux/crds"));
    let beside = file
        .parent()
        .unwrap_or(Path::new("."))
        .join("cluster/objects.json");
    let recorded = workspace_root().join("../shared/conformance/cli/cluster/objects.json");
    let objects = if beside.exists() { beside } else { recorded };
    let start =
        || Cluster::start(&real.to_string_lossy(), &crds, &objects).map_err(TaskError::Other);
    let mut cluster = start()?;
    for case in cases {
        let responder = case["responder"].as_array().map(|kinds| {
            let kinds = kinds
                .iter()
                .filter_map(|kind| kind.as_str().map(str::to_owned));
            cluster.respond(kinds.collect())
        });
        let program = Program {
            path: flux.to_path_buf(),
            environment: vec![(
                "KUBECONFIG".to_owned(),
                cluster.kubeconfig().to_string_lossy().into_owned(),
            )],
            skip_stdout: false,
        };
        let outcome = replay(&program, case).and_then(|()| check_after(&cluster, &case["after"]));
        drop(responder);
        tally.record(name(case), outcome);
        // Cases that change something are followed by a fresh cluster.
        if !case["after"].is_null() || !case["responder"].is_null() {
            cluster = start()?;
        }
    }
    Ok(())
}

fn check_after(cluster: &Cluster, after: &Value) -> Result<(), String> {
    for (id, wanted) in after.as_object().into_iter().flatten() {
        let found = cluster.object(id);
        match (wanted, found) {
            (Value::Null, None) => {}
            (Value::Null, Some(_)) => return Err(format!("{id} is still there")),
            (_, None) => return Err(format!("{id} is not there")),
            (wanted, Some(found)) => {
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
