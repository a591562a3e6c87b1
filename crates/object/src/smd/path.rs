//! Paths of fields: how one finds a child in a map, a list with keys, a set or a list.
//!
//! Source: structured-merge-diff `fieldpath` (`element.go`, `path.go`, `serialize-pe.go`).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde_json::{Number, Value};

use super::value::{compare, display, write_go_json, write_json_text};

/// One field of the key of a list item.
#[derive(Debug, Clone)]
pub struct KeyField {
    /// The name of the field.
    pub name: Arc<str>,
    /// Its value.
    pub value: Value,
}

/// One step of a path.
#[derive(Debug, Clone)]
pub enum PathElement {
    /// A field of a map, by its name.
    Field(Arc<str>),
    /// An item of a list with keys, by its key fields, sorted by name.
    Key(Arc<[KeyField]>),
    /// An item of a set, by its value.
    Value(Arc<Value>),
    /// An item of a list, by its index.
    Index(i64),
    /// An item that has no identity (any more), since its keys were removed. It is never owned, but
    /// shows that the list is not empty.
    Unidentified,
}

/// A text in `fieldsV1` that names no path element.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathElementError {
    /// Neither letter nor colon.
    #[error("key must be 2 characters long:")]
    TooShort,
    /// No colon after the letter.
    #[error("missing colon: {0}")]
    MissingColon(String),
    /// The JSON of a key or value, or the digits of an index, cannot be read.
    #[error("invalid path element {text:?}: {why}")]
    Invalid {
        /// The whole text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

impl PathElement {
    /// The field of that name.
    pub fn field(name: &str) -> Self {
        Self::Field(name.into())
    }

    /// The list item with these key fields, which need not be sorted.
    pub fn key<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let mut fields: Vec<KeyField> = fields
            .into_iter()
            .map(|(name, value)| KeyField {
                name: name.into(),
                value,
            })
            .collect();
        fields.sort_by(|left, right| left.name.cmp(&right.name));
        Self::Key(fields.into())
    }

    /// The item of a set.
    pub fn value(value: Value) -> Self {
        Self::Value(Arc::new(value))
    }

    /// The name, if it is a field.
    pub fn as_field(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
            Self::Unidentified => 4,
        }
    }

    /// Reads the form that `fieldsV1` has: `f:name`, `k:{"name":"x"}`, `v:1`, `i:0`.
    ///
    /// `Ok(None)` is an element of a kind that is not known, which readers pass over. Numbers become
    /// floats, as the Go library reads them.
    pub fn parse(text: &str) -> Result<Option<Self>, PathElementError> {
        let bytes = text.as_bytes();
        if bytes.len() < 2 {
            return Err(PathElementError::TooShort);
        }
        if bytes[1] != b':' {
            return Err(PathElementError::MissingColon(text.to_owned()));
        }
        let invalid = |why: String| PathElementError::Invalid {
            text: text.to_owned(),
            why,
        };
        let content = &text[2..];
        Ok(Some(match bytes[0] {
            b'f' => Self::field(content),
            b'v' => Self::value(read_value(content).map_err(invalid)?),
            b'k' => {
                let Value::Object(fields) = read_value(content).map_err(invalid)? else {
                    return Err(invalid("expected an object".to_owned()));
                };
                Self::key(fields.iter().map(|(name, value)| (&**name, value.clone())))
            }
            b'i' => Self::Index(
                content
                    .parse()
                    .map_err(|error| invalid(format!("{error}")))?,
            ),
            _ => return Ok(None),
        }))
    }

    /// Appends the form that `fieldsV1` has; an element without identity has none.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Field(name) => {
                out.push_str("f:");
                out.push_str(name);
            }
            Self::Key(fields) => {
                out.push_str("k:{");
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_json_text(out, &field.name, false);
                    out.push(':');
                    write_go_json(out, &field.value);
                }
                out.push('}');
            }
            Self::Value(value) => {
                out.push_str("v:");
                write_go_json(out, value);
            }
            Self::Index(index) => {
                out.push_str("i:");
                out.push_str(&index.to_string());
            }
            Self::Unidentified => {}
        }
    }
}

