//! `cargo xtask conformance`: replays recorded steps against `sluice up`, file by file, and prints a
//! table and the failing steps in Markdown, as `docs/embedded-control-plane.md` has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use crate::go::{create_dir, read};
use crate::{TaskError, peers, workspace_root};

/// The flags of `cargo xtask conformance`.
#[derive(Args)]
pub(crate) struct Conformance {
    /// The program to test [default: target/release/sluice]
    #[arg(long)]
    sluice: Option<PathBuf>,
    /// Also run the recorded commands of kubectl and helm (built by `cargo xtask peers build`)
    #[arg(long)]
    commands: bool,
    /// The recorded files, by name without ending [default: all]
    files: Vec<String>,
}

/// A step that did not come out as recorded.
struct Failing {
    scenario: String,
    step: String,
    difference: String,
}

/// Replays the files one after the other, each against a fresh server.
#[expect(clippy::print_stdout, reason = "the report")]
pub(crate) fn run(arguments: &Conformance) -> Result<(), TaskError> {
    let program = match &arguments.sluice {
        Some(path) => path.clone(),
        None => workspace_root().join("target/release/sluice"),
    };
    let corpus = corpus()?;
    let files = if arguments.files.is_empty() {
        recorded(&corpus)?
    } else {
        arguments.files.clone()
    };
    println!("| file | steps | as recorded | |\n|---|---:|---:|---:|");
    let mut failing = BTreeMap::new();
    for file in files {
        let (passed, failed) = replay(&program, &corpus, &file, arguments.commands)?;
        let total = passed + failed.len();
        let rate = 100.0 * passed as f64 / total.max(1) as f64;
        println!("| {file} | {total} | {passed} | {rate:.1} % |");
        failing.insert(file, failed);
    }
    println!("\n| step | what differs |\n|---|---|");
    for failed in failing.values().flatten() {
        let difference = failed.difference.replace('|', "\\|");
        println!("| `{}` {} | {difference} |", failed.scenario, failed.step);
    }
    Ok(())
}

/// Where the recordings lie: below `$SLUICE_CONFORMANCE`, else beside the checkout.
fn corpus() -> Result<PathBuf, TaskError> {
    let root = std::env::var_os("SLUICE_CONFORMANCE").map_or_else(
        || workspace_root().join("../shared/conformance"),
        PathBuf::from,
    );
    let folder = root.join("apiserver");
    if folder.join("replay.py").exists() {
        return Ok(folder);
    }
    Err(TaskError::Other(format!(
        "the recordings are not at {}; set SLUICE_CONFORMANCE",
        folder.display()
    )))
}

fn recorded(corpus: &Path) -> Result<Vec<String>, TaskError> {
    let entries = fs::read_dir(corpus).map_err(|source| TaskError::File {
        action: "list",
        path: corpus.into(),
        source,
    })?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.strip_suffix(".jsonl").map(str::to_owned)
        })
        .collect();
    names.sort();
    Ok(names)
}

fn replay(
    program: &Path,
    corpus: &Path,
    file: &str,
    commands: bool,
) -> Result<(usize, Vec<Failing>), TaskError> {
    let folder =
        std::env::temp_dir().join(format!("sluice-conformance-{}-{file}", std::process::id()));
    create_dir(&folder)?;
    let results = folder.join("results.jsonl");
    let tokens = corpus.join("tokens.csv");
    let server = Server::start(program, &folder, &tokens, file == "sa-admission")?;
    let mut replay = Command::new("python3");
    replay
        .arg(corpus.join("replay.py"))
        .args(["--server", &server.url, "--controllers", "--quiet"])
        .arg("--tokens")
        .arg(&tokens)
        .arg("--json")
        .arg(&results)
        .arg(corpus.join(format!("{file}.jsonl")));
    if file == "sa-admission" {
        replay.args(["--requires", "serviceaccount-admission"]);
    }
    if commands {
        replay.arg("--kubectl").arg(peers::path("kubectl"));
        replay.arg("--helm").arg(peers::path("helm"));
    }
    // It fails when a step does; what it found is in the file.
    replay
        .stdout(Stdio::null())
        .status()
        .map_err(|source| TaskError::Start {
            program: "python3".to_owned(),
            source,
        })?;
    let outcome = count(&read(&results)?);
    drop(server);
    // What cannot be removed is left to the system's own cleaning.
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn count(results: &str) -> Result<(usize, Vec<Failing>), TaskError> {
    let (mut passed, mut failing) = (0, Vec::new());
    for line in results.lines() {
        let result: Value = serde_json::from_str(line)
            .map_err(|error| TaskError::Other(format!("the replay's results: {error}")))?;
        if result["pass"] == true {
            passed += 1;
            continue;
        }
        let first = &result["diffs"][0];
        let part = |index: usize| first[index].as_str().unwrap_or_default();
        failing.push(Failing {
            scenario: result["scenario"].as_str().unwrap_or_default().to_owned(),
            step: result["step"].to_string(),
            difference: format!("`{}`: `{}`, recorded `{}`", part(0), part(2), part(1)),
        });
    }
    Ok((passed, failing))
}

/// `sluice up` in memory; ended when dropped.
struct Server {
    url: String,
    child: Child,
}

impl Server {
    fn start(
        program: &Path,
        folder: &Path,
        tokens: &Path,
        service_accounts: bool,
    ) -> Result<Self, TaskError> {
        let ready = folder.join("ready");
        let mut command = Command::new(program);
        command
            .args(["--log-level", "error", "up", "--in-memory", "--port", "0"])
            .arg("--token-auth-file")
            .arg(tokens)
            .arg("--kubeconfig")
            .arg(folder.join("kubeconfig"))
            .arg("--ready-file")
            .arg(&ready);
        if service_accounts {
            command.args(["--enable-admission-plugins", "ServiceAccount"]);
        }
        let child = command
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| TaskError::Start {
                program: program.display().to_string(),
                source,
            })?;
        let mut server = Self {
            url: String::new(),
            child,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            match fs::read_to_string(&ready) {
                Ok(text) if text.ends_with('\n') => {
                    text.trim().clone_into(&mut server.url);
                    return Ok(server);
                }
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        Err(TaskError::Other("sluice up is not ready".to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
