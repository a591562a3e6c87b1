//! Metadata in stores without nesting: `key_groups__list_0__map_age__list_0__map_enc`.

use std::collections::BTreeMap;

use crate::value::{Branch, Item, Value};

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// Why flat keys do not make a tree.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FlattenError {
    /// Two values at the same place.
    #[error("Error while unflattening {0:?}: Duplicate value")]
    Duplicate(String),
    /// A place that is a value and a mapping, or a mapping and a list.
    #[error("Error while unflattening: Type mismatch")]
    Mismatch,
    /// A list with gaps.
    #[error("Error while unflattening: Incomplete list")]
    Incomplete,
}

#[derive(Default)]
struct Node {
    value: Option<Value>,
    keys: BTreeMap<String, Node>,
    indices: BTreeMap<usize, Node>,
}

enum Step {
    Key(String),
    Index(usize),
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut rest, mut list) = (path, false);
    loop {
        let next = [rest.find(MAP), rest.find(LIST)]
            .into_iter()
            .flatten()
            .min();
        let (part, after) = rest.split_at(next.unwrap_or(rest.len()));
        steps.push(if list {
            Step::Index(part.parse().unwrap_or(0))
        } else {
            Step::Key(part.to_owned())
        });
        if let Some(below) = after.strip_prefix(MAP) {
            (rest, list) = (below, false);
        } else if let Some(below) = after.strip_prefix(LIST) {
            (rest, list) = (below, true);
        } else {
            return steps;
        }
    }
}

impl Node {
    fn into_value(self) -> Result<Value, FlattenError> {
        match (self.value, self.keys.is_empty(), self.indices.is_empty()) {
            (Some(value), true, true) => Ok(value),
            (None, _, true) => {
                let entries = self.keys.into_iter();
                let items = entries.map(|(key, node)| Ok(Item::Entry(key, node.into_value()?)));
                Ok(Value::Branch(items.collect::<Result<_, _>>()?))
            }
            (None, true, false) => {
                let count = self.indices.len();
                if self.indices.keys().next_back() != Some(&(count - 1)) {
                    return Err(FlattenError::Incomplete);
                }
                let items = self.indices.into_values().map(Node::into_value);
                Ok(Value::List(items.collect::<Result<_, _>>()?))
            }
            _ => Err(FlattenError::Mismatch),
        }
    }
}

/// Puts flat entries back into a tree, keys sorted.
pub(crate) fn unflatten(branch: Branch) -> Result<Branch, FlattenError> {
    let mut root = Node::default();
    for item in branch {
        let Item::Entry(key, value) = item else {
            continue;
        };
        let mut node = &mut root;
        for step in steps(&key) {
            node = match step {
                Step::Key(name) => node.keys.entry(name).or_default(),
                Step::Index(index) => node.indices.entry(index).or_default(),
            };
        }
        if node.value.replace(value).is_some() {
            return Err(FlattenError::Duplicate(key));
        }
    }
    match root.into_value()? {
        Value::Branch(branch) => Ok(branch),
        _ => Err(FlattenError::Mismatch),
    }
}

/// Takes the nesting out of `branch`; each key starts with `prefix`.
pub(crate) fn flatten(branch: &Branch, prefix: &str) -> Branch {
    let mut out = Branch::new();
    below(&Value::Branch(branch.clone()), prefix, true, &mut out);
    out
}

fn below(value: &Value, key: &str, top: bool, out: &mut Branch) {
    match value {
        Value::Branch(branch) => {
            let separator = if top { "" } else { MAP };
            for item in branch {
                if let Item::Entry(name, value) = item {
                    below(value, &format!("{key}{separator}{name}"), false, out);
                }
            }
        }
        Value::List(items) => {
            let values = items
                .iter()
                .filter(|item| !matches!(item, Value::Comment(_)));
            for (index, item) in values.enumerate() {
                below(item, &format!("{key}{LIST}{index}"), false, out);
            }
        }
        value => out.push(Item::Entry(key.to_owned(), value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_flattened_comes_back() {
        let enc = |text: &str| Item::Entry("enc".to_owned(), Value::Text(text.to_owned()));
        let list = Value::List(vec![
            Value::Branch(vec![enc("one")]),
            Value::Branch(vec![enc("two")]),
        ]);
        let tree = vec![
            Item::Entry("age".to_owned(), list),
            Item::Entry("version".to_owned(), Value::Text("3.9.0".to_owned())),
        ];
        let flat = flatten(&tree, "sops_");
        let keys: Vec<_> = flat
            .iter()
            .filter_map(|item| match item {
                Item::Entry(key, _) => Some(key.as_str()),
                Item::Comment(_) => None,
            })
            .collect();
        assert_eq!(
            keys,
            [
                "sops_age__list_0__map_enc",
                "sops_age__list_1__map_enc",
                "sops_version"
            ]
        );
        assert_eq!(unflatten(flatten(&tree, "")).unwrap(), tree);
        let gap = vec![Item::Entry("age__list_1".to_owned(), Value::Null)];
        assert_eq!(unflatten(gap), Err(FlattenError::Incomplete));
    }
}
