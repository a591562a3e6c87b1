//! Sections with keys, as gopkg.in/ini.v1 reads and writes them.
//!
//! Known differences: continued lines, `"""` values and nested sections' inheritance are read as plain text.

use super::StoreError;
use crate::value::{Branch, Comment, Item, Value};

/// The name of the section before the first header.
const DEFAULT: &str = "DEFAULT";

pub(super) fn load(data: &[u8]) -> Result<Vec<Branch>, StoreError> {
    let text = std::str::from_utf8(data)
        .map_err(|_| StoreError::Syntax("the file is not text in UTF-8".to_owned()))?;
    let mut sections: Vec<(String, Branch)> = vec![(DEFAULT.to_owned(), Branch::new())];
    let mut comment = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with(['#', ';']) {
            comment.push(strip_mark(line));
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let end = rest
                .rfind(']')
                .ok_or_else(|| syntax(number, "unclosed section"))?;
            sections.push((rest[..end].trim().to_owned(), Branch::new()));
            if let (false, Some((_, items))) = (comment.is_empty(), sections.last_mut()) {
                items.push(note(&comment.join("\n")));
            }
            comment.clear();
            continue;
        }
        let at = line
            .find(['=', ':'])
            .ok_or_else(|| syntax(number, "key-value delimiter not found"))?;
        let (value, inline) = value(line[at + 1..].trim());
        if let Some((_, items)) = sections.last_mut() {
            items.push(Item::Entry(unquote(line[..at].trim()), Value::Text(value)));
            comment.extend(inline);
            if !comment.is_empty() {
                items.push(note(&comment.join("\n")));
            }
        }
        comment.clear();
    }
    let items = sections
        .into_iter()
        .map(|(name, items)| Item::Entry(name, Value::Branch(items)));
    Ok(vec![items.collect()])
}

fn syntax(line: usize, what: &str) -> StoreError {
    // The line is not shown, for it may hold a secret.
    StoreError::Syntax(format!(
        "Could not unmarshal input data: line {}: {what}",
        line + 1
    ))
}

fn strip_mark(line: &str) -> String {
    line.trim_start_matches([';', '#', ' ']).to_owned()
}

fn note(text: &str) -> Item {
    Item::Comment(Comment {
        text: text.to_owned(),
        inline: false,
    })
}

fn unquote(text: &str) -> String {
    for quote in ['"', '\'', '`'] {
        if text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote) {
            return text[1..text.len() - 1].to_owned();
        }
    }
    text.to_owned()
}

/// The value, and a comment behind it.
fn value(text: &str) -> (String, Option<String>) {
    let quoted = unquote(text);
    if quoted.len() != text.len() {
        return (quoted, None);
    }
    match text.find([';', '#']) {
        Some(at) => (text[..at].trim().to_owned(), Some(strip_mark(&text[at..]))),
        None => (text.to_owned(), None),
    }
}

pub(super) fn emit(branches: &[Branch]) -> Result<Vec<u8>, StoreError> {
    let mut out = String::new();
    for item in branches.iter().flatten() {
        let Item::Entry(name, value) = item else {
            continue;
        };
        let Value::Branch(items) = value else {
            return Err(StoreError::Emit(
                "Error marshaling to INI: Error encoding section: Section values should always be TreeBranches"
                    .to_owned(),
            ));
        };
        if !out.is_empty() {
            out.push('\n');
        }
        emit_section(name, items, &mut out);
    }
    Ok(out.into_bytes())
}

fn emit_section(name: &str, items: &Branch, out: &mut String) {
    let own = match items.first() {
        Some(Item::Comment(comment)) => Some(&comment.text),
        _ => None,
    };
    if let Some(text) = own {
        emit_comment(text, out);
    }
    let items = &items[usize::from(own.is_some())..];
    if name == DEFAULT {
        if items.is_empty() {
            return;
        }
    } else {
        out.push_str(&format!("[{name}]\n"));
    }
    let keys = items.iter().filter_map(|item| match item {
        Item::Entry(key, _) => Some(key.chars().count()),
        Item::Comment(_) => None,
    });
    let width = keys.max().unwrap_or(0);
    for (at, item) in items.iter().enumerate() {
        let Item::Entry(key, value) = item else {
            continue;
        };
        if let Some(Item::Comment(comment)) = items.get(at + 1) {
            emit_comment(&comment.text, out);
        }
        let text = quote(&value.to_plain_text());
        let padding = " ".repeat(width - key.chars().count());
        out.push_str(format!("{key}{padding} = {text}").trim_end_matches('\n'));
        out.push('\n');
    }
}

fn emit_comment(text: &str, out: &mut String) {
    for line in text.lines() {
        out.push_str(&format!("; {line}\n"));
    }
}

/// What would read back as something else is put in quotes.
fn quote(text: &str) -> String {
    if text.contains('\n') || text.contains('`') {
        format!("\"\"\"{text}\"\"\"")
    } else if text.contains(['#', ';']) || text != text.trim() {
        format!("`{text}`")
    } else {
        text.to_owned()
    }
}
