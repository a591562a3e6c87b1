//! String functions. Source: sprig `strings.go`, goutils.

use super::args::{int, text};
use super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::strconv::append_quote;
use crate::text::{Str, find, replace_all, runes, split_n, trim_matches, trim_space};
use crate::value::{List, ListType, Map, MapType, Value};

const TEXT: Signature = Signature::new(&[Param::String]);
const TEXT2: Signature = Signature::new(&[Param::String, Param::String]);
const TEXT3: Signature = Signature::new(&[Param::String, Param::String, Param::String]);
const INT_TEXT: Signature = Signature::new(&[Param::Int, Param::String]);
const ANY: Signature = Signature::new(&[Param::Any]);
const MANY: Signature = Signature::new(&[]).variadic(Param::Any);

pub(super) fn functions() -> Vec<Row> {
    let mut table = trimming_and_testing();
    table.extend(cutting_and_wrapping());
    table.extend(quoting_and_padding());
    table.extend(splitting_and_joining());
    table
}

fn trimming_and_testing() -> Vec<Row> {
    vec![
        row("hello", Signature::new(&[]), |_, _| {
            Ok(Value::from("Hello!"))
        }),
        row("trim", TEXT, |_, args| {
            Ok(Value::string(trim_space(text(args, 0))))
        }),
        row("trimall", TEXT2, trim_all),
        row("trimAll", TEXT2, trim_all),
        row("trimSuffix", TEXT2, |_, args| {
            let whole = text(args, 1);
            Ok(Value::string(
                whole.strip_suffix(text(args, 0)).unwrap_or(whole),
            ))
        }),
        row("trimPrefix", TEXT2, |_, args| {
            let whole = text(args, 1);
            Ok(Value::string(
                whole.strip_prefix(text(args, 0)).unwrap_or(whole),
            ))
        }),
        row("contains", TEXT2, |_, args| {
            Ok(Value::Bool(find(text(args, 1), text(args, 0)).is_some()))
        }),
        row("hasPrefix", TEXT2, |_, args| {
            Ok(Value::Bool(text(args, 1).starts_with(text(args, 0))))
        }),
        row("hasSuffix", TEXT2, |_, args| {
            Ok(Value::Bool(text(args, 1).ends_with(text(args, 0))))
        }),
        row(
            "plural",
            Signature::new(&[Param::String, Param::String, Param::Int]),
            |_, args| Ok(args[usize::from(int(args, 2) != 1)].clone()),
        ),
    ]
}

fn cutting_and_wrapping() -> Vec<Row> {
    vec![
        row(
            "substr",
            Signature::new(&[Param::Int, Param::Int, Param::String]),
            |_, args| substr(int(args, 0), int(args, 1), text(args, 2)),
        ),
        row("trunc", INT_TEXT, |_, args| {
            Ok(Value::string(trunc(int(args, 0), text(args, 1))))
        }),
        row("abbrev", INT_TEXT, |_, args| {
            let (width, whole) = (int(args, 0), text(args, 1));
            Ok(Value::string(if width < 4 {
                whole.to_vec()
            } else {
                abbreviate(whole, 0, width)
            }))
        }),
        row(
            "abbrevboth",
            Signature::new(&[Param::Int, Param::Int, Param::String]),
            |_, args| {
                let (left, right, whole) = (int(args, 0), int(args, 1), text(args, 2));
                let as_it_is = right < 4 || left > 0 && right < 7;
                Ok(Value::string(if as_it_is {
                    whole.to_vec()
                } else {
                    abbreviate(whole, left, right)
                }))
            },
        ),
        row("wrap", INT_TEXT, |context, args| {
            charged(context, wrap(text(args, 1), int(args, 0), b"\n", false))
        }),
        row(
            "wrapWith",
            Signature::new(&[Param::Int, Param::String, Param::String]),
            |context, args| {
                let separator = text(args, 1);
                let separator = if separator.is_empty() {
                    b"\n"
                } else {
                    separator
                };
                let width = int(args, 0).max(1) as usize;
                context.charge(text(args, 2).len().saturating_add(
                    (text(args, 2).len() / width).saturating_mul(separator.len()),
                ))?;
                Ok(Value::string(wrap(
                    text(args, 2),
                    int(args, 0),
                    separator,
                    true,
                )))
            },
        ),
    ]
}

