//! What a check found.

use object::field::{self, Error, ErrorKind, ErrorList, Path};
use serde_json::Value;

/// What kind of failure it is, where that changes the field error.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Code {
    Required,
    Enum(Vec<Value>),
    TooLong(i64),
    TooMany(i64),
    Type,
    /// Any other failure of a keyword.
    Other,
    /// A message of a junctor, which is reported for the whole object.
    Plain,
}

/// One failure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    code: Code,
    name: String,
    value: Option<Value>,
    message: String,
}

impl Finding {
    pub(super) fn new(code: Code, name: &str, value: Option<Value>, message: String) -> Self {
        Self {
            code,
            name: name.to_owned(),
            value,
            message,
        }
    }

    pub(super) fn plain(message: String) -> Self {
        Self::new(Code::Plain, "", None, message)
    }

    /// `name` must be of type `expected`, and is `actual`: a type's name or a text of the wrong format.
    pub(super) fn wrong_type(name: &str, expected: &str, actual: &str) -> Self {
        let message = format!(
            "{name} in body must be of type {expected}: {}",
            field::quote(actual)
        );
        Self::new(Code::Type, name, Some(actual.into()), message)
    }

    fn into_error(self, root: &Path) -> Error {
        let name = self.name.strip_prefix('.').unwrap_or(&self.name);
        let path = if name.is_empty() {
            root.clone()
        } else {
            root.child(name)
        };
        let value = self.value.unwrap_or_else(|| "".into());
        match self.code {
            Code::Required => Error::required(&path, ""),
            Code::Enum(allowed) => {
                let texts: Vec<String> = allowed
                    .iter()
                    .map(|value| {
                        value
                            .as_str()
                            .map_or_else(|| object::goprint::json(value), str::to_owned)
                    })
                    .collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                Error::not_supported(&path, value, &texts)
            }
            Code::TooLong(limit) => Error::too_long(&path, limit.max(0) as usize),
            Code::TooMany(limit) => {
                let actual = value.as_u64().map(|actual| actual as usize);
                Error::too_many(&path, actual, limit.max(0) as usize)
            }
            Code::Type => Error {
                kind: ErrorKind::TypeInvalid,
                ..Error::invalid(&path, value, self.message)
            },
            Code::Other => Error::invalid(&path, value, self.message),
            Code::Plain => Error::invalid(root, "", self.message),
        }
    }
}

/// The failures of a check, without repeated ones, and how much of the schema was looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) findings: Vec<Finding>,
    /// By this the best of several failing alternatives is chosen.
    pub(super) matches: usize,
}

impl Outcome {
    pub(super) fn is_valid(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if !self
            .findings
            .iter()
            .any(|known| known.message == finding.message)
        {
            self.findings.push(finding);
        }
    }

    pub(super) fn merge(&mut self, other: Outcome) {
        for finding in other.findings {
            self.add(finding);
        }
        self.matches += other.matches;
    }

    pub(super) fn into_errors(self, root: &Path) -> ErrorList {
        self.findings
            .into_iter()
            .map(|finding| finding.into_error(root))
            .collect()
    }
}
