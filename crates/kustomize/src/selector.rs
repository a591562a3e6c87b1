//! Selecting resources by identity, labels and annotations.

use std::collections::BTreeMap;

use regex::Regex;

use crate::error::{BuildError, Context as _, Result};
use crate::kustomization::Selector;
use crate::openapi::OpenApi;
use crate::resid::{Gvk, ResId};
use crate::resource::Resource;

/// A compiled [`Selector`].
pub(crate) struct Matcher {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: Requirements,
    annotations: Requirements,
}

/// An anchored regular expression; an empty one matches all.
enum Pattern {
    Any,
    Exact(String),
    Regex(Regex),
}

impl Pattern {
    fn new(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::Any);
        }
        if text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'/')
        {
            return Ok(Self::Exact(text.to_owned()));
        }
        compile(&format!("^(?:{text})$")).map(Self::Regex)
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => wanted == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Compiles a regular expression of bounded size.
pub(crate) fn compile(pattern: &str) -> Result<Regex> {
    regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason
                .lines()
                .last()
                .unwrap_or("")
                .trim()
                .trim_start_matches("error: ");
            let reason = match reason {
                "unclosed character class" => format!(
                    "missing closing ]: `{}`",
                    &pattern[pattern.rfind('[').unwrap_or(0)..]
                ),
                "unclosed group" => format!("missing closing ): `{pattern}`"),
                "repetition operator missing expression" => {
                    "missing argument to repetition operator: `*`".to_owned()
                }
                other => other.to_owned(),
            };
            BuildError::new(format!("error parsing regexp: {reason}"))
        })
}

impl Matcher {
    pub(crate) fn new(selector: &Selector) -> Result<Self> {
        Ok(Self {
            group: Pattern::new(&selector.group)?,
            version: Pattern::new(&selector.version)?,
            kind: Pattern::new(&selector.kind)?,
            name: Pattern::new(&selector.name)?,
            namespace: Pattern::new(&selector.namespace)?,
            labels: Requirements::lazy(&selector.label_selector),
            annotations: Requirements::lazy(&selector.annotation_selector),
        })
    }

    pub(crate) fn matches_gvk(&self, gvk: &Gvk) -> bool {
        self.group.matches(&gvk.group)
            && self.version.matches(&gvk.version)
            && self.kind.matches(&gvk.kind)
    }

    /// Whether kind, name and namespace (as written) match.
    pub(crate) fn matches_id(&self, id: &ResId) -> bool {
        self.matches_gvk(&id.gvk)
            && self.name.matches(&id.name)
            && self.namespace.matches(&id.namespace)
    }

    pub(crate) fn matches_metadata(&self, resource: &Resource) -> Result<bool> {
        Ok(self
            .annotations
            .matches(|| resource.meta_map("annotations"))?
            && self.labels.matches(|| resource.meta_map("labels"))?)
    }

    /// Whether a resource is selected, by its present or its original name and namespace.
    pub(crate) fn selects(&self, resource: &Resource, openapi: &OpenApi) -> Result<bool> {
        let current = resource.id(openapi);
        let original = resource
            .previous_ids_in(openapi)
            .next()
            .unwrap_or_else(|| current.clone());
        let namespace = self.namespace.matches(original.effective_namespace())
            || self.namespace.matches(current.effective_namespace());
        let name = self.name.matches(&original.name) || self.name.matches(&current.name);
        if !(namespace && name && self.matches_gvk(&current.gvk)) {
            return Ok(false);
        }
        Ok(self.labels.matches(|| resource.meta_map("labels"))?
            && self
                .annotations
                .matches(|| resource.meta_map("annotations"))?)
    }
}

/// The indexes of the resources that `selector` selects.
pub(crate) fn select(
    resources: &[Resource],
    selector: &Selector,
    openapi: &OpenApi,
) -> Result<Vec<usize>> {
    let matcher = Matcher::new(selector)?;
    let mut selected = Vec::new();
    for (at, resource) in resources.iter().enumerate() {
        if matcher.selects(resource, openapi)? {
            selected.push(at);
        }
    }
    Ok(selected)
}

/// A label selector; a bad one is an error only once it is used, as upstream parses it then.
struct Requirements {
    parsed: std::result::Result<Vec<Requirement>, String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Absent,
    Greater,
    Less,
}

impl Requirements {
    fn lazy(text: &str) -> Self {
        Self {
            parsed: parse(text).map_err(|error| error.message),
        }
    }

    fn matches(&self, labels: impl FnOnce() -> BTreeMap<String, String>) -> Result<bool> {
        let requirements = self
            .parsed
            .as_ref()
            .map_err(|error| BuildError::new(error.clone()))?;
        if requirements.is_empty() {
            return Ok(true);
        }
        let labels = labels();
        Ok(requirements
            .iter()
            .all(|requirement| requirement.matches(&labels)))
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let number = |text: &str| text.parse::<i64>().ok();
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::Absent => value.is_none(),
            Operator::Greater | Operator::Less => {
                let (Some(have), Some(limit)) = (
                    value.and_then(|value| number(value)),
                    self.values.first().and_then(|value| number(value)),
                ) else {
                    return false;
                };
                if self.operator == Operator::Greater {
                    have > limit
                } else {
                    have < limit
                }
            }
        }
    }
}

