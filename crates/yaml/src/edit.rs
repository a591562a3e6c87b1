//! Changing scalars where they stand: every other byte of the text stays.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Dialect, Error};
use crate::parser::{EventKind, Parser};
use crate::reader;
use crate::resolve;
use crate::scanner::ScalarStyle;

/// A new value for the scalar at a position ([`crate::Node::line`], [`crate::Node::column`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit<'a> {
    /// The line the scalar starts at, from 1.
    pub line: u32,
    /// The column it starts at, from 1.
    pub column: u32,
    /// Its new value.
    pub value: &'a str,
}

/// Puts new values into a stream of documents. Quotes stay as they are where they can; a plain scalar
/// stays plain unless its new value would be of another type or does not fit.
///
/// ```
/// let text = "image: app:v1 # keep\nport:   80\n";
/// let edits = [yaml::Edit { line: 1, column: 8, value: "app:v2" }];
/// assert_eq!(yaml::edit_scalars(text, &edits)?, "image: app:v2 # keep\nport:   80\n");
/// # Ok::<(), yaml::Error>(())
/// ```
///
/// # Errors
/// A text that is no YAML, a position where no scalar starts, a block scalar.
pub fn edit_scalars(text: &str, edits: &[Edit<'_>]) -> Result<String, Error> {
    let decoded = reader::decode(text.as_bytes())?;
    let skipped = text.len() - decoded.len();
    let mut wanted: HashMap<(u32, u32), &str> = edits
        .iter()
        .map(|edit| ((edit.line, edit.column), edit.value))
        .collect();
    let mut changes: Vec<(Range<usize>, String)> = Vec::with_capacity(edits.len());
    let mut parser = Parser::new(&decoded, Dialect::V3);
    while !wanted.is_empty() {
        let event = parser.next()?;
        let (value, style) = match &event.kind {
            EventKind::StreamEnd => break,
            EventKind::Scalar { value, style, .. } => (value, *style),
            _ => continue,
        };
        let place = (event.start.line as u32 + 1, event.start.column as u32 + 1);
        let Some(new) = wanted.remove(&place) else {
            continue;
        };
        let (start, end) = event.bytes;
        changes.push((start + skipped..end + skipped, written(value, new, style)?));
    }
    if let Some((line, column)) = wanted.keys().min() {
        return Err(Error::plain(format!(
            "no scalar starts at line {line}, column {column}"
        )));
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, new) in changes {
        out.push_str(&text[done..range.start]);
        out.push_str(&new);
        done = range.end;
    }
    out.push_str(&text[done..]);
    Ok(out)
}

fn written(old: &str, new: &str, style: ScalarStyle) -> Result<String, Error> {
    let printable = new.chars().all(|c| !c.is_control());
    match style {
        ScalarStyle::SingleQuoted if printable => Ok(format!("'{}'", new.replace('\'', "''"))),
        ScalarStyle::Plain if fits_plain(old, new) => Ok(new.to_owned()),
        ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            Ok(serde_json::Value::from(new).to_string())
        }
        ScalarStyle::Literal | ScalarStyle::Folded => {
            Err(Error::plain("a block scalar cannot be changed in place"))
        }
    }
}

/// Whether `new` can stand without quotes anywhere and is of the same type as `old`.
fn fits_plain(old: &str, new: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._/:@+-".contains(&byte);
    let first = new.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
        && new.bytes().all(safe)
        && !new.ends_with(':')
        && resolve::implicit_tag(old) == resolve::implicit_tag(new)
        && (resolve::is_plain_string(new) || !resolve::is_plain_string(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, place: (u32, u32), value: &str) -> Result<String, String> {
        let (line, column) = place;
        let edit = Edit {
            line,
            column,
            value,
        };
        edit_scalars(text, &[edit]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_scalar_changes_where_it_stands() {
        for (text, place, value, wanted) in [
            ("a:  x   # c\nb: 1\n", (1, 5), "z", "a:  z   # c\nb: 1\n"),
            ("a: 'x'\r\nb: 1", (1, 4), "it's", "a: 'it''s'\r\nb: 1"),
            (
                "- \"x\" # é\n- y\n",
                (2, 3),
                "1.0",
                "- \"x\" # é\n- \"1.0\"\n",
            ),
            ("{a: 3, b: [é, z]}", (1, 5), "4", "{a: 4, b: [é, z]}"),
            (
                "{a: 3, b: [é, z]}",
                (1, 15),
                "a b",
                "{a: 3, b: [é, \"a b\"]}",
            ),
            (
                "\u{FEFF}a: x\n---\nb: y\n",
                (3, 4),
                "z",
                "\u{FEFF}a: x\n---\nb: z\n",
            ),
            ("a: &n !!str x\n", (1, 4), "z", "a: &n !!str z\n"),
        ] {
            assert_eq!(
                edited(text, place, value).as_deref(),
                Ok(wanted),
                "{text:?}"
            );
        }
        assert!(edited("a: x\n", (1, 3), "y").is_err());
        assert!(edited("a: |\n  x\n", (1, 4), "y").is_err());
    }

    #[test]
    fn several_scalars_change_at_once() {
        let text = "a: x\nb: y\n";
        let place = |line, value| Edit {
            line,
            column: 4,
            value,
        };
        let edits = [place(2, "v"), place(1, "longer")];
        assert_eq!(edit_scalars(text, &edits).unwrap(), "a: longer\nb: v\n");
    }
}
