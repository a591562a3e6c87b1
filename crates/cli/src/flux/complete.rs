//! `__complete`: what a shell offers for a command line that is not finished. Source: Cobra.

use super::cluster::{self, Cluster, Selection, kinds};
use super::parse::{self, Arguments, Found};
use super::plugin::Plugin;
use super::table::{Command, Flag, TABLE};
use super::{help, output};

/// What a shell does with the offers.
#[derive(Clone, Copy)]
enum Directive {
    /// Offers files, too, where there is nothing else.
    Default,
    /// Something has gone wrong.
    Error,
    /// Offers no files.
    NoFiles,
}

impl Directive {
    fn number(self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Error => 1,
            Self::NoFiles => 4,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Default => "ShellCompDirectiveDefault",
            Self::Error => "ShellCompDirectiveError",
            Self::NoFiles => "ShellCompDirectiveNoFileComp",
        }
    }
}

/// An offer and what it is.
type Offer = (String, String);

/// Prints the offers for the words, of which the last is not finished.
pub(super) fn run(
    program: &str,
    plugins: &[Plugin],
    words: &[String],
    describe: bool,
    default_namespace: &str,
) {
    let (offers, directive) = match offers(program, plugins, words, default_namespace) {
        Ok(found) => found,
        Err(message) => {
            output::err(format_args!("[Debug] [Error] {message}\n"));
            (Vec::new(), Directive::Default)
        }
    };
    let mut text = String::new();
    for (offer, description) in offers {
        let line = if describe {
            format!("{offer}\t{description}")
        } else {
            offer
        };
        text.push_str(line.lines().next().unwrap_or_default().trim());
        text.push('\n');
    }
    text.push_str(&format!(":{}\n", directive.number()));
    output::out(text);
    output::err(format_args!(
        "Completion ended with directive: {}\n",
        directive.name()
    ));
}

fn offers(
    program: &str,
    plugins: &[Plugin],
    words: &[String],
    default_namespace: &str,
) -> Result<(Vec<Offer>, Directive), String> {
    let (unfinished, before) = words.split_last().ok_or("no words")?;
    let found = parse::find(&TABLE, program, plugins, before).map_err(|_| {
        format!(
            "unable to find a command for arguments: [{}]",
            before.join(" ")
        )
    })?;
    let (command, mut rest) = match found {
        Found::Command(command, rest) => (command, rest),
        // What plugins take is their own business.
        Found::Plugin(..) => return Ok((Vec::new(), Directive::Default)),
    };
    let (flag, unfinished) = flag_in_progress(command, &mut rest, unfinished)?;
    let failed = |error: String| {
        format!(
            "Error while parsing flags from args [{}]: {error}",
            rest.join(" ")
        )
    };
    let arguments = parse::partial(&TABLE, command, &rest).map_err(failed)?;
    if arguments.boolean("help") {
        return Ok((Vec::new(), Directive::NoFiles));
    }
    let names_flag = flag.is_none() && unfinished.starts_with('-') && !unfinished.contains('=');
    if names_flag {
        return Ok((
            flag_names(command, &arguments, &unfinished),
            Directive::NoFiles,
        ));
    }
    if let Some(flag) = flag {
        return Ok(flag_values(
            flag,
            &arguments,
            &unfinished,
            default_namespace,
        ));
    }
    let mut offers = Vec::new();
    let mut directive = Directive::Default;
    if arguments.words.is_empty() {
        for child in TABLE.children(command) {
            if child.hidden {
                continue;
            }
            directive = Directive::NoFiles;
            if child.name().starts_with(&unfinished) {
                offers.push((child.name().to_owned(), help::summary(program, child)));
            }
        }
        if command.path.is_empty() {
            let plugins = plugins
                .iter()
                .filter(|plugin| plugin.name.starts_with(&unfinished));
            offers.extend(plugins.map(|plugin| {
                (
                    plugin.name.clone(),
                    format!("Runs the {} plugin", plugin.name),
                )
            }));
            offers.sort();
        }
    }
    if let Some(kind) = kind_of(command) {
        let (names, found) = object_names(kind, &arguments, &unfinished, default_namespace);
        offers.extend(names);
        directive = found;
    }
    Ok((offers, directive))
}

