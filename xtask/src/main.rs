//! Development tasks, run as `cargo xtask …`.

mod bench;
mod conformance;
mod conformance_cli;
mod gen_cli;
mod gen_kubernetes;
mod go;
#[cfg(test)]
mod layers;
mod licences;
mod peers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Development tasks of Sluice")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build, start and stop the real programs that Sluice is tested and measured against
    Peers {
        #[command(subcommand)]
        action: PeersAction,
    },
    /// Check the licences of all dependencies against deny.toml
    Licences,
    /// Measure Sluice side by side with what it stands in for
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
    /// Replay recorded steps of kube-apiserver, kubectl and helm; print rates and what differs
    Conformance(conformance::Conformance),
    /// Replay recorded runs of the flux command line; print failing cases and last N passed, N failed
    ConformanceCli(conformance_cli::ConformanceCli),
    /// Write committed generated files
    Gen {
        #[command(subcommand)]
        what: Generated,
    },
}

#[derive(Subcommand)]
enum PeersAction {
    /// Build programs from the Go module proxy into the cache (default: those the tests need)
    Build {
        /// etcd, kube-apiserver, kube-controller-manager, kubectl, kustomize, helm, crane, registry,
        /// source-controller, kustomize-controller, helm-controller, notification-controller
        names: Vec<String>,
    },
    /// Start etcd, kube-apiserver and kube-controller-manager on free loopback ports; state in DIR
    Up {
        /// Where state, logs, `kubeconfig` and `pids` are written
        dir: PathBuf,
        /// A static token file (token,user,uid,groups); its first line is the administrator
        #[arg(long)]
        tokens: Option<PathBuf>,
        /// Leave out kube-controller-manager
        #[arg(long)]
        no_controllers: bool,
    },
    /// Stop what `up DIR` started
    Down {
        /// The DIR of `up`
        dir: PathBuf,
    },
    /// Print where a built program lies
    Path {
        /// The program
        name: String,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// The control plane, against kube-apiserver and etcd: throughput, latency, start, memory
    Apiserver(bench::ApiserverBench),
    /// `helm template`, against Helm: time and memory of the whole process
    Helm(bench::HelmBench),
    /// Kustomize builds, against the kustomize command: CPU time and memory
    Kustomize(bench::KustomizeBench),
}

#[derive(Subcommand)]
enum Generated {
    /// Facts about the built-in kinds, from a running kube-apiserver and the Go API types
    Kubernetes,
    /// The table of Flux's commands and flags
    Cli,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Peers {
            action: PeersAction::Build { names },
        } => peers::build(&names),
        Task::Peers {
            action:
                PeersAction::Up {
                    dir,
                    tokens,
                    no_controllers,
                },
        } => peers::up(&dir, tokens.as_deref(), !no_controllers),
        Task::Peers {
            action: PeersAction::Down { dir },
        } => peers::down(&dir),
        Task::Peers {
            action: PeersAction::Path { name },
        } => peers::print_path(&name),
        Task::Licences => licences::check(),
        Task::Bench {
            what: Bench::Apiserver(arguments),
        } => bench::apiserver(&arguments),
        Task::Bench {
            what: Bench::Helm(arguments),
        } => bench::helm(&arguments),
        Task::Bench {
            what: Bench::Kustomize(arguments),
        } => bench::kustomize(&arguments),
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::ConformanceCli(arguments) => conformance_cli::run(&arguments),
        Task::Gen {
            what: Generated::Kubernetes,
        } => gen_kubernetes::run(),
        Task::Gen {
            what: Generated::Cli,
        } => gen_cli::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints an error and its causes.
#[expect(clippy::print_stderr, reason = "a command-line tool")]
fn report(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  caused by: {cause}");
        source = cause.source();
    }
}

/// What can go wrong in a task.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    #[error("cannot {action} {path}")]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot run {program}: is it installed?")]
    Start {
        program: String,
        source: std::io::Error,
    },
    #[error("{program} failed ({status}){output}")]
    Failed {
        program: String,
        status: std::process::ExitStatus,
        output: String,
    },
    #[error("{0}")]
    Other(String),
}

/// The root of the checkout.
fn workspace_root() -> PathBuf {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .expect("xtask lies below the workspace root")
        .to_path_buf()
}
