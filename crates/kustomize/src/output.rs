//! Resources as the values and the text that leave a build.

mod go_syntax;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value};
use yaml::{Kind, Node, Plain, Style};

pub(crate) use self::go_syntax::go_quote;
use self::go_syntax::{NO_MAP, go_map};
use crate::error::{BuildError, Result};

/// The JSON value of a node, through Go's types.
///
/// # Errors
/// A repeated key, a key that is no string, a tag that does not fit, a number that JSON has not.
pub(crate) fn to_json(node: &Node) -> Result<Value> {
    let node = reread_if_needed(node)?;
    convert(&node, true).map_err(|problem| problem.explain(&node))
}

/// Appends a resource as a YAML document.
pub(crate) fn to_yaml(node: &Node, out: String) -> Result<String> {
    let node = reread_if_needed(node).map_err(|error| error.wrap(NO_MAP))?;
    check(&node, true).map_err(|problem| {
        let error = problem.explain(&node);
        error.wrap(go_map(&node))
    })?;
    if any_text(&node, |text, _| text.contains(NEXT_LINE)) {
        let mut folded = node.into_owned();
        fold_texts(&mut folded)?;
        return Ok(yaml::to_yaml(&folded, out));
    }
    Ok(yaml::to_yaml(&*node, out))
}

/// Unicode's next line. go-yaml v2, which reads the JSON of the last step, takes it for a line break.
const NEXT_LINE: char = '\u{85}';

fn any_text(node: &Node, test: fn(&str, Style) -> bool) -> bool {
    match node.kind {
        Kind::Scalar | Kind::Alias => test(&node.value, node.style),
        Kind::Sequence | Kind::Mapping => node.content.iter().any(|child| any_text(child, test)),
    }
}

/// Kustomize writes a node and reads the text again before it makes JSON of it. The few texts that this
/// changes, or that cannot be read again, take the same way here.
fn reread_if_needed(node: &Node) -> Result<Cow<'_, Node>> {
    if !any_text(node, changes_when_reread) {
        return Ok(Cow::Borrowed(node));
    }
    let text = yaml::node_to_string(node, yaml::SequenceIndent::Compact)?;
    Ok(match yaml::parse(text.as_bytes())? {
        Some(document) => Cow::Owned(document.root),
        None => Cow::Borrowed(node),
    })
}

fn changes_when_reread(text: &str, style: Style) -> bool {
    if !text.contains(['\n', '\u{2028}', '\u{2029}']) {
        return false;
    }
    style.has(Style::FOLDED)
        || text.contains(['\r', NEXT_LINE, '\u{2028}', '\u{2029}'])
        || text.starts_with('\t')
        || text.contains("\n\t")
}

fn fold_texts(node: &mut Node) -> Result<()> {
    if let Cow::Owned(folded) = fold(&node.value)? {
        node.value = folded.into();
    }
    node.content.iter_mut().try_for_each(fold_texts)
}

