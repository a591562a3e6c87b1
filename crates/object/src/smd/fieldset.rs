//! Sets of fields.
//!
//! Source: structured-merge-diff `fieldpath` (`set.go`).

mod filter;
mod json;

use std::fmt;
use std::sync::Arc;

pub use filter::{Filter, Pattern, PatternElement};
pub use json::FieldsError;

use super::path::{Path, PathElement};
use super::schema::{Schema, TypeId};

/// A set of paths, kept as a tree.
///
/// A path may be a member without its children being members, and the other way about. Subtrees are
/// shared between sets, so that copies and the operations on sets are cheap where little differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// The fields of this level that are members, sorted.
    members: Vec<PathElement>,
    /// The fields of this level below which there are members, sorted.
    children: Vec<Child>,
}

/// The members below one field.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Child {
    element: PathElement,
    set: Arc<Set>,
}

impl Set {
    /// The empty set.
    pub const fn new() -> Self {
        Self {
            members: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The set of these paths.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut set = Self::new();
        for path in paths {
            set.insert(path);
        }
        set
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.iter().all(|child| child.set.is_empty())
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.members.len()
            + self
                .children
                .iter()
                .map(|child| child.set.len())
                .sum::<usize>()
    }

    /// Makes `path` a member, not its parents. The empty path is passed over: nobody owns the whole
    /// object.
    pub fn insert(&mut self, path: &Path) {
        let Some((last, parents)) = path.elements().split_last() else {
            return;
        };
        let mut set = self;
        for element in parents {
            set = set.descend(element);
        }
        set.insert_member(last.clone());
    }

    /// The subset below `element`, made if it is not there.
    fn descend(&mut self, element: &PathElement) -> &mut Self {
        let index = match self.find_child(element) {
            Ok(index) => index,
            Err(index) => {
                let child = Child {
                    element: element.clone(),
                    set: Arc::default(),
                };
                self.children.insert(index, child);
                index
            }
        };
        Arc::make_mut(&mut self.children[index].set)
    }

    /// Makes a field of this level a member.
    pub(crate) fn insert_member(&mut self, element: PathElement) {
        // Walks over objects come in order.
        if self.members.last().is_none_or(|last| *last < element) {
            self.members.push(element);
        } else if let Err(index) = self.members.binary_search(&element) {
            self.members.insert(index, element);
        }
    }

    /// Adds `set` below a field of this level; nothing happens if it is empty.
    pub(crate) fn insert_child(&mut self, element: PathElement, set: Self) {
        if set.members.is_empty() && set.children.is_empty() {
            return;
        }
        match self.find_child(&element) {
            Ok(index) => {
                let child = &mut self.children[index];
                child.set = Arc::new(child.set.union(&set));
            }
            Err(index) => {
                let set = Arc::new(set);
                self.children.insert(index, Child { element, set });
            }
        }
    }

    fn find_child(&self, element: &PathElement) -> Result<usize, usize> {
        if self
            .children
            .last()
            .is_none_or(|last| last.element < *element)
        {
            return Err(self.children.len());
        }
        self.children
            .binary_search_by(|child| child.element.cmp(element))
    }

    /// Whether `path` is a member.
    pub fn has(&self, path: &Path) -> bool {
        let Some((last, parents)) = path.elements().split_last() else {
            return false;
        };
        let mut set = self;
        for element in parents {
            match set.child(element) {
                Some(child) => set = child,
                None => return false,
            }
        }
        set.has_member(last)
    }

    /// Whether a field of this level is a member.
    pub(crate) fn has_member(&self, element: &PathElement) -> bool {
        self.members.binary_search(element).is_ok()
    }

    /// Whether the field of that name is a member of this level.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.members
            .binary_search_by(|member| compare_to_field(member, name))
            .is_ok()
    }

    /// The subset below a field of this level.
    pub fn child(&self, element: &PathElement) -> Option<&Self> {
        let index = self
            .children
            .binary_search_by(|child| child.element.cmp(element))
            .ok()?;
        Some(&self.children[index].set)
    }

    /// The subset below the field of that name.
    pub(crate) fn field_child(&self, name: &str) -> Option<&Self> {
        let index = self
            .children
            .binary_search_by(|child| compare_to_field(&child.element, name))
            .ok()?;
        Some(&self.children[index].set)
    }

    /// The fields of this level that are members, in order.
    pub fn members(&self) -> &[PathElement] {
        &self.members
    }

    /// The fields of this level with members below them, in order.
    pub fn children(&self) -> impl Iterator<Item = (&PathElement, &Self)> {
        self.children
            .iter()
            .map(|child| (&child.element, &*child.set))
    }

