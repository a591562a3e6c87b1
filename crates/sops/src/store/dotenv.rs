//! `KEY=value` lines; `\n` in a value stands for a newline.

use super::StoreError;
use crate::value::{Branch, Comment, Item, Value};

pub(super) fn load(data: &[u8]) -> Result<Vec<Branch>, StoreError> {
    let text = std::str::from_utf8(data)
        .map_err(|_| StoreError::Syntax("the file is not text in UTF-8".to_owned()))?;
    let mut branch = Branch::new();
    for (number, line) in text.split('\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            branch.push(Item::Comment(Comment {
                text: comment.to_owned(),
                inline: false,
            }));
            continue;
        }
        // The line is not shown, for it may hold a secret.
        let (key, value) = line.split_once('=').ok_or_else(|| {
            StoreError::Syntax(format!("invalid dotenv input line {}: no '='", number + 1))
        })?;
        let value = Value::Text(value.replace("\\n", "\n"));
        branch.push(Item::Entry(key.to_owned(), value));
    }
    Ok(vec![branch])
}

pub(super) fn emit(branches: &[Branch]) -> Result<Vec<u8>, StoreError> {
    let mut out = String::new();
    for item in branches.first().into_iter().flatten() {
        match item {
            Item::Comment(comment) => out.push_str(&format!("#{}\n", comment.text)),
            Item::Entry(key, value) if value.is_complex() => {
                return Err(StoreError::Emit(format!(
                    "cannot use complex value in dotenv file; offending key {key}"
                )));
            }
            Item::Entry(key, Value::Text(text)) => {
                out.push_str(&format!("{key}={}\n", text.replace('\n', "\\n")));
            }
            Item::Entry(key, value) => out.push_str(&format!("{key}={}\n", value.to_plain_text())),
        }
    }
    Ok(out.into_bytes())
}
