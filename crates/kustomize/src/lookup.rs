//! Paths of field names, indexes and `[name=value]` matches, as kyaml's `PathGetter` follows them.

use yaml::{Kind, Node};

use crate::error::{BuildError, Result};
use crate::field::{self, expect_kind};

/// How a part of a path is to be read.
pub(crate) enum Part<'a> {
    Field(&'a str),
    Index(usize),
    Last,
    /// `[name=value]`; an empty name matches the element itself.
    Match(&'a str, &'a str),
}

/// Whether `part` is in brackets.
pub(crate) fn is_match(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Go's `strconv.Atoi`.
pub(crate) fn atoi(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

pub(crate) fn split_match(part: &str) -> Result<(&str, &str)> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| {
        BuildError::new("list path element must contain fieldName=fieldValue for element to match")
    })
}

fn parse(part: &str) -> Result<Part<'_>> {
    if let Some(index) = atoi(part) {
        return match usize::try_from(index) {
            Ok(index) => Ok(Part::Index(index)),
            Err(_) => Err(format!("array index {index} cannot be negative").into()),
        };
    }
    match part {
        "-" => Ok(Part::Last),
        "*" => Err("wildcard is not supported in PathGetter".into()),
        part if is_match(part) => split_match(part).map(|(name, value)| Part::Match(name, value)),
        part => Ok(Part::Field(part)),
    }
}

/// Where the element or field that `part` names is in `node.content`.
fn find(node: &Node, part: &str) -> Result<Option<usize>> {
    let part = parse(part)?;
    if node.is_null() && matches!(part, Part::Field(_)) {
        return Ok(None);
    }
    match part {
        Part::Field(name) => {
            expect_kind(node, Kind::Mapping)?;
            Ok(node.position(name).map(|at| at + 1))
        }
        Part::Index(index) => {
            expect_kind(node, Kind::Sequence)?;
            Ok((index < node.content.len()).then_some(index))
        }
        Part::Last => {
            expect_kind(node, Kind::Sequence)?;
            // Upstream panics on an empty list here; ours says what is missing.
            match node.content.len() {
                0 => Err("index out of range [-1]".into()),
                length => Ok(Some(length - 1)),
            }
        }
        Part::Match("", value) => {
            expect_kind(node, Kind::Sequence)?;
            Ok(node
                .content
                .iter()
                .position(|element| element.value == value))
        }
        Part::Match(name, value) => {
            expect_kind(node, Kind::Sequence)?;
            let fits = |element: &Node| {
                element.kind == Kind::Mapping
                    && element.get(name).is_some_and(|field| field.value == value)
            };
            Ok(node.content.iter().position(fits))
        }
    }
}

/// The node at the end of `path`.
pub(crate) fn get<'a, S: AsRef<str>>(node: &'a Node, path: &[S]) -> Result<Option<&'a Node>> {
    let mut node = node;
    for part in path {
        let part = part.as_ref().trim();
        if part.is_empty() {
            continue;
        }
        match find(node, part)? {
            Some(at) => node = &node.content[at],
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

pub(crate) fn get_mut<'a, S: AsRef<str>>(
    node: &'a mut Node,
    path: &[S],
) -> Result<Option<&'a mut Node>> {
    let mut node = node;
    for part in path {
        let part = part.as_ref().trim();
        if part.is_empty() {
            continue;
        }
        match find(node, part)? {
            Some(at) => node = &mut node.content[at],
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// One step.
pub(crate) fn step_mut<'a>(node: &'a mut Node, part: &str) -> Result<Option<&'a mut Node>> {
    get_mut(node, &[part])
}

/// The node at the end of `path`, made where it is missing; the last one as an empty `kind`.
pub(crate) fn get_or_create<'a>(
    node: &'a mut Node,
    path: &[String],
    kind: Kind,
) -> Result<Option<&'a mut Node>> {
    let parts: Vec<&str> = path
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    let mut node = node;
    for (index, part) in parts.iter().enumerate() {
        let next = parts.get(index + 1).copied().unwrap_or("");
        match parse(part)? {
            Part::Field(name) => match field::get_or_create(node, name, kind_for(next, kind))? {
                Some(field) => node = field,
                None => return Ok(None),
            },
            Part::Match(name, value) => {
                let at = match find(node, part)? {
                    Some(at) => at,
                    None => {
                        node.content.push(new_element(name, value));
                        node.content.len() - 1
                    }
                };
                node = &mut node.content[at];
            }
            Part::Index(_) | Part::Last => match find(node, part)? {
                Some(at) => node = &mut node.content[at],
                None => return Ok(None),
            },
        }
    }
    Ok(Some(node))
}

/// An element that `[name=value]` matches.
pub(crate) fn new_element(name: &str, value: &str) -> Node {
    if name.is_empty() {
        return field::untagged(value);
    }
    let mut element = Node::mapping();
    element.content.push(field::untagged(name));
    element.content.push(field::untagged(value));
    element
}

/// What a created field must be so that the next part of the path can be followed.
pub(crate) fn kind_for(next: &str, last: Kind) -> Kind {
    if is_match(next) || atoi(next).is_some_and(|index| index >= 0) {
        Kind::Sequence
    } else if next.is_empty() {
        last
    } else {
        Kind::Mapping
    }
}
