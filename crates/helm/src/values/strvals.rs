//! `--set` and its kin. Source: Helm `pkg/strvals`.

use gotemplate::json::{Numbers, decode_prefix};
use gotemplate::strconv::{parse_int, quote};
use gotemplate::unicode::is_space;
use gotemplate::{Map, Value, lossy};

use crate::Compat;

/// The largest index of a list.
const MAX_INDEX: i64 = 65_536;
/// How deep names may nest.
const MAX_NESTING: usize = 30;

/// Which flag a text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    /// `--set`: values get types.
    Typed,
    /// `--set-string`: all values are strings.
    String,
    /// `--set-json`: values are JSON.
    Json,
    /// `--set-literal`: the value is the rest of the text.
    Literal,
}

/// Gives the contents of the file at a path.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Why a text cannot be applied: Helm's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SetError(pub String);

/// Why parsing stopped.
enum Stop {
    /// The text is at its end; not a failure.
    End,
    Failed(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Failed(message)
    }
}

type Parsed<T> = Result<T, Stop>;

/// Applies `text` to `values`, which are changed in place. `read_file` gives the contents of a file for
/// `--set-file`, whose values are paths; without it values are read by their kind.
pub fn set(
    text: &str,
    kind: SetKind,
    read_file: Option<ReadFile<'_>>,
    values: &Map,
    compat: Compat,
) -> Result<(), SetError> {
    let mut parser = Parser {
        compat,
        rest: text,
        kind,
        read_file,
    };
    loop {
        match parser.key(values, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Failed(message)) => return Err(SetError(message)),
        }
    }
}

struct Parser<'a> {
    compat: Compat,
    rest: &'a str,
    kind: SetKind,
    read_file: Option<ReadFile<'a>>,
}

fn quoted(text: &str) -> String {
    lossy(&quote(text.as_bytes())).into_owned()
}

fn put(map: &Map, key: &str, value: Value) {
    if !key.is_empty() {
        map.insert(key, value);
    }
}

