//! Reading values by path, with Go's zero values for what is absent.

use object::Value;
use object::time::Time;

/// A value, or `null` for an absent one.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a>(pub(super) &'a Value);

impl<'a> View<'a> {
    /// The value at a JSON pointer.
    pub(super) fn at(self, path: &str) -> Self {
        Self(self.0.pointer(path).unwrap_or(&Value::Null))
    }

    pub(super) fn is_set(self, path: &str) -> bool {
        !self.at(path).0.is_null()
    }

    pub(super) fn as_text(self) -> &'a str {
        self.0.as_str().unwrap_or_default()
    }

    pub(super) fn text(self, path: &str) -> &'a str {
        self.at(path).as_text()
    }

    pub(super) fn integer(self, path: &str) -> i64 {
        self.at(path).0.as_i64().unwrap_or_default()
    }

    pub(super) fn truth(self, path: &str) -> bool {
        self.at(path).0.as_bool().unwrap_or_default()
    }

    pub(super) fn items(self) -> impl DoubleEndedIterator<Item = View<'a>> + ExactSizeIterator {
        self.0
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(View)
    }

    pub(super) fn list(
        self,
        path: &str,
    ) -> impl DoubleEndedIterator<Item = View<'a>> + ExactSizeIterator {
        self.at(path).items()
    }

    pub(super) fn entries(self) -> impl Iterator<Item = (&'a String, View<'a>)> {
        self.0
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key, View(value)))
    }

    /// How many items or entries the list or map at the path has.
    pub(super) fn length(self, path: &str) -> usize {
        match self.at(path).0 {
            Value::Array(items) => items.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        }
    }

    pub(super) fn time(self, path: &str) -> Option<Time> {
        Time::parse(self.text(path)).ok()
    }

    /// The value of a key, which may hold slashes.
    pub(super) fn key(self, key: &str) -> Self {
        Self(self.0.get(key).unwrap_or(&Value::Null))
    }

    /// An integer or text, printed; `default` if absent.
    pub(super) fn printed_or(self, path: &str, default: &str) -> String {
        match self.at(path).0 {
            Value::Null => default.to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Whether a condition of the list at the path has this type and the status `True`.
    pub(super) fn has_condition(self, path: &str, kind: &str) -> bool {
        self.list(path)
            .find(|condition| condition.text("/type") == kind)
            .is_some_and(|condition| condition.text("/status") == "True")
    }
}
