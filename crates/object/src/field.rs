//! Errors about fields, with the words that Kubernetes uses for them.
//!
//! Source: apimachinery `util/validation/field` (v0.35).

use std::fmt;

use serde_json::Value;

/// The place of a field in an object: `spec.containers[0].name`, `metadata.labels[a/b]`.
///
/// Paths are built from the root while walking down; [`Path::child`] and its siblings give a new path.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(String);

impl Path {
    /// A path of one field name; the empty text gives the root, which prints as `<nil>`.
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The root of an object.
    pub fn root() -> Self {
        Self::default()
    }

    /// The field `name` of this one.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.to_owned())
        } else {
            Self(format!("{}.{name}", self.0))
        }
    }

    /// The item `index` of this list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The value of `key` in this map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Go prints a nil *field.Path so.
        f.write_str(if self.0.is_empty() { "<nil>" } else { &self.0 })
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// A value that was looked for is not there.
    NotFound,
    /// A value is missing.
    Required,
    /// A value that must be unique is there twice.
    Duplicate,
    /// A malformed value.
    Invalid,
    /// A value outside an enumeration.
    NotSupported,
    /// A well-formed value that is not permitted here.
    Forbidden,
    /// A text that is too long.
    TooLong,
    /// A text that is too short.
    TooShort,
    /// A list with too many items.
    TooMany,
    /// A list with too few items.
    TooFew,
    /// Not the user's fault.
    Internal,
    /// A value of the wrong type.
    TypeInvalid,
}

impl ErrorKind {
    /// The `reason` of a cause in a `Status`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooShort => "FieldValueTooShort",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    /// The words at the head of the message.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooShort => "Too short",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
            Self::Internal => "Internal error",
        }
    }

    fn shows_value(self) -> bool {
        !matches!(
            self,
            Self::Required | Self::Forbidden | Self::TooLong | Self::TooShort | Self::Internal
        )
    }
}

/// One error about one field. It prints as Kubernetes prints it:
/// `spec.replicas: Invalid value: -1: must be greater than or equal to 0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The field, as [`Path`] prints it.
    pub field: String,
    /// The offending value; `None` leaves it out of the message.
    pub value: Option<Value>,
    /// What a good value would be; may be empty.
    pub detail: String,
}

impl std::error::Error for Error {}

/// The errors of one object, in the order in which they were found.
pub type ErrorList = Vec<Error>;

