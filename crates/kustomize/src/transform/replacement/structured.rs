//! Replacing inside a text field that holds YAML or JSON.

use serde_json::Value;
use yaml::{Document, Kind, Node, SequenceIndent};

use super::{Hits, at, find, set};
use crate::error::{BuildError, Result};
use crate::generate::go_escape;
use crate::kustomization::FieldOptions;
use crate::lookup;

/// Puts the value at a path that leads through a text.
///
/// # Errors
/// There is no such text; the caller then takes the path as it is.
pub(super) fn put(
    node: &mut Node,
    value: &Node,
    path: &[String],
    options: Option<&FieldOptions>,
    create: Option<Kind>,
    newest: bool,
) -> Result<()> {
    let (length, mut document) = locate(node, path)?;
    let mut hits = Hits::default();
    find(&mut document.root, &path[length..], create, &mut hits)?;
    if hits.places.is_empty() && hits.detached == 0 {
        return Err("unable to find field in structured data".into());
    }
    // v5.8.1 knows no delimiter here.
    let options = options.filter(|_| newest);
    for place in &hits.places {
        set(at(&mut document.root, place), value, options)?;
    }
    let Some(scalar) = lookup::get_mut(node, &path[..length])? else {
        return Err("no structured data found in path".into());
    };
    scalar.value = write(&document, &scalar.value)?.into();
    Ok(())
}

/// The first part of the path that leads to a text, and the document in it.
fn locate(node: &Node, path: &[String]) -> Result<(usize, Document)> {
    if path.len() < 2 {
        return Err("not a structured data path".into());
    }
    for length in 1..path.len() {
        let Ok(Some(found)) = lookup::get(node, &path[..length]) else {
            continue;
        };
        if found.kind != Kind::Scalar {
            continue;
        }
        match yaml::parse(found.value.as_bytes()) {
            Ok(Some(document)) => return Ok((length, document)),
            Ok(None) => return Err("no structured data found in path".into()),
            Err(_) => {}
        }
    }
    Err("no structured data found in path".into())
}

fn write(document: &Document, original: &str) -> Result<String> {
    if original.trim_start().starts_with(['{', '[']) {
        let value = crate::output::to_json(&document.root)?;
        return write_json(&value, original.contains('\n') && original.contains("  "));
    }
    let text = yaml::document_to_string(document, SequenceIndent::Compact)?;
    Ok(text.trim().to_owned())
}

/// JSON as Go writes it.
fn write_json(value: &Value, pretty: bool) -> Result<String> {
    let text = if pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    text.map(|text| go_escape(&text))
        .map_err(|error| BuildError::new(format!("failed to marshal JSON data: {error}")))
}
