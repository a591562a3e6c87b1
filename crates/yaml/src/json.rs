//! YAML to JSON and back as sigs.k8s.io/yaml does it, on go-yaml v2.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use crate::compose;
use crate::emit;
use crate::error::{Dialect, Error};
use crate::node::{Kind, Node, Style, Tag};
use crate::number;
use crate::resolve::{self, Scalar};

/// The first document of `text` as JSON (`YAMLToJSON`): later keys win over earlier equal ones.
///
/// Source: sigs.k8s.io/yaml v1.6 over go.yaml.in/yaml/v2 v2.4. An empty text is null.
///
/// # Errors
/// No YAML, or YAML that JSON has no form for, in the Go library's words.
pub fn to_json(text: &[u8]) -> Result<Value, Error> {
    convert(text, false)
}

/// As [`to_json`], but a key that is set twice is an error (`YAMLToJSONStrict`).
///
/// # Errors
/// Also `yaml: unmarshal errors:` with a line for each repeated key.
pub fn to_json_strict(text: &[u8]) -> Result<Value, Error> {
    convert(text, true)
}

/// All documents of a stream, split at lines that start with `---` as apimachinery's `YAMLReader`
/// splits them; documents without content are null.
///
/// # Errors
/// The first document's that has one.
pub fn to_json_documents(text: &[u8]) -> Result<Vec<Value>, Error> {
    split_documents(text).into_iter().map(to_json).collect()
}

/// The texts between separator lines.
pub fn split_documents(text: &[u8]) -> Vec<&[u8]> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut first = true;
    while at < text.len() {
        let end = text[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(text.len(), |line| at + line + 1);
        if text[at..end].starts_with(b"---") {
            // The separator before any content opens the first document.
            if !(first && text[start..at].iter().all(u8::is_ascii_whitespace)) {
                documents.push(&text[start..at]);
            }
            start = end;
            first = false;
        }
        at = end;
    }
    documents.push(&text[start..]);
    documents
}

/// `value` as a YAML document (`Marshal`): sorted keys, two spaces, lists not indented.
pub fn from_json(value: &Value) -> String {
    emit::to_yaml(value, String::new())
}

/// Whether YAML 1.1 reads the text of a plain scalar as something other than a string.
///
/// Source: kyaml `IsValueNonString`; a text of several lines, or that is no YAML, counts as a string.
pub fn is_non_string(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    let simple =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/');
    if text.bytes().all(simple) && text.as_bytes()[0].is_ascii_alphanumeric() {
        let resolved = resolve::resolve(&Tag::None, text, Dialect::V2);
        return resolved.is_ok_and(|(tag, _)| !matches!(tag, Tag::Str | Tag::Timestamp));
    }
    match to_json(text.as_bytes()) {
        Ok(value) => !value.is_string(),
        // What JSON has no form for is no string either; what is no YAML is.
        Err(Error::NotJson(_)) => true,
        Err(_) => false,
    }
}

fn convert(text: &[u8], strict: bool) -> Result<Value, Error> {
    let Some(document) = compose::parse_v2(text)? else {
        return Ok(Value::Null);
    };
    let mut decoder = Decoder {
        strict,
        problems: Vec::new(),
        decoded: 0,
        aliased: 0,
        alias_depth: 0,
        depth: 0,
    };
    let value = decoder.node(&document.root)?;
    if !decoder.problems.is_empty() {
        return Err(Error::Values(decoder.problems));
    }
    value.into_json()
}

/// A decoded value; keys keep their types until all problems of the text are known.
#[derive(Debug, Clone)]
enum Decoded {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(String),
    Sequence(Vec<Decoded>),
    Mapping(Vec<(Decoded, Decoded)>),
}

struct Decoder {
    strict: bool,
    problems: Vec<String>,
    decoded: usize,
    aliased: usize,
    alias_depth: usize,
    depth: usize,
}

/// Deeper than this, aliases nest without end or to no use.
const MAX_ALIAS_DEPTH: usize = 100;

