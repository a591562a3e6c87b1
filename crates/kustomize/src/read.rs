//! From files to resources: documents, anchors, embedded lists.

use std::borrow::Cow;
use std::sync::Arc;

use yaml::{Kind, Node, Style, Tag};

use crate::error::{BuildError, Result};
use crate::field;
use crate::output;
use crate::resid::root_text;
use crate::resource::{Resource, validate};

/// Nodes that aliases may add to a file.
const MAX_ALIAS_NODES: usize = 1_000_000;
const MAX_ALIAS_DEPTH: usize = 100;

/// The resources of a text of one or more YAML (or JSON) documents.
///
/// Source: kyaml `kio.ByteReader`, kustomize `resource.Factory`.
pub(crate) fn resources(text: &[u8]) -> Result<Vec<Resource>> {
    let nodes = nodes(text)?;
    check(&nodes)?;
    let nodes = nodes
        .into_iter()
        .filter(|node| !node.is_nil_or_empty())
        .collect();
    Ok(expand_lists(nodes)?
        .into_iter()
        .map(Resource::new)
        .collect())
}

/// The value of a text of one document; null for an empty one.
pub(crate) fn value(text: &[u8]) -> Result<serde_json::Value> {
    match nodes(text)?.first() {
        Some(node) => output::to_json(node),
        None => Ok(serde_json::Value::Null),
    }
}

fn check(nodes: &[Node]) -> Result<()> {
    nodes
        .iter()
        .filter(|node| !node.is_nil_or_empty())
        .try_for_each(validate)
}

/// The root nodes of all documents, aliases replaced by what they stand for.
fn nodes(text: &[u8]) -> Result<Vec<Node>> {
    let text: Cow<'_, [u8]> = if text.contains(&b'\r') {
        Cow::Owned(without_crlf(text))
    } else {
        Cow::Borrowed(text)
    };
    let documents = split_documents(&text)?;
    let alone = documents.len() == 1;
    let mut output = Vec::new();
    for (first_line, document) in documents {
        let parsed = yaml::parse(&document).map_err(|error| {
            let line = error.line().unwrap_or(0);
            let mut error = BuildError::from(error).wrap("MalformedYAMLError");
            error.malformed = true;
            if line > 0 {
                error = error.at("", first_line + line);
            }
            error
        })?;
        let Some(mut root) = parsed
            .map(|document| document.root)
            .filter(|root| !root.is_null())
        else {
            continue;
        };
        shift_lines(&mut root, first_line as u32);
        let is_list = matches!(root_text(&root, "kind"), "List" | "ResourceList");
        if alone && is_list && (root.get("items").is_some() || root.get("functionConfig").is_some())
        {
            if let Some(items) = root.remove("items") {
                output.extend(items.content);
            }
            continue;
        }
        output.push(root);
    }
    let mut budget = MAX_ALIAS_NODES;
    for node in &mut output {
        resolve_aliases(node, &mut budget, 0)?;
    }
    Ok(output)
}

fn without_crlf(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        if !(*byte == b'\r' && text.get(at + 1) == Some(&b'\n')) {
            result.push(*byte);
        }
    }
    result
}

fn shift_lines(node: &mut Node, by: u32) {
    if by == 0 {
        return;
    }
    node.line += by;
    for child in &mut node.content {
        shift_lines(child, by);
    }
}

/// Splits before lines that start with `---`; each text comes with the number of lines before it.
fn split_documents(text: &[u8]) -> Result<Vec<(usize, Cow<'_, [u8]>)>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut documents = Vec::new();
    let mut start = 0;
    let mut lines = 0;
    let mut at = 0;
    while let Some(found) = find(&text[at..], b"\n---") {
        let separator = at + found;
        let Some(end) = find(&text[separator + 1..], b"\n").map(|end| separator + 1 + end) else {
            break;
        };
        let rest = String::from_utf8_lossy(&text[separator + 4..end]);
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            let shown = String::from_utf8_lossy(&text[separator..end]);
            return Err(BuildError::new(format!(
                "invalid document separator: {}",
                shown.trim()
            )));
        }
        // The line feed before the separator belongs to the document (a literal may need it).
        documents.push((lines, Cow::Borrowed(&text[start..=separator])));
        lines += memchr::memchr_iter(b'\n', &text[start..=end]).count();
        start = end + 1;
        at = start;
    }
    documents.push((lines, Cow::Borrowed(&text[start..])));
    Ok(documents)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

