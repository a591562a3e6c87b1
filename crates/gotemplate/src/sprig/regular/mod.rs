//! Regular expressions with RE2's syntax, Go's error texts and Go's ways of matching.
//! Source: sprig `regex.go`, regexp.

mod syntax;

use std::sync::Arc;

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::args::{int, text};
use super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::strconv::{can_backquote, quote};
use crate::text::{first_rune, lossy, runes};
use crate::unicode::{is_digit, is_letter};
use crate::value::{List, ListType, Value};

/// How large a compiled expression may be.
const SIZE_LIMIT: usize = 16 << 20;

/// What is wrong with a regular expression: Go's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {code}: `{expression}`")]
pub struct RegexpError {
    code: &'static str,
    expression: String,
}

/// A compiled regular expression in RE2's syntax.
#[derive(Clone, Debug)]
pub struct Regexp {
    regex: Regex,
    /// The names of the groups, with the whole match as the first.
    names: Vec<String>,
    is_empty: bool,
}

impl Regexp {
    /// Compiles an expression. Source: regexp `Compile`.
    pub fn new(pattern: &[u8]) -> std::result::Result<Regexp, RegexpError> {
        let translated = syntax::translate(pattern)?;
        let regex = RegexBuilder::new(&translated.pattern)
            .size_limit(SIZE_LIMIT)
            .nest_limit(5000)
            .build()
            .map_err(|_| RegexpError {
                code: "expression too large",
                expression: lossy(pattern).into_owned(),
            })?;
        Ok(Regexp {
            regex,
            names: translated.names,
            is_empty: pattern.is_empty(),
        })
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, whole: &[u8]) -> bool {
        self.regex.is_match(whole)
    }

    /// The first match.
    pub fn find<'t>(&self, whole: &'t [u8]) -> Option<&'t [u8]> {
        self.regex.find(whole).map(|found| found.as_bytes())
    }

    /// The places of up to `limit` matches, all if negative. An empty match right after another does not
    /// count. Source: regexp `allMatches`.
    fn find_all(&self, whole: &[u8], limit: i64) -> Vec<(usize, usize)> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut position = 0;
        let mut previous_end = None;
        while found.len() < limit && position <= whole.len() {
            let Some(matched) = self.regex.find_at(whole, position) else {
                break;
            };
            let mut accept = true;
            if matched.end() == position {
                accept = previous_end != Some(matched.start());
                position += first_rune(&whole[position..]).map_or(1, crate::text::Rune::width);
            } else {
                position = matched.end();
            }
            previous_end = Some(matched.end());
            if accept {
                found.push((matched.start(), matched.end()));
            }
        }
        found
    }

    /// `whole` with each match replaced by what `replace` appends. Source: regexp `replaceAll`.
    fn replace(
        &self,
        whole: &[u8],
        mut replace: impl FnMut(&mut Vec<u8>, &Captures<'_>),
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(whole.len());
        let (mut last_end, mut position) = (0, 0);
        while position <= whole.len() {
            let Some(captures) = self.regex.captures_at(whole, position) else {
                break;
            };
            let Some(matched) = captures.get(0) else {
                break;
            };
            out.extend_from_slice(&whole[last_end..matched.start()]);
            if matched.end() > last_end || matched.start() == 0 {
                replace(&mut out, &captures);
            }
            last_end = matched.end();
            let width = first_rune(&whole[position..]).map_or(0, crate::text::Rune::width);
            position = if position + width > matched.end() {
                position + width
            } else if position + 1 > matched.end() {
                position + 1
            } else {
                matched.end()
            };
        }
        out.extend_from_slice(&whole[last_end..]);
        out
    }

    /// Appends `template` with `$1`, `${name}` and `$$` filled in. Source: regexp `expand`.
    fn expand(&self, out: &mut Vec<u8>, template: &[u8], captures: &Captures<'_>) {
        let mut rest = template;
        while let Some(dollar) = memchr::memchr(b'$', rest) {
            out.extend_from_slice(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if rest.first() == Some(&b'$') {
                out.push(b'$');
                rest = &rest[1..];
                continue;
            }
            let Some((name, tail)) = reference(rest) else {
                out.push(b'$');
                continue;
            };
            rest = tail;
            let group = match group_number(name) {
                Some(number) => captures.get(number),
                None => (0..self.names.len())
                    .filter(|index| self.names[*index].as_bytes() == name)
                    .find_map(|index| captures.get(index)),
            };
            if let Some(group) = group {
                out.extend_from_slice(group.as_bytes());
            }
        }
        out.extend_from_slice(rest);
    }

    /// The parts between matches. Source: regexp `Split`.
    fn split<'t>(&self, whole: &'t [u8], limit: i64) -> Option<Vec<&'t [u8]>> {
        if limit == 0 {
            return None;
        }
        if !self.is_empty && whole.is_empty() {
            return Some(vec![b""]);
        }
        let mut parts = Vec::new();
        let (mut start, mut end) = (0, 0);
        for (from, to) in self.find_all(whole, limit) {
            if limit > 0 && parts.len() as i64 >= limit - 1 {
                break;
            }
            end = from;
            if to != 0 {
                parts.push(&whole[start..end]);
            }
            start = to;
        }
        if end != whole.len() {
            parts.push(&whole[start..]);
        }
        Some(parts)
    }
}

