//! One object, in its order, indented by tabs.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::StoreError;
use crate::value::{Branch, Item, Value};

/// Reads any value and keeps the order of objects and entries that stand twice.
struct Ordered;

impl<'de> DeserializeSeed<'de> for Ordered {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Ordered {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        // Beyond 64 bits with a sign, Go falls back to a float.
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Ordered)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut branch = Branch::new();
        while let Some(key) = entries.next_key::<String>()? {
            if branch.len() > 1_000_000 {
                return Err(A::Error::custom("too many entries"));
            }
            branch.push(Item::Entry(key, entries.next_value_seed(Ordered)?));
        }
        Ok(Value::Branch(branch))
    }
}

pub(super) fn load(data: &[u8]) -> Result<Vec<Branch>, StoreError> {
    let mut deserializer = serde_json::Deserializer::from_slice(data);
    match Ordered.deserialize(&mut deserializer) {
        Ok(Value::Branch(branch)) => Ok(vec![branch]),
        Ok(_) => Err(StoreError::Syntax(
            "Could not unmarshal input data: SOPS only supports JSON files with a top-level object \
             (starting with '{'), not arrays or other types"
                .to_owned(),
        )),
        Err(error) => Err(StoreError::Syntax(format!(
            "Could not unmarshal input data: {error}"
        ))),
    }
}

pub(super) fn emit(branches: &[Branch]) -> Result<Vec<u8>, StoreError> {
    let Some(branch) = branches.first() else {
        return Err(StoreError::Emit(
            "Error marshaling to json: there is no document".to_owned(),
        ));
    };
    let mut out = String::new();
    write_branch(branch, 0, &mut out)?;
    out.push('\n');
    Ok(out.into_bytes())
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n('\t', depth));
}

fn write_branch(branch: &Branch, depth: usize, out: &mut String) -> Result<(), StoreError> {
    out.push('{');
    let mut first = true;
    for item in branch {
        let Item::Entry(key, value) = item else {
            continue;
        };
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        new_line(depth + 1, out);
        write_text(key, out);
        out.push_str(": ");
        write_value(value, depth + 1, out)?;
    }
    if !first {
        new_line(depth, out);
    }
    out.push('}');
    Ok(())
}

fn write_value(value: &Value, depth: usize, out: &mut String) -> Result<(), StoreError> {
    match value {
        Value::Branch(branch) => write_branch(branch, depth, out)?,
        Value::List(items) => {
            out.push('[');
            let mut first = true;
            for item in items {
                if matches!(item, Value::Comment(_)) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                new_line(depth + 1, out);
                write_value(item, depth + 1, out)?;
            }
            if !first {
                new_line(depth, out);
            }
            out.push(']');
        }
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) if number.is_finite() => out.push_str(&yaml::json_float(*number)),
        Value::Float(_) => {
            return Err(StoreError::Emit(
                "Error marshaling to json: json: unsupported value: NaN or Inf".to_owned(),
            ));
        }
        Value::Text(text) | Value::Time(text) => write_text(text, out),
        Value::Comment(_) => {}
    }
    Ok(())
}

/// As Go's encoding/json writes a string: `<`, `>`, `&` and the line separators escaped.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{0}'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