    /// All members, each level before those below it.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.collect_paths(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect_paths(&self, prefix: &mut Vec<PathElement>, paths: &mut Vec<Path>) {
        for member in &self.members {
            let mut path = prefix.clone();
            path.push(member.clone());
            paths.push(path.into());
        }
        for child in &self.children {
            prefix.push(child.element.clone());
            child.set.collect_paths(prefix, paths);
            prefix.pop();
        }
    }

    /// The members of either set.
    pub fn union(&self, other: &Self) -> Self {
        let members = merge_sorted(&self.members, &other.members, Ord::cmp, |left, right| {
            right.or(left).cloned()
        });
        let children = merge_sorted(
            &self.children,
            &other.children,
            |left, right| left.element.cmp(&right.element),
            |left, right| match (left, right) {
                (Some(left), Some(right)) if !Arc::ptr_eq(&left.set, &right.set) => Some(Child {
                    element: left.element.clone(),
                    set: Arc::new(left.set.union(&right.set)),
                }),
                (left, right) => left.or(right).cloned(),
            },
        );
        Self { members, children }
    }

    /// The members of both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        let members = merge_sorted(&self.members, &other.members, Ord::cmp, |left, right| {
            right.and(left).cloned()
        });
        let children = merge_sorted(
            &self.children,
            &other.children,
            |left, right| left.element.cmp(&right.element),
            |left, right| {
                let (left, right) = left.zip(right)?;
                left.with(left.set.intersection(&right.set))
            },
        );
        Self { members, children }
    }

    /// The members that are not in `other`; a parent stays when only its child is taken away, and the
    /// other way about.
    pub fn difference(&self, other: &Self) -> Self {
        let members = merge_sorted(&self.members, &other.members, Ord::cmp, |left, right| {
            if right.is_some() { None } else { left.cloned() }
        });
        let children = merge_sorted(
            &self.children,
            &other.children,
            |left, right| left.element.cmp(&right.element),
            |left, right| match (left, right) {
                (Some(left), Some(right)) => left.with(left.set.difference(&right.set)),
                (left, _) => left.cloned(),
            },
        );
        Self { members, children }
    }

    /// The members that are neither in `other` nor below a member of it.
    pub fn recursive_difference(&self, other: &Self) -> Self {
        let members = merge_sorted(&self.members, &other.members, Ord::cmp, |left, right| {
            if right.is_some() { None } else { left.cloned() }
        });
        let children = merge_sorted(
            &self.children,
            &other.children,
            |left, right| left.element.cmp(&right.element),
            |left, right| {
                let left = left?;
                if other.has_member(&left.element) {
                    return None;
                }
                match right {
                    Some(right) => left.with(left.set.recursive_difference(&right.set)),
                    None => Some(left.clone()),
                }
            },
        );
        Self { members, children }
    }

    /// Whether each member is one of `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.members.iter().all(|member| other.has_member(member))
            && self
                .children
                .iter()
                .all(|child| match other.child(&child.element) {
                    Some(set) => {
                        std::ptr::eq(&raw const *child.set, set) || child.set.is_subset(set)
                    }
                    None => child.set.is_empty(),
                })
    }

    /// The members that have no members below them.
    pub fn leaves(&self) -> Self {
        let is_leaf = |member: &&PathElement| self.child(member).is_none();
        Self {
            members: self.members.iter().filter(is_leaf).cloned().collect(),
            children: self
                .children
                .iter()
                .map(|child| Child {
                    element: child.element.clone(),
                    set: Arc::new(child.set.leaves()),
                })
                .collect(),
        }
    }

    /// The set and, in addition, each declared field of a struct that has members below it.
    ///
    /// For `a.b.c` that is `a` if it is a declared field, but not `a.b` if `a` is a free map.
    /// `id` is the type of what the set describes; `None` if that has no declared type.
    pub fn ensure_named_fields_are_members(&self, schema: &Schema, id: Option<TypeId>) -> Self {
        let atom = id.and_then(|id| schema.resolve(id).ok());
        let map = atom.and_then(|atom| atom.map.as_ref());
        let list = atom.and_then(|atom| atom.list.as_ref());
        let mut members = self.members.clone();
        let mut children = Vec::with_capacity(self.children.len());
        for child in &self.children {
            let mut below = None;
            match (&child.element, map, list) {
                (PathElement::Field(name), Some(map), _) => {
                    below = map.element;
                    if let Some(field) = map.field(name) {
                        below = Some(field.type_id);
                        if let Err(index) = members.binary_search(&child.element) {
                            members.insert(index, child.element.clone());
                        }
                    }
                }
                (PathElement::Key(_), _, Some(list)) => below = list.element,
                _ => {}
            }
            let set = child.set.ensure_named_fields_are_members(schema, below);
            children.push(Child {
                element: child.element.clone(),
                set: Arc::new(set),
            });
        }
        Self { members, children }
    }
}

impl Child {
    /// This child with another set, unless that is empty.
    fn with(&self, set: Set) -> Option<Self> {
        (!set.is_empty()).then(|| Self {
            element: self.element.clone(),
            set: Arc::new(set),
        })
    }
}

/// How an element compares to the field of that name.
fn compare_to_field(element: &PathElement, name: &str) -> std::cmp::Ordering {
    match element {
        PathElement::Field(field) => (**field).cmp(name),
        _ => std::cmp::Ordering::Greater,
    }
}

/// Walks two sorted lists together and keeps what `pick` makes of the pairs of equal items and of
/// the items that are in one list alone.
fn merge_sorted<T>(
    left: &[T],
    right: &[T],
    compare: impl Fn(&T, &T) -> std::cmp::Ordering,
    mut pick: impl FnMut(Option<&T>, Option<&T>) -> Option<T>,
) -> Vec<T> {
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        let order = match (left.get(i), right.get(j)) {
            (Some(left), Some(right)) => compare(left, right),
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        let picked = match order {
            std::cmp::Ordering::Less => pick(left.get(i), None),
            std::cmp::Ordering::Equal => pick(left.get(i), right.get(j)),
            std::cmp::Ordering::Greater => pick(None, right.get(j)),
        };
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
        out.extend(picked);
    }
    out
}

/// Prints one path a line.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, path) in self.paths().iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            path.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
