//! `.Files`: a chart's other files.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotemplate::{CallError, Kind, Map, MapType, Object, Param, Signature, Str, Value};

use crate::Compat;
use crate::chart::File;
use crate::values::to_yaml;

/// Helm's `engine.files`.
#[derive(Clone)]
pub(super) struct Files {
    files: Arc<BTreeMap<Str, Str>>,
    compat: Compat,
}

const NONE: Signature = Signature::new(&[]);
const TEXT: Signature = Signature::new(&[Param::String]);

impl Files {
    pub(super) fn of(files: &[File], compat: Compat) -> Files {
        let files = files
            .iter()
            .map(|file| (Str::from(file.name.as_str()), file.data.clone()));
        Files {
            files: Arc::new(files.collect()),
            compat,
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(Arc::new(self))
    }

    fn glob(&self, pattern: &str) -> Files {
        let regex = super::files::glob_pattern(pattern)
            .and_then(|pattern| regex::Regex::new(&pattern).ok());
        let kept = self.files.iter().filter(|(name, _)| {
            // A pattern that cannot be read stands for all.
            regex
                .as_ref()
                .is_none_or(|regex| regex.is_match(&name.to_text()))
        });
        Files {
            files: Arc::new(
                kept.map(|(name, data)| (name.clone(), data.clone()))
                    .collect(),
            ),
            compat: self.compat,
        }
    }

    /// All files by their base names, as YAML.
    fn as_yaml(&self, encode: impl Fn(&Str) -> Value) -> Value {
        let entries = self.files.iter().map(|(name, data)| {
            let path = name.to_text();
            let base = path.rsplit('/').next().unwrap_or_default();
            (Str::from(base), encode(data))
        });
        let map = Value::Map(Map::typed(MapType::String, entries.collect()));
        let text = to_yaml(&map).unwrap_or_default();
        Value::from(text.strip_suffix('\n').unwrap_or(&text))
    }
}

/// A glob with `/` as separator as a regular expression: gobwas/glob. `None` if it is malformed.
pub(super) fn glob_pattern(glob: &str) -> Option<String> {
    let mut out = String::from("(?s)^");
    let mut chars = glob.chars().peekable();
    let mut braces = 0;
    while let Some(char) = chars.next() {
        match char {
            '*' if chars.peek() == Some(&'*') => {
                while chars.peek() == Some(&'*') {
                    chars.next();
                }
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
            '[' => {
                let mut class = String::new();
                let negative = chars.peek() == Some(&'!');
                if negative {
                    chars.next();
                }
                loop {
                    match chars.next()? {
                        ']' => break,
                        '\\' => class.push_str(&regex::escape(&chars.next()?.to_string())),
                        '-' => class.push('-'),
                        char => class.push_str(&regex::escape(&char.to_string())),
                    }
                }
                out.push_str(if negative { "[^" } else { "[" });
                out.push_str(&class);
                out.push(']');
            }
            '{' => {
                braces += 1;
                out.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            char => out.push_str(&regex::escape(&char.to_string())),
        }
    }
    out.push('$');
    (braces == 0).then_some(out)
}

impl Object for Files {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("engine.files")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn entries(&self) -> Option<Vec<(Str, Value)>> {
        let entries = self.files.iter();
        Some(
            entries
                .map(|(name, data)| (name.clone(), Value::Bytes(data.clone())))
                .collect(),
        )
    }

    fn zero_entry(&self) -> Value {
        Value::Bytes(Str::default())
    }

    fn entries_are_boxed(&self) -> bool {
        false
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Some(&TEXT),
            "AsConfig" | "AsSecrets" => Some(&NONE),
            _ => None,
        }
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        use base64::Engine as _;
        let argument = args
            .first()
            .and_then(Value::as_str)
            .cloned()
            .unwrap_or_default();
        let found = self.files.get(&argument);
        Ok(match name {
            "Get" => Value::String(found.cloned().unwrap_or_default()),
            "GetBytes" => Value::Bytes(found.cloned().unwrap_or_default()),
            "Glob" => self.glob(&argument.to_text()).into_value(),
            "AsConfig" => self.as_yaml(|data| Value::String(data.clone())),
            "AsSecrets" => self.as_yaml(|data| {
                Value::from(base64::engine::general_purpose::STANDARD.encode(data.as_bytes()))
            }),
            _ => {
                let Some(data) = found else {
                    return Ok(Value::strings(Vec::<Str>::new()));
                };
                let bytes = data.as_bytes();
                if bytes.is_empty() && self.compat != Compat::V4 {
                    return Ok(Value::strings(Vec::<Str>::new()));
                }
                if bytes.is_empty() {
                    return Err(CallError::new("runtime error: index out of range [-1]"));
                }
                let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                Value::strings(bytes.split(|byte| *byte == b'\n'))
            }
        })
    }
}
