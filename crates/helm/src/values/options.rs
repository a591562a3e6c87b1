//! The values that flags give. Source: Helm `pkg/cli/values`.

use gotemplate::json::{Numbers, decode};
use gotemplate::{Map, MapType, Value};

use super::{ReadFile, SetKind, merge_maps, read_values, set};
use crate::Compat;

/// What flags say about values, each kind in the order of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueOptions {
    /// `-f`, `--values`: paths, URLs or `-`.
    pub files: Vec<String>,
    /// `--set-json`
    pub json: Vec<String>,
    /// `--set`
    pub typed: Vec<String>,
    /// `--set-string`
    pub strings: Vec<String>,
    /// `--set-file`: the values are paths.
    pub from_files: Vec<String>,
    /// `--set-literal`
    pub literals: Vec<String>,
}

/// Why flags give no values: Helm's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValuesError(pub String);

impl ValueOptions {
    /// All together: files first, then each kind of flag in the order of the fields here.
    ///
    /// `read_file` gives the contents of a file, a URL or (`-`) of standard input; its error is Go's text.
    pub fn merge(&self, read_file: ReadFile<'_>, compat: Compat) -> Result<Map, ValuesError> {
        let mut values = Map::new();
        for path in &self.files {
            let text = read_file(path).map_err(ValuesError)?;
            let table = read_values(text.as_bytes(), compat)
                .map_err(|error| ValuesError(format!("failed to parse {path}: {error}")))?;
            values = merge_maps(&values, &table);
        }
        for text in &self.json {
            let trimmed = text.trim_matches(gotemplate::unicode::is_space);
            if trimmed.starts_with('{') && !compat.is_v3() {
                values = merge_maps(&values, &object(trimmed, text)?);
            } else {
                set(text, SetKind::Json, None, &values, compat)
                    .map_err(|_| ValuesError(format!("failed parsing --set-json data {text}")))?;
            }
        }
        let flags = [
            ("set", SetKind::Typed, &self.typed),
            ("set-string", SetKind::String, &self.strings),
            ("set-file", SetKind::String, &self.from_files),
            ("set-literal", SetKind::Literal, &self.literals),
        ];
        for (flag, kind, texts) in flags {
            let read_file = (flag == "set-file").then_some(read_file);
            for text in texts {
                set(text, kind, read_file, &values, compat).map_err(|error| {
                    ValuesError(format!("failed parsing --{flag} data: {error}"))
                })?;
            }
        }
        Ok(values)
    }

    /// Whether no flag says anything.
    pub fn is_empty(&self) -> bool {
        *self == ValueOptions::default()
    }
}

fn object(trimmed: &str, text: &str) -> Result<Map, ValuesError> {
    match decode(trimmed.as_bytes(), Numbers::Float) {
        (Value::Map(map), None) => Ok(map),
        (Value::Nil, None) => Ok(Map::nil(MapType::Any)),
        _ => Err(ValuesError(format!(
            "failed parsing --set-json data JSON: {text}"
        ))),
    }
}
