//! Values as sigs.k8s.io/yaml marshals them: JSON's types, block style, keys in go-yaml's order.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::scalar::Analysis;
use super::{Context, Emitter, IndentKind, WrittenStyle};
use crate::error::Dialect;
use crate::node::{Kind, Node, Plain, Tag};
use crate::resolve::{self, Scalar};

/// A tree that can be written: the emitter asks each node once what it is.
pub trait Value: Sized {
    /// What this value is.
    fn view(&self) -> View<'_, Self>;
}

/// What a [`Value`] is.
#[derive(Debug)]
pub enum View<'a, V> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is to be written.
    Number(Cow<'a, str>),
    /// A text.
    String(Cow<'a, str>),
    /// The items of a list.
    Sequence(Vec<&'a V>),
    /// Keys and values, in any order; they are sorted for writing.
    Mapping(Vec<(&'a str, &'a V)>),
}

/// Appends `value` as a YAML document (ending in a line feed) to `out`.
///
/// Source: sigs.k8s.io/yaml `Marshal`, go-yaml v2: two spaces, lists not indented below their key,
/// long lines folded at 80 columns.
pub fn to_yaml<V: Value>(value: &V, out: String) -> String {
    let mut emitter = Emitter::new(Dialect::V2, out);
    emitter.value(value, Context::Root);
    emitter.indent = -1;
    emitter.write_indent();
    emitter.out
}

impl Emitter {
    fn value<V: Value>(&mut self, value: &V, context: Context) {
        match value.view() {
            View::Null => self.bare("null"),
            View::Bool(true) => self.bare("true"),
            View::Bool(false) => self.bare("false"),
            View::Number(number) => self.bare(&number),
            View::String(text) => self.string(&text, context),
            View::Sequence(items) => self.sequence(&items, context),
            View::Mapping(pairs) => self.mapping(pairs),
        }
    }

    fn bare(&mut self, text: &str) {
        self.write_scalar(text, WrittenStyle::Plain, Context::Mapping, false);
    }

    fn string(&mut self, text: &str, context: Context) {
        let analysis = Analysis::new(text, Dialect::V2);
        let style = self.select_style(&analysis, text, wanted_style(text), context);
        self.write_scalar(text, style, context, false);
    }

    fn sequence<V: Value>(&mut self, items: &[&V], context: Context) {
        if items.is_empty() {
            self.write_indicator("[", true, true, false);
            self.write_indicator("]", false, false, false);
            return;
        }
        let below_key = context == Context::Mapping && !self.indention;
        self.push_indent(
            false,
            if below_key {
                IndentKind::None
            } else {
                IndentKind::Aligned
            },
        );
        for item in items {
            self.write_indent();
            self.write_indicator("-", true, false, true);
            self.value(*item, Context::Sequence);
        }
        self.pop_indent();
    }

    fn mapping<V: Value>(&mut self, mut pairs: Vec<(&str, &V)>) {
        if pairs.is_empty() {
            self.write_indicator("{", true, true, false);
            self.write_indicator("}", false, false, false);
            return;
        }
        pairs.sort_by(|a, b| compare_keys(a.0, b.0));
        self.push_indent(false, IndentKind::Aligned);
        for (key, value) in pairs {
            self.write_indent();
            let analysis = Analysis::new(key, Dialect::V2);
            if Self::is_simple_key(&analysis, key.len()) {
                let style =
                    self.select_style(&analysis, key, wanted_style(key), Context::SimpleKey);
                self.write_scalar(key, style, Context::SimpleKey, false);
                self.write_indicator(":", false, false, false);
            } else {
                self.write_indicator("?", true, false, true);
                self.string(key, Context::Mapping);
                self.write_indent();
                self.write_indicator(":", true, false, true);
            }
            self.value(value, Context::Mapping);
        }
        self.pop_indent();
    }
}

/// A text of several lines is a literal; one that would read as something else is quoted.
fn wanted_style(text: &str) -> WrittenStyle {
    if text.contains('\n') {
        return WrittenStyle::Literal;
    }
    let plain =
        resolve::resolve(&Tag::None, text, Dialect::V2).is_ok_and(|(tag, _)| tag == Tag::Str);
    if plain && !resolve::is_base60(text) {
        WrittenStyle::Plain
    } else {
        WrittenStyle::DoubleQuoted
    }
}

/// go-yaml's order of keys: digits in them compare as numbers, letters come after other characters.
pub fn compare_keys(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if a.bytes()
        .chain(b.bytes())
        .all(|byte| byte.is_ascii_alphabetic())
    {
        return a.cmp(b);
    }
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for at in 0..left.len().min(right.len()) {
        let (l, r) = (left[at], right[at]);
        if l == r {
            continue;
        }
        match (l.is_alphabetic(), r.is_alphabetic()) {
            (true, true) => return l.cmp(&r),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => return compare_from(&left, &right, at),
        }
    }
    left.len().cmp(&right.len())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Compares at the first difference, neither side of which is a letter.
fn compare_from(left: &[char], right: &[char], at: usize) -> Ordering {
    let mut start = 0i64;
    if left[at] == '0' || right[at] == '0' {
        let before = left[..at].iter().rev().take_while(|c| is_digit(**c));
        if before.into_iter().any(|c| *c != '0') {
            start = 1;
        }
    }
    let number = |side: &[char]| {
        let run = side[at..].iter().take_while(|c| is_digit(**c));
        run.fold((start, at), |(value, end), c| {
            let digit = i64::from((*c as u32) - ('0' as u32));
            (value.wrapping_mul(10).wrapping_add(digit), end + 1)
        })
    };
    let (left_number, right_number) = (number(left), number(right));
    left_number
        .cmp(&right_number)
        .then(left[at].cmp(&right[at]))
}

impl Value for serde_json::Value {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Null,
            Self::Bool(value) => View::Bool(*value),
            Self::Number(number) => View::Number(Cow::Owned(number_text(number))),
            Self::String(text) => View::String(Cow::Borrowed(text)),
            Self::Array(items) => View::Sequence(items.iter().collect()),
            Self::Object(map) => View::Mapping(
                map.iter()
                    .map(|(key, value)| (key.as_str(), value))
                    .collect(),
            ),
        }
    }
}

/// A node as Kustomize prints it: decoded, through JSON, and marshalled. What has no JSON form is
/// written as a null here; callers check first (`Node::plain_value`).
impl Value for Node {
    fn view(&self) -> View<'_, Self> {
        match self.kind {
            Kind::Sequence => View::Sequence(self.content.iter().collect()),
            Kind::Mapping => View::Mapping(
                self.pairs()
                    .map(|(key, value)| (key.value.as_str(), value))
                    .collect(),
            ),
            Kind::Scalar | Kind::Alias => match self.plain_value() {
                Ok(Plain::Bool(flag)) => View::Bool(flag),
                Ok(Plain::Int(number)) => View::Number(Cow::Owned(number.to_string())),
                Ok(Plain::Uint(number)) => View::Number(Cow::Owned(number.to_string())),
                Ok(Plain::Float(number)) => View::Number(Cow::Owned(written_number(
                    &crate::number::json_float(number),
                ))),
                Ok(Plain::Text(text)) => View::String(text),
                Ok(Plain::Null) | Err(_) => View::Null,
            },
        }
    }
}