/// The name after a `$`, with or without braces, and what follows it.
fn reference(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (text, braced) = match text.strip_prefix(b"{") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let mut length = 0;
    for (position, rune) in runes(text) {
        let char = rune.char();
        if !(is_letter(char) || is_digit(char) || char == '_') {
            break;
        }
        length = position + rune.width();
    }
    if length == 0 || (braced && text.get(length) != Some(&b'}')) {
        return None;
    }
    Some((&text[..length], &text[length + usize::from(braced)..]))
}

/// A name that is a number; leading zeros make it a name.
fn group_number(name: &[u8]) -> Option<usize> {
    if name.len() > 1 && name[0] == b'0' || !name.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(name)
        .ok()?
        .parse()
        .ok()
        .filter(|number| *number < 100_000_000)
}

const TEXT: Signature = Signature::new(&[Param::String]);
const TEXT2: Signature = Signature::new(&[Param::String, Param::String]);
const TEXT3: Signature = Signature::new(&[Param::String, Param::String, Param::String]);
const TEXT2_INT: Signature = Signature::new(&[Param::String, Param::String, Param::Int]);

type OnMatch = fn(&mut Context<'_>, &Regexp, &[Value]) -> Result;

pub(super) fn functions() -> Vec<Row> {
    let mut table = vec![
        row("regexMatch", TEXT2, |context, args| {
            let regexp = context.regexp(text(args, 0));
            Ok(Value::Bool(
                regexp.is_ok_and(|regexp| regexp.is_match(text(args, 1))),
            ))
        }),
        row("mustRegexMatch", TEXT2, |context, args| {
            let regexp = compile(context, args, true)?;
            Ok(Value::Bool(regexp.is_match(text(args, 1))))
        }),
        row("regexQuoteMeta", TEXT, |context, args| {
            context.charge(text(args, 0).len() * 2)?;
            Ok(Value::string(quote_meta(text(args, 0))))
        }),
    ];
    // Those without "must" panic, and name the expression.
    let twins: [(&str, &str, Signature, OnMatch); 5] = [
        ("regexFind", "mustRegexFind", TEXT2, |_, regexp, args| {
            Ok(Value::string(
                regexp.find(text(args, 1)).unwrap_or_default(),
            ))
        }),
        (
            "regexFindAll",
            "mustRegexFindAll",
            TEXT2_INT,
            |context, regexp, args| {
                let whole = text(args, 1);
                let found = regexp.find_all(whole, int(args, 2));
                let parts = found
                    .into_iter()
                    .map(|(start, end)| &whole[start..end])
                    .collect::<Vec<_>>();
                strings(context, if parts.is_empty() { None } else { Some(parts) })
            },
        ),
        (
            "regexSplit",
            "mustRegexSplit",
            TEXT2_INT,
            |context, regexp, args| strings(context, regexp.split(text(args, 1), int(args, 2))),
        ),
        (
            "regexReplaceAll",
            "mustRegexReplaceAll",
            TEXT3,
            |context, regexp, args| {
                replaced(context, regexp, args, |out, template, captures| {
                    regexp.expand(out, template, captures)
                })
            },
        ),
        (
            "regexReplaceAllLiteral",
            "mustRegexReplaceAllLiteral",
            TEXT3,
            |context, regexp, args| {
                replaced(context, regexp, args, |out, literal, _| {
                    out.extend_from_slice(literal)
                })
            },
        ),
    ];
    for (name, twin, signature, body) in twins {
        for (name, plain) in [(name, false), (twin, true)] {
            table.push(row(
                name,
                signature,
                move |context: &mut Context<'_>, args: &[Value]| {
                    let regexp = compile(context, args, plain)?;
                    body(context, &regexp, args)
                },
            ));
        }
    }
    table
}

fn compile(
    context: &mut Context<'_>,
    args: &[Value],
    plain: bool,
) -> std::result::Result<Arc<Regexp>, CallError> {
    let pattern = text(args, 0);
    context.regexp(pattern).map_err(|error| {
        if plain {
            return CallError::new(error.to_string());
        }
        let shown = if can_backquote(pattern) {
            format!("`{}`", lossy(pattern))
        } else {
            lossy(&quote(pattern)).into_owned()
        };
        CallError::new(format!("regexp: Compile({shown}): {error}"))
    })
}

/// A `[]string`; nil for none.
fn strings(context: &mut Context<'_>, parts: Option<Vec<&[u8]>>) -> Result {
    let Some(parts) = parts else {
        let nil = List::nil(ListType::String);
        return Ok(Value::List(Arc::new(nil)));
    };
    context.charge(parts.len() * 48)?;
    Ok(Value::strings(parts))
}

/// Replaces the matches, counting what is made.
fn replaced(
    context: &mut Context<'_>,
    regexp: &Regexp,
    args: &[Value],
    fill: impl Fn(&mut Vec<u8>, &[u8], &Captures<'_>),
) -> Result {
    let (whole, template) = (text(args, 1), text(args, 2));
    let limit = context.limits().value;
    let mut overflow = false;
    let out = regexp.replace(whole, |out, captures| {
        overflow |= out.len() > limit;
        if !overflow {
            fill(out, template, captures);
        }
    });
    context.charge(if overflow { limit + 1 } else { out.len() })?;
    Ok(Value::string(out))
}

/// Escapes what has a meaning in expressions: Go's `QuoteMeta`.
fn quote_meta(whole: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(whole.len());
    for byte in whole {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}
