//! TOML as BurntSushi/toml writes and reads it.

use gotemplate::strconv::{FloatFormat, append_float};
use gotemplate::{Map, Str, Value, lossy};

/// How deep values are written.
const MAX_DEPTH: usize = 500;

/// `value` as TOML. The error is Go's text.
pub(super) fn encode(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    let mut writer = Writer { out: &mut out };
    writer.value(&mut Vec::new(), value)?;
    Ok(out)
}

struct Writer<'a> {
    out: &'a mut String,
}

fn is_table(value: &Value) -> Result<bool, String> {
    match value {
        Value::Map(map) => Ok(!map.is_nil()),
        Value::List(list) => is_table_array(list.items()),
        _ => Ok(false),
    }
}

/// Whether all elements are tables; nil is an error in any list.
fn is_table_array(items: &[Value]) -> Result<bool, String> {
    if items.iter().any(Value::is_nil) {
        return Err("toml: cannot encode array with nil element".to_owned());
    }
    Ok(!items.is_empty() && items.iter().all(|item| matches!(item, Value::Map(_))))
}

fn key_text(name: &str) -> String {
    let bare = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{08}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{0C}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            _ if char < ' ' || char == '\u{7F}' => out.push_str(&format!("\\u{:04x}", char as u32)),
            _ => out.push(char),
        }
    }
    out.push('"');
    out
}

fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let mut out = Vec::new();
    append_float(&mut out, number, FloatFormat::General, None);
    let text = lossy(&out).into_owned();
    if text.contains(['e', '.']) {
        text
    } else {
        format!("{text}.0")
    }
}

impl Writer<'_> {
    fn value(&mut self, path: &mut Vec<String>, value: &Value) -> Result<(), String> {
        if path.len() > MAX_DEPTH {
            return Err("toml: value nests too deep".to_owned());
        }
        match value {
            Value::Nil => Ok(()),
            Value::Map(map) if map.is_nil() => Ok(()),
            Value::Map(map) => {
                if path.len() == 1 {
                    self.line();
                }
                if !path.is_empty() {
                    let header = format!("{}[{}]\n", indent(path), path.join("."));
                    self.out.push_str(&header);
                }
                self.map(path, map)
            }
            Value::List(list) if is_table_array(list.items())? => {
                if path.is_empty() {
                    return Err("toml: top-level values must be Go maps or structs".to_owned());
                }
                for item in list.items() {
                    let Value::Map(map) = item else {
                        continue;
                    };
                    self.line();
                    let header = format!("{}[[{}]]\n", indent(path), path.join("."));
                    self.out.push_str(&header);
                    self.map(path, map)?;
                }
                Ok(())
            }
            _ => self.pair(path, value),
        }
    }

    /// An empty line, but not at the start.
    fn line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn map(&mut self, path: &mut Vec<String>, map: &Map) -> Result<(), String> {
        let mut tables = Vec::new();
        for (key, value) in map.entries() {
            if is_table(&value)? {
                tables.push((key, value));
            } else if !value.is_nil() {
                path.push(key_text(&key.to_text()));
                self.value(path, &value)?;
                path.pop();
            }
        }
        for (key, value) in tables {
            path.push(key_text(&key.to_text()));
            self.value(path, &value)?;
            path.pop();
        }
        Ok(())
    }

    fn pair(&mut self, path: &[String], value: &Value) -> Result<(), String> {
        let Some(key) = path.last() else {
            return self.element(value, 0);
        };
        let start = format!("{}{key} = ", indent(path));
        self.out.push_str(&start);
        self.element(value, 0)?;
        self.out.push('\n');
        Ok(())
    }

    fn element(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("toml: value nests too deep".to_owned());
        }
        match value {
            Value::Bool(truth) => self.out.push_str(if *truth { "true" } else { "false" }),
            Value::Int(_, number) => self.out.push_str(&number.to_string()),
            Value::Uint(_, number) => self.out.push_str(&number.to_string()),
            Value::Float(number) => self.out.push_str(&float(*number)),
            Value::String(text) => self.out.push_str(&quoted(&text.to_text())),
            Value::List(list) => {
                is_table_array(list.items())?;
                self.out.push('[');
                for (index, item) in list.items().iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(map) => {
                let mut direct = Vec::new();
                let mut tables = Vec::new();
                for (key, value) in map.entries() {
                    let place = if is_table(&value)? {
                        &mut tables
                    } else {
                        &mut direct
                    };
                    place.push((key, value));
                }
                self.out.push('{');
                let count = direct.len();
                let more = !tables.is_empty();
                self.inline(direct, count, more, depth)?;
                let count = tables.len();
                self.inline(tables, count, false, depth)?;
                self.out.push('}');
            }
            other => self.out.push_str(&quoted(&lossy(&other.print()))),
        }
        Ok(())
    }

    fn inline(
        &mut self,
        entries: Vec<(Str, Value)>,
        count: usize,
        more: bool,
        depth: usize,
    ) -> Result<(), String> {
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if value.is_nil() {
                continue;
            }
            self.out
                .push_str(&format!("{} = ", key_text(&key.to_text())));
            self.element(&value, depth + 1)?;
            if more || index + 1 != count {
                self.out.push_str(", ");
            }
        }
        Ok(())
    }
}

/// Two spaces for each level below the first.
fn indent(path: &[String]) -> String {
    "  ".repeat(path.len().saturating_sub(1))
}

/// A TOML text as a value.
pub(super) fn decode(text: &[u8]) -> Result<Value, String> {
    let table: ::toml::Table = lossy(text)
        .parse()
        .map_err(|error: ::toml::de::Error| format!("toml: {}", error.message()))?;
    Ok(from_toml(&::toml::Value::Table(table)))
}

fn from_toml(value: &::toml::Value) -> Value {
    match value {
        ::toml::Value::String(text) => Value::from(text.as_str()),
        ::toml::Value::Integer(number) => Value::int64(*number),
        ::toml::Value::Float(number) => Value::Float(*number),
        ::toml::Value::Boolean(truth) => Value::Bool(*truth),
        ::toml::Value::Datetime(moment) => Value::from(moment.to_string()),
        ::toml::Value::Array(items) => Value::list(items.iter().map(from_toml).collect()),
        ::toml::Value::Table(entries) => Value::map(
            entries
                .iter()
                .map(|(key, value)| (Str::from(key.as_str()), from_toml(value))),
        ),
    }
}
