//! Reading an object while validating it: a value with its place, and the errors found.

use object::field::{Error, ErrorKind, ErrorList, Path, quote};
use serde_json::Value;

static NULL: Value = Value::Null;

/// The value below `value` at a path of field names joined by dots; null where there is none.
pub(crate) fn peek<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
        .unwrap_or(&NULL)
}

/// The text at a path, or the empty text.
pub(crate) fn peek_text<'a>(value: &'a Value, path: &str) -> &'a str {
    peek(value, path).as_str().unwrap_or_default()
}

/// The items of the list at a path; none if there is no list.
pub(crate) fn peek_items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    peek(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// A value and its place in the object. What is absent reads as null, the empty text, 0, false, no items.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: Path,
}

impl<'a> Node<'a> {
    /// A whole object.
    pub(crate) fn root(value: &'a Value) -> Self {
        Self::at(value, Path::root())
    }

    /// A value at a given place.
    pub(crate) fn at(value: &'a Value, path: Path) -> Self {
        Self { value, path }
    }

    /// The same value said to be elsewhere, where upstream names a field otherwise than the API does.
    pub(crate) fn placed(&self, path: Path) -> Self {
        Self::at(self.value, path)
    }

    /// The field `name`, or a path of fields joined by dots.
    pub(crate) fn get(&self, name: &str) -> Self {
        Self::at(peek(self.value, name), self.path.child(name))
    }

    /// The value of `key` in this map; its place is written with brackets.
    pub(crate) fn key(&self, key: &str) -> Self {
        Self::at(self.value.get(key).unwrap_or(&NULL), self.path.key(key))
    }

    /// The items of this list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let path = self.path.clone();
        let list: &'a [Value] = self.value.as_array().map_or(&[], Vec::as_slice);
        list.iter()
            .enumerate()
            .map(move |(index, item)| Self::at(item, path.index(index)))
    }

    /// The entries of this map, by key.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let path = self.path.clone();
        self.value
            .as_object()
            .into_iter()
            .flatten()
            .map(move |(key, value)| (key.as_str(), Self::at(value, path.key(key))))
    }

    /// The texts of this list.
    pub(crate) fn texts(&self) -> Vec<&'a str> {
        let list: &'a [Value] = self.value.as_array().map_or(&[], Vec::as_slice);
        list.iter()
            .map(|item| item.as_str().unwrap_or_default())
            .collect()
    }

    /// The value itself.
    pub(crate) fn raw(&self) -> &'a Value {
        self.value
    }

    /// Its place.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a value.
    pub(crate) fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// The number of items or entries, or the bytes of a text.
    pub(crate) fn len(&self) -> usize {
        match self.value {
            Value::Array(list) => list.len(),
            Value::Object(map) => map.len(),
            Value::String(text) => text.len(),
            _ => 0,
        }
    }

    /// Whether [`Self::len`] is 0.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text, or the empty text.
    pub(crate) fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    /// The text, if there is one.
    pub(crate) fn opt_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// The whole number, or 0.
    pub(crate) fn int(&self) -> i64 {
        self.value.as_i64().unwrap_or_default()
    }

    /// The whole number, if there is one.
    pub(crate) fn opt_int(&self) -> Option<i64> {
        self.value.as_i64()
    }

    /// Whether the value is `true`.
    pub(crate) fn truth(&self) -> bool {
        self.value.as_bool().unwrap_or_default()
    }

    /// Whether the value is a text equal to `text`.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text() == text
    }

    /// Whether this map has `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some()
    }
}

/// What has a place: a [`Node`] or a [`Path`].
pub(crate) trait Located {
    /// The place.
    fn place(&self) -> &Path;
}

impl Located for Node<'_> {
    fn place(&self) -> &Path {
        &self.path
    }
}

impl Located for Path {
    fn place(&self) -> &Path {
        self
    }
}

/// The errors of one object, in the order in which they are found.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    list: ErrorList,
}

impl Errors {
    /// Runs a check and gives its errors.
    pub(crate) fn of(check: impl FnOnce(&mut Self)) -> ErrorList {
        let mut errors = Self::default();
        check(&mut errors);
        errors.list
    }