/// Replaces aliases by copies and merge keys by what they merge (kyaml `DeAnchor`).
fn resolve_aliases(node: &mut Node, budget: &mut usize, depth: usize) -> Result<()> {
    match node.kind {
        Kind::Scalar => {}
        Kind::Alias => {
            let target = alias_target(node)?;
            if depth > MAX_ALIAS_DEPTH {
                return Err(too_many_aliases());
            }
            let mut copy = (*target).clone();
            spend(&copy, budget)?;
            resolve_aliases(&mut copy, budget, depth + 1)?;
            *node = copy;
        }
        Kind::Mapping => {
            merge_keys(node, budget)?;
            for child in &mut node.content {
                resolve_aliases(child, budget, depth)?;
            }
        }
        Kind::Sequence => {
            for child in &mut node.content {
                resolve_aliases(child, budget, depth)?;
            }
        }
    }
    if let Some(extras) = &mut node.extras {
        extras.anchor = yaml::Text::default();
    }
    Ok(())
}

fn too_many_aliases() -> BuildError {
    BuildError::new("yaml: document contains excessive aliasing")
}

fn alias_target(node: &Node) -> Result<Arc<Node>> {
    let target = node
        .extras
        .as_ref()
        .and_then(|extras| extras.target.clone());
    target.ok_or_else(|| BuildError::new(format!("anchor '{}' value contains itself", node.value)))
}

fn spend(node: &Node, budget: &mut usize) -> Result<()> {
    *budget = budget.checked_sub(1).ok_or_else(too_many_aliases)?;
    node.content
        .iter()
        .try_for_each(|child| spend(child, budget))
}

fn merge_keys(node: &mut Node, budget: &mut usize) -> Result<()> {
    let merges: Vec<&Node> = node
        .pairs()
        .filter(|(key, _)| key.tag == Tag::Merge)
        .map(|(_, value)| value)
        .collect();
    let value = match merges.as_slice() {
        [] => return Ok(()),
        [value] => *value,
        _ => return Err("duplicate merge key".into()),
    };
    let mut sources = Vec::new();
    merge_sources(value, &mut sources)?;
    node.remove("<<");
    let own = std::mem::take(&mut node.content);
    let mut merged = Node::mapping();
    merged.content = own.clone();
    for source in sources {
        spend(&source, budget)?;
        overwrite(&mut merged, source.content.clone());
    }
    overwrite(&mut merged, own);
    node.content = merged.content;
    Ok(())
}

fn overwrite(into: &mut Node, content: Vec<Node>) {
    let mut content = content.into_iter();
    while let (Some(key), Some(value)) = (content.next(), content.next()) {
        match into.position(&key.value) {
            Some(at) => (into.content[at], into.content[at + 1]) = (key, value),
            None => into.content.extend([key, value]),
        }
    }
}

/// The mappings a merge key names, the strongest last.
fn merge_sources(node: &Node, sources: &mut Vec<Arc<Node>>) -> Result<()> {
    match node.kind {
        Kind::Mapping => sources.insert(0, Arc::new(node.clone())),
        Kind::Alias => {
            let target = alias_target(node)?;
            if target.kind != Kind::Mapping {
                return Err("invalid map merge: received alias for a non-map value".into());
            }
            sources.insert(0, target);
        }
        Kind::Sequence => {
            for item in &node.content {
                if item.kind == Kind::Sequence {
                    return Err("invalid map merge: received a nested sequence".into());
                }
                merge_sources(item, sources)?;
            }
        }
        Kind::Scalar => {
            return Err("map merge requires map or sequence of maps as the value".into());
        }
    }
    Ok(())
}

