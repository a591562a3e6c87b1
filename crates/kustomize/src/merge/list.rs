//! Lists that merge by keys.
//!
//! Elements live in slots, and lists are slot numbers, so that an element that kyaml shares between lists by
//! pointer is shared here too.

use yaml::{Kind, Node, Text};

use super::{Directive, Merger, Outcome, directive, is_missing};
use crate::error::Result;
use crate::field::{expect_kind, set_field, untagged};
use crate::openapi::Schema;

/// The keys by which a list merges; none for one that does not, no keys for one of plain values.
pub(super) fn merge_keys(schema: Option<&Schema>) -> Option<Vec<String>> {
    match schema {
        Some(Schema::List {
            strategy: Some(strategy),
            keys,
            ..
        }) if strategy.split(',').any(|part| part == "merge") => Some(keys.clone()),
        _ => None,
    }
}

fn element_schema(schema: Option<&Schema>) -> Option<Schema> {
    match schema {
        Some(Schema::List {
            element: Some(element),
            ..
        }) => Some((**element).clone()),
        _ => None,
    }
}

impl Merger<'_> {
    pub(super) fn walk_list(
        &self,
        dest: Option<&mut Node>,
        origin: Option<&mut Node>,
        schema: Option<&Schema>,
    ) -> Result<Outcome> {
        let Some(keys) = merge_keys(schema) else {
            return Ok(match (origin, dest) {
                (Some(_), _) => Outcome::Origin,
                (None, Some(_)) => Outcome::Dest,
                (None, None) => Outcome::Clear,
            });
        };
        if is_missing(dest.as_deref()) {
            return match origin {
                None => Ok(Outcome::Clear),
                Some(origin) => {
                    let keep = self.merge_list_with_itself(origin, schema)?;
                    Ok(if keep {
                        Outcome::Origin
                    } else {
                        Outcome::Clear
                    })
                }
            };
        }
        let Some(dest) = dest else {
            return Ok(Outcome::Clear);
        };
        let Some(origin) = origin else {
            let keep = self.merge_lists(dest, None, &keys, schema)?;
            return Ok(if keep { Outcome::Dest } else { Outcome::Clear });
        };
        if origin.is_null() {
            return Ok(Outcome::Clear);
        }
        match directive(origin)? {
            Directive::Delete => Ok(Outcome::Clear),
            Directive::Replace => {
                let keep = self.merge_list_with_itself(origin, schema)?;
                Ok(if keep {
                    Outcome::Origin
                } else {
                    Outcome::Clear
                })
            }
            Directive::Merge => {
                let keep = self.merge_lists(dest, Some(origin), &keys, schema)?;
                Ok(if keep { Outcome::Dest } else { Outcome::Clear })
            }
        }
    }

    pub(super) fn merge_list_with_itself(
        &self,
        list: &mut Node,
        schema: Option<&Schema>,
    ) -> Result<bool> {
        let keys = merge_keys(schema).unwrap_or_default();
        let mut lists = Lists::default();
        let slots = lists.adopt(std::mem::take(&mut list.content));
        lists.dest = slots;
        lists.with_itself = true;
        self.merge_slots(&mut lists, &keys, schema)?;
        list.content = lists.into_content();
        Ok(true)
    }

    fn merge_lists(
        &self,
        dest: &mut Node,
        origin: Option<&mut Node>,
        keys: &[String],
        schema: Option<&Schema>,
    ) -> Result<bool> {
        let mut lists = Lists::default();
        lists.dest = lists.adopt(std::mem::take(&mut dest.content));
        if let Some(origin) = origin {
            let slots = lists.adopt(std::mem::take(&mut origin.content));
            lists.origin = Some(slots);
        }
        self.merge_slots(&mut lists, keys, schema)?;
        dest.content = lists.into_content();
        Ok(true)
    }

    fn merge_slots(
        &self,
        lists: &mut Lists,
        keys: &[String],
        schema: Option<&Schema>,
    ) -> Result<()> {
        let schema = element_schema(schema);
        let primitive = [String::new()];
        let (mut values, keys) = if keys.is_empty() {
            (lists.primitive_values(), &primitive[..])
        } else {
            (lists.key_values(keys), keys)
        };
        if keys.len() > 1 {
            unify(&mut values);
        }
        let mut items = Vec::new();
        let mut valid_keys = Vec::new();
        for at in 0..values.len() {
            let valid;
            (valid_keys, valid) = valid_pairs(&values, &values[at], keys);
            let (match_keys, match_values) =
                valid_pairs(std::slice::from_ref(&valid), &valid, &valid_keys);
            let to = lists.find(&lists.dest, &match_keys, &match_values);
            let from = match &lists.origin {
                _ if lists.with_itself => to,
                Some(origin) => lists.find(origin, &match_keys, &match_values),
                None => None,
            };
            let result = self.walk_slots(lists, to, from, schema.clone())?;
            let gone = result.is_none_or(|slot| {
                let node = &lists.slots[slot];
                node.is_null() || (node.kind == Kind::Mapping && node.content.is_empty())
            });
            let Some(slot) = result.filter(|_| !gone) else {
                lists.dest = lists.set_element(&lists.dest, None, &valid_keys, &valid)?;
                continue;
            };
            for (key, value) in valid_keys.iter().zip(&valid) {
                lists.ensure_key(slot, key, value)?;
            }
            items = lists.set_element(&items, Some(slot), &valid_keys, &valid)?;
        }
        if !values.is_empty() {
            lists.append_dest(&mut items, &valid_keys)?;
            lists.dest = items;
        }
        Ok(())
    }

    fn walk_slots(
        &self,
        lists: &mut Lists,
        to: Option<usize>,
        from: Option<usize>,
        schema: Option<Schema>,
    ) -> Result<Option<usize>> {
        let outcome = match (to, from) {
            (None, None) => return Ok(None),
            (Some(to), Some(from)) if to == from => {
                let keep = self.walk_self(&mut lists.slots[to], schema)?;
                return Ok(keep.then_some(to));
            }
            (Some(to), None) => self.walk(Some(&mut lists.slots[to]), None, schema)?,
            (None, Some(from)) => self.walk(None, Some(&mut lists.slots[from]), schema)?,
            (Some(to), Some(from)) => {
                let [dest, origin] = lists
                    .slots
                    .get_disjoint_mut([to, from])
                    .expect("two different slots of the list");
                self.walk(Some(dest), Some(origin), schema)?
            }
        };
        Ok(match outcome {
            Outcome::Clear => None,
            Outcome::Dest => to,
            Outcome::Origin => from,
        })
    }
}

