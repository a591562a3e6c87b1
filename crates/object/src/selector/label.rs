//! Requirements on labels, and matching.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::BuildHasher;

use serde_json::{Map, Value};

use crate::field::{self, Path};
use crate::names;

/// How the value of a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// `!key`: there is no such label.
    DoesNotExist,
    /// `key=value`.
    Equals,
    /// `key==value`, the same.
    DoubleEquals,
    /// `key in (a,b)`.
    In,
    /// `key!=value`, or there is no such label.
    NotEquals,
    /// `key notin (a,b)`, or there is no such label.
    NotIn,
    /// `key`: there is such a label.
    Exists,
    /// `key>1`: the label is a whole number above.
    GreaterThan,
    /// `key<1`: the label is a whole number below.
    LessThan,
}

impl Operator {
    /// The operator's name in Go (`selection.Operator`).
    pub fn name(self) -> &'static str {
        match self {
            Self::DoesNotExist => "!",
            Self::Equals => "=",
            Self::DoubleEquals => "==",
            Self::In => "in",
            Self::NotEquals => "!=",
            Self::NotIn => "notin",
            Self::Exists => "exists",
            Self::GreaterThan => "gt",
            Self::LessThan => "lt",
        }
    }
}

/// What is wrong with a requirement; prints as the aggregate of its field errors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", field::join(.0))]
pub struct RequirementError(pub Vec<field::Error>);

/// Labels that a selector can be matched against.
pub trait Labels {
    /// The value of a label.
    fn label(&self, key: &str) -> Option<&str>;
}

/// The `labels` of an object; a value that is no text counts as the empty one.
impl Labels for Map<String, Value> {
    fn label(&self, key: &str) -> Option<&str> {
        self.get(key)
            .map(|value| value.as_str().unwrap_or_default())
    }
}

/// The `labels` of an object; anything but a map has no labels.
impl Labels for Value {
    fn label(&self, key: &str) -> Option<&str> {
        self.as_object()?.label(key)
    }
}

impl<S: AsRef<str>> Labels for BTreeMap<String, S> {
    fn label(&self, key: &str) -> Option<&str> {
        self.get(key).map(AsRef::as_ref)
    }
}

impl<V: AsRef<str>, S: BuildHasher> Labels for HashMap<String, V, S> {
    fn label(&self, key: &str) -> Option<&str> {
        self.get(key).map(AsRef::as_ref)
    }
}

impl<L: Labels> Labels for Option<L> {
    fn label(&self, key: &str) -> Option<&str> {
        self.as_ref()?.label(key)
    }
}

impl<L: Labels + ?Sized> Labels for &L {
    fn label(&self, key: &str) -> Option<&str> {
        (**self).label(key)
    }
}

/// One condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

impl Requirement {
    /// A valid requirement; fields in errors are named from the root.
    pub fn new(
        key: impl Into<String>,
        operator: Operator,
        values: Vec<String>,
    ) -> Result<Self, RequirementError> {
        Self::at(&Path::root(), key, operator, values)
    }

    /// A valid requirement; fields in errors are named from `path`.
    pub fn at(
        path: &Path,
        key: impl Into<String>,
        operator: Operator,
        values: Vec<String>,
    ) -> Result<Self, RequirementError> {
        let key = key.into();
        let mut errors: Vec<field::Error> =
            label_key(&path.child("key"), &key).into_iter().collect();
        let values_path = path.child("values");
        let detail = match (operator, values.len()) {
            (Operator::In | Operator::NotIn, 0) => {
                Some("for 'in', 'notin' operators, values set can't be empty")
            }
            (Operator::Equals | Operator::DoubleEquals | Operator::NotEquals, count)
                if count != 1 =>
            {
                Some("exact-match compatibility requires one single value")
            }
            (Operator::Exists | Operator::DoesNotExist, 1..) => {
                Some("values set must be empty for exists and does not exist")
            }
            (Operator::GreaterThan | Operator::LessThan, count) if count != 1 => {
                Some("for 'Gt', 'Lt' operators, exactly one value is required")
            }
            _ => None,
        };
        if let Some(detail) = detail {
            // The API gives no list at all for an empty one, and that is what the error shows.
            let shown = if values.is_empty() {
                Value::Null
            } else {
                values.clone().into()
            };
            errors.push(field::Error::invalid(&values_path, shown, detail));
        }
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
            let wrong = values
                .iter()
                .enumerate()
                .filter(|(_, value)| integer(value).is_none());
            errors.extend(wrong.map(|(at, value)| {
                let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
                field::Error::invalid(&values_path.index(at), value.as_str(), detail)
            }));
        }
        for (at, value) in values.iter().enumerate() {
            let messages = names::label_value(value);
            if !messages.is_empty() {
                let path = values_path.index(at).key(&key);
                errors.push(field::Error::invalid(
                    &path,
                    value.as_str(),
                    messages.join("; "),
                ));
            }
        }
        if errors.is_empty() {
            Ok(Self {
                key,
                operator,
                values,
            })
        } else {
            Err(RequirementError(errors))
        }
    }

    /// The label.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The comparison.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The values to compare with, as given.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether the labels fulfil it.
    pub fn matches(&self, labels: &(impl Labels + ?Sized)) -> bool {
        let found = labels.label(&self.key);
        let is_listed = |value: &str| self.values.iter().any(|listed| listed == value);
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => {
                found.is_some_and(is_listed)
            }
            Operator::NotIn | Operator::NotEquals => !found.is_some_and(is_listed),
            Operator::Exists => found.is_some(),
            Operator::DoesNotExist => found.is_none(),
            Operator::GreaterThan | Operator::LessThan => {
                let limit = self.values.first().and_then(|value| integer(value));
                match (found.and_then(integer), limit) {
                    (Some(value), Some(limit)) if self.operator == Operator::GreaterThan => {
                        value > limit
                    }
                    (Some(value), Some(limit)) => value < limit,
                    _ => false,
                }
            }
        }
    }
}