/// What Go says of a value that is not of the type asked for.
fn conversion(value: &Value, wanted: &str) -> String {
    let got = if value.is_nil() {
        "nil".into()
    } else {
        value.type_name()
    };
    format!("unable to parse key: interface conversion: interface {{}} is {got}, not {wanted}")
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let char = self.rest.chars().next()?;
        self.rest = &self.rest[char.len_utf8()..];
        Some(char)
    }

    /// Text up to one of `stop`, and which; none of them at the end.
    fn until(&mut self, stop: &[char]) -> (String, Option<char>) {
        let mut out = String::new();
        while let Some(char) = self.next() {
            if stop.contains(&char) {
                return (out, Some(char));
            }
            if char == '\\' && self.kind != SetKind::Literal {
                match self.next() {
                    Some(escaped) => out.push(escaped),
                    None => return (out, None),
                }
            } else {
                out.push(char);
            }
        }
        (out, None)
    }

    fn key(&mut self, map: &Map, nesting: usize) -> Parsed<()> {
        let stops: &[char] = if self.kind == SetKind::Literal {
            &['=', '[', '.']
        } else {
            &['=', '[', ',', '.']
        };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(format!("key {} has no value", quoted(&key)).into()),
            Some('[') => {
                let index = self.index()?;
                let list = match map.get(&key) {
                    None => Vec::new(),
                    Some(Value::List(list)) => list.items().to_vec(),
                    Some(other) => return Err(conversion(&other, "[]interface {}").into()),
                };
                let (list, result) = self.item(list, index, nesting);
                put(map, &key, Value::list(list));
                result
            }
            Some('=') => {
                let (value, result) = self.value();
                if let Some(value) = value {
                    put(map, &key, value);
                }
                result
            }
            Some(',') => {
                put(map, &key, Value::from(""));
                Err(format!("key {} has no value (cannot end with ,)", quoted(&key)).into())
            }
            Some(_) => self.nested(map, &key, nesting + 1),
        }
    }

    /// `key.…`
    fn nested(&mut self, map: &Map, key: &str, nesting: usize) -> Parsed<()> {
        if nesting > MAX_NESTING {
            return Err(format!(
                "value name nested level is greater than maximum supported nested level of {MAX_NESTING}"
            )
            .into());
        }
        let inner = match map.get(key) {
            None => Map::new(),
            Some(Value::Map(inner)) => inner,
            Some(other) => return Err(conversion(&other, "map[string]interface {}").into()),
        };
        let result = self.key(&inner, nesting);
        if result.is_ok() && inner.is_empty() {
            return Err(format!("key map {} has no value", quoted(key)).into());
        }
        if !inner.is_empty() {
            put(map, key, Value::Map(inner));
        }
        result
    }

    fn index(&mut self) -> Parsed<i64> {
        let (text, stop) = self.until(&[']']);
        if stop.is_none() {
            // Helm 4 takes the end within an index for the end of all, and says nothing.
            return Err(if self.compat.is_v3() {
                Stop::Failed("error parsing index: EOF".to_owned())
            } else {
                Stop::End
            });
        }
        parse_int(text.as_bytes(), 10).map_err(|error| {
            format!(
                "error parsing index: strconv.Atoi: parsing {}: {error}",
                quoted(&text)
            )
            .into()
        })
    }

    /// What follows `=`: the value, if there is one to be set, and how it went.
    fn value(&mut self) -> (Option<Value>, Parsed<()>) {
        match self.kind {
            SetKind::Literal => {
                let text = std::mem::take(&mut self.rest);
                (Some(Value::from(text)), Ok(()))
            }
            SetKind::Json => self.json_value(),
            SetKind::Typed | SetKind::String => {
                if self.rest.is_empty() {
                    return (Some(Value::from("")), Err(Stop::End));
                }
                if let Some(rest) = self.rest.strip_prefix('{') {
                    self.rest = rest;
                    return self.list_value();
                }
                let (text, _) = self.until(&[',']);
                match self.read(&text) {
                    Ok(value) => (Some(value), Ok(())),
                    Err(error) => (Some(Value::Nil), Err(Stop::Failed(error))),
                }
            }
        }
    }

    /// A text as a value: of its type, as it is, or as the file it names.
    fn read(&self, text: &str) -> Result<Value, String> {
        if let Some(read_file) = self.read_file {
            return read_file(text).map(Value::from);
        }
        Ok(if self.kind == SetKind::String {
            Value::from(text)
        } else {
            typed(text)
        })
    }

    /// Passes over white space; true at the end and after a comma: there is no value.
    fn is_empty_value(&mut self) -> bool {
        loop {
            let before = self.rest;
            match self.next() {
                None | Some(',') => return true,
                Some(char) if is_space(char) => {}
                Some(_) => {
                    self.rest = before;
                    return false;
                }
            }
        }
    }

    fn json_value(&mut self) -> (Option<Value>, Parsed<()>) {
        if self.is_empty_value() {
            return (Some(Value::Nil), Ok(()));
        }
        match decode_prefix(self.rest.as_bytes(), Numbers::Float) {
            Ok((value, length)) => {
                self.rest = self.rest.get(length..).unwrap_or_default();
                self.is_empty_value();
                (Some(value), Ok(()))
            }
            Err(error) => {
                let message = error.to_string();
                let message = if message == "unexpected end of JSON input" {
                    "unexpected EOF".to_owned()
                } else {
                    message
                };
                (None, Err(Stop::Failed(message)))
            }
        }
    }

    /// The rest of `{a,b}`.
    fn list_value(&mut self) -> (Option<Value>, Parsed<()>) {
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            let Some(stop) = stop else {
                return (None, Err("list must terminate with '}'".to_owned().into()));
            };
            let value = match self.read(&text) {
                Ok(value) => value,
                Err(error) => return (None, Err(Stop::Failed(error))),
            };
            items.push(value);
            if stop == '}' {
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                return (Some(Value::list(items)), Ok(()));
            }
        }
    }

    /// What follows `[index]`; gives the list as it is then, also on failure.
    fn item(&mut self, list: Vec<Value>, index: i64, nesting: usize) -> (Vec<Value>, Parsed<()>) {
        if index < 0 {
            return (
                list,
                Err(format!("negative {index} index not allowed").into()),
            );
        }
        let (key, stop) = self.until(&['[', '.', '=']);
        if !key.is_empty() {
            let letters: Vec<String> = key.chars().map(|char| format!("{char:?}")).collect();
            let message = format!(
                "unexpected data at end of array index: [{}]",
                letters.join(" ")
            );
            return (list, Err(message.into()));
        }
        match stop {
            None => (list, Err(Stop::End)),
            Some('=') => match self.value() {
                (Some(value), result) => {
                    // The end of the text after `=` is an empty value, and no more.
                    let result = if matches!(result, Err(Stop::End)) {
                        Ok(())
                    } else {
                        result
                    };
                    match result {
                        Ok(()) => set_index(list, index, value),
                        failed => (list, failed),
                    }
                }
                (None, result) => (list, result),
            },
            Some('[') => {
                let next = match self.index() {
                    Ok(next) => next,
                    Err(stop) => return (list, Err(stop)),
                };
                let inner = match list.get(index as usize) {
                    None | Some(Value::Nil) => Vec::new(),
                    Some(Value::List(inner)) => inner.items().to_vec(),
                    Some(other) => {
                        return (
                            list.clone(),
                            Err(conversion(other, "[]interface {}").into()),
                        );
                    }
                };
                match self.item(inner, next, nesting) {
                    (inner, Ok(())) => set_index(list, index, Value::list(inner)),
                    (_, failed) => (list, failed),
                }
            }
            Some(_) => {
                let inner = match list.get(index as usize) {
                    Some(Value::Map(inner)) => inner.clone(),
                    _ => Map::new(),
                };
                let mut list = list;
                if let Some(place) = list.get_mut(index as usize) {
                    *place = Value::Map(inner.clone());
                }
                match self.key(&inner, nesting) {
                    Ok(()) => set_index(list, index, Value::Map(inner)),
                    failed => (list, failed),
                }
            }
        }
    }
}

fn set_index(mut list: Vec<Value>, index: i64, value: Value) -> (Vec<Value>, Parsed<()>) {
    if index > MAX_INDEX {
        let message =
            format!("index of {index} is greater than maximum supported index of {MAX_INDEX}");
        return (list, Err(message.into()));
    }
    let index = index as usize;
    if list.len() <= index {
        list.resize(index + 1, Value::Nil);
    }
    list[index] = value;
    (list, Ok(()))
}

/// A text as what it looks like: a boolean, null, an integer without leading zeros, or itself.
fn typed(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Nil;
    }
    if text == "0" {
        return Value::int64(0);
    }
    match parse_int(text.as_bytes(), 10) {
        Ok(number) if !text.starts_with('0') => Value::int64(number),
        _ => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_values() {
        let values = Map::new();
        set(
            "a.b=1,c={x,2},d[1].e=z",
            SetKind::Typed,
            None,
            &values,
            Compat::V4,
        )
        .unwrap();
        let shown = lossy(&Value::Map(values).print()).into_owned();
        assert_eq!(shown, "map[a:map[b:1] c:[x 2] d:[<nil> map[e:z]]]");
    }
}