/// The text of a number once it has been through JSON and go-yaml's resolver.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(float) if !(number.is_i64() || number.is_u64()) => {
            let json = crate::number::json_float(float);
            written_number(&json)
        }
        _ => number.to_string(),
    }
}

/// A JSON number as go-yaml writes what it reads it as.
pub(crate) fn written_number(json: &str) -> String {
    match resolve::resolve(&Tag::None, json, Dialect::V2) {
        Ok((_, Scalar::Int(int))) => int.to_string(),
        Ok((_, Scalar::Uint(uint))) => uint.to_string(),
        Ok((_, Scalar::Float(float))) => crate::number::shortest(float),
        _ => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> String {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        to_yaml(&value, String::new())
    }

    #[test]
    fn values_are_written_as_sigs_yaml_does() {
        for (json, yaml) in [
            (
                r#"{"b":[{"a":1,"c":[[1],[]]}],"a":{}}"#,
                "a: {}\nb:\n- a: 1\n  c:\n  - - 1\n  - []\n",
            ),
            (
                r#"{"a":"yes","b":"1","c":"a: b","d":"","e":null}"#,
                "a: \"yes\"\nb: \"1\"\nc: 'a: b'\nd: \"\"\ne: null\n",
            ),
            (
                r#"{"a":"x\ny\n","b":"x\n","c":" x\ny"}"#,
                "a: |\n  x\n  y\nb: |\n  x\nc: |2-\n   x\n  y\n",
            ),
            (
                r#"{"a":1e20,"b":1.5,"c":1e-7,"d":2.0}"#,
                "a: 1e+20\nb: 1.5\nc: 1e-07\nd: 2\n",
            ),
            (r#""x""#, "x\n"),
            (r"[]", "[]\n"),
            (r#"{"a":"😀"}"#, "a: \"\\U0001F600\"\n"),
        ] {
            assert_eq!(written(json), yaml, "{json}");
        }
    }

    #[test]
    fn keys_are_in_natural_order() {
        let mut keys = ["a10", "a2", "b", "a", "B", "a-b", "ab", "1", "_"];
        keys.sort_by(|a, b| compare_keys(a, b));
        assert_eq!(keys, ["_", "1", "B", "a", "a-b", "a2", "a10", "ab", "b"]);
    }
}
