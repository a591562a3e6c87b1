//! YAML to values and back, as sigs.k8s.io/yaml does it.

use std::borrow::Cow;

use gotemplate::json::{EncodeOptions, encode};
use gotemplate::strconv::{FloatFormat, append_float};
use gotemplate::{Map, MapType, Str, Value, lossy};

use crate::Compat;

/// What YAML 1.1 takes for booleans besides `true` and `false`; quoted for its readers.
const OLD_BOOLEANS: [&str; 16] = [
    "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off",
    "OFF",
];

/// How deep values are written. Deeper ones hold themselves.
const MAX_DEPTH: usize = 500;

/// A JSON value as templates hold it: all numbers are floats.
pub fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => Value::Map(Map::from_entries(
            entries
                .iter()
                .map(|(key, value)| (Str::from(key.as_str()), from_json(value))),
        )),
    }
}

/// A YAML text as a value. The error has the library's text.
pub fn from_yaml(text: &[u8]) -> Result<Value, String> {
    read_json(text).map(|value| from_json(&value))
}

/// A YAML text as JSON. The error has the library's text.
pub(crate) fn read_json(text: &[u8]) -> Result<serde_json::Value, String> {
    yaml::to_json(text).map_err(|error| format!("error converting YAML to JSON: {error}"))
}

/// What a scalar of YAML is where a string is wanted; `None` for lists and maps.
pub fn string_form(value: &serde_json::Value) -> Option<String> {
    Some(match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(truth) => truth.to_string(),
        serde_json::Value::Number(number) if number.is_f64() => {
            yaml::go_float(number.as_f64().unwrap_or_default())
        }
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    })
}

/// The values of a `values.yaml`: all its documents, later ones over earlier ones. Helm 3 reads the first only.
///
/// Source: Helm 4 `loader.LoadValues`, apimachinery `YAMLReader`; Helm 3 `loader.LoadFiles`.
pub fn read_values(text: &[u8], compat: Compat) -> Result<Map, String> {
    if compat.is_v3() {
        return Ok(read_table(text)?.unwrap_or_else(|| Map::nil(MapType::Any)));
    }
    let mut values = Map::new();
    for document in documents(text, compat) {
        let table = read_table(&document)
            .map_err(|error| format!("cannot unmarshal yaml document: {error}"))?;
        if let Some(table) = table {
            values = merge_maps(&values, &table);
        }
    }
    Ok(values)
}

/// The table that the first document of a text is; `None` for null.
fn read_table(text: &[u8]) -> Result<Option<Map>, String> {
    match from_json(&read_json(text)?) {
        Value::Nil => Ok(None),
        Value::Map(map) => Ok(Some(map)),
        other => Err(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type \
             map[string]interface {{}}",
            json_kind(&other)
        )),
    }
}

/// How much of a line Go's reader gives at once.
const READ_BUFFER: usize = 4096;

/// The texts between lines of `---`, which may have a comment. Source: apimachinery `YAMLReader.Read`.
fn documents(text: &[u8], compat: Compat) -> Vec<Cow<'_, [u8]>> {
    let mut text = text;
    let last = text
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    if compat == Compat::V4 && !last.is_empty() && last.len().is_multiple_of(READ_BUFFER) {
        // Upstream bug, kept: such a line is lost when no line end follows (helm/helm#32506).
        text = &text[..text.len() - last.len()];
    }
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let end = at + line.len();
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = rest.trim_ascii();
            if rest.is_empty() || rest[0] == b'#' {
                documents.push(&text[start..at]);
                start = end;
            }
        }
        at = end;
    }
    documents.push(&text[start..]);
    documents.retain(|part| !part.is_empty());
    documents.into_iter().map(unix_lines).collect()
}

/// Lines with plain line ends: the reader drops the `\r` of `\r\n`.
fn unix_lines(text: &[u8]) -> Cow<'_, [u8]> {
    if gotemplate::find(text, b"\r\n").is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(gotemplate::replace_all(text, b"\r\n", b"\n"))
}

/// What JSON calls a value.
pub(crate) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    }
}

/// A new map of both, the second over the first; maps within are merged.
pub fn merge_maps(base: &Map, over: &Map) -> Map {
    let out = base.shallow_copy();
    for (key, value) in over.entries() {
        let merged = match (&value, out.get(&key)) {
            (Value::Map(over), Some(Value::Map(base))) => Value::Map(merge_maps(&base, over)),
            _ => value,
        };
        out.insert(key, merged);
    }
    out
}

/// A tree for the YAML writer.
enum Tree {
    Null,
    Bool(bool),
    Number(String),
    String(Str),
    Sequence(Vec<Tree>),
    Mapping(Vec<(String, Tree)>),
}

impl yaml::Value for Tree {
    fn view(&self) -> yaml::View<'_, Self> {
        match self {
            Tree::Null => yaml::View::Null,
            Tree::Bool(truth) => yaml::View::Bool(*truth),
            Tree::Number(text) => yaml::View::Number(Cow::Borrowed(text)),
            Tree::String(text) => yaml::View::String(text.to_text()),
            Tree::Sequence(items) => yaml::View::Sequence(items.iter().collect()),
            Tree::Mapping(entries) => yaml::View::Mapping(
                entries
                    .iter()
                    .map(|(key, value)| (key.as_str(), value))
                    .collect(),
            ),
        }
    }
}

/// A float as it is written once it has been through JSON and go-yaml's resolver.
fn number_text(number: f64) -> String {
    let mut out = Vec::new();
    append_float(&mut out, number, FloatFormat::Fixed, None);
    let whole = lossy(&out);
    if whole == "-0" {
        return "0".to_owned();
    }
    if number.abs() < 1e21 && (whole.parse::<i64>().is_ok() || whole.parse::<u64>().is_ok()) {
        return whole.into_owned();
    }
    yaml::go_float(number)
}

