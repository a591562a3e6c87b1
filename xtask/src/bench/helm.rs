//! `cargo xtask bench helm`: `sluice helm template` side by side with Helm's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use crate::{TaskError, workspace_root};

/// The charts that are measured, by what their names end with.
const CHARTS: [&str; 3] = ["kube-prometheus-stack", "argo-cd", "ingress-nginx"];

/// The flags of `cargo xtask bench helm`.
#[derive(Args)]
pub(crate) struct HelmBench {
    /// The program to measure [default: target/release/sluice]
    #[arg(long)]
    sluice: Option<PathBuf>,
    /// The Helm to compare with, of any version [default: the peer]
    #[arg(long)]
    helm: Option<PathBuf>,
    /// The folder with the charts: each in a folder of its own, as `chart.tgz`
    #[arg(long)]
    charts: Option<PathBuf>,
    /// How often each command runs
    #[arg(long, default_value_t = 15)]
    runs: usize,
}

/// What one command took.
struct Measured {
    /// The median of the wall time.
    time: Duration,
    /// The largest resident set in KiB.
    memory: u64,
}

/// Measures both and prints the ratios.
#[expect(clippy::print_stdout, reason = "the report of a command")]
pub(crate) fn run(arguments: &HelmBench) -> Result<(), TaskError> {
    let sluice = match &arguments.sluice {
        Some(path) => path.clone(),
        None => workspace_root().join("target/release/sluice"),
    };
    let helm = match &arguments.helm {
        Some(path) => path.clone(),
        None => crate::peers::path("helm"),
    };
    let charts = match &arguments.charts {
        Some(path) => path.clone(),
        None => testkit::conformance("helm")
            .map(|root| root.join("real"))
            .ok_or_else(|| {
                TaskError::Other(
                    "the corpus of charts is not there; name one with --charts".to_owned(),
                )
            })?,
    };
    println!(
        "{:<24} {:>10} {:>10} {:>7} {:>10} {:>10} {:>7}",
        "chart", "helm", "sluice", "ratio", "helm MiB", "sluice", "ratio"
    );
    for name in CHARTS {
        let Some(chart) = find(&charts, name) else {
            println!("{name:<24} not there");
            continue;
        };
        // By turns, so that a busy moment hits both.
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..arguments.runs {
            theirs.push(measure(&helm, &[], &chart)?);
            ours.push(measure(&sluice, &["helm"], &chart)?);
        }
        let (theirs, ours) = (median(theirs), median(ours));
        println!(
            "{name:<24} {:>7.1} ms {:>7.1} ms {:>6.1}x {:>10.1} {:>10.1} {:>6.1}x",
            millis(theirs.time),
            millis(ours.time),
            millis(theirs.time) / millis(ours.time),
            theirs.memory as f64 / 1024.0,
            ours.memory as f64 / 1024.0,
            theirs.memory as f64 / ours.memory.max(1) as f64,
        );
    }
    Ok(())
}

fn find(charts: &Path, name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(charts).ok()?;
    folders
        .flatten()
        .map(|folder| folder.path())
        .find(|folder| {
            folder
                .file_name()
                .is_some_and(|folder| folder.to_string_lossy().ends_with(name))
        })
        .map(|folder| folder.join("chart.tgz"))
        .filter(|chart| chart.is_file())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut all: Vec<Measured>) -> Measured {
    all.sort_by_key(|one| one.time);
    let memory = all.iter().map(|one| one.memory).max().unwrap_or_default();
    let middle = all.len() / 2;
    Measured {
        time: all.get(middle).map_or(Duration::ZERO, |one| one.time),
        memory,
    }
}

/// Runs `helm template` once; GNU time tells what it took.
fn measure(program: &Path, words: &[&str], chart: &Path) -> Result<Measured, TaskError> {
    let failed = |what: String| TaskError::Other(what);
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%M"]).arg(program).args(words);
    command.args(["template", "rel"]).arg(chart);
    command.args(["--namespace", "ns", "--kube-version", "v1.34.0"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let output = command
        .output()
        .map_err(|error| failed(format!("/usr/bin/time: {error}")))?;
    let time = start.elapsed();
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(failed(format!("{}: {text}", program.display())));
    }
    let memory = text
        .lines()
        .last()
        .and_then(|line| line.trim().parse().ok());
    Ok(Measured {
        time,
        memory: memory.unwrap_or_default(),
    })
}
