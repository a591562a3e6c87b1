//! The command line: Flux's verbs and our own.
//!
//! [`run`] parses the arguments, starts logging, runs the command and reports its failure; it is the only
//! crate that writes to standard output.

mod build;
mod controllers;
mod crds;
mod demo;
mod embedded;
mod envsubst;
mod flux;
mod gitops;
mod helm;
mod kustomize;
mod logging;
mod report;
mod signals;
mod up;
mod version;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use logging::{LogEncoding, LogLevel};
use report::Failure;

/// GitOps for Kubernetes in one binary.
#[derive(Parser)]
#[command(name = "sluice")]
struct Arguments {
    /// The form of log lines on standard error
    #[arg(long, global = true, value_enum, default_value = "console")]
    log_encoding: LogEncoding,
    /// The least severity that is logged
    #[arg(long, global = true, value_enum, default_value = "info")]
    log_level: LogLevel,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a Kubernetes control plane on this machine
    Up(up::Up),
    /// See the whole loop on this machine, with a repository to play with
    Demo(demo::Demo),
    /// Reconcile Flux objects of a cluster
    Controllers(Box<controllers::Controllers>),
    /// Print the CustomResourceDefinitions of the Flux kinds
    Crds(crds::Crds),
    /// Manage Helm releases, and render charts
    Helm(helm::Helm),
    /// Build kustomizations
    Kustomize(kustomize::Kustomize),
}

/// Parses the arguments, does what they say, and gives the exit code.
pub fn run() -> ExitCode {
    let mut words: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let program = words
        .first()
        .map_or("", |program| program.rsplit('/').next().unwrap_or(program));
    let as_flux = program == "flux";
    if !words.is_empty() {
        words.remove(0);
    }
    if as_flux {
        return flux::run("flux", &words);
    }
    let own = Arguments::command();
    let own: Vec<&str> = own.get_subcommands().map(clap::Command::get_name).collect();
    if flux::takes(&words, &own) {
        return flux::run("sluice", &words);
    }
    let matches = Arguments::command().version(version::VERSION).get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let mut level = arguments.log_level;
    // The demo has lines of its own for what happens.
    let is_given =
        matches.value_source("log_level") == Some(clap::parser::ValueSource::CommandLine);
    if matches!(arguments.command, Command::Demo(_)) && !is_given {
        level = LogLevel::Error;
    }
    logging::start(arguments.log_encoding, level);
    let ended = match arguments.command {
        Command::Helm(words) => return ExitCode::from(helm::run(&words)),
        Command::Up(up) => up::run(up).map_err(|error| {
            let hint = error.hint();
            let failure = Failure::from(error);
            match hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }),
        Command::Kustomize(kustomize) => kustomize::run(&kustomize).map_err(Failure::from),
        Command::Demo(flags) => demo::run(&flags).map_err(|error| {
            let hint = error.hint();
            let failure = Failure::from(error);
            match hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }),
        Command::Controllers(flags) => controllers::run(&flags).map_err(|error| {
            let hint = error.hint();
            let failure = Failure::from(error);
            match hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }),
        Command::Crds(crds) => crds::run(&crds).or_else(ignore_broken_pipe),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            #[expect(
                clippy::print_stderr,
                reason = "the one place where errors are reported"
            )]
            {
                eprint!("{}", failure.text());
            }
            ExitCode::from(failure.exit_code)
        }
    }
}

/// A reader that has seen enough (`| head`) is no failure.
fn ignore_broken_pipe(error: std::io::Error) -> Result<(), Failure> {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        Ok(())
    } else {
        Err(error.into())
    }
}
