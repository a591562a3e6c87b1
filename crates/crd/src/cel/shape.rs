//! What is known of the structure of JSON values: from it follow their CEL types, how they become CEL
//! values, and how large they can be.
//!
//! Source: apiserver `pkg/cel/common/{schemas,valuesunstructured}.go`, `pkg/cel/{types,escaping}.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest request, which bounds the size of every value in it.
pub const MAX_REQUEST: i64 = 3 * 1024 * 1024;

/// The structure of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What the value is.
    pub kind: ShapeKind,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether expressions may refer to it.
    pub declared: bool,
    /// The smallest size of the value as JSON, in bytes.
    pub min_size: i64,
    /// The most items or characters.
    pub max_elements: i64,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum ShapeKind {
    /// Any JSON, seen as it is.
    Json,
    /// A whole number or a text.
    IntOrString,
    /// Any JSON, kept by `x-kubernetes-preserve-unknown-fields`; it can only be compared.
    Preserved,
    /// A value without a type.
    Untyped,
    /// A boolean.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// A text.
    Text,
    /// A text of base64.
    Bytes,
    /// A text with a duration.
    Duration,
    /// A text with a date.
    Date,
    /// A text with a point in time.
    DateTime,
    /// A list.
    List {
        /// The shape of its items; `None` if it has none.
        items: Option<Arc<Shape>>,
        /// How it is compared and joined.
        list: ListKind,
    },
    /// An object with any keys.
    Map(Arc<Shape>),
    /// An object with known fields.
    Object(Fields),
}

/// How a list is compared and joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListKind {
    /// Item by item.
    Atomic,
    /// As a set.
    Set,
    /// By the keys of its items.
    Map(Vec<String>),
    /// A list type that is not known.
    Unknown(String),
}

/// The fields of an object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields {
    /// The shapes by the names in JSON.
    pub by_name: BTreeMap<String, Arc<Shape>>,
    /// The names in JSON by those in CEL.
    escaped: BTreeMap<String, String>,
    /// Whether the schema gives properties; if not, keys are not escaped.
    pub has_properties: bool,
}

impl Fields {
    /// Fields with the names that they have in JSON.
    pub fn new(by_name: BTreeMap<String, Arc<Shape>>, has_properties: bool) -> Self {
        let escaped = by_name
            .keys()
            .filter_map(|name| Some((escape(name)?, name.clone())))
            .collect();
        Self {
            by_name,
            escaped,
            has_properties,
        }
    }

    /// The shape of the field that is called `name` in CEL, if expressions may refer to it.
    pub fn declared(&self, name: &str) -> Option<&Arc<Shape>> {
        let original = match self.escaped.get(name) {
            Some(original) => original,
            // A word with a meaning of its own may also be written as it is.
            None if RESERVED.contains(&name) => name,
            None => return None,
        };
        let shape = self.by_name.get(original)?;
        shape.declared.then_some(shape)
    }
}

impl Shape {
    /// A shape that expressions may refer to.
    pub fn new(kind: ShapeKind, min_size: i64, max_elements: i64) -> Self {
        Self {
            kind,
            nullable: false,
            declared: true,
            min_size,
            max_elements,
        }
    }

    /// Any JSON.
    pub fn json() -> Arc<Self> {
        let mut shape = Self::new(ShapeKind::Json, 1, MAX_REQUEST - 2);
        shape.nullable = true;
        Arc::new(shape)
    }
}

const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The name of a property in CEL; `None` if it has none.
pub fn escape(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(character) = rest.chars().next() {
        let mut length = 1;
        match character {
            '_' if rest.starts_with("__") => {
                out.push_str("__underscores__");
                length = 2;
            }
            '.' => out.push_str("__dot__"),
            '-' => out.push_str("__dash__"),
            '/' => out.push_str("__slash__"),
            c if c.is_ascii_alphanumeric() || c == '_' => out.push(c),
            _ => return None,
        }
        rest = &rest[length..];
    }
    Some(out)
}

/// The property that a name in CEL stands for; `None` if it can be none.
pub fn unescape(name: &str) -> Option<String> {
    if !name.contains("__") {
        return Some(name.to_owned());
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find("__") {
        let body = &rest[start + 2..];
        let length = body.find('_').unwrap_or(body.len());
        if length == 0 || !body[length..].starts_with("__") {
            // Not an escape: go on after one character.
            let kept = start + 1;
            out.push_str(&rest[..kept]);
            rest = &rest[kept..];
            continue;
        }
        out.push_str(&rest[..start]);
        match &body[..length] {
            "underscores" => out.push_str("__"),
            "dot" => out.push('.'),
            "dash" => out.push('-'),
            "slash" => out.push('/'),
            word if RESERVED.contains(&word) && name.len() == word.len() + 4 => out.push_str(word),
            _ => return None,
        }
        rest = &body[length + 2..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_back() {
        for (name, escaped) in [
            ("a", Some("a")),
            ("namespace", Some("__namespace__")),
            ("a.b-c/d", Some("a__dot__b__dash__c__slash__d")),
            ("a__b", Some("a__underscores__b")),
            ("a b", None),
            ("1a", None),
        ] {
            assert_eq!(escape(name).as_deref(), escaped);
            if let Some(escaped) = escaped {
                assert_eq!(unescape(escaped).as_deref(), Some(name));
            }
        }
        assert_eq!(unescape("__illegal__"), None);
    }
}