/// The flag whose value is being written, if one is; it is taken off the words.
fn flag_in_progress(
    command: &'static Command,
    rest: &mut Vec<String>,
    unfinished: &str,
) -> Result<(Option<&'static Flag>, String), String> {
    let last_letter = |text: &str| text.chars().last().map(String::from).unwrap_or_default();
    let named = |word: &str| match word.strip_prefix("--") {
        Some(name) => name.to_owned(),
        None => last_letter(word),
    };
    let (name, value, joined) = if unfinished.starts_with('-') {
        let Some((flag, value)) = unfinished.split_once('=') else {
            return Ok((None, unfinished.to_owned()));
        };
        (named(flag), value.to_owned(), true)
    } else {
        let previous = rest.last().filter(|word| {
            word.len() >= 2 && word.starts_with('-') && *word != "--" && !word.contains('=')
        });
        let Some(previous) = previous else {
            return Ok((None, unfinished.to_owned()));
        };
        (named(previous), unfinished.to_owned(), false)
    };
    let flags = TABLE.flags(command);
    let flag = flags.iter().copied().find(|flag| {
        flag.name == name
            || flag
                .shorthand
                .is_some_and(|letter| name == String::from(letter))
    });
    let Some(flag) = flag else {
        return Err(format!(
            "Subcommand '{}' does not support flag '{name}'",
            command.name()
        ));
    };
    if joined {
        return Ok((Some(flag), value));
    }
    if flag.without_value.is_some() {
        return Ok((None, unfinished.to_owned()));
    }
    rest.pop();
    Ok((Some(flag), value))
}

fn flag_names(command: &Command, arguments: &Arguments<'_>, start: &str) -> Vec<Offer> {
    let inherited = TABLE.inherited_flags(command);
    let own: Vec<&Flag> = command.flags.iter().collect();
    let mut offers = Vec::new();
    for flag in inherited.into_iter().chain(own) {
        let again = flag.kind.accepts_many();
        if flag.hidden || (arguments.is_set(flag.name) && !again) {
            continue;
        }
        let long = format!("--{}", flag.name);
        if long.starts_with(start) {
            offers.push((long, String::new()));
        }
        let short = flag.shorthand.map(|letter| format!("-{letter}"));
        if let Some(short) = short.filter(|short| short.starts_with(start)) {
            offers.push((short, String::new()));
        }
    }
    offers
}

fn flag_values(
    flag: &Flag,
    arguments: &Arguments<'_>,
    start: &str,
    namespace: &str,
) -> (Vec<Offer>, Directive) {
    match flag.name {
        "context" => match cluster::context_names(arguments) {
            Ok(names) => {
                let names = names.into_iter().filter(|name| name.starts_with(start));
                (
                    names.map(|name| (name, String::new())).collect(),
                    Directive::NoFiles,
                )
            }
            Err(_) => (Vec::new(), Directive::Error),
        },
        "namespace" => object_names(&kinds::NAMESPACE, arguments, start, namespace),
        _ => (Vec::new(), Directive::Default),
    }
}

/// The kind whose names complete a command's arguments.
fn kind_of(command: &Command) -> Option<&'static kinds::Kind> {
    let (verb, what) = command.path.split_once(' ')?;
    match verb {
        "get" | "export" | "suspend" | "resume" | "reconcile" | "delete" | "debug" | "tree"
        | "trigger" => kinds::of_words(what),
        "build" | "diff" if what == "kustomization" => Some(&kinds::KUSTOMIZATION),
        _ => None,
    }
}

fn object_names(
    kind: &kinds::Kind,
    arguments: &Arguments<'_>,
    start: &str,
    default_namespace: &str,
) -> (Vec<Offer>, Directive) {
    let namespace = if arguments.is_set("namespace") {
        arguments.text("namespace")
    } else {
        default_namespace
    };
    let listed = Cluster::connect(arguments)
        .and_then(|cluster| Ok(cluster.list(kind, Some(namespace), &Selection::default())?));
    match listed {
        Ok(objects) => {
            let names = objects.iter().map(object::meta::name);
            let names = names.filter(|name| name.starts_with(start));
            (
                names.map(|name| (name.to_owned(), String::new())).collect(),
                Directive::NoFiles,
            )
        }
        Err(error) => {
            if let super::Stop::Failed(text) = error {
                output::err(format_args!("[Debug] [Error] {text}\n"));
            }
            (Vec::new(), Directive::Error)
        }
    }
}
