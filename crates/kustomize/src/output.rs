//! Resources as the values and the text that leave a build.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};
use yaml::{Kind, Node, Plain};

use crate::error::{BuildError, Result};

/// The JSON value of a node, through Go's types.
///
/// # Errors
/// A repeated key, a key that is no string, a tag that does not fit, a number that JSON has not.
pub(crate) fn to_json(node: &Node) -> Result<Value> {
    convert(node, true).map_err(|problem| problem.explain(node))
}

/// Appends a resource as a YAML document.
pub(crate) fn to_yaml(node: &Node, out: String) -> Result<String> {
    check(node, true).map_err(|problem| {
        let error = problem.explain(node);
        error.wrap(go_map(node))
    })?;
    Ok(yaml::to_yaml(node, out))
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

fn repeated(node: &Node, problems: &mut Vec<String>) {
    let before = problems.len();
    let keys: Vec<&Node> = node.pairs().map(|(key, _)| key).collect();
    for (at, first) in keys.iter().enumerate() {
        for second in &keys[at + 1..] {
            if first.kind == second.kind && first.value == second.value {
                problems.push(format!(
                    "line {}: mapping key {:?} already defined at line {}",
                    second.line, second.value, first.line
                ));
            }
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

/// Go's `%#v` of the decoded node; `(nil)` where it cannot be decoded.
fn go_map(node: &Node) -> String {
    if !decodes(node) {
        return "map[string]interface {}(nil)".to_owned();
    }
    go_syntax(node, true)
}

fn decodes(node: &Node) -> bool {
    match node.kind {
        Kind::Scalar | Kind::Alias => node.plain_value().is_ok(),
        Kind::Sequence => node.content.iter().all(decodes),
        Kind::Mapping => !has_repeated_key(node) && node.content.iter().all(decodes),
    }
}

fn go_syntax(node: &Node, root: bool) -> String {
    match node.kind {
        Kind::Scalar | Kind::Alias => match node.plain_value() {
            Ok(Plain::Text(text)) => go_quote(&text),
            Ok(Plain::Bool(flag)) => flag.to_string(),
            Ok(Plain::Int(number)) => number.to_string(),
            Ok(Plain::Uint(number)) => format!("{number:#x}"),
            Ok(Plain::Float(number)) if number.is_nan() => "NaN".to_owned(),
            Ok(Plain::Float(number)) if number.is_infinite() => {
                if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
            }
            Ok(Plain::Float(number)) => yaml::go_float(number),
            Ok(Plain::Null) | Err(_) => "interface {}(nil)".to_owned(),
        },
        Kind::Sequence => {
            let items: Vec<_> = node
                .content
                .iter()
                .map(|item| go_syntax(item, false))
                .collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Kind::Mapping => {
            let texts = node
                .pairs()
                .all(|(key, _)| matches!(key.plain_value(), Ok(Plain::Text(_))));
            let (name, as_texts) = if root || texts {
                ("map[string]interface {}", true)
            } else {
                ("map[interface {}]interface {}", false)
            };
            let mut entries: Vec<(bool, &Node, &Node)> = node
                .pairs()
                .map(|(key, value)| (matches!(key.plain_value(), Ok(Plain::Int(_))), key, value))
                .collect();
            // fmt sorts keys by type, then by value; a number sorts after a string in practice.
            entries.sort_by(|a, b| {
                let number = |node: &Node| node.value.parse::<i64>().unwrap_or(0);
                match (a.0, b.0) {
                    (true, true) => number(a.1).cmp(&number(b.1)),
                    (false, false) => a.1.value.cmp(&b.1.value),
                    (x, y) => x.cmp(&y),
                }
            });
            let entries: Vec<_> = entries
                .into_iter()
                .map(|(_, key, value)| {
                    let key = if as_texts {
                        go_quote(&key.value)
                    } else {
                        go_syntax(key, false)
                    };
                    format!("{key}:{}", go_syntax(value, false))
                })
                .collect();
            format!("{name}{{{}}}", entries.join(", "))
        }
    }
}

/// Go's `%q`.
pub(crate) fn go_quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0B' => out.push_str("\\v"),
            '\x0C' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c == '\u{7F}' => {
                out.push_str(&format!("\\x{:02x}", c as u32))
            }
            c if matches!(
                c,
                '\u{80}'
                    ..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
            ) =>
            {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
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
