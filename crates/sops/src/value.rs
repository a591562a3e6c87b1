//! The documents that SOPS encrypts: ordered, with comments.

/// A comment line, without its `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    /// What follows the mark.
    pub text: String,
    /// It stands behind a value, not on a line of its own.
    pub inline: bool,
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Nothing; never encrypted.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A date and time, in RFC 3339.
    Time(String),
    /// A comment in a list.
    Comment(Comment),
    /// A list.
    List(Vec<Value>),
    /// A mapping.
    Branch(Branch),
}

/// A mapping in the order of its file; comments stand between its entries.
pub(crate) type Branch = Vec<Item>;

/// An entry of a [`Branch`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// A comment.
    Comment(Comment),
    /// A key and its value.
    Entry(String, Value),
}

impl Item {
    /// The value below `key`.
    pub(crate) fn value_of(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Entry(name, value) if name == key => Some(value),
            _ => None,
        }
    }
}

/// The first value below `key`.
pub(crate) fn get<'a>(branch: &'a [Item], key: &str) -> Option<&'a Value> {
    branch.iter().find_map(|item| item.value_of(key))
}

impl Value {
    /// Whether it is a list or a mapping.
    pub(crate) fn is_complex(&self) -> bool {
        matches!(self, Self::List(_) | Self::Branch(_))
    }

    /// The bytes that count for the message authentication code and that are encrypted.
    pub(crate) fn plaintext(&self) -> Option<String> {
        Some(match self {
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(number) => number.to_string(),
            // Rust, like Go's 'f' with precision -1, writes the shortest decimal form without an exponent.
            Self::Float(number) => number.to_string(),
            Self::Text(text) | Self::Time(text) => text.clone(),
            Self::Comment(comment) => comment.text.clone(),
            Self::Null | Self::List(_) | Self::Branch(_) => return None,
        })
    }

    /// As stores without types write it (`ValToString`).
    pub(crate) fn to_plain_text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Float(number) => {
                let text = number.to_string();
                if text.contains('.') {
                    text
                } else {
                    format!("{text}.0")
                }
            }
            Self::Null => "<nil>".to_owned(),
            other => other.plaintext().unwrap_or_default(),
        }
    }
}
