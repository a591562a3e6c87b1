//! Functions on texts.

use super::super::super::goregex;
use super::super::error::EvalError;
use super::super::value::{Outcome, Val, to_text};
use super::{mismatch, printing};

fn out_of_range(index: i64) -> EvalError {
    EvalError::new(format!("index out of range: {index}"))
}

/// The bytes of the characters from `start` to `end`.
fn slice(text: &str, start: i64, end: Option<i64>) -> Result<&str, EvalError> {
    let place = |index: i64| {
        let wanted = usize::try_from(index).map_err(|_| out_of_range(index))?;
        text.char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .nth(wanted)
            .ok_or_else(|| out_of_range(index))
    };
    if let Some(end) = end
        && start > end
    {
        return Err(EvalError::new(format!(
            "invalid substring range. start: {start}, end: {end}"
        )));
    }
    let from = place(start)?;
    let to = end.map_or(Ok(text.len()), place)?;
    Ok(&text[from..to])
}

fn split<'a>(text: &str, separator: &str, limit: i64) -> Val<'a> {
    if limit == 0 {
        return Val::list(Vec::new());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let parts: Vec<String> = if separator.is_empty() {
        // Every character on its own, the rest in the last part.
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if parts.len() + 1 == limit {
                parts.push(rest.to_owned());
                break;
            }
            parts.push(first.to_string());
            rest = &rest[first.len_utf8()..];
        }
        parts
    } else {
        text.splitn(limit, separator).map(str::to_owned).collect()
    };
    Val::texts(parts)
}

fn replace(text: &str, from: &str, to: &str, limit: i64) -> String {
    match usize::try_from(limit) {
        Ok(limit) => text.replacen(from, to, limit),
        Err(_) => text.replace(from, to),
    }
}

fn regex(pattern: &str) -> Result<std::sync::Arc<regex::Regex>, EvalError> {
    goregex::compile(pattern).map_err(|error| EvalError::new(format!("Illegal regex: {error}")))
}

pub(super) fn call<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    match (function, args) {
        ("contains", [Val::Text(text), Val::Text(part)]) => Ok(Val::Bool(text.contains(&**part))),
        ("startsWith", [Val::Text(text), Val::Text(part)]) => {
            Ok(Val::Bool(text.starts_with(&**part)))
        }
        ("endsWith", [Val::Text(text), Val::Text(part)]) => Ok(Val::Bool(text.ends_with(&**part))),
        ("matches", [Val::Text(text), Val::Text(pattern)]) => {
            let regex =
                goregex::compile(pattern).map_err(|error| EvalError::new(error.to_string()))?;
            Ok(Val::Bool(regex.is_match(text)))
        }
        ("find", [Val::Text(text), Val::Text(pattern)]) => {
            let regex = regex(pattern)?;
            Ok(Val::text(
                regex.find(text).map_or("", |found| found.as_str()),
            ))
        }
        ("findAll", [Val::Text(text), Val::Text(pattern), rest @ ..]) => {
            let limit = match rest {
                [] => -1,
                [Val::Int(limit)] => *limit,
                _ => return Err(mismatch(function, args)),
            };
            let regex = regex(pattern)?;
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Ok(Val::texts(
                regex
                    .find_iter(text)
                    .take(limit)
                    .map(|found| found.as_str().to_owned()),
            ))
        }
        ("charAt", [Val::Text(text), Val::Int(index)]) => {
            let length = text.chars().count() as i64;
            if *index < 0 || *index > length {
                return Err(out_of_range(*index));
            }
            let found = text.chars().nth(*index as usize);
            Ok(Val::text(found.map(String::from).unwrap_or_default()))
        }
        ("lowerAscii", [Val::Text(text)]) => Ok(Val::text(text.to_ascii_lowercase())),
        ("upperAscii", [Val::Text(text)]) => Ok(Val::text(text.to_ascii_uppercase())),
        ("trim", [Val::Text(text)]) => Ok(Val::text(text.trim())),
        ("replace", [Val::Text(text), Val::Text(from), Val::Text(to)]) => {
            Ok(Val::text(replace(text, from, to, -1)))
        }
        (
            "replace",
            [
                Val::Text(text),
                Val::Text(from),
                Val::Text(to),
                Val::Int(limit),
            ],
        ) => Ok(Val::text(replace(text, from, to, *limit))),
        ("split", [Val::Text(text), Val::Text(separator)]) => Ok(split(text, separator, -1)),
        ("split", [Val::Text(text), Val::Text(separator), Val::Int(limit)]) => {
            Ok(split(text, separator, *limit))
        }
        ("substring", [Val::Text(text), Val::Int(start)]) => {
            Ok(Val::text(slice(text, *start, None)?))
        }
        ("substring", [Val::Text(text), Val::Int(start), Val::Int(end)]) => {
            Ok(Val::text(slice(text, *start, Some(*end))?))
        }
        ("format", [Val::Text(text), Val::List(list)]) => printing::format(text, &list.items)
            .map(Val::text)
            .map_err(EvalError::new),
        ("strings.quote", [Val::Text(text)]) => Ok(Val::text(quote(text))),
        ("join", [Val::List(list), rest @ ..]) => {
            let separator = match rest {
                [] => "",
                [Val::Text(separator)] => separator,
                _ => return Err(mismatch(function, args)),
            };
            let mut joined = String::new();
            for (index, item) in list.items.iter().enumerate() {
                let Val::Text(text) = item else {
                    return Err(EvalError::new(format!(
                        "join: invalid input: {}",
                        to_text(item)
                    )));
                };
                if index > 0 {
                    joined.push_str(separator);
                }
                joined.push_str(text);
            }
            Ok(Val::text(joined))
        }
        _ => Err(mismatch(function, args)),
    }
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The first place of `part` in `text` from `offset` on, in characters.
pub(super) fn index_of(text: &str, part: &str, offset: Option<i64>) -> Result<i64, EvalError> {
    let offset = offset.unwrap_or(0);
    if part.is_empty() {
        return Ok(offset);
    }
    let start = usize::try_from(offset).map_err(|_| out_of_range(offset))?;
    let Some((at, _)) = text.char_indices().nth(start) else {
        return Ok(-1);
    };
    Ok(text[at..]
        .find(part)
        .map_or(-1, |found| text[..at + found].chars().count() as i64))
}

/// The last place of `part` in `text` up to `offset`, in characters.
pub(super) fn last_index_of(text: &str, part: &str, offset: Option<i64>) -> Result<i64, EvalError> {
    let length = text.chars().count() as i64;
    if part.is_empty() {
        return Ok(offset.unwrap_or(length));
    }
    let Some(offset) = offset else {
        return Ok(text
            .rfind(part)
            .map_or(-1, |at| text[..at].chars().count() as i64));
    };
    if offset < 0 {
        return Err(out_of_range(offset));
    }
    if offset >= length {
        return Ok(-1);
    }
    let last = text
        .char_indices()
        .nth(offset as usize)
        .map_or(text.len(), |(at, _)| at);
    let end = (last + part.len()).min(text.len());
    // The end may fall into a character; bytes are compared.
    let haystack = &text.as_bytes()[..end];
    let found = haystack
        .windows(part.len())
        .rposition(|window| window == part.as_bytes());
    Ok(found.map_or(-1, |at| {
        text.get(..at)
            .map_or(-1, |before| before.chars().count() as i64)
    }))
}
