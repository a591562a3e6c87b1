//! The paths of `fieldPath` in rules and `jsonPath` in selectable fields.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/cel/validation.go` (`ValidFieldPath`).

use std::sync::Arc;

use object::field::Path;

use crate::schema::{Additional, Schema};

/// Why a path is none, or leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FieldPathError(String);

fn fail<T>(text: impl Into<String>) -> Result<T, FieldPathError> {
    Err(FieldPathError(text.into()))
}

/// The next token: a delimiter, a text in single quotes, or a name.
fn token(text: &str) -> Option<(&str, &str)> {
    let first = *text.as_bytes().first()?;
    if matches!(first, b'.' | b'[' | b']') {
        return Some(text.split_at(1));
    }
    if first == b'\'' {
        let bytes = text.as_bytes();
        let end = (1..bytes.len()).find(|&at| bytes[at] == b'\'' && bytes[at - 1] != b'\\');
        return Some(text.split_at(end.map_or(text.len(), |end| end + 1)));
    }
    let end = text.find(['.', '[', ']']).unwrap_or(text.len());
    Some(text.split_at(end))
}

fn unescape(text: &str) -> Result<String, FieldPathError> {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            None => out.push('\\'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('v') => out.push('\u{b}'),
            Some(kept @ ('\'' | '\\')) => out.push(kept),
            Some(other) => {
                return fail(format!(
                    "invalid string literal: invalid escape char \\{other}"
                ));
            }
        }
    }
    Ok(out)
}

/// The path that `text` stands for and the schema of the field it leads to.
pub fn resolve<'s>(text: &str, schema: &'s Schema) -> Result<(Path, &'s Schema), FieldPathError> {
    walk(text, schema, true)
}

/// Like [`resolve`], but `['name']` is not allowed.
pub fn resolve_without_brackets<'s>(
    text: &str,
    schema: &'s Schema,
) -> Result<(Path, &'s Schema), FieldPathError> {
    walk(text, schema, false)
}

fn walk<'s>(
    text: &str,
    schema: &'s Schema,
    brackets: bool,
) -> Result<(Path, &'s Schema), FieldPathError> {
    const END: &str = "unexpected end of JSON path";
    let end = || FieldPathError(END.to_owned());
    let mut path = Path::root();
    let mut current = schema;
    let mut rest = text;
    while let Some((found, after)) = token(rest) {
        rest = after;
        match found {
            "[" if !brackets => return fail("array notation is not allowed"),
            "[" => {
                let (quoted, after) = token(rest).ok_or_else(end)?;
                let inner = quoted
                    .strip_prefix('\'')
                    .and_then(|inner| inner.strip_suffix('\''));
                let Some(inner) = inner.filter(|_| quoted.len() >= 2) else {
                    return fail(format!("expected single quoted string but got {quoted}"));
                };
                let name = unescape(inner)?;
                (path, current) = step(path, current, &name)?;
                let (close, after) = token(after).ok_or_else(end)?;
                if close != "]" {
                    return fail(format!("expected ] but got {close}"));
                }
                rest = after;
            }
            "." => {
                let (name, after) = token(rest).ok_or_else(end)?;
                (path, current) = step(path, current, name)?;
                rest = after;
            }
            other => return fail(format!("expected [ or . but got: {other}")),
        }
    }
    Ok((path, current))
}

fn step<'s>(
    path: Path,
    schema: &'s Schema,
    name: &str,
) -> Result<(Path, &'s Schema), FieldPathError> {
    if !schema.properties.is_empty() {
        return match schema.properties.get(name) {
            Some(field) => Ok((path.child(name), field)),
            None => fail("does not refer to a valid field"),
        };
    }
    match &schema.additional {
        Some(Additional::Schema(values)) => Ok((path.key(name), Arc::as_ref(values))),
        _ => fail("does not refer to a valid field"),
    }
}
