//! From words to a command and its flags, by the rules of Cobra and pflag.
//!
//! A parser of our own, since the rules show: words after `--flag` of a boolean are arguments, unknown
//! words below a group print its help and succeed, flags may stand before the command they belong to,
//! and every error has its text. No kept library follows them.

mod find;

use std::collections::BTreeMap;

use object::time::Duration;

use super::go;
use super::plugin;
use super::table::{Arity, Command, Flag, Table};
use super::value::{SourceReference, Value};

pub(crate) use find::{Found, find};

/// What the words ask for.
#[derive(Debug)]
pub(crate) enum Request<'t> {
    /// To run a command.
    Run(Arguments<'t>),
    /// To show a command's help.
    Help(&'t Command),
    /// To show the help of what `help WORDS` names; there is no such command.
    UnknownTopic(Vec<String>),
    /// To print the version.
    Version,
    /// To complete a command line.
    Complete {
        /// Its words; the last one is not finished.
        words: Vec<String>,
        /// Whether to describe what is offered.
        describe: bool,
    },
    /// To run a plugin.
    Plugin(plugin::Plugin, Vec<String>),
}

/// A command with its flags and arguments.
#[derive(Debug)]
pub(crate) struct Arguments<'t> {
    /// The command.
    pub(crate) command: &'t Command,
    /// What is not a flag.
    pub(crate) words: Vec<String>,
    /// What to print on standard output first: notices about flags on their way out.
    pub(crate) notices: String,
    flags: FlagSet<'t>,
}

/// The flags of a command and their values.
#[derive(Debug)]
pub(crate) struct FlagSet<'t> {
    flags: Vec<&'t Flag>,
    values: BTreeMap<&'static str, (Value, bool)>,
}

/// Why the words ask for nothing that can be done.
#[derive(Debug)]
pub(crate) enum ParseError {
    /// `--help` in a place where it is no flag.
    Help,
    /// In pflag's words.
    Message(String),
}

/// Reads the words after the program's name.
///
/// # Errors
/// In Cobra's words.
pub(crate) fn parse<'t>(
    table: &'t Table,
    program: &str,
    plugins: &[plugin::Plugin],
    words: &[String],
) -> Result<Request<'t>, String> {
    if let Some(describe) = find::completion(table, words) {
        return describe;
    }
    let (command, rest) = match find(table, program, plugins, words)? {
        Found::Plugin(plugin, rest) => return Ok(Request::Plugin(plugin, rest)),
        Found::Command(command, rest) => (command, rest),
    };
    let mut flags = FlagSet::new(table.flags(command));
    let (arguments, notices) = match flags.parse(&rest) {
        Ok(parsed) => parsed,
        Err(ParseError::Help) => return Ok(Request::Help(command)),
        Err(ParseError::Message(message)) => return Err(message),
    };
    if flags.boolean("help") {
        return Ok(Request::Help(command));
    }
    if command.path.is_empty() && flags.boolean("version") {
        return Ok(Request::Version);
    }
    if command.path == "help" {
        let topic: Vec<String> = arguments.iter().map(|word| (*word).clone()).collect();
        return Ok(match find(table, program, &[], &topic) {
            Ok(Found::Command(command, _)) => Request::Help(command),
            _ => Request::UnknownTopic(topic),
        });
    }
    if !command.runnable {
        return Ok(Request::Help(command));
    }
    check_arity(program, command, &arguments)?;
    Ok(Request::Run(Arguments {
        command,
        words: arguments,
        notices,
        flags,
    }))
}

/// The flags and arguments of a command line that is not finished.
///
/// # Errors
/// As [`parse`].
pub(crate) fn partial<'t>(
    table: &'t Table,
    command: &'t Command,
    words: &[String],
) -> Result<Arguments<'t>, String> {
    let mut flags = FlagSet::new(table.flags(command));
    match flags.parse(words) {
        Ok((words, notices)) => Ok(Arguments {
            command,
            words,
            notices,
            flags,
        }),
        Err(ParseError::Help) => Err("pflag: help requested".to_owned()),
        Err(ParseError::Message(message)) => Err(message),
    }
}

fn check_arity(program: &str, command: &Command, words: &[String]) -> Result<(), String> {
    let count = words.len();
    match command.arity() {
        Arity::None if count > 0 => Err(format!(
            "unknown command {} for {}",
            go::quote(&words[0]),
            go::quote(&format!("{program} {}", command.path))
        )),
        Arity::Exactly(wanted) if count != wanted => {
            Err(format!("accepts {wanted} arg(s), received {count}"))
        }
        Arity::AtMost(most) if count > most => {
            Err(format!("accepts at most {most} arg(s), received {count}"))
        }
        _ => Ok(()),
    }
}

impl<'t> FlagSet<'t> {
    /// The flags with their defaults.
    pub(crate) fn new(flags: Vec<&'t Flag>) -> Self {
        let values = flags
            .iter()
            .map(|flag| (flag.name, (flag.kind.default_value(flag.default), false)))
            .collect();
        Self { flags, values }
    }

    /// Sets the flags among `words`; gives the others, and the notices about deprecated flags.
    ///
    /// # Errors
    /// At the first word that is wrong.
    pub(crate) fn parse(&mut self, words: &[String]) -> Result<(Vec<String>, String), ParseError> {
        let mut arguments = Vec::new();
        let mut notices = String::new();
        let mut rest = words;
        while let Some((word, after)) = rest.split_first() {
            rest = after;
            if word == "--" {
                arguments.extend(rest.iter().cloned());
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                rest = self.parse_long(word, long, rest, &mut notices)?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                rest = self.parse_short(letters, rest, &mut notices)?;
            } else {
                arguments.push(word.clone());
            }
        }
        Ok((arguments, notices))
    }