fn quoting_and_padding() -> Vec<Row> {
    vec![
        row("repeat", INT_TEXT, |context, args| {
            repeat(context, text(args, 1), int(args, 0)).map(Value::string)
        }),
        row("quote", MANY, |context, args| charged(context, quote(args))),
        row("squote", MANY, |context, args| {
            let quoted = args.iter().filter(|arg| !arg.is_nil()).map(|arg| {
                let mut out = vec![b'\''];
                crate::fmt::append_value(&mut out, arg);
                out.push(b'\'');
                out
            });
            charged(context, quoted.collect::<Vec<_>>().join(&b' '))
        }),
        row("cat", MANY, |context, args| {
            let printed = args.iter().filter(|arg| !arg.is_nil()).map(Value::print);
            charged(context, printed.collect::<Vec<_>>().join(&b' '))
        }),
        row("indent", INT_TEXT, |context, args| {
            indent(context, int(args, 0), text(args, 1), b"")
        }),
        row("nindent", INT_TEXT, |context, args| {
            indent(context, int(args, 0), text(args, 1), b"\n")
        }),
        row("replace", TEXT3, replace),
    ]
}

fn splitting_and_joining() -> Vec<Row> {
    vec![
        row("toString", ANY, |_, args| {
            Ok(Value::String(strval(&args[0])))
        }),
        row("toStrings", ANY, |_, args| {
            Ok(Value::strings(string_slice(&args[0])))
        }),
        row(
            "join",
            Signature::new(&[Param::String, Param::Any]),
            |context, args| {
                let parts = string_slice(&args[1]);
                let total: usize = parts
                    .iter()
                    .map(|part| part.len() + text(args, 0).len())
                    .sum();
                context.charge(total)?;
                Ok(Value::string(join(&parts, text(args, 0))))
            },
        ),
        row("sortAlpha", ANY, |_, args| {
            let mut parts = match &args[0] {
                Value::List(_) | Value::Bytes(_) => string_slice(&args[0]),
                other => vec![strval(other)],
            };
            parts.sort();
            Ok(Value::strings(parts))
        }),
        row("split", TEXT2, |context, args| {
            split(context, text(args, 1), text(args, 0), -1)
        }),
        row(
            "splitn",
            Signature::new(&[Param::String, Param::Int, Param::String]),
            |context, args| split(context, text(args, 2), text(args, 0), int(args, 1)),
        ),
        row("splitList", TEXT2, |context, args| {
            let parts = split_n(text(args, 1), text(args, 0), -1);
            context.charge(parts.len() * 48)?;
            Ok(Value::strings(parts))
        }),
    ]
}

fn charged(context: &mut Context<'_>, out: Vec<u8>) -> Result {
    context.charge(out.len())?;
    Ok(Value::string(out))
}

/// A value as text: strings as they are, everything else as printed.
pub fn strval(value: &Value) -> Str {
    match value {
        Value::String(text) | Value::Bytes(text) => text.clone(),
        _ => Str::from(value.print()),
    }
}

/// A list as strings without its nils; anything else as the one string.
pub(super) fn string_slice(value: &Value) -> Vec<Str> {
    match value {
        Value::Nil => Vec::new(),
        Value::List(list) => list
            .items()
            .iter()
            .filter(|item| !item.is_nil())
            .map(strval)
            .collect(),
        Value::Bytes(bytes) => bytes
            .as_bytes()
            .iter()
            .map(|byte| Str::from(byte.to_string()))
            .collect(),
        _ => vec![strval(value)],
    }
}

fn join(parts: &[Str], separator: &[u8]) -> Vec<u8> {
    parts
        .iter()
        .map(Str::as_bytes)
        .collect::<Vec<_>>()
        .join(separator)
}

fn quote(args: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for arg in args.iter().filter(|arg| !arg.is_nil()) {
        if !out.is_empty() {
            out.push(b' ');
        }
        append_quote(&mut out, strval(arg).as_bytes(), false);
    }
    out
}

/// Trims the characters of the first argument off both ends of the second.
fn trim_all(_: &mut Context<'_>, args: &[Value]) -> Result {
    let set: Vec<char> = runes(text(args, 0)).map(|(_, rune)| rune.char()).collect();
    Ok(Value::string(trim_matches(text(args, 1), |char| {
        set.contains(&char)
    })))
}

/// `count` copies, charged before they are made.
pub(super) fn repeat(
    context: &mut Context<'_>,
    unit: &[u8],
    count: i64,
) -> std::result::Result<Vec<u8>, CallError> {
    let Ok(count) = usize::try_from(count) else {
        return Err(CallError::new("strings: negative Repeat count"));
    };
    let total = count.checked_mul(unit.len());
    let Some(total) = total.filter(|total| i64::try_from(*total).is_ok()) else {
        return Err(CallError::new("strings: Repeat output length overflow"));
    };
    context.charge(total)?;
    Ok(unit.repeat(count))
}

