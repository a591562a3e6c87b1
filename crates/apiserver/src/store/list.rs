//! Keys and ranges of keys.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::encode::Stored;

/// The key of an object within its resource.
pub fn key_of(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

/// A range of keys: all of a resource, or those of a namespace, from a key on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    prefix: String,
    from: Option<String>,
    exact: bool,
}

impl Range {
    /// All objects.
    pub fn all() -> Self {
        Self::default()
    }

    /// The objects of a namespace; all of them if it is empty.
    pub fn namespace(namespace: &str) -> Self {
        Self {
            prefix: if namespace.is_empty() {
                String::new()
            } else {
                format!("{namespace}/")
            },
            from: None,
            exact: false,
        }
    }

    /// One object alone.
    pub fn only(key: &str) -> Self {
        Self {
            prefix: key.to_owned(),
            from: None,
            exact: true,
        }
    }

    /// Only what comes at or after a key.
    #[must_use]
    pub fn from(mut self, key: &str) -> Self {
        self.from = Some(key.to_owned());
        self
    }

    /// Whether a key lies in the range.
    pub fn contains(&self, key: &str) -> bool {
        self.fits(key) && self.from.as_deref().is_none_or(|from| key >= from)
    }

    fn fits(&self, key: &str) -> bool {
        if self.exact {
            key == self.prefix
        } else {
            key.starts_with(&self.prefix)
        }
    }

    pub(super) fn of<'a>(
        &'a self,
        objects: &'a BTreeMap<Box<str>, Arc<Stored>>,
    ) -> impl Iterator<Item = &'a Arc<Stored>> {
        let from = match &self.from {
            Some(from) if *from >= self.prefix => Bound::Included(from.as_str()),
            _ => Bound::Included(self.prefix.as_str()),
        };
        objects
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| self.fits(key))
            .map(|(_, stored)| stored)
    }
}