/// Go's `strconv.ParseInt` with base 10 and 64 bits.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

pub(super) fn label_key(path: &Path, key: &str) -> Option<field::Error> {
    let messages = names::qualified_name(key);
    (!messages.is_empty()).then(|| field::Error::invalid(path, key, messages.join("; ")))
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operator == Operator::DoesNotExist {
            f.write_str("!")?;
        }
        f.write_str(&self.key)?;
        f.write_str(match self.operator {
            Operator::DoesNotExist | Operator::Exists => return Ok(()),
            Operator::Equals => "=",
            Operator::DoubleEquals => "==",
            Operator::NotEquals => "!=",
            Operator::In => " in (",
            Operator::NotIn => " notin (",
            Operator::GreaterThan => ">",
            Operator::LessThan => "<",
        })?;
        if self.values.is_sorted() {
            write_joined(f, self.values.iter())?;
        } else {
            let mut sorted: Vec<&String> = self.values.iter().collect();
            sorted.sort_unstable();
            write_joined(f, sorted.into_iter())?;
        }
        if matches!(self.operator, Operator::In | Operator::NotIn) {
            f.write_str(")")?;
        }
        Ok(())
    }
}

fn write_joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
) -> fmt::Result {
    for (at, item) in items.enumerate() {
        if at > 0 {
            f.write_str(",")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// Requirements that all have to be fulfilled, or the selector of nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LabelSelector {
    /// Sorted by key.
    requirements: Vec<Requirement>,
    is_nothing: bool,
}

/// Selects everything.
impl Default for LabelSelector {
    fn default() -> Self {
        Self::everything()
    }
}

impl LabelSelector {
    /// The selector that every object matches.
    pub fn everything() -> Self {
        Self {
            requirements: Vec::new(),
            is_nothing: false,
        }
    }

    /// The selector that no object matches.
    pub fn nothing() -> Self {
        Self {
            requirements: Vec::new(),
            is_nothing: true,
        }
    }

    /// Of requirements, which are sorted by key.
    pub fn new(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_by(|left, right| left.key.cmp(&right.key));
        Self {
            requirements,
            is_nothing: false,
        }
    }

    /// Of labels that must be there, unchecked (`SelectorFromSet`).
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let requirement = |(key, value): (&str, &str)| Requirement {
            key: key.to_owned(),
            operator: Operator::Equals,
            values: vec![value.to_owned()],
        };
        Self::new(labels.into_iter().map(requirement).collect())
    }

    /// The requirements, sorted by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Adds requirements; to the selector of nothing that makes no difference.
    #[must_use]
    pub fn with(self, more: impl IntoIterator<Item = Requirement>) -> Self {
        if self.is_nothing {
            return self;
        }
        let mut requirements = self.requirements;
        requirements.extend(more);
        Self::new(requirements)
    }

    /// Whether the labels fulfil all requirements.
    pub fn matches(&self, labels: &(impl Labels + ?Sized)) -> bool {
        !self.is_nothing && self.requirements.iter().all(|one| one.matches(labels))
    }

    /// Whether the labels of this object (`metadata.labels`) fulfil all requirements.
    pub fn matches_object(&self, object: &Value) -> bool {
        let labels = object
            .get("metadata")
            .and_then(|metadata| metadata.get("labels"));
        self.matches(&labels)
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        !self.is_nothing && self.requirements.is_empty()
    }

    /// Whether it selects nothing, whatever the labels.
    pub fn is_nothing(&self) -> bool {
        self.is_nothing
    }

    /// The one value that a label must have, if the first requirement on it says so.
    pub fn required_value(&self, key: &str) -> Option<&str> {
        let first = self.requirements.iter().find(|one| one.key == key)?;
        match (first.operator, first.values.as_slice()) {
            (Operator::Equals | Operator::DoubleEquals | Operator::In, [value]) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, self.requirements.iter())
    }
}
