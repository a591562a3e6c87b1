//! Flux's verbs: a drop-in for the `flux` command line.
//!
//! ```text
//! words ─ parse (table of commands and flags) ─► Arguments ─ run ─► one module a verb ─► output
//!                                                                        └─ cluster (kube-rs)
//! ```

mod artifact;
mod bootstrap;
mod build;
mod check;
mod cluster;
mod complete;
mod completion;
mod create;
mod debug;
mod delete;
mod diff;
mod events;
mod export;
mod get;
mod go;
mod help;
mod image_name;
mod install;
mod invocation;
mod logs;
mod migrate;
mod names;
mod output;
mod parse;
mod plugin;
mod prompt;
mod readiness;
mod reconcile;
mod resume;
mod ssh;
mod stats;
mod suspend;
mod table;
mod trace;
mod tree;
mod trigger;
mod uninstall;
mod value;
mod version;

use std::fmt::Write as _;
use std::process::ExitCode;

use invocation::Invocation;
use parse::{Arguments, Request};
use table::TABLE;

/// The version of Flux that the command line stands in for.
pub(crate) const FLUX_VERSION: &str = "2.9.4";

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It failed: the text, in Flux's words.
    Failed(String),
    /// It ended with an exit code of its own: 1 tells of a difference, others of a failure.
    Code(u8, String),
    /// All has been said.
    Quiet(u8),
}

/// How a command ends.
pub(crate) type Outcome = Result<(), Stop>;

impl From<String> for Stop {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

impl From<&str> for Stop {
    fn from(text: &str) -> Self {
        Self::Failed(text.to_owned())
    }
}

/// Bytes in small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether the words after the program's name are for this command line: a verb of Flux, or a plugin
/// that does not bear the name of one of the program's `own` commands.
pub(crate) fn takes(words: &[String], own: &[&str]) -> bool {
    match parse::find(&TABLE, "", &plugin::discover(), words) {
        // The program's own help lists its own commands, too.
        Ok(parse::Found::Command(command, rest)) => {
            let is_own_help = command.path == "help" && rest.is_empty();
            !command.path.is_empty() && !is_own_help
        }
        Ok(parse::Found::Plugin(plugin, _)) => !own.contains(&plugin.name.as_str()),
        Err(_) => matches!(
            words.first().map(String::as_str),
            Some("__complete" | "__completeNoDesc")
        ),
    }
}

/// Runs the command that the words ask for.
pub(crate) fn run(program: &str, words: &[String]) -> ExitCode {
    let plugins = plugin::discover();
    let default = default_namespace();
    match parse::parse(&TABLE, program, &plugins, words) {
        Err(message) => ended(Err(message.into())),
        Ok(Request::Help(command)) => {
            output::out(help::text(program, command));
            ExitCode::SUCCESS
        }
        Ok(Request::UnknownTopic(topic)) => {
            let topic: Vec<String> = topic.iter().map(|word| format!("`{word}`")).collect();
            output::out(format!("Unknown help topic [{}]\n", topic.join(" ")));
            output::out(help::usage(program, TABLE.root()));
            ExitCode::SUCCESS
        }
        Ok(Request::Version) => {
            output::out(format!("{program} version {FLUX_VERSION}\n"));
            ExitCode::SUCCESS
        }
        Ok(Request::Complete { words, describe }) => {
            complete::run(program, &plugins, &words, describe, &default);
            ExitCode::SUCCESS
        }
        Ok(Request::Plugin(plugin, words)) => {
            let error = plugin::exec(&plugin, &words);
            ended(Err(go::errno(&error).into()))
        }
        Ok(Request::Run(arguments)) => ended(start(arguments, program, default)),
    }
}

fn ended(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(text)) => {
            output::failure(text);
            ExitCode::FAILURE
        }
        Err(Stop::Code(code, text)) => {
            if code == 1 {
                output::warning(text);
            } else {
                output::failure(text);
            }
            ExitCode::from(code)
        }
        Err(Stop::Quiet(code)) => ExitCode::from(code),
    }
}