    /// All of them.
    pub(crate) fn list(self) -> ErrorList {
        self.list
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds an error.
    pub(crate) fn push(&mut self, error: Error) {
        self.list.push(error);
    }

    /// Adds errors.
    pub(crate) fn extend(&mut self, errors: ErrorList) {
        self.list.extend(errors);
    }

    pub(crate) fn required(&mut self, at: &impl Located, detail: &str) {
        self.push(Error::required(at.place(), detail));
    }

    pub(crate) fn forbidden(&mut self, at: &impl Located, detail: &str) {
        self.push(Error::forbidden(at.place(), detail));
    }

    pub(crate) fn invalid(
        &mut self,
        at: &impl Located,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) {
        self.push(Error::invalid(at.place(), value, detail));
    }

    /// An invalid value that is not shown, or shown in a way that JSON values do not give: `shown` is the
    /// text of the value, and empty leaves it out.
    pub(crate) fn invalid_shown(&mut self, at: &impl Located, shown: &str, detail: &str) {
        self.push(shown_error(ErrorKind::Invalid, at, shown, detail));
    }

    /// A value outside an enumeration that is shown as `shown`.
    pub(crate) fn unsupported_shown(&mut self, at: &impl Located, shown: &str, allowed: &[&str]) {
        let quoted: Vec<String> = allowed.iter().map(|text| quote(text)).collect();
        let detail = format!("supported values: {}", quoted.join(", "));
        self.push(shown_error(ErrorKind::NotSupported, at, shown, &detail));
    }

    /// A repeated value that is shown as `shown`.
    pub(crate) fn duplicate_shown(&mut self, at: &impl Located, shown: &str, detail: &str) {
        self.push(shown_error(ErrorKind::Duplicate, at, shown, detail));
    }

    pub(crate) fn unsupported(
        &mut self,
        at: &impl Located,
        value: impl Into<Value>,
        allowed: &[&str],
    ) {
        self.push(Error::not_supported(at.place(), value, allowed));
    }

    pub(crate) fn duplicate(&mut self, at: &impl Located, value: impl Into<Value>) {
        self.push(Error::duplicate(at.place(), value));
    }

    pub(crate) fn not_found(&mut self, at: &impl Located, value: impl Into<Value>) {
        self.push(Error::not_found(at.place(), value));
    }

    pub(crate) fn too_long(&mut self, at: &impl Located, limit: usize) {
        self.push(Error::too_long(at.place(), limit));
    }

    pub(crate) fn too_many(&mut self, at: &impl Located, actual: usize, limit: usize) {
        self.push(Error::too_many(at.place(), Some(actual), limit));
    }

    /// One invalid value with several messages.
    pub(crate) fn messages(
        &mut self,
        at: &impl Located,
        value: impl Into<Value>,
        messages: Vec<String>,
    ) {
        let value = value.into();
        for message in messages {
            self.invalid(at, value.clone(), message);
        }
    }

    /// A text that has to follow a rule of [`object::names`].
    pub(crate) fn format(&mut self, node: &Node<'_>, rule: fn(&str) -> Vec<String>) {
        self.messages(node, node.text(), rule(node.text()));
    }

    /// A text that has to follow the rule for the names of a kind.
    pub(crate) fn name(&mut self, node: &Node<'_>, rule: fn(&str, bool) -> Vec<String>) {
        self.messages(node, node.text(), rule(node.text(), false));
    }

    /// A number of 0 or more, if there is one.
    pub(crate) fn non_negative(&mut self, node: &Node<'_>) {
        if node.int() < 0 {
            self.invalid(node, node.int(), super::metadata::NEGATIVE);
        }
    }

    /// A number of 1 or more.
    pub(crate) fn positive(&mut self, node: &Node<'_>) {
        if node.int() <= 0 {
            self.invalid(node, node.int(), "must be greater than zero");
        }
    }

    /// A text that has to be there.
    pub(crate) fn present(&mut self, node: &Node<'_>) {
        if node.is_empty() {
            self.required(node, "");
        }
    }

    /// A text out of a list; an empty one is missing.
    pub(crate) fn choice(&mut self, node: &Node<'_>, allowed: &[&str]) {
        if node.is_empty() {
            self.required(node, "");
        } else {
            self.one_of(node, allowed);
        }
    }

    /// A text out of a list.
    pub(crate) fn one_of(&mut self, node: &Node<'_>, allowed: &[&str]) {
        if !allowed.contains(&node.text()) {
            self.unsupported(node, node.text(), allowed);
        }
    }

    /// A text out of a list, if there is one.
    pub(crate) fn opt_one_of(&mut self, node: &Node<'_>, allowed: &[&str]) {
        if node.is_set() {
            self.one_of(node, allowed);
        }
    }

    /// A field that may not change.
    pub(crate) fn immutable(&mut self, new: &Node<'_>, old: &Node<'_>) {
        if !super::equality::equal(new.raw(), old.raw()) {
            self.invalid(new, new.raw().clone(), super::metadata::IMMUTABLE);
        }
    }
}

fn shown_error(kind: ErrorKind, at: &impl Located, shown: &str, detail: &str) -> Error {
    let separator = if shown.is_empty() || detail.is_empty() {
        ""
    } else {
        ": "
    };
    Error {
        kind,
        field: at.place().to_string(),
        value: None,
        detail: format!("{shown}{separator}{detail}"),
    }
}
