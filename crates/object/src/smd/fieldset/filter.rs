//! Filters of sets: what a subresource resets, or what alone it may own.
//!
//! Source: structured-merge-diff `fieldpath/set.go` (`Filter`, `SetMatcher`).

use std::sync::Arc;

use super::{Child, Set};
use crate::smd::path::PathElement;

/// Takes fields out of a set.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Removes these fields and all below them.
    Exclude(Arc<Set>),
    /// Keeps only the fields that the pattern matches.
    Include(Pattern),
}

impl Filter {
    /// The set without what the filter takes out.
    pub fn apply(&self, set: &Set) -> Set {
        match self {
            Self::Exclude(excluded) => set.recursive_difference(excluded),
            Self::Include(pattern) => set.matching(pattern),
        }
    }
}

/// Matches paths by their beginnings.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Every path.
    Any,
    /// Paths whose first element one of these matches, and whose rest the pattern that goes with it.
    OneOf(Vec<(PatternElement, Pattern)>),
}

/// Matches one element of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternElement {
    /// Every element.
    Any,
    /// This element.
    Is(PathElement),
}

impl PatternElement {
    fn matches(&self, element: &PathElement) -> bool {
        match self {
            Self::Any => true,
            Self::Is(wanted) => wanted == element,
        }
    }
}

impl Pattern {
    /// Matches the paths that begin with `elements`.
    pub fn prefix(
        elements: impl IntoIterator<Item = PatternElement, IntoIter: DoubleEndedIterator>,
    ) -> Self {
        elements
            .into_iter()
            .rev()
            .fold(Self::Any, |below, element| {
                Self::OneOf(vec![(element, below)])
            })
    }

    /// Matches what either pattern matches. An element that matches everything hides the others of
    /// its level, as upstream.
    pub fn merge(self, other: Self) -> Self {
        let (Self::OneOf(mut merged), Self::OneOf(other)) = (self, other) else {
            return Self::Any;
        };
        for (element, below) in other {
            match merged.iter().position(|(known, _)| *known == element) {
                Some(index) => {
                    let known = std::mem::replace(&mut merged[index].1, Self::Any);
                    merged[index].1 = known.merge(below);
                }
                None => merged.push((element, below)),
            }
        }
        merged.sort_by_key(|(element, _)| *element != PatternElement::Any);
        Self::OneOf(merged)
    }
}

impl Set {
    /// The members whose paths the pattern matches.
    pub fn matching(&self, pattern: &Pattern) -> Self {
        let Pattern::OneOf(patterns) = pattern else {
            return self.clone();
        };
        let matched = |element: &PathElement| {
            patterns
                .iter()
                .find(|(pattern, _)| pattern.matches(element))
                .map(|(_, below)| below)
        };
        Self {
            members: self
                .members
                .iter()
                .filter(|member| matched(member).is_some())
                .cloned()
                .collect(),
            children: self
                .children
                .iter()
                .filter_map(|child: &Child| {
                    child.with(child.set.matching(matched(&child.element)?))
                })
                .collect(),
        }
    }
}