/// The namespace that is meant when none is named.
fn default_namespace() -> String {
    let wanted = std::env::var("FLUX_SYSTEM_NAMESPACE").unwrap_or_default();
    if wanted.is_empty() {
        return "flux-system".to_owned();
    }
    if object::names::dns1123_label(&wanted).is_empty() {
        return wanted;
    }
    output::warning(format_args!(
        " ignoring invalid FLUX_SYSTEM_NAMESPACE: {}",
        go::quote(&wanted)
    ));
    "flux-system".to_owned()
}

/// The namespace of a command line.
fn namespace(arguments: &Arguments<'_>, default: String) -> String {
    if arguments.is_set("namespace") {
        arguments.text("namespace").to_owned()
    } else {
        default
    }
}

fn start(arguments: Arguments<'_>, program: &str, default: String) -> Outcome {
    output::out(&arguments.notices);
    let path = arguments.command.path;
    let mut namespace = namespace(&arguments, default);
    let verb = path.split(' ').next().unwrap_or_default();
    match verb {
        "create" => create::check_name(arguments.first())?,
        "plugin" => {}
        _ => {
            let follow = arguments.boolean("ns-follows-kube-context")
                || std::env::var_os("FLUX_NS_FOLLOWS_KUBE_CONTEXT")
                    .is_some_and(|on| !on.is_empty());
            let of_context = || cluster::context_namespace(&arguments);
            if follow
                && !arguments.is_set("namespace")
                && let Some(context) = of_context()
            {
                namespace = context;
            }
            if !object::names::dns1123_label(&namespace).is_empty() {
                return Err(format!(
                    "namespace must be a valid DNS label: {}",
                    go::quote(&namespace)
                )
                .into());
            }
        }
    }
    let invocation = Invocation::new(arguments, program, namespace);
    dispatch(&invocation, path)
}

fn dispatch(invocation: &Invocation<'_>, path: &str) -> Outcome {
    let (verb, rest) = path.split_once(' ').unwrap_or((path, ""));
    match (verb, rest) {
        ("build", "kustomization") => build::kustomization(invocation),
        ("build", _) => artifact::build(invocation),
        ("bootstrap", provider) => bootstrap::run(invocation, provider),
        ("check", _) => check::run(invocation),
        ("completion", shell) => completion::run(invocation, shell),
        ("create", what) => create::run(invocation, what),
        ("debug", what) => debug::run(invocation, what),
        ("delete", what) => delete::run(invocation, what),
        ("diff", "kustomization") => diff::run(invocation),
        ("diff", _) => artifact::diff(invocation),
        ("envsubst", _) => build::envsubst(invocation),
        ("events", _) => events::run(invocation),
        ("export", what) => export::run(invocation, what),
        ("get", what) => get::run(invocation, what),
        ("install", _) => install::run(invocation),
        ("list", _) => artifact::list(invocation),
        ("logs", _) => logs::run(invocation),
        ("migrate", _) => migrate::run(invocation),
        ("plugin", what) => plugin::run(invocation, what),
        ("pull", _) => artifact::pull(invocation),
        ("push", _) => artifact::push(invocation),
        ("reconcile", what) => reconcile::run(invocation, what),
        ("resume", what) => resume::run(invocation, what),
        ("stats", _) => stats::run(invocation),
        ("suspend", what) => suspend::run(invocation, what),
        ("tag", _) => artifact::tag(invocation),
        ("trace", _) => trace::run(invocation),
        ("tree", what) => tree::run(invocation, what),
        ("trigger", _) => trigger::run(invocation),
        ("uninstall", _) => uninstall::run(invocation),
        ("version", _) => version::run(invocation),
        _ => Err(format!("{} {path} is not available", invocation.program).into()),
    }
}
