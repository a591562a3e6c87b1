//! Paths with slashes. Source: sprig `functions.go`, path and path/filepath on Unix.

use super::args::text;
use super::{Row, row};
use crate::function::{Param, Signature};
use crate::value::Value;

const TEXT: Signature = Signature::new(&[Param::String]);

pub(super) fn functions() -> Vec<Row> {
    let on_text = |name, body: fn(&[u8]) -> Vec<u8>| {
        row(name, TEXT, move |_, args: &[Value]| {
            Ok(Value::string(body(text(args, 0))))
        })
    };
    let is_absolute = |name| {
        row(name, TEXT, |_, args: &[Value]| {
            Ok(Value::Bool(text(args, 0).starts_with(b"/")))
        })
    };
    vec![
        on_text("base", base),
        on_text("dir", dir),
        on_text("clean", clean),
        on_text("ext", ext),
        is_absolute("isAbs"),
        on_text("osBase", base),
        on_text("osDir", dir),
        on_text("osClean", clean),
        on_text("osExt", ext),
        is_absolute("osIsAbs"),
    ]
}

/// The last element.
fn base(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return b".".to_vec();
    }
    let end = path
        .iter()
        .rposition(|byte| *byte != b'/')
        .map_or(0, |last| last + 1);
    let path = &path[..end];
    let start = memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
    if path.is_empty() {
        b"/".to_vec()
    } else {
        path[start..].to_vec()
    }
}

/// All but the last element.
fn dir(path: &[u8]) -> Vec<u8> {
    let end = memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

/// The suffix that begins at the last dot of the last element.
fn ext(path: &[u8]) -> Vec<u8> {
    let start = memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
    match memchr::memrchr(b'.', &path[start..]) {
        Some(dot) => path[start + dot..].to_vec(),
        None => Vec::new(),
    }
}

/// The shortest path that means the same.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &joined[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
