//! Which command the words name, and which of them are left for it. Source: Cobra's `Command.Find`.

use super::Request;
use crate::flux::go;
use crate::flux::plugin::Plugin;
use crate::flux::table::{Command, Flag, Table};

/// What the words name.
#[derive(Debug)]
pub(crate) enum Found<'t> {
    /// A command, and the other words.
    Command(&'t Command, Vec<String>),
    /// A plugin, and the other words.
    Plugin(Plugin, Vec<String>),
}

/// Follows the words down the tree of commands.
///
/// # Errors
/// A word below the root that is no command, with what the user may have meant.
pub(crate) fn find<'t>(
    table: &'t Table,
    program: &str,
    plugins: &[Plugin],
    words: &[String],
) -> Result<Found<'t>, String> {
    let mut command = table.root();
    let mut rest = words.to_vec();
    loop {
        let flags = flags_for_finding(table, command);
        let names = without_flags(&rest, &flags);
        let Some(word) = names.first() else {
            return Ok(Found::Command(command, rest));
        };
        if let Some(child) = table.child(command, word) {
            rest = minus_first(&rest, word, &flags);
            command = child;
            continue;
        }
        if command.path.is_empty() {
            if let Some(plugin) = plugins.iter().find(|plugin| plugin.name == *word) {
                let rest = minus_first(&rest, word, &flags);
                return Ok(Found::Plugin(plugin.clone(), rest));
            }
            return Err(format!(
                "unknown command {} for {}{}",
                go::quote(word),
                go::quote(program),
                suggestions(table, plugins, word)
            ));
        }
        return Ok(Found::Command(command, rest));
    }
}

/// The request of `__complete WORDS`, if that is what is asked for.
pub(super) fn completion<'t>(
    table: &'t Table,
    words: &[String],
) -> Option<Result<Request<'t>, String>> {
    let flags = flags_for_finding(table, table.root());
    let names = without_flags(words, &flags);
    let word = names.first()?;
    let describe = match word.as_str() {
        "__complete" => true,
        "__completeNoDesc" => false,
        _ => return None,
    };
    let words = minus_first(words, word, &flags);
    if words.is_empty() {
        return Some(Err("requires at least 1 arg(s), only received 0".to_owned()));
    }
    Some(Ok(Request::Complete { words, describe }))
}

/// The flags that are known while the command is looked for. `--help` and the root's `--version` are
/// only added to a command once it is found.
fn flags_for_finding<'t>(table: &'t Table, command: &'t Command) -> Vec<&'t Flag> {
    let mut flags = table.flags(command);
    flags
        .retain(|flag| flag.name != "help" && (flag.name != "version" || !command.path.is_empty()));
    flags
}

/// Whether the word is a flag whose value is the next word.
fn takes_next(word: &str, flags: &[&Flag]) -> bool {
    if word.contains('=') {
        return false;
    }
    let known = |is: &dyn Fn(&Flag) -> bool| {
        let flag = flags.iter().find(|flag| is(flag));
        flag.is_some_and(|flag| flag.without_value.is_some())
    };
    if let Some(name) = word.strip_prefix("--") {
        return !known(&|flag| flag.name == name);
    }
    match word.strip_prefix('-') {
        Some(letter) if letter.len() == 1 => {
            !known(&|flag| flag.shorthand == letter.chars().next())
        }
        _ => false,
    }
}

/// The words that are neither flags nor their values.
fn without_flags(words: &[String], flags: &[&Flag]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        }
        if takes_next(word, flags) {
            if rest.len() <= 1 {
                break;
            }
            rest.next();
        } else if !word.is_empty() && !word.starts_with('-') {
            names.push(word.clone());
        }
    }
    names
}

/// The words without the first one that is `name` and no flag's value.
fn minus_first(words: &[String], name: &str, flags: &[&Flag]) -> Vec<String> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            break;
        }
        if takes_next(word, flags) {
            at += 2;
            continue;
        }
        if !word.starts_with('-') && word == name {
            return [&words[..at], &words[at + 1..]].concat();
        }
        at += 1;
    }
    words.to_vec()
}

/// The commands whose name is like the word.
fn suggestions(table: &Table, plugins: &[Plugin], word: &str) -> String {
    let mut names: Vec<&str> = plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    let commands = table.children(table.root());
    names.extend(
        commands
            .into_iter()
            .filter(|command| !command.hidden && command.path != "help")
            .map(|command| -> &str { command.name() }),
    );
    names.sort_unstable();
    let lower = word.to_lowercase();
    let alike: Vec<&str> = names
        .into_iter()
        .filter(|name| {
            distance(&lower, &name.to_lowercase()) <= 2 || name.to_lowercase().starts_with(&lower)
        })
        .collect();
    if alike.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n\nDid you mean this?\n");
    for name in alike {
        text.push_str(&format!("\t{name}\n"));
    }
    text
}

/// The Levenshtein distance in bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, b) in right.bytes().enumerate() {
            let above = row[column + 1];
            row[column + 1] = if a == b {
                diagonal
            } else {
                1 + diagonal.min(above).min(row[column])
            };
            diagonal = above;
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    #[test]
    fn distances() {
        let of = super::distance;
        assert_eq!(
            (of("instal", "install"), of("abc", "abc"), of("", "ab")),
            (1, 0, 2)
        );
        assert_eq!(of("kitten", "sitting"), 3);
    }
}