impl Decoder {
    /// go-yaml's bound on what aliases may blow up: 99 % of small documents, 10 % of large ones.
    fn count(&mut self) -> Result<(), Error> {
        self.decoded += 1;
        if self.alias_depth > 0 {
            self.aliased += 1;
        }
        if self.aliased <= 100 || self.decoded <= 1000 {
            return Ok(());
        }
        let (low, high) = (400_000.0, 4_000_000.0);
        let decoded = (self.decoded as f64).clamp(low, high);
        let allowed = 0.99 - 0.89 * ((decoded - low) / (high - low));
        if self.aliased as f64 / self.decoded as f64 > allowed {
            return Err(Error::plain("document contains excessive aliasing"));
        }
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<Decoded, Error> {
        self.count()?;
        match node.kind {
            Kind::Alias => self.alias(node, Self::node),
            Kind::Scalar => scalar(node),
            Kind::Sequence => {
                let items: Result<_, _> = node.content.iter().map(|item| self.node(item)).collect();
                Ok(Decoded::Sequence(items?))
            }
            Kind::Mapping => {
                let mut pairs = Pairs::default();
                self.mapping(node, &mut pairs)?;
                Ok(Decoded::Mapping(pairs.list))
            }
        }
    }

    fn alias<T>(
        &mut self,
        node: &Node,
        decode: impl FnOnce(&mut Self, &Node) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let target = node
            .extras
            .as_ref()
            .and_then(|extras| extras.target.as_ref());
        let (Some(target), true) = (target, self.depth < MAX_ALIAS_DEPTH) else {
            return Err(Error::plain(format!(
                "anchor '{}' value contains itself",
                node.value
            )));
        };
        self.alias_depth += 1;
        self.depth += 1;
        let value = decode(self, target);
        self.alias_depth -= 1;
        self.depth -= 1;
        value
    }

    fn mapping(&mut self, node: &Node, pairs: &mut Pairs) -> Result<(), Error> {
        for (key, value) in node.pairs() {
            if key.kind == Kind::Scalar && key.tag == Tag::Merge {
                self.merge(value, pairs)?;
                continue;
            }
            let key = self.node(key)?;
            if matches!(key, Decoded::Sequence(_) | Decoded::Mapping(_)) {
                return Err(Error::plain(format!(
                    "invalid map key: {}",
                    key.go_syntax()
                )));
            }
            let decoded = self.node(value)?;
            if !pairs.insert(key.clone(), decoded, !self.strict) {
                self.problems.push(format!(
                    "line {}: key {} already set in map",
                    value.line,
                    key.go_syntax()
                ));
            }
        }
        Ok(())
    }

    fn merge(&mut self, node: &Node, pairs: &mut Pairs) -> Result<(), Error> {
        let wanted = || Error::plain("map merge requires map or sequence of maps as the value");
        match node.kind {
            Kind::Mapping => {
                self.count()?;
                self.mapping(node, pairs)
            }
            Kind::Alias => {
                self.count()?;
                self.alias(node, |decoder, target| match target.kind {
                    Kind::Mapping => {
                        decoder.count()?;
                        decoder.mapping(target, pairs)
                    }
                    _ => Err(wanted()),
                })
            }
            // Earlier maps of a list win, so they are merged last.
            Kind::Sequence => node
                .content
                .iter()
                .rev()
                .try_for_each(|item| match item.kind {
                    Kind::Mapping | Kind::Alias => self.merge(item, pairs),
                    _ => Err(wanted()),
                }),
            Kind::Scalar => Err(wanted()),
        }
    }
}

/// A mapping being read, with an index by typed key.
#[derive(Default)]
struct Pairs {
    list: Vec<(Decoded, Decoded)>,
    index: HashMap<String, usize>,
}

impl Pairs {
    /// Sets a key; if it is set already, only where `replace` says so.
    fn insert(&mut self, key: Decoded, value: Decoded, replace: bool) -> bool {
        let name = key.typed_name();
        match self.index.get(&name) {
            Some(_) if !replace => return false,
            Some(&at) => self.list[at].1 = value,
            None => {
                self.index.insert(name, self.list.len());
                self.list.push((key, value));
            }
        }
        true
    }
}

fn scalar(node: &Node) -> Result<Decoded, Error> {
    if node.tag == Tag::Binary {
        let decoded = STANDARD
            .decode(node.value.replace(['\n', '\r'], ""))
            .map_err(|_| Error::plain("!!binary value contains invalid base64 data"))?;
        return Ok(Decoded::String(
            String::from_utf8_lossy(&decoded).into_owned(),
        ));
    }
    // An untagged scalar was resolved when it was read; only a written tag can fail to fit.
    let quoted = node.tag == Tag::Str && !node.style.has(Style::TAGGED);
    if quoted {
        return Ok(Decoded::String(node.value.to_string()));
    }
    let tag = if node.style.has(Style::TAGGED) {
        &node.tag
    } else {
        &Tag::None
    };
    let (_, scalar) = resolve::resolve(tag, &node.value, Dialect::V2)?;
    Ok(match scalar {
        Scalar::Null => Decoded::Null,
        Scalar::Bool(value) => Decoded::Bool(value),
        Scalar::Int(value) => Decoded::Int(value),
        Scalar::Uint(value) => Decoded::Uint(value),
        Scalar::Float(value) => Decoded::Float(value),
        Scalar::Str | Scalar::Timestamp => Decoded::String(node.value.to_string()),
    })
}

impl Decoded {
    /// Equal for equal keys only, types included.
    fn typed_name(&self) -> String {
        match self {
            Self::String(text) => format!("s{text}"),
            other => other.go_syntax(),
        }
    }

