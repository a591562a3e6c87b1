//! Help texts: ours, with usage lines as Flux has them.

use super::table::{Command, Flag, TABLE};

/// The help of a command.
pub(crate) fn text(program: &str, command: &Command) -> String {
    let mut text = format!(
        "{}\n\n{}",
        summary(program, command),
        usage(program, command)
    );
    let children: Vec<&Command> = TABLE
        .children(command)
        .into_iter()
        .filter(|child| !child.hidden)
        .collect();
    if !children.is_empty() {
        text.push_str("\nAvailable Commands:\n");
        let width = children
            .iter()
            .map(|child| child.name().len())
            .max()
            .unwrap_or_default();
        for child in &children {
            text.push_str(&format!(
                "  {:width$}  {}\n",
                child.name(),
                summary(program, child)
            ));
        }
    }
    let own: Vec<&Flag> = command.flags.iter().collect();
    text.push_str(&flags("Flags", &own));
    text.push_str(&flags("Global Flags", &TABLE.inherited_flags(command)));
    if !children.is_empty() {
        let path = full_path(program, command);
        text.push_str(&format!(
            "\nUse \"{path} [command] --help\" for more about a command.\n"
        ));
    }
    text
}

fn full_path(program: &str, command: &Command) -> String {
    format!("{program} {}", command.path).trim_end().to_owned()
}

/// The usage lines, and other names of the command.
pub(crate) fn usage(program: &str, command: &Command) -> String {
    let mut text = String::from("Usage:\n");
    if command.runnable {
        let above = match command.parent() {
            Some("") | None => program.to_owned(),
            Some(parent) => format!("{program} {parent}"),
        };
        let flags = if command.usage.contains("[flags]") {
            ""
        } else {
            " [flags]"
        };
        text.push_str(&format!("  {above} {}{flags}\n", command.usage));
    }
    if !TABLE.children(command).is_empty() {
        text.push_str(&format!("  {} [command]\n", full_path(program, command)));
    }
    if !command.aliases.is_empty() {
        let names = [&[command.name()], command.aliases.as_slice()].concat();
        text.push_str(&format!("\nAliases:\n  {}\n", names.join(", ")));
    }
    text
}

fn flags(title: &str, flags: &[&Flag]) -> String {
    let shown: Vec<String> = flags
        .iter()
        .filter(|flag| !flag.hidden)
        .map(|flag| {
            let letter = match flag.shorthand {
                Some(letter) => format!("-{letter}, "),
                None => "    ".to_owned(),
            };
            let kind = if flag.type_name == "bool" {
                ""
            } else {
                flag.type_name
            };
            let default = match flag.default {
                "" | "false" | "[]" | "0" | "0s" => String::new(),
                default => format!("  (default {default})"),
            };
            format!("  {letter}--{} {kind}", flag.name)
                .trim_end()
                .to_owned()
                + &default
        })
        .collect();
    if shown.is_empty() {
        return String::new();
    }
    format!("\n{title}:\n{}\n", shown.join("\n"))
}

/// What a command does, in a few words.
pub(super) fn summary(program: &str, command: &Command) -> String {
    let words: Vec<&str> = command.path.split(' ').collect();
    let (verb, rest) = (words[0], words[1..].join(" "));
    let what = if rest.is_empty() {
        "Flux objects".to_owned()
    } else {
        rest.clone()
    };
    let fixed = match command.path {
        "" => {
            return format!("{program}: GitOps for Kubernetes from the command line");
        }
        "bootstrap" => "Install Flux and keep it in a Git repository",
        "build" => "Make what would be applied",
        "build artifact" => "Pack a folder as an artifact",
        "build kustomization" => "Print what a Kustomization would apply",
        "check" => "Check what is needed and what is installed",
        "completion" => "Print scripts that complete command lines in a shell",
        "diff" => "Compare what is here with what is there",
        "docgen" => "Not available: the reference is in the documentation",
        "envsubst" => "Substitute variables of the environment in standard input",
        "events" => "Print events of Flux objects",
        "help" => "Show the help of a command",
        "install" => "Install or upgrade the controllers",
        "list" | "list artifacts" => "List artifacts in a registry",
        "logs" => "Print the controllers' logs",
        "migrate" => "Move objects or files to current API versions",
        "plugin" => "Manage plugins",
        "pull" | "pull artifact" => "Fetch an artifact from a registry",
        "push" | "push artifact" => "Put an artifact into a registry",
        "stats" => "Count objects and how they stand",
        "tag" | "tag artifact" => "Give an artifact another tag",
        "trace" => "Tell which Flux objects an object comes from",
        "tree" => "Print what an object has made",
        "trigger" | "trigger receiver" => "Call a Receiver's webhook",
        "uninstall" => "Remove the controllers and their CRDs",
        "version" => "Print versions",
        _ => "",
    };
    if !fixed.is_empty() {
        return fixed.to_owned();
    }
    match verb {
        "create" => format!("Create or update {what}"),
        "get" => format!("Print how {what} stand"),
        "completion" => format!("Print the script for {what}"),
        "bootstrap" => format!("Install Flux and keep it in {what}"),
        "plugin" => format!("Plugins: {what}"),
        verb => {
            let mut letters = verb.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            format!("{}{} {what}", first.unwrap_or_default(), letters.as_str())
        }
    }
}