/// The elements of both lists.
#[derive(Default)]
struct Lists {
    slots: Vec<Node>,
    dest: Vec<usize>,
    origin: Option<Vec<usize>>,
    /// `dest` is the patch's list too.
    with_itself: bool,
}

fn key_text(element: &Node, key: &str) -> Text {
    element
        .get(key)
        .filter(|value| !value.is_nil_or_empty())
        .map_or_else(Text::default, |value| value.value.clone())
}

impl Lists {
    fn adopt(&mut self, content: Vec<Node>) -> Vec<usize> {
        let start = self.slots.len();
        self.slots.extend(content);
        (start..self.slots.len()).collect()
    }

    fn into_content(mut self) -> Vec<Node> {
        let mut used = vec![false; self.slots.len()];
        let mut content = Vec::with_capacity(self.dest.len());
        for &slot in &self.dest {
            // An element that stands twice in the result is the same in both places.
            let again = std::mem::replace(&mut used[slot], true);
            let node = if again {
                content_of(&content, &self.dest, slot)
            } else {
                std::mem::replace(&mut self.slots[slot], Node::null())
            };
            content.push(node);
        }
        content
    }

    /// The slots of the patch, then those of the target: the order of the result.
    fn in_order(&self) -> impl Iterator<Item = &Node> {
        let origin = self.origin.iter().flatten();
        origin.chain(&self.dest).map(|slot| &self.slots[*slot])
    }

    fn key_values(&self, keys: &[String]) -> Vec<Vec<Text>> {
        let mut values: Vec<Vec<Text>> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for element in self.in_order() {
            let value: Vec<Text> = keys.iter().map(|key| key_text(element, key)).collect();
            if seen.insert(value.clone()) {
                values.push(value);
            }
        }
        values
    }

    fn primitive_values(&self) -> Vec<Vec<Text>> {
        let mut values = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for element in self.in_order() {
            if seen.insert(element.value.clone()) {
                values.push(vec![element.value.clone()]);
            }
        }
        values
    }

    /// The first element of `list` that has all the values.
    fn find(&self, list: &[usize], keys: &[String], values: &[Text]) -> Option<usize> {
        let no_key = keys.first().is_none_or(String::is_empty);
        if no_key {
            let wanted = values.first().map_or("", Text::as_str);
            return list
                .iter()
                .copied()
                .find(|slot| self.slots[*slot].value == wanted);
        }
        if keys.len() != values.len() {
            return None;
        }
        list.iter().copied().find(|slot| {
            let element = &self.slots[*slot];
            element.kind == Kind::Mapping
                && keys
                    .iter()
                    .zip(values)
                    .all(|(key, value)| element.get(key).is_some_and(|field| field.value == *value))
        })
    }

