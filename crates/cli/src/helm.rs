//! `sluice helm …`: Helm's commands, drop-in.
//!
//! The words are read as Helm reads them ([`helm::flags`]), so that scripts written for it go on working.
//! Source: Helm 4.2.4 `pkg/cmd`.

mod change;
mod environment;
mod flags;
mod inspect;
mod output;
mod show;
mod table;
mod template;

use std::io::Write as _;
use std::sync::Arc;

use ::release::{ActionError, Actions, KubeCluster};
use clap::Args;
use helm::flags::{FlagError, Parsed};

pub(crate) use environment::System;
use flags::Settings;

/// Manage Helm releases, and render charts
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Helm {
    /// A command of Helm, with its flags
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Why a command of Helm fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelmError {
    /// In Helm's words.
    #[error("{0}")]
    Said(String),
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

impl From<ActionError> for HelmError {
    fn from(error: ActionError) -> Self {
        Self::Said(error.to_string())
    }
}

impl From<FlagError> for HelmError {
    fn from(error: FlagError) -> Self {
        Self::Said(error.to_string())
    }
}

pub(crate) fn said(text: impl std::fmt::Display) -> HelmError {
    HelmError::Said(text.to_string())
}

const USAGE: &str = "\
Usage:
  sluice helm [command]

Available Commands:
  get         download extended information of a named release
  history     fetch release history
  install     install a chart
  list        list releases
  rollback    roll back a release to a previous revision
  show        show information of a chart
  status      display the status of the named release
  template    locally render templates
  test        run tests for a release
  uninstall   uninstall a release
  upgrade     upgrade a release

Flags are those of Helm 4; --compat 3 and --compat 4.3 follow other versions.
";

/// Runs a command and reports its failure as Helm does; gives the exit code.
pub(crate) fn run(helm: &Helm) -> u8 {
    let mut out = std::io::stdout().lock();
    let ended = dispatch(&helm.words, &mut out).and_then(|()| Ok(out.flush()?));
    match ended {
        Ok(()) => 0,
        Err(HelmError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "Helm's own form of reporting")]
            {
                eprintln!("Error: {error}");
            }
            1
        }
    }
}

fn dispatch(words: &[String], out: &mut dyn std::io::Write) -> Result<(), HelmError> {
    // Flags that all commands take may stand before the command.
    let at = flags::command(words);
    let Some(at) = at else {
        out.write_all(USAGE.as_bytes())?;
        return Ok(());
    };
    let mut rest = words.to_vec();
    let command = rest.remove(at);
    match command.as_str() {
        "template" => template::run(&rest, out),
        "show" | "inspect" => show::run(&rest, out),
        "install" => change::install(&rest, out),
        "upgrade" => change::upgrade(&rest, out),
        "rollback" => change::rollback(&rest, out),
        "uninstall" | "del" | "delete" | "un" => change::uninstall(&rest, out),
        "test" => change::test(&rest, out),
        "list" | "ls" => inspect::list(&rest, out),
        "history" | "hist" => inspect::history(&rest, out),
        "status" => inspect::status(&rest, out),
        "get" => inspect::get(&rest, out),
        "help" => Ok(out.write_all(USAGE.as_bytes())?),
        other => Err(said(format!(
            "unknown command {other:?} for \"helm\"\nRun 'helm --help' for usage."
        ))),
    }
}

/// Does `work` with the actions for the cluster that the flags name.
fn with_cluster<T>(
    given: &Parsed,
    work: impl AsyncFnOnce(Actions<KubeCluster>, &Settings) -> Result<T, HelmError>,
) -> Result<T, HelmError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()?;
    runtime.block_on(async {
        let settings = Settings::read(given).await?;
        let client = kube::Client::try_from(settings.config.clone())
            .map_err(|error| said(format!("Kubernetes cluster unreachable: {error}")))?;
        let cluster = KubeCluster::new(client.clone(), apply::Mapper::new(client), "helm");
        let lookup =
            environment::ClusterLookup::new(cluster.clone(), tokio::runtime::Handle::current());
        let actions = Actions::new(
            cluster,
            settings.namespace.clone(),
            "helm",
            settings.compat,
            Arc::new(System),
        )
        .look_up_with(Arc::new(lookup));
        work(actions, &settings).await
    })
}

/// Takes exactly `count` words.
fn exactly<'a>(
    given: &'a Parsed,
    command: &str,
    usage: &str,
    count: usize,
) -> Result<&'a [String], HelmError> {
    if given.words.len() == count {
        return Ok(&given.words);
    }
    let plural = if count == 1 { "argument" } else { "arguments" };
    Err(said(format!(
        "\"helm {command}\" requires {count} {plural}\n\nUsage:  helm {command} {usage} [flags]"
    )))
}

/// Takes at least one word.
fn at_least_one<'a>(
    given: &'a Parsed,
    command: &str,
    usage: &str,
) -> Result<&'a [String], HelmError> {
    if given.words.is_empty() {
        return Err(said(format!(
            "\"helm {command}\" requires at least 1 argument\n\nUsage:  helm {command} {usage} [flags]"
        )));
    }
    Ok(&given.words)
}
