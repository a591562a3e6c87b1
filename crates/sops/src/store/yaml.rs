//! YAML with comments, indented by four.

use std::collections::HashSet;

use yaml::{Extras, Kind, Node, Plain, SequenceIndent, Style, Tag};

use super::StoreError;
use crate::value::{Branch, Comment, Item, Value};

/// How deep aliases may lead into each other.
const MAX_DEPTH: usize = 100;
const STEP: u8 = 4;

fn syntax(error: impl std::fmt::Display) -> StoreError {
    StoreError::Syntax(format!("Error unmarshaling input YAML: {error}"))
}

pub(super) fn load(data: &[u8]) -> Result<Vec<Branch>, StoreError> {
    let documents = yaml::parse_documents(data).map_err(syntax)?;
    documents
        .iter()
        .map(|document| {
            let mut branch = Branch::new();
            note(&document.head_comment, false, &mut branch);
            root(&document.root, &mut branch)?;
            note(&document.foot_comment, false, &mut branch);
            Ok(branch)
        })
        .collect()
}

fn root(node: &Node, branch: &mut Branch) -> Result<(), StoreError> {
    match node.kind {
        Kind::Mapping => mapping(node, branch, false, 0),
        Kind::Scalar if node.short_tag() == Tag::Null => {
            let own = extras(node);
            note(&own.head_comment, false, branch);
            note(&own.line_comment, false, branch);
            Ok(())
        }
        Kind::Scalar => Err(syntax("YAML documents that are values are not supported")),
        Kind::Sequence => Err(syntax(
            "YAML documents that are sequences are not supported",
        )),
        Kind::Alias => Err(syntax("a document cannot be an alias")),
    }
}

static NO_EXTRAS: Extras = Extras {
    anchor: yaml::Text::const_new(""),
    head_comment: String::new(),
    line_comment: String::new(),
    foot_comment: String::new(),
    target: None,
};

fn extras(node: &Node) -> &Extras {
    node.extras.as_deref().unwrap_or(&NO_EXTRAS)
}

fn comments(text: &str, inline: bool) -> impl Iterator<Item = Comment> + '_ {
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(move |line| Comment {
            text: line.chars().skip(1).collect(),
            inline,
        })
}

fn note(text: &str, inline: bool, branch: &mut Branch) {
    branch.extend(comments(text, inline).map(Item::Comment));
}

fn key_text(node: &Node) -> Result<String, StoreError> {
    match node.plain_value() {
        Ok(Plain::Text(text)) => Ok(text.into_owned()),
        Ok(other) => {
            let kind = match other {
                Plain::Int(_) | Plain::Uint(_) => "int",
                Plain::Float(_) => "float64",
                Plain::Bool(_) => "bool",
                Plain::Null | Plain::Text(_) => "<nil>",
            };
            Err(syntax(format!(
                "Tree contains a non-string key (type {kind}): {}. Only string keys are supported",
                node.value
            )))
        }
        Err(error) => Err(syntax(error)),
    }
}

fn mapping(
    node: &Node,
    branch: &mut Branch,
    handled: bool,
    depth: usize,
) -> Result<(), StoreError> {
    let own = extras(node);
    if !handled {
        note(&own.head_comment, false, branch);
        note(&own.line_comment, false, branch);
    }
    let mut seen = HashSet::new();
    for (key, value) in node.pairs() {
        let (of_key, of_value) = (extras(key), extras(value));
        note(&of_key.head_comment, false, branch);
        note(&of_key.line_comment, false, branch);
        let scalar = matches!(value.kind, Kind::Scalar | Kind::Alias);
        if scalar {
            note(&of_value.head_comment, false, branch);
            note(&of_value.line_comment, true, branch);
        }
        let name = key_text(key)?;
        if !seen.insert(name.clone()) {
            return Err(syntax(format!(
                "yaml: unmarshal errors:\n  line {}: mapping key {name:?} already defined",
                key.line
            )));
        }
        let value = tree_value(value, scalar, depth + 1)?;
        branch.push(Item::Entry(name, value));
        if scalar {
            note(&of_value.foot_comment, false, branch);
        }
        note(&of_key.foot_comment, false, branch);
    }
    if !handled {
        note(&own.foot_comment, false, branch);
    }
    Ok(())
}

fn sequence(node: &Node, handled: bool, depth: usize) -> Result<Vec<Value>, StoreError> {
    let own = extras(node);
    let mut list = Vec::new();
    let add = |text: &str, inline, list: &mut Vec<Value>| {
        list.extend(comments(text, inline).map(Value::Comment));
    };
    if !handled {
        add(&own.head_comment, false, &mut list);
        add(&own.line_comment, false, &mut list);
    }
    for item in &node.content {
        let of_item = extras(item);
        add(&of_item.head_comment, false, &mut list);
        add(&of_item.line_comment, true, &mut list);
        list.push(tree_value(item, true, depth + 1)?);
        add(&of_item.foot_comment, false, &mut list);
    }
    if !handled {
        add(&own.foot_comment, false, &mut list);
    }
    Ok(list)
}