    fn ensure_key(&mut self, slot: usize, key: &str, value: &Text) -> Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        let element = &mut self.slots[slot];
        if key.is_empty() {
            // A plain value is set to itself and so loses its tag.
            if element.kind == Kind::Scalar {
                let style = element.style;
                *element = untagged(value.clone());
                element.style = style;
            }
            return Ok(());
        }
        if element.kind == Kind::Mapping && element.get(key).is_some() {
            return Ok(());
        }
        set_field(element, key, untagged(value.clone()))
    }

    /// kyaml's `ElementSetter`: replaces the elements that match, or appends; none deletes them.
    fn set_element(
        &self,
        list: &[usize],
        element: Option<usize>,
        keys: &[String],
        values: &[Text],
    ) -> Result<Vec<usize>> {
        let for_mappings = keys.first().is_some_and(|key| !key.is_empty())
            && values.first().is_some_and(|value| !value.is_empty());
        let mut result = Vec::with_capacity(list.len() + 1);
        let mut matched = false;
        for &slot in list {
            let node = &self.slots[slot];
            if node.is_null() || (node.kind == Kind::Mapping && node.content.is_empty()) {
                continue;
            }
            if node.kind != Kind::Mapping && for_mappings {
                result.push(slot);
                continue;
            }
            if !Self::element_matches(node, keys, values)? {
                if !values.is_empty() {
                    result.push(slot);
                }
                continue;
            }
            matched = true;
            if let Some(element) = element {
                result.push(element);
            }
        }
        if let Some(element) = element
            && !matched
            && !self.slots[element].is_null()
        {
            result.push(element);
        }
        Ok(result)
    }

    fn element_matches(node: &Node, keys: &[String], values: &[Text]) -> Result<bool> {
        let mut found = false;
        for (at, key) in keys.iter().enumerate() {
            if let Some(value) = values.get(at) {
                found = if key.is_empty() {
                    expect_kind(node, Kind::Scalar)?;
                    node.value == *value
                } else {
                    expect_kind(node, Kind::Mapping)?;
                    let field = node.get(key);
                    field.is_some_and(|field| value.is_empty() || field.value == *value)
                };
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts the target's elements behind `items`; one that has its like there takes its place.
    fn append_dest(&self, items: &mut Vec<usize>, keys: &[String]) -> Result<()> {
        for &slot in &self.dest {
            let element = &self.slots[slot];
            if keys.first().is_none_or(String::is_empty) {
                let value = [element.value.clone()];
                *items = self.set_element(items, Some(slot), &[String::new()], &value)?;
                continue;
            }
            let mut values = Vec::with_capacity(keys.len());
            for key in keys {
                expect_kind(element, Kind::Mapping)?;
                match element.get(key) {
                    Some(value) => values.push(value.value.clone()),
                    None => items.push(slot),
                }
            }
            if keys.len() > 1 {
                *items = self.set_element(items, None, keys, &values)?;
            }
            *items = self.set_element(items, Some(slot), keys, &values)?;
        }
        Ok(())
    }
}

fn content_of(content: &[Node], dest: &[usize], slot: usize) -> Node {
    let at = dest.iter().position(|other| *other == slot).unwrap_or(0);
    content.get(at).cloned().unwrap_or_else(Node::null)
}

/// Leaves out keys that no element has; without any, all keys stay.
fn valid_pairs(all: &[Vec<Text>], values: &[Text], keys: &[String]) -> (Vec<String>, Vec<Text>) {
    let used = |at: usize| {
        all.iter()
            .any(|values| values.get(at).is_some_and(|value| !value.is_empty()))
    };
    if !(0..keys.len()).any(used) {
        return (keys.to_vec(), values.to_vec());
    }
    let valid_keys = (0..keys.len())
        .filter(|at| used(*at))
        .map(|at| keys[at].clone())
        .collect();
    let valid_values = values
        .iter()
        .enumerate()
        .filter(|(at, value)| !value.is_empty() || used(*at))
        .map(|(_, value)| value.clone())
        .collect();
    (valid_keys, valid_values)
}

/// Elements that differ only by what one of them leaves out are the same.
fn unify(values: &mut [Vec<Text>]) {
    for i in 0..values.len() {
        for j in 0..values.len() {
            if let Some(both) = unified(&values[i], &values[j]) {
                values[i].clone_from(&both);
                values[j] = both;
            }
        }
    }
}

fn unified(a: &[Text], b: &[Text]) -> Option<Vec<Text>> {
    let mut common = false;
    let mut result = Vec::with_capacity(a.len());
    for (left, right) in a.iter().zip(b) {
        if left == right {
            common = true;
        } else if !left.is_empty() && !right.is_empty() {
            return None;
        }
        result.push(if left.is_empty() {
            right.clone()
        } else {
            left.clone()
        });
    }
    common.then_some(result)
}
