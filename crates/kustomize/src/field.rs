//! Getting and setting fields of nodes as kyaml's filters do.

use yaml::{Kind, Node, SequenceIndent, Style, Tag, Text};

use crate::error::{BuildError, Result};

pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Scalar => "ScalarNode",
        Kind::Sequence => "SequenceNode",
        Kind::Mapping => "MappingNode",
        Kind::Alias => "AliasNode",
    }
}

pub(crate) fn node_text(node: &Node) -> String {
    yaml::node_to_string(node, SequenceIndent::Compact).unwrap_or_default()
}

/// Refuses a node of another kind; a null passes for anything.
pub(crate) fn expect_kind(node: &Node, kind: Kind) -> Result<()> {
    if node.is_null() || node.kind == kind {
        return Ok(());
    }
    Err(BuildError::new(format!(
        "wrong node kind: expected {} but got {}: node contents:\n{}",
        kind_name(kind),
        kind_name(node.kind),
        node_text(node)
    )))
}

/// A node as kyaml makes it from a plain value: without a tag.
pub(crate) fn untagged(value: impl Into<Text>) -> Node {
    Node::scalar(Tag::None, value)
}

/// A string node as kyaml's `SetString` makes it.
pub(crate) fn string_node(value: &str) -> Node {
    let mut node = Node::string(value);
    if value.contains('\n') {
        node.style = Style::LITERAL;
    }
    node
}

/// An empty node for a field that is created; it has no tag yet.
pub(crate) fn created(kind: Kind) -> Node {
    let mut node = match kind {
        Kind::Mapping => Node::mapping(),
        Kind::Sequence => Node::sequence(),
        Kind::Scalar | Kind::Alias => untagged(""),
    };
    if kind == Kind::Scalar {
        node.tag = Tag::None;
    }
    node
}

/// A string that YAML 1.1 reads as something else is quoted when it is set.
fn quote_if_ambiguous(value: &mut Node) {
    let is_string = value.kind == Kind::Scalar && matches!(value.tag, Tag::Str | Tag::None);
    if is_string && value.style == Style::PLAIN && yaml::is_non_string(&value.value) {
        value.style = Style::DOUBLE_QUOTED;
    }
}

/// Sets field `name` of a mapping; a null removes it, and the style of a value that is replaced stays.
pub(crate) fn set_field(parent: &mut Node, name: &str, mut value: Node) -> Result<()> {
    expect_kind(parent, Kind::Mapping)?;
    quote_if_ambiguous(&mut value);
    if value.is_null() {
        parent.remove(name);
        return Ok(());
    }
    put_field(parent, name, value);
    Ok(())
}

/// Sets a field to whatever `value` is, nulls too.
pub(crate) fn put_field(parent: &mut Node, name: &str, mut value: Node) {
    match field_position(parent, name) {
        Some(at) => {
            let old = &mut parent.content[at + 1];
            value.style = old.style;
            value.shared = old.shared;
            *old = value;
        }
        None => {
            parent.content.push(untagged(name));
            parent.content.push(value);
        }
    }
}

fn field_position(parent: &Node, name: &str) -> Option<usize> {
    (0..parent.content.len() / 2)
        .map(|pair| pair * 2)
        .find(|&at| parent.content[at].value == name)
}

/// Overwrites a scalar; its style stays.
pub(crate) fn set_scalar(node: &mut Node, value: Node) -> Result<()> {
    expect_kind(node, Kind::Scalar)?;
    if value.is_null() {
        return Ok(());
    }
    let (style, line, column, file) = (node.style, node.line, node.column, node.file);
    let shared = node.shared;
    *node = value;
    (node.style, node.line, node.column, node.file) = (style, line, column, file);
    node.shared = shared;
    Ok(())
}

/// The value of `name`, unless `parent` is null; an error if it is no mapping.
pub(crate) fn get<'a>(parent: &'a Node, name: &str) -> Result<Option<&'a Node>> {
    if parent.is_null() {
        return Ok(None);
    }
    expect_kind(parent, Kind::Mapping)?;
    Ok(parent.get(name))
}

/// The value of `name`, made as an empty `kind` where it is missing.
pub(crate) fn get_or_create<'a>(
    parent: &'a mut Node,
    name: &str,
    kind: Kind,
) -> Result<Option<&'a mut Node>> {
    if parent.is_null() {
        return Ok(None);
    }
    expect_kind(parent, Kind::Mapping)?;
    let at = match field_position(parent, name) {
        Some(at) => at + 1,
        None => {
            parent.content.push(untagged(name));
            parent.content.push(created(kind));
            parent.content.len() - 1
        }
    };
    Ok(Some(&mut parent.content[at]))
}

/// Sets a field of `metadata`, making `metadata` where it is missing.
pub(crate) fn set_meta(node: &mut Node, name: &str, value: Node) -> Result<()> {
    match get_or_create(node, "metadata", Kind::Mapping)? {
        Some(metadata) => set_field(metadata, name, value),
        None => Ok(()),
    }
}

/// Splits at `delimiter`, except where a backslash precedes it.
pub(crate) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<&str> = path.split(delimiter).collect();
    if parts.len() > 1 && parts[0].is_empty() {
        parts.remove(0);
    }
    let mut result: Vec<String> = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        match result.last_mut() {
            Some(last) if index > 0 && last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => result.push(part.to_owned()),
        }
    }
    result
}

/// As [`split_path`], but keeps what is in brackets together.
pub(crate) fn split_path_smartly(path: &str, delimiter: char) -> Vec<String> {
    let mut result = Vec::new();
    let mut parts = split_path(path, delimiter).into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            result.push(part);
            continue;
        }
        let mut bracketed = part;
        for next in parts.by_ref() {
            bracketed.push(delimiter);
            bracketed.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        if bracketed.contains('=') {
            result.push(bracketed);
        } else {
            result.push(bracketed.trim_matches(['[', ']']).to_owned());
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_as_in_kyaml() {
        for (path, expected) in [
            ("a/b", vec!["a", "b"]),
            ("/a/b", vec!["a", "b"]),
            (r"a\/b/c", vec!["a/b", "c"]),
            ("", vec![""]),
        ] {
            assert_eq!(split_path(path, '/'), expected, "{path}");
        }
        for (path, expected) in [
            ("a.[b.c].d", vec!["a", "b.c", "d"]),
            ("a.[name=x.y].d", vec!["a", "[name=x.y]", "d"]),
            ("a.[b].c", vec!["a", "[b]", "c"]),
        ] {
            assert_eq!(split_path_smartly(path, '.'), expected, "{path}");
        }
    }
}