/// Replaces `FooList`s by their items, which go to the end.
fn expand_lists(nodes: Vec<Node>) -> Result<Vec<Node>> {
    let is_list = |node: &Node| root_text(node, "kind").ends_with("List");
    if !nodes.iter().any(is_list) {
        return Ok(nodes);
    }
    let mut result = Vec::new();
    let mut queue = std::collections::VecDeque::from(nodes);
    while let Some(node) = queue.pop_front() {
        if !is_list(&node) || node.get("items").is_none() {
            result.push(node);
            continue;
        }
        let kind = root_text(&node, "kind").to_owned();
        let value = output::to_json(&node).map_err(|error| {
            BuildError::new(format!("trouble expanding list of {kind}; {error}"))
        })?;
        let items = match &value["items"] {
            serde_json::Value::Null => continue,
            serde_json::Value::Array(items) => items,
            other => {
                let found = go_type(other);
                return Err(format!("expected array in {kind}/items, but found {found}").into());
            }
        };
        for item in items {
            let item = from_json(item);
            if !item.is_nil_or_empty() {
                validate(&item)?;
                queue.push_back(item);
            }
        }
    }
    Ok(result)
}

fn go_type(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "<nil>",
        serde_json::Value::Bool(_) => "bool",
        serde_json::Value::Number(number) if number.is_i64() => "int",
        serde_json::Value::Number(number) if number.is_u64() => "uint64",
        serde_json::Value::Number(_) => "float64",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "[]interface {}",
        serde_json::Value::Object(_) => "map[string]interface {}",
    }
}

/// The nodes that reading a JSON text gives: all strings are quoted.
pub(crate) fn from_json(value: &serde_json::Value) -> Node {
    convert(value, &|text| {
        let mut node = Node::string(text);
        node.style = Style::DOUBLE_QUOTED;
        node
    })
}

/// The nodes that marshalling a Go map and reading it again gives: strings are quoted where they must be.
pub(crate) fn from_map(value: &serde_json::Value) -> Node {
    convert(value, &|text| {
        let mut node = field::string_node(text);
        if node.style == Style::PLAIN && !yaml::is_plain_string(text) {
            node.style = Style::DOUBLE_QUOTED;
        }
        node
    })
}

fn convert(value: &serde_json::Value, string: &dyn Fn(&str) -> Node) -> Node {
    match value {
        serde_json::Value::Null => Node::null(),
        serde_json::Value::Bool(flag) => {
            Node::scalar(Tag::Bool, if *flag { "true" } else { "false" })
        }
        serde_json::Value::Number(number) => {
            let text = output::number_text(number);
            Node::scalar(yaml::implicit_tag(&text), text)
        }
        serde_json::Value::String(text) => string(text),
        serde_json::Value::Array(items) => {
            let mut node = Node::sequence();
            node.content = items.iter().map(|item| convert(item, string)).collect();
            node
        }
        serde_json::Value::Object(map) => {
            let mut node = Node::mapping();
            for (key, value) in map {
                node.content.push(field::string_node(key));
                node.content.push(convert(value, string));
            }
            node
        }
    }
}

/// Reads the resources of a file, with its name in errors and provenance.
pub(crate) fn file(text: &[u8], path: &str, full_path: &str) -> Result<Vec<Resource>> {
    let mut read = resources(text).map_err(|error| {
        let line = error.location.as_ref().map_or(0, |location| location.line);
        let mut error = name_file(error, path);
        error.location = None;
        error.at(full_path, line)
    })?;
    for resource in &mut read {
        full_path.clone_into(&mut resource.provenance.file);
    }
    Ok(read)
}

/// Adds the file to a syntax error (`kusterr.Handler`).
pub(crate) fn name_file(mut error: BuildError, path: &str) -> BuildError {
    if error.malformed {
        error.message = format!("{} in File: {path}", error.message);
    }
    error
}