impl Error {
    fn new(kind: ErrorKind, field: &Path, value: Option<Value>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            field: field.to_string(),
            value,
            detail: detail.into(),
        }
    }

    /// A value that was looked for is not there.
    pub fn not_found(field: &Path, value: impl Into<Value>) -> Self {
        Self::new(ErrorKind::NotFound, field, Some(value.into()), "")
    }

    /// A value is missing.
    pub fn required(field: &Path, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Required, field, Some(Value::from("")), detail)
    }

    /// A value that must be unique is there twice.
    pub fn duplicate(field: &Path, value: impl Into<Value>) -> Self {
        Self::new(ErrorKind::Duplicate, field, Some(value.into()), "")
    }

    /// A malformed value.
    pub fn invalid(field: &Path, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, field, Some(value.into()), detail)
    }

    /// A value of the wrong type.
    pub fn type_invalid(field: &Path, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::TypeInvalid, field, Some(value.into()), detail)
    }

    /// A value outside an enumeration, whose members are printed in the order given.
    pub fn not_supported(field: &Path, value: impl Into<Value>, supported: &[&str]) -> Self {
        let detail = if supported.is_empty() {
            String::new()
        } else {
            let quoted: Vec<String> = supported.iter().map(|text| quote(text)).collect();
            format!("supported values: {}", quoted.join(", "))
        };
        Self::new(ErrorKind::NotSupported, field, Some(value.into()), detail)
    }

    /// A well-formed value that is not permitted here.
    pub fn forbidden(field: &Path, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, field, Some(Value::from("")), detail)
    }

    /// A text of more than `limit` bytes; the value itself is not shown.
    pub fn too_long(field: &Path, limit: usize) -> Self {
        let unit = if limit == 1 { "byte" } else { "bytes" };
        let detail = format!("may not be more than {limit} {unit}");
        Self::new(
            ErrorKind::TooLong,
            field,
            Some(Value::from("<value omitted>")),
            detail,
        )
    }

    /// A list of more than `limit` items; `actual` is left out of the message if not known.
    pub fn too_many(field: &Path, actual: Option<usize>, limit: usize) -> Self {
        let unit = if limit == 1 { "item" } else { "items" };
        let detail = format!("must have at most {limit} {unit}");
        Self::new(ErrorKind::TooMany, field, actual.map(Value::from), detail)
    }

    /// Something went wrong that is not the user's fault.
    pub fn internal(field: &Path, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, field, None, detail)
    }

    /// The message without the field: the `message` of a cause in a `Status`.
    pub fn body(&self) -> String {
        let mut text = self.kind.words().to_owned();
        if self.kind.shows_value()
            && let Some(value) = &self.value
        {
            text.push_str(": ");
            match value {
                Value::String(string) => text.push_str(&quote(string)),
                other => text.push_str(&other.to_string()),
            }
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// Several errors as one text: none gives the empty text, one stands alone, more stand in brackets
/// with repeated ones left out. Source: apimachinery, `errors.aggregate.Error`.
pub fn join(errors: &[Error]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.len() == 1 {
        texts.remove(0)
    } else if texts.is_empty() {
        String::new()
    } else {
        format!("[{}]", texts.join(", "))
    }
}

/// A text in double quotes as Go's `%q` (`strconv.Quote`) writes it.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_printable(c) => out.push(c),
            c if (c as u32) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// An approximation of Go's `strconv.IsPrint`: control, format, separator, private and unassigned
/// characters are not printable. Kept to the ranges that occur in practice.
fn is_printable(c: char) -> bool {
    !(c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c as u32,
            0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xfffb
            | 0xfffe..=0xffff | 0xe000..=0xf8ff | 0xe_0000..=0x10_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_print_as_kubernetes_prints_them() {
        let replicas = Path::new("spec").child("replicas");
        let cases = [
            (
                Error::invalid(&replicas, -1, "must be greater than or equal to 0"),
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            ),
            (
                Error::required(&Path::new("spec").child("selector"), ""),
                "spec.selector: Required value",
            ),
            (
                Error::not_supported(&Path::new("type"), "x", &["A", "B"]),
                "type: Unsupported value: \"x\": supported values: \"A\", \"B\"",
            ),
            (
                Error::duplicate(
                    &Path::new("spec").child("ports").index(1).child("name"),
                    "http",
                ),
                "spec.ports[1].name: Duplicate value: \"http\"",
            ),
            (
                Error::too_long(&Path::new("metadata").child("annotations"), 262_144),
                "metadata.annotations: Too long: may not be more than 262144 bytes",
            ),
            (
                Error::invalid(
                    &Path::new("metadata").child("labels").key("a"),
                    serde_json::json!({"b": 1}),
                    "",
                ),
                "metadata.labels[a]: Invalid value: {\"b\":1}",
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn several_errors_stand_in_brackets() {
        let one = Error::required(&Path::new("a"), "");
        let two = Error::required(&Path::new("b"), "");
        assert_eq!(join(&[]), "");
        assert_eq!(join(std::slice::from_ref(&one)), "a: Required value");
        assert_eq!(
            join(&[one.clone(), two, one]),
            "[a: Required value, b: Required value]"
        );
    }

    #[test]
    fn quotes_as_go() {
        assert_eq!(
            quote("a\"b\\\n\u{1}é\u{200b}"),
            "\"a\\\"b\\\\\\n\\x01é\\u200b\""
        );
    }
}