/// Reads the first JSON value of `text`, with all numbers as floats; what follows is ignored.
fn read_value(text: &str) -> Result<Value, String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(mut value)) => {
            make_floats(&mut value);
            Ok(value)
        }
        Some(Err(error)) => Err(error.to_string()),
        None => Err("no value".to_owned()),
    }
}

fn make_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_floats),
        Value::Object(map) => map.values_mut().for_each(make_floats),
        _ => {}
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) => {
                if Arc::ptr_eq(left, right) {
                    Ordering::Equal
                } else {
                    left.cmp(right)
                }
            }
            (Self::Key(left), Self::Key(right)) => compare_keys(
                left.iter().map(|field| (&*field.name, &field.value)),
                right.iter().map(|field| (&*field.name, &field.value)),
            ),
            (Self::Value(left), Self::Value(right)) => compare(left, right),
            (Self::Index(left), Self::Index(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// Compares two keys, given as their fields sorted by name; the shorter one comes first.
pub(crate) fn compare_keys<'a>(
    mut left: impl Iterator<Item = (&'a str, &'a Value)>,
    mut right: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => {
                let order = left.0.cmp(right.0).then_with(|| compare(left.1, right.1));
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathElement {}

/// Prints `.name`, `[name="x",port=80]`, `[="x"]` or `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                f.write_str("[")?;
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{}={}", field.name, display(&field.value))?;
                }
                f.write_str("]")
            }
            Self::Value(value) => write!(f, "[={}]", display(value)),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Unidentified => f.write_str("{{invalid path element}}"),
        }
    }
}

/// The path of a field, from the root of the object.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<PathElement>);

impl Path {
    /// The path of these field names.
    pub fn of_fields(names: &[&str]) -> Self {
        Self(names.iter().map(|name| PathElement::field(name)).collect())
    }

    /// Its steps.
    pub fn elements(&self) -> &[PathElement] {
        &self.0
    }
}

impl From<Vec<PathElement>> for Path {
    fn from(elements: Vec<PathElement>) -> Self {
        Self(elements)
    }
}

/// Prints `.spec.containers[name="a"].image`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| element.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(element: &PathElement) -> String {
        let mut out = String::new();
        element.write(&mut out);
        out
    }

    #[test]
    fn elements_are_read_and_written() {
        for (form, printed) in [
            ("f:a:b", ".a:b"),
            ("f:", "."),
            (r#"k:{"name":"x","port":80}"#, r#"[name="x",port=80]"#),
            (r#"v:"a\u003cb""#, r#"[="a<b"]"#),
            ("v:1.5", "[=1.5]"),
            ("v:true", "[=true]"),
            ("i:3", "[3]"),
        ] {
            let element = PathElement::parse(form).unwrap().unwrap();
            assert_eq!(text(&element), form);
            assert_eq!(element.to_string(), printed);
        }
    }

    #[test]
    fn unknown_and_broken_elements() {
        assert_eq!(PathElement::parse("x:1").unwrap(), None);
        assert_eq!(PathElement::parse("f"), Err(PathElementError::TooShort));
        assert_eq!(
            PathElement::parse("name").unwrap_err().to_string(),
            "missing colon: name"
        );
        for broken in ["v:", "v:{", "k:1", "k:", "i:x", "éé"] {
            assert!(PathElement::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn key_fields_are_sorted_and_order_elements() {
        let key = PathElement::key([("z", json!(1)), ("a", json!("x"))]);
        assert_eq!(text(&key), r#"k:{"a":"x","z":1}"#);
        let shorter = PathElement::key([("a", json!("x"))]);
        assert!(shorter < key);
        assert!(PathElement::field("zzz") < shorter);
        assert!(key < PathElement::value(json!(0)));
        assert!(PathElement::value(json!(9)) < PathElement::value(json!(10)));
        assert!(PathElement::value(json!(null)) < PathElement::Index(0));
    }

    #[test]
    fn what_is_read_equals_what_is_in_objects() {
        let read = PathElement::parse(r#"k:{"port":80}"#).unwrap().unwrap();
        assert_eq!(read, PathElement::key([("port", json!(80))]));
    }
}
