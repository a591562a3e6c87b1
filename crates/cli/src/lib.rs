//! The command line: Flux's verbs and our own.

mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// GitOps for Kubernetes in one binary.
#[derive(Parser)]
#[command(name = "sluice", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a Kubernetes control plane on this machine.
    Up(up::Up),
}

/// Parses the arguments, does what they say, and gives the exit code.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let ended = match arguments.command {
        Command::Up(up) => up::run(up),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "the one place where errors are reported"
            )]
            {
                eprintln!("error: {error}");
            }
            ExitCode::FAILURE
        }
    }
}