    fn parse_long<'w>(
        &mut self,
        word: &str,
        long: &str,
        rest: &'w [String],
        notices: &mut String,
    ) -> Result<&'w [String], ParseError> {
        if long.starts_with(['-', '=']) {
            return Err(ParseError::Message(format!("bad flag syntax: {word}")));
        }
        let (name, given) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let Some(flag) = self.named(name) else {
            return Err(match name {
                "help" => ParseError::Help,
                _ => ParseError::Message(format!("unknown flag: --{name}")),
            });
        };
        match (given, flag.without_value, rest) {
            (Some(value), _, _) | (None, Some(value), _) => self.set(flag, value, notices)?,
            (None, None, [value, rest @ ..]) => {
                self.set(flag, value, notices)?;
                return Ok(rest);
            }
            (None, None, []) => {
                let message = format!("flag needs an argument: --{name}");
                return Err(ParseError::Message(message));
            }
        }
        Ok(rest)
    }

    fn parse_short<'w>(
        &mut self,
        letters: &str,
        rest: &'w [String],
        notices: &mut String,
    ) -> Result<&'w [String], ParseError> {
        let mut letters = letters;
        // `-test.v` and its like belong to Go's test runner; pflag leaves them alone letter by letter.
        while let Some(letter) = letters.chars().next() {
            let after = &letters[letter.len_utf8()..];
            let Some(flag) = self
                .flags
                .iter()
                .copied()
                .find(|flag| flag.shorthand == Some(letter))
            else {
                return Err(match letter {
                    'h' => ParseError::Help,
                    _ => ParseError::Message(format!(
                        "unknown shorthand flag: '{}' in -{letters}",
                        first_byte(letters)
                    )),
                });
            };
            if let Some(value) = after.strip_prefix('=').filter(|value| !value.is_empty()) {
                self.set(flag, value, notices)?;
                return Ok(rest);
            }
            if let Some(value) = flag.without_value {
                self.set(flag, value, notices)?;
                letters = after;
                continue;
            }
            if !after.is_empty() {
                self.set(flag, after, notices)?;
                return Ok(rest);
            }
            let Some((value, rest)) = rest.split_first() else {
                let message = format!("flag needs an argument: '{letter}' in -{letters}");
                return Err(ParseError::Message(message));
            };
            self.set(flag, value, notices)?;
            return Ok(rest);
        }
        Ok(rest)
    }

    fn set(&mut self, flag: &Flag, text: &str, notices: &mut String) -> Result<(), ParseError> {
        if let Some((value, changed)) = self.values.get_mut(flag.name) {
            flag.kind.set(value, text, *changed).map_err(|problem| {
                let name = match flag.shorthand {
                    Some(letter) => format!("-{letter}, --{}", flag.name),
                    None => format!("--{}", flag.name),
                };
                ParseError::Message(format!(
                    "invalid argument {} for {} flag: {problem}",
                    go::quote(text),
                    go::quote(&name)
                ))
            })?;
            *changed = true;
        }
        if let Some(notice) = flag.deprecation {
            notices.push_str(&format!(
                "Flag --{} has been deprecated, {notice}\n",
                flag.name
            ));
        }
        Ok(())
    }

    /// The flag of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&'t Flag> {
        self.flags.iter().copied().find(|flag| flag.name == name)
    }

    /// Whether the user gave the flag.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|(_, changed)| *changed)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|(value, _)| value)
    }

    /// Whether a boolean flag is on.
    pub(crate) fn boolean(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Bool(true)))
    }
}

/// How `%q` prints the first byte of a text as a rune.
fn first_byte(text: &str) -> String {
    let byte = text.as_bytes().first().copied().unwrap_or_default();
    let quoted = go::quote(&char::from(byte).to_string());
    quoted.trim_matches('"').replace('\'', "\\'")
}

impl Arguments<'_> {
    /// Whether a boolean flag is on.
    pub(crate) fn boolean(&self, name: &str) -> bool {
        self.flags.boolean(name)
    }

    /// The text of a flag; empty where it was not given and has no default.
    pub(crate) fn text(&self, name: &str) -> &str {
        match self.flags.value(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The text of a flag where it is not empty.
    pub(crate) fn some_text(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The values of a list flag.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.flags.value(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// The pairs of a map flag.
    pub(crate) fn map(&self, name: &str) -> BTreeMap<String, String> {
        match self.flags.value(name) {
            Some(Value::Map(items)) => items.clone(),
            _ => BTreeMap::new(),
        }
    }

    /// The length of time of a flag.
    pub(crate) fn duration(&self, name: &str) -> Duration {
        match self.flags.value(name) {
            Some(Value::Duration(duration)) => *duration,
            _ => Duration::ZERO,
        }
    }

    /// The number of a flag.
    pub(crate) fn integer(&self, name: &str) -> i64 {
        match self.flags.value(name) {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        }
    }

    /// The source that a flag refers to.
    pub(crate) fn source(&self, name: &str) -> SourceReference {
        SourceReference::read(self.text(name))
    }

    /// Whether the user gave the flag.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.flags.is_set(name)
    }

    /// The first argument.
    pub(crate) fn first(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