fn tree_value(node: &Node, handled: bool, depth: usize) -> Result<Value, StoreError> {
    match node.kind {
        Kind::Mapping => {
            let mut branch = Branch::new();
            mapping(node, &mut branch, handled, depth)?;
            Ok(Value::Branch(branch))
        }
        Kind::Sequence => Ok(Value::List(sequence(node, handled, depth)?)),
        Kind::Alias => match &extras(node).target {
            Some(target) if depth < MAX_DEPTH => tree_value(target, false, depth + 1),
            _ => Err(syntax(format!(
                "line {}: the alias cannot be followed",
                node.line
            ))),
        },
        Kind::Scalar => {
            let time = node.short_tag() == Tag::Timestamp;
            Ok(match node.plain_value().map_err(syntax)? {
                Plain::Null => Value::Null,
                Plain::Bool(value) => Value::Bool(value),
                Plain::Int(number) => Value::Int(number),
                Plain::Uint(number) => Value::Float(number as f64),
                Plain::Float(number) => Value::Float(number),
                Plain::Text(text) if time => Value::Time(text.into_owned()),
                Plain::Text(text) => Value::Text(text.into_owned()),
            })
        }
    }
}

pub(super) fn emit(branches: &[Branch]) -> Result<Vec<u8>, StoreError> {
    let texts = branches.iter().map(|branch| {
        let node = branch_node(branch);
        yaml::node_to_string_with_step(&node, SequenceIndent::Wide, STEP)
            .map_err(|error| StoreError::Emit(format!("Error marshaling to YAML: {error}")))
    });
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    Ok(texts.join("---\n").into_bytes())
}

/// Comments that wait for the node that they belong to.
#[derive(Default)]
struct Waiting {
    head: Vec<String>,
    inline: Vec<String>,
}

impl Waiting {
    fn take(lines: &mut Vec<String>) -> Option<String> {
        let lines = std::mem::take(lines);
        (!lines.is_empty()).then(|| format!("#{}", lines.join("\n#")))
    }

    fn add(&mut self, comment: &Comment) {
        let lines = if comment.inline {
            &mut self.inline
        } else {
            &mut self.head
        };
        lines.push(comment.text.clone());
    }

    fn put_head(&mut self, node: &mut Node) {
        if let Some(text) = Self::take(&mut self.head) {
            let head = &mut node.extras_mut().head_comment;
            *head = if head.is_empty() {
                text
            } else {
                format!("{text}\n{head}")
            };
        }
    }

    fn put_line(&mut self, node: &mut Node) {
        if let Some(text) = Self::take(&mut self.inline) {
            node.extras_mut().line_comment = text;
        }
    }

    fn put_foot(mut self, node: &mut Node) {
        let mut lines = std::mem::take(&mut self.head);
        lines.append(&mut self.inline);
        if let Some(text) = Self::take(&mut lines) {
            node.extras_mut().foot_comment = text;
        }
    }
}

fn branch_node(branch: &Branch) -> Node {
    let mut mapping = Node::mapping();
    let mut waiting = Waiting::default();
    for item in branch {
        match item {
            Item::Comment(comment) => waiting.add(comment),
            Item::Entry(key, value) => {
                if mapping.content.is_empty() {
                    waiting.put_head(&mut mapping);
                }
                let mut key = text_node(key);
                waiting.put_head(&mut key);
                let mut value = value_node(value);
                waiting.put_line(&mut value);
                mapping.content.extend([key, value]);
            }
        }
    }
    let last = mapping.content.len().checked_sub(2);
    match last.and_then(|at| mapping.content.get_mut(at)) {
        Some(key) => waiting.put_foot(key),
        None => {
            waiting.head.append(&mut waiting.inline.clone());
            waiting.put_head(&mut mapping);
        }
    }
    mapping
}

fn list_node(items: &[Value]) -> Node {
    let mut sequence = Node::sequence();
    let mut waiting = Waiting::default();
    for item in items {
        if let Value::Comment(comment) = item {
            waiting.add(comment);
            continue;
        }
        if sequence.content.is_empty() {
            waiting.put_head(&mut sequence);
        }
        let mut node = value_node(item);
        waiting.put_head(&mut node);
        waiting.put_line(&mut node);
        sequence.content.push(node);
    }
    match sequence.content.last_mut() {
        Some(last) => waiting.put_foot(last),
        None => waiting.put_head(&mut sequence),
    }
    sequence
}

/// As go-yaml encodes a string: a block where it has lines, quotes where it reads as something else.
fn text_node(text: &str) -> Node {
    let mut node = Node::string(text);
    if text.contains('\n') {
        node.style = Style::LITERAL;
    } else if !yaml::is_plain_string(text) {
        node.style = Style::DOUBLE_QUOTED;
    }
    node
}

fn value_node(value: &Value) -> Node {
    match value {
        Value::Null | Value::Comment(_) => Node::null(),
        Value::Bool(value) => Node::scalar(Tag::Bool, value.to_string()),
        Value::Int(number) => Node::scalar(Tag::Int, number.to_string()),
        Value::Float(number) => Node::scalar(Tag::Float, yaml::go_float(*number)),
        Value::Time(text) => Node::scalar(Tag::Timestamp, text.as_str()),
        Value::Text(text) => text_node(text),
        Value::List(items) => list_node(items),
        Value::Branch(branch) => branch_node(branch),
    }
}