fn indent(context: &mut Context<'_>, spaces: i64, whole: &[u8], before: &[u8]) -> Result {
    let pad = repeat(context, b" ", spaces)?;
    let lines = memchr::memchr_iter(b'\n', whole).count() + 1;
    let total = whole.len().saturating_add(lines.saturating_mul(pad.len())) + before.len();
    context.charge(total)?;
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(before);
    out.extend_from_slice(&pad);
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', whole) {
        out.extend_from_slice(&whole[start..=newline]);
        out.extend_from_slice(&pad);
        start = newline + 1;
    }
    out.extend_from_slice(&whole[start..]);
    Ok(Value::string(out))
}

fn replace(context: &mut Context<'_>, args: &[Value]) -> Result {
    let (old, new, whole) = (text(args, 0), text(args, 1), text(args, 2));
    let count = if old.is_empty() {
        whole.len() + 1
    } else {
        memchr::memmem::find_iter(whole, old).count()
    };
    context.charge(whole.len().saturating_add(count.saturating_mul(new.len())))?;
    Ok(Value::string(replace_all(whole, old, new)))
}

fn trunc(count: i64, whole: &[u8]) -> &[u8] {
    let length = whole.len() as i64;
    if count < 0 && length + count > 0 {
        return &whole[(length + count) as usize..];
    }
    if count >= 0 && length > count {
        return &whole[..count as usize];
    }
    whole
}

fn out_of_range(bounds: String) -> CallError {
    CallError::new(format!("runtime error: slice bounds out of range {bounds}"))
}

fn substr(start: i64, end: i64, whole: &[u8]) -> Result {
    let length = whole.len() as i64;
    if start < 0 {
        if end < 0 {
            return Err(out_of_range(format!("[:{end}]")));
        }
        if end > length {
            return Err(out_of_range(format!("[:{end}] with length {length}")));
        }
        return Ok(Value::string(&whole[..end as usize]));
    }
    let end = if end < 0 || end > length { length } else { end };
    if start > end {
        return Err(out_of_range(format!("[{start}:{end}]")));
    }
    Ok(Value::string(&whole[start as usize..end as usize]))
}

/// goutils `AbbreviateFull`; by bytes.
fn abbreviate(whole: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let length = whole.len() as i64;
    if whole.is_empty() || width < 4 {
        return Vec::new();
    }
    if length <= width {
        return whole.to_vec();
    }
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return [&whole[..(width - 3) as usize], b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + width - 3 < length {
        let rest = abbreviate(&whole[offset as usize..], 0, width - 3);
        return [b"...", &rest[..]].concat();
    }
    [b"...", &whole[(length - (width - 3)) as usize..]].concat()
}

/// goutils `WrapCustom`; by bytes.
fn wrap(whole: &[u8], width: i64, separator: &[u8], break_words: bool) -> Vec<u8> {
    let width = width.max(1) as usize;
    let mut out = Vec::with_capacity(whole.len());
    let mut offset = 0;
    while whole.len() - offset > width {
        if whole[offset] == b' ' {
            offset += 1;
            continue;
        }
        let window = &whole[offset..=offset + width];
        let cut = if let Some(space) = memchr::memrchr(b' ', window) {
            Some((offset + space, 1))
        } else if break_words {
            Some((offset + width, 0))
        } else {
            memchr::memchr(b' ', &whole[offset + width..]).map(|space| (offset + width + space, 1))
        };
        let Some((end, skip)) = cut else {
            break;
        };
        out.extend_from_slice(&whole[offset..end]);
        out.extend_from_slice(separator);
        offset = end + skip;
    }
    out.extend_from_slice(&whole[offset..]);
    out
}

/// Parts under the keys `_0`, `_1`, …
fn split(context: &mut Context<'_>, whole: &[u8], separator: &[u8], limit: i64) -> Result {
    let parts = split_n(whole, separator, limit);
    context.charge(parts.len() * 96)?;
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| (Str::from(format!("_{index}")), Value::string(part)))
        .collect();
    Ok(Value::Map(Map::typed(MapType::String, entries)))
}

/// A nil `[]interface {}`.
pub(super) fn nil_list() -> Value {
    Value::List(std::sync::Arc::new(List::nil(ListType::Any)))
}