/// Splits a selector into words and punctuation, as apimachinery's lexer does.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let Some(first) = rest.chars().next() else {
            return tokens;
        };
        let special = |c: char| "=!(),<>".contains(c);
        let length = if special(first) {
            let two = rest.get(..2).unwrap_or("");
            if matches!(two, "==" | "!=") { 2 } else { 1 }
        } else {
            rest.find(|c: char| special(c) || c.is_ascii_whitespace())
                .unwrap_or(rest.len())
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
}

fn parse(text: &str) -> Result<Vec<Requirement>> {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let mut parser = Parser { tokens, at: 0 };
    let mut requirements = Vec::new();
    loop {
        requirements.push(
            parser
                .requirement()
                .context("unable to parse requirement")?,
        );
        match parser.next().as_str() {
            "" => return Ok(requirements),
            "," => {
                if matches!(parser.peek(), "" | ",") {
                    let found = parser.peek();
                    return Err(format!("found '{found}', expected: identifier after ','").into());
                }
            }
            other => {
                return Err(format!("found '{other}', expected: ',' or 'end of string'").into());
            }
        }
    }
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement> {
        let mut operator = Operator::Exists;
        if self.peek() == "!" {
            self.at += 1;
            operator = Operator::Absent;
        }
        let key = self.next();
        if key.is_empty() || "=!(),<>".contains(&key[..1]) {
            return Err(format!("found '{key}', expected: identifier").into());
        }
        check_key(&key)?;
        if operator == Operator::Absent || matches!(self.peek(), "" | ",") {
            return Ok(Requirement {
                key,
                operator,
                values: Vec::new(),
            });
        }
        let token = self.next();
        let (operator, values) = match token.as_str() {
            "in" => (Operator::In, self.values()?),
            "notin" => (Operator::NotIn, self.values()?),
            "=" | "==" => (Operator::In, vec![self.exact()?]),
            "!=" => (Operator::NotIn, vec![self.exact()?]),
            ">" => (Operator::Greater, vec![self.exact()?]),
            "<" => (Operator::Less, vec![self.exact()?]),
            other => {
                return Err(
                    format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt").into(),
                );
            }
        };
        values
            .iter()
            .try_for_each(|value| check_value(&key, value))?;
        Ok(Requirement {
            key,
            operator,
            values,
        })
    }

    fn exact(&mut self) -> Result<String> {
        if matches!(self.peek(), "" | ",") {
            return Ok(String::new());
        }
        let value = self.next();
        if "=!()<>".contains(&value[..1]) {
            return Err(format!("found '{value}', expected: identifier").into());
        }
        Ok(value)
    }

    fn values(&mut self) -> Result<Vec<String>> {
        let open = self.next();
        if open != "(" {
            return Err(format!("found '{open}' expected: '('").into());
        }
        let mut values = Vec::new();
        if self.peek() == ")" {
            self.at += 1;
            return Ok(vec![String::new()]);
        }
        loop {
            let token = self.next();
            match token.as_str() {
                "," => values.push(String::new()),
                "" | "(" | "=" | "!" => {
                    return Err(format!("found '{token}', expected: ',', ')' or identifier").into());
                }
                ")" => {
                    values.push(String::new());
                    return Ok(values);
                }
                _ => {
                    values.push(token);
                    match self.next().as_str() {
                        ")" => return Ok(values),
                        "," => {
                            if self.peek() == ")" {
                                self.at += 1;
                                values.push(String::new());
                                return Ok(values);
                            }
                        }
                        other => {
                            return Err(format!("found '{other}', expected: ',' or ')'").into());
                        }
                    }
                }
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn check_key(key: &str) -> Result<()> {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    if is_name(name) {
        return Ok(());
    }
    Err(format!("key: Invalid value: {key:?}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')").into())
}

fn check_value(key: &str, value: &str) -> Result<()> {
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    Err(format!("values[0][{key}]: Invalid value: {value:?}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_select() {
        let labels = BTreeMap::from([
            ("app".to_owned(), "web".to_owned()),
            ("tier".to_owned(), "5".to_owned()),
        ]);
        for (selector, expected) in [
            ("", true),
            ("app=web", true),
            ("app in (db, web),!gone", true),
            ("app notin (web)", false),
            ("tier>4", true),
            ("app!=web", false),
        ] {
            let found = Requirements::lazy(selector)
                .matches(|| labels.clone())
                .unwrap();
            assert_eq!(found, expected, "{selector}");
        }
        assert!(
            Requirements::lazy("app in (")
                .matches(|| labels.clone())
                .is_err()
        );
    }
}