    /// Go's `%#v`.
    fn go_syntax(&self) -> String {
        match self {
            Self::Null => "<nil>".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Uint(value) => format!("{value:#x}"),
            Self::Float(value) => number::shortest(*value),
            Self::String(text) => format!("{text:?}"),
            Self::Sequence(items) => {
                let items: Vec<_> = items.iter().map(Self::go_syntax).collect();
                format!("[]interface {{}}{{{}}}", items.join(", "))
            }
            Self::Mapping(pairs) => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(key, value)| format!("{}:{}", key.go_syntax(), value.go_syntax()))
                    .collect();
                format!("map[interface {{}}]interface {{}}{{{}}}", pairs.join(", "))
            }
        }
    }

    fn into_json(self) -> Result<Value, Error> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Number(value.into()),
            Self::Uint(value) => Value::Number(value.into()),
            Self::Float(value) => Value::Number(json_number(value)?),
            Self::String(text) => Value::String(text),
            Self::Sequence(items) => {
                let items: Result<_, _> = items.into_iter().map(Self::into_json).collect();
                Value::Array(items?)
            }
            Self::Mapping(pairs) => {
                let mut map = Map::new();
                let mut seen = HashSet::new();
                for (key, value) in pairs {
                    let name = key.key_text(&value)?;
                    let value = value.into_json()?;
                    if seen.insert(name.clone()) {
                        map.insert(name, value);
                    }
                }
                Value::Object(map)
            }
        })
    }

    /// The JSON key for a YAML key.
    fn key_text(&self, value: &Self) -> Result<String, Error> {
        Ok(match self {
            Self::String(text) => text.clone(),
            Self::Int(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Float(value) => number::shortest_32(*value),
            other => {
                let kind = if matches!(other, Self::Uint(_)) {
                    "uint64"
                } else {
                    "%!s(<nil>)"
                };
                return Err(Error::NotJson(format!(
                    "unsupported map key of type: {kind}, key: {}, value: {}",
                    other.go_syntax(),
                    value.go_syntax()
                )));
            }
        })
    }
}

/// What the JSON text of a float reads as: a whole number where it has no point or exponent.
fn json_number(float: f64) -> Result<Number, Error> {
    let Some(number) = Number::from_f64(float) else {
        let text = match float {
            float if float.is_nan() => "NaN",
            float if float > 0.0 => "+Inf",
            _ => "-Inf",
        };
        return Err(Error::NotJson(format!("json: unsupported value: {text}")));
    };
    let text = number::json_float(float);
    if let Ok(int) = text.parse::<i64>() {
        return Ok(int.into());
    }
    Ok(text.parse::<u64>().map_or(number, Number::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_keys_win_and_strictness_names_the_line() {
        assert_eq!(to_json(b"a: 1\na: 2").unwrap(), serde_json::json!({"a": 2}));
        assert_eq!(
            to_json_strict(b"a: 1\na: 2").unwrap_err().to_string(),
            "yaml: unmarshal errors:\n  line 2: key \"a\" already set in map"
        );
    }

    #[test]
    fn a_stream_is_split_at_separator_lines() {
        let texts = split_documents(b"---\na: 1\n--- # x\nb: |\n  --- no\n---\n");
        let expected: [&[u8]; 3] = [b"a: 1\n", b"b: |\n  --- no\n", b""];
        assert_eq!(texts, expected);
        assert_eq!(to_json_documents(b"a: 1\n---\nb: 2").unwrap().len(), 2);
    }

    #[test]
    fn alias_bombs_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert_eq!(
            to_json(text.as_bytes()).unwrap_err().to_string(),
            "yaml: document contains excessive aliasing"
        );
        assert!(to_json(b"a: &a [*a]").is_err());
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(to_json("[".repeat(100_000).as_bytes()).is_err());
        assert!(to_json("- ".repeat(100_000).as_bytes()).is_err());
        assert!(to_json("{a: ".repeat(100_000).as_bytes()).is_err());
        assert!(to_json("? ".repeat(100_000).as_bytes()).is_err());
    }
}