impl Tree {
    fn new(value: &Value, depth: usize) -> Result<Tree, String> {
        if depth > MAX_DEPTH {
            return Err("json: unsupported value: encountered a cycle".to_owned());
        }
        Ok(match value {
            Value::Nil => Tree::Null,
            Value::Bool(truth) => Tree::Bool(*truth),
            Value::Int(_, number) => Tree::Number(number.to_string()),
            Value::Uint(_, number) => Tree::Number(number.to_string()),
            Value::Float(number) if number.is_finite() => Tree::Number(number_text(*number)),
            Value::String(text) => Tree::String(text.clone()),
            Value::List(list) if list.is_nil() => Tree::Null,
            Value::List(list) => Tree::Sequence(
                list.items()
                    .iter()
                    .map(|item| Tree::new(item, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Map(map) if map.is_nil() => Tree::Null,
            Value::Map(map) => {
                let entries = map.entries().into_iter();
                let entries = entries
                    .map(|(key, value)| Ok((key.to_string(), Tree::new(&value, depth + 1)?)));
                Tree::Mapping(entries.collect::<Result<_, String>>()?)
            }
            // Everything else by way of JSON, as upstream does it for all.
            other => {
                let json = encode(other, EncodeOptions::default())?;
                let parsed: serde_json::Value =
                    serde_json::from_slice(&json).map_err(|error| error.to_string())?;
                Tree::new(&from_json(&parsed), depth + 1)?
            }
        })
    }
}

/// Whether a text is not the same once YAML has read it from JSON: upstream goes that way, and JSON has
/// these characters as they are.
fn is_changed_by_yaml(text: &Str) -> bool {
    let bytes = text.as_bytes();
    // U+007F, U+0080–U+009F, and the lead bytes of U+FEFF, U+FFFE and U+FFFF.
    bytes.iter().any(|byte| matches!(byte, 0x7F | 0xC2 | 0xEF))
        && text.to_text().chars().any(|char| {
            matches!(
                char,
                '\u{7F}'..='\u{9F}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
            )
        })
}

fn has_changed_text(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => is_changed_by_yaml(text),
        Value::List(list) if depth < MAX_DEPTH => list
            .items()
            .iter()
            .any(|item| has_changed_text(item, depth + 1)),
        Value::Map(map) if depth < MAX_DEPTH => map
            .entries()
            .iter()
            .any(|(key, value)| is_changed_by_yaml(key) || has_changed_text(value, depth + 1)),
        _ => false,
    }
}

/// `value` as YAML, with its final line end. The error is Go's text.
pub fn to_yaml(value: &Value) -> Result<String, String> {
    if has_changed_text(value, 0) {
        let json = encode(value, EncodeOptions::default())?;
        let read = yaml::to_json(&json).map_err(|error| error.to_string())?;
        return Ok(yaml::from_json(&read));
    }
    Ok(yaml::to_yaml(&Tree::new(value, 0)?, String::new()))
}

/// `value` as YAML with lists indented below their keys: go-yaml v3 with an indent of two.
pub fn to_yaml_pretty(value: &Value) -> Result<String, String> {
    let node = pretty_node(value, 0)?;
    yaml::node_to_string(&node, yaml::SequenceIndent::Wide).map_err(|error| error.to_string())
}

fn pretty_node(value: &Value, depth: usize) -> Result<yaml::Node, String> {
    if depth > MAX_DEPTH {
        return Err("value nests too deep".to_owned());
    }
    Ok(match value {
        Value::Nil => yaml::Node::null(),
        Value::Bool(truth) => yaml::Node::scalar(yaml::Tag::Bool, truth.to_string()),
        Value::Int(_, number) => yaml::Node::scalar(yaml::Tag::Int, number.to_string()),
        Value::Uint(_, number) => yaml::Node::scalar(yaml::Tag::Int, number.to_string()),
        Value::Float(number) => {
            // Without a tag: a whole number reads as an integer again, as upstream writes it.
            yaml::Node::scalar(yaml::Tag::None, yaml::go_float(*number))
        }
        Value::String(text) => {
            let text = text.to_string();
            let mut node = yaml::Node::string(text.as_str());
            if text.contains('\n') {
                node.style = yaml::Style::LITERAL;
            } else if yaml::implicit_tag(&text) != yaml::Tag::Str
                || OLD_BOOLEANS.contains(&text.as_str())
            {
                node.style = yaml::Style::DOUBLE_QUOTED;
            }
            node
        }
        Value::List(list) => {
            let mut node = yaml::Node::sequence();
            for item in list.items() {
                node.content.push(pretty_node(item, depth + 1)?);
            }
            if list.is_empty() {
                node.style = yaml::Style::FLOW;
            }
            node
        }
        Value::Map(map) => {
            let mut node = yaml::Node::mapping();
            let mut entries = map.entries();
            entries
                .sort_by(|left, right| yaml::compare_keys(&left.0.to_text(), &right.0.to_text()));
            if entries.is_empty() {
                node.style = yaml::Style::FLOW;
            }
            for (key, value) in entries {
                node.content
                    .push(pretty_node(&Value::String(key), depth + 1)?);
                node.content.push(pretty_node(&value, depth + 1)?);
            }
            node
        }
        other => {
            let json = encode(other, EncodeOptions::default())?;
            let parsed: serde_json::Value =
                serde_json::from_slice(&json).map_err(|error| error.to_string())?;
            pretty_node(&from_json(&parsed), depth + 1)?
        }
    })
}