/// Folds the line breaks that go-yaml v2 sees in a JSON string: one is a space, several are one less.
///
/// # Errors
/// A document marker after such a break.
pub(crate) fn fold(text: &str) -> Result<Cow<'_, str>> {
    if !text.contains(NEXT_LINE) {
        return Ok(Cow::Borrowed(text));
    }
    let is_space = |c: char| c == ' ' || c == NEXT_LINE;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_space) {
        let (before, after) = rest.split_at(start);
        let end = after.find(|c| !is_space(c)).unwrap_or(after.len());
        let (run, tail) = after.split_at(end);
        out.push_str(before);
        match run.matches(NEXT_LINE).count() {
            0 => out.push_str(run),
            1 => out.push(' '),
            breaks => out.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        let marked = ["---", "..."].into_iter().any(|marker| {
            tail.strip_prefix(marker)
                .is_some_and(|next| next.starts_with([' ', '\t', NEXT_LINE]))
        });
        if run.ends_with(NEXT_LINE) && marked {
            return Err("yaml: line 2: found unexpected document indicator".into());
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

/// As [`fold`], for all texts of a value.
///
/// # Errors
/// As [`fold`].
pub(crate) fn fold_value(value: &mut Value) -> Result<()> {
    match value {
        Value::String(text) => {
            if let Cow::Owned(folded) = fold(text)? {
                *text = folded;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(fold_value),
        Value::Object(map) => {
            let mut folded = Map::new();
            for (key, mut value) in std::mem::take(map) {
                fold_value(&mut value)?;
                folded.insert(fold(&key)?.into_owned(), value);
            }
            *map = folded;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Why a node has no JSON form.
enum Problem {
    /// Found by reading the written node again, which gives lines.
    Reread,
    Message(String),
}

impl Problem {
    fn explain(self, node: &Node) -> BuildError {
        match self {
            Self::Message(message) => BuildError::new(message),
            Self::Reread => {
                reread(node).unwrap_or_else(|| BuildError::new("yaml: unmarshal errors:"))
            }
        }
    }
}

/// The keys that a mapping has twice, by the lines of the written text (go-yaml v3's `uniqueKeys`).
fn reread(node: &Node) -> Option<BuildError> {
    let text = yaml::node_to_string(node, yaml::SequenceIndent::Compact).ok()?;
    let document = yaml::parse(text.as_bytes()).ok()??;
    let mut problems = Vec::new();
    repeated(&document.root, &mut problems);
    if problems.is_empty() {
        return None;
    }
    Some(yaml::Error::Values(problems).into())
}

/// How many repeated keys are listed: each pair is one, so that a key that stands `n` times gives some `n²/2` lines.
const MAX_REPEATED: usize = 100_000;

fn repeated(node: &Node, problems: &mut Vec<String>) {
    let keys: Vec<&Node> = node.pairs().map(|(key, _)| key).collect();
    let mut places: HashMap<(Kind, &str), Vec<usize>> = HashMap::with_capacity(keys.len());
    for (at, key) in keys.iter().enumerate() {
        places.entry((key.kind, &key.value)).or_default().push(at);
    }
    let before = problems.len();
    for (at, first) in keys.iter().enumerate() {
        let same = &places[&(first.kind, first.value.as_str())];
        for &later in &same[same.partition_point(|place| *place <= at)..] {
            if problems.len() == MAX_REPEATED {
                problems.push(format!(
                    "more than {MAX_REPEATED} mapping keys are repeated"
                ));
            }
            if problems.len() > MAX_REPEATED {
                return;
            }
            let second = keys[later];
            problems.push(format!(
                "line {}: mapping key {:?} already defined at line {}",
                second.line, second.value, first.line
            ));
        }
    }
    if problems.len() > before {
        return;
    }
    for child in &node.content {
        repeated(child, problems);
    }
}

fn has_repeated_key(node: &Node) -> bool {
    let keys = || node.pairs().map(|(key, _)| (key.kind, key.value.as_str()));
    if node.content.len() <= 32 {
        let keys: Vec<_> = keys().collect();
        return keys
            .iter()
            .enumerate()
            .any(|(at, key)| keys[at + 1..].contains(key));
    }
    let mut seen = HashSet::with_capacity(node.content.len() / 2);
    keys().any(|key| !seen.insert(key))
}

/// Characters that the YAML reader of the last step refuses.
fn is_allowed(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
        || text.chars().all(|c| {
            !matches!(c, '\u{7F}' | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}')
        })
}

fn key_problem(node: &Node, root: bool) -> std::result::Result<(), Problem> {
    if has_repeated_key(node) {
        return Err(Problem::Reread);
    }
    if root {
        return Ok(());
    }
    for (key, _) in node.pairs() {
        let is_text = key.kind == Kind::Scalar
            && matches!(key.plain_value(), Ok(Plain::Text(_)))
            && key.tag != yaml::Tag::Timestamp;
        if !is_text {
            let message = "json: unsupported type: map[interface {}]interface {}";
            return Err(Problem::Message(message.to_owned()));
        }
    }
    Ok(())
}

fn check(node: &Node, root: bool) -> std::result::Result<(), Problem> {
    match node.kind {
        Kind::Scalar | Kind::Alias => match node.plain_value() {
            Err(error) => Err(Problem::Message(error.to_string())),
            Ok(Plain::Float(number)) if !number.is_finite() => Err(not_finite(number)),
            Ok(Plain::Text(text)) if !is_allowed(&text) => Err(Problem::Message(
                "yaml: control characters are not allowed".to_owned(),
            )),
            Ok(_) => Ok(()),
        },
        Kind::Sequence => node.content.iter().try_for_each(|item| check(item, false)),
        Kind::Mapping => {
            key_problem(node, root)?;
            node.pairs().try_for_each(|(_, value)| check(value, false))
        }
    }
}

fn not_finite(number: f64) -> Problem {
    let text = match number {
        number if number.is_nan() => "NaN",
        number if number > 0.0 => "+Inf",
        _ => "-Inf",
    };
    Problem::Message(format!("json: unsupported value: {text}"))
}

fn convert(node: &Node, root: bool) -> std::result::Result<Value, Problem> {
    match node.kind {
        Kind::Scalar | Kind::Alias => match node.plain_value() {
            Err(error) => Err(Problem::Message(error.to_string())),
            Ok(Plain::Null) => Ok(Value::Null),
            Ok(Plain::Bool(flag)) => Ok(Value::Bool(flag)),
            Ok(Plain::Int(number)) => Ok(Value::Number(number.into())),
            Ok(Plain::Uint(number)) => Ok(Value::Number(number.into())),
            Ok(Plain::Float(number)) => Number::from_f64(number)
                .map(Value::Number)
                .ok_or_else(|| not_finite(number)),
            Ok(Plain::Text(text)) => Ok(Value::String(text.into_owned())),
        },
        Kind::Sequence => {
            let items: std::result::Result<_, _> = node
                .content
                .iter()
                .map(|item| convert(item, false))
                .collect();
            Ok(Value::Array(items?))
        }
        Kind::Mapping => {
            key_problem(node, root)?;
            let mut map = Map::new();
            for (key, value) in node.pairs() {
                map.insert(key.value.to_string(), convert(value, false)?);
            }
            Ok(Value::Object(map))
        }
    }
}

/// A JSON number as go-yaml v3 writes it after encoding/json made it a float64.
pub(crate) fn number_text(number: &Number) -> String {
    if let Some(int) = number.as_i64() {
        return int.to_string();
    }
    if let Some(uint) = number.as_u64() {
        return uint.to_string();
    }
    number
        .as_f64()
        .map_or_else(|| number.to_string(), yaml::go_float)
}
