//! Selectors over fields: `metadata.name=x,status.phase!=Running`.

use std::fmt;
use std::str::FromStr;

/// One condition on one field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRequirement {
    /// The field's label, such as `metadata.name`.
    pub field: String,
    /// Whether the value must be this one (`=`) or must not be (`!=`).
    pub is_equal: bool,
    /// The value, not escaped.
    pub value: String,
}

impl fmt::Display for FieldRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = if self.is_equal { "=" } else { "!=" };
        write!(f, "{}{operator}{}", self.field, escape(&self.value))
    }
}

/// Why a text is no field selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldSelectorError {
    /// A term has no operator.
    #[error("invalid selector: '{selector}'; can't understand '{term}'")]
    NoOperator {
        /// The whole text.
        selector: String,
        /// The term.
        term: String,
    },
    /// A backslash stands before something that needs none.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// A value has a comma or an equals sign without a backslash; it is named by its code.
    #[error("invalid field selector: unescaped character in value: {}", u32::from(*.0))]
    Unescaped(char),
}

/// Requirements that all have to be fulfilled; none selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector {
    requirements: Vec<FieldRequirement>,
}

impl FieldSelector {
    /// Of requirements.
    pub fn new(requirements: Vec<FieldRequirement>) -> Self {
        Self { requirements }
    }

    /// Reads a selector. Terms are sorted and empty ones passed over.
    pub fn parse(text: &str) -> Result<Self, FieldSelectorError> {
        let mut terms = split_terms(text);
        terms.sort_unstable();
        let mut requirements = Vec::new();
        for term in terms.into_iter().filter(|term| !term.is_empty()) {
            let Some((field, is_equal, value)) = split_term(term) else {
                return Err(FieldSelectorError::NoOperator {
                    selector: text.to_owned(),
                    term: term.to_owned(),
                });
            };
            requirements.push(FieldRequirement {
                field: field.to_owned(),
                is_equal,
                value: unescape(value)?,
            });
        }
        // A requirement without field and value is none; upstream drops it when it transforms terms.
        requirements.retain(|one| !(one.field.is_empty() && one.value.is_empty()));
        Ok(Self { requirements })
    }

    /// The requirements in the order of their terms.
    pub fn requirements(&self) -> &[FieldRequirement] {
        &self.requirements
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether all fields are as required; `lookup` gives a field's value, empty where there is none.
    pub fn matches<'a>(&self, lookup: impl Fn(&str) -> &'a str) -> bool {
        let mut all = self.requirements.iter();
        all.all(|one| (lookup(&one.field) == one.value) == one.is_equal)
    }

    /// The one value that a field must have, if a requirement says so.
    pub fn required_value(&self, field: &str) -> Option<&str> {
        let mut all = self.requirements.iter();
        all.find(|one| one.is_equal && one.field == field)
            .map(|one| one.value.as_str())
    }

    /// Renames fields or rewrites values, as conversion between versions does; an error ends it.
    /// A requirement whose field and value become empty is dropped.
    pub fn transform<E>(
        self,
        mut change: impl FnMut(String, String) -> Result<(String, String), E>,
    ) -> Result<Self, E> {
        let mut requirements = Vec::with_capacity(self.requirements.len());
        for one in self.requirements {
            let (field, value) = change(one.field, one.value)?;
            if !field.is_empty() || !value.is_empty() {
                requirements.push(FieldRequirement {
                    field,
                    is_equal: one.is_equal,
                    value,
                });
            }
        }
        Ok(Self { requirements })
    }
}

impl FromStr for FieldSelector {
    type Err = FieldSelectorError;

    fn from_str(text: &str) -> Result<Self, FieldSelectorError> {
        Self::parse(text)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.requirements.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{one}")?;
        }
        Ok(())
    }
}

/// The parts between commas; a comma after a backslash belongs to its part.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b',' => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

/// Field, whether the value must be equal, and value, at the first operator.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    for (at, byte) in term.bytes().enumerate() {
        let rest = &term.as_bytes()[at + 1..];
        let is_doubled = rest.first() == Some(&b'=');
        match byte {
            b'!' if is_doubled => return Some((&term[..at], false, &term[at + 2..])),
            b'=' => {
                let start = at + 1 + usize::from(is_doubled);
                return Some((&term[..at], true, &term[start..]));
            }
            _ => {}
        }
    }
    None
}

/// Puts backslashes before backslashes, commas and equals signs.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '=') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Takes the backslashes of [`escape`] away.
pub fn unescape(text: &str) -> Result<String, FieldSelectorError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some(escaped @ ('\\' | ',' | '=')) => out.push(escaped),
                Some(other) => return Err(FieldSelectorError::Escape(format!("\\{other}"))),
                None => return Err(FieldSelectorError::Escape("\\".to_owned())),
            },
            ',' | '=' => return Err(FieldSelectorError::Unescaped(c)),
            c => out.push(c),
        }
    }
    Ok(out)
}
