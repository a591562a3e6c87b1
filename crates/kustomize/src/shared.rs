//! Values that are one node in several places.
//!
//! Upstream's labels and annotations put the same node at every place where the key is new. A later change
//! of one place (a label of an overlay, a replacement, a var, a patch) changes all of them, selectors too.
//! That is kept, for users see it; here the places carry a number ([`Node::shared`]) and are brought in line
//! after each step.

use std::sync::atomic::{AtomicU32, Ordering};

use yaml::{Kind, Node, Text};

use crate::resource::Resource;

/// The numbers of a resource's shared values, with what they were last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shared(Vec<(u32, Text)>);

/// A number that no value has. Only equality counts, and only within one resource.
pub(crate) fn new_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed).max(1)
}

impl Shared {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes that the nodes with `number` are one.
    pub(crate) fn insert(&mut self, number: u32, value: &str) {
        self.0.push((number, value.into()));
    }
}

impl Resource {
    /// Carries a change of one place to the others.
    pub(crate) fn align_shared(&mut self) {
        if self.shared.is_empty() {
            return;
        }
        let mut changed = Vec::new();
        find_changed(&self.node, &self.shared, &mut changed);
        for new in changed {
            spread(&mut self.node, &new);
            for (number, value) in &mut self.shared.0 {
                if *number == new.shared {
                    value.clone_from(&new.value);
                }
            }
        }
    }

    /// Upstream writes all annotations anew when it notes something among them; they are then on their own.
    pub(crate) fn unshare_annotations(&mut self) {
        if self.shared.is_empty() {
            return;
        }
        let annotations = self
            .node
            .get_mut("metadata")
            .and_then(|metadata| metadata.get_mut("annotations"));
        for node in annotations.into_iter().flat_map(|node| &mut node.content) {
            node.shared = 0;
        }
    }
}

fn find_changed(node: &Node, shared: &Shared, changed: &mut Vec<Node>) {
    if node.shared != 0 && node.kind == Kind::Scalar {
        let known = shared.0.iter().find(|(number, _)| *number == node.shared);
        if known.is_some_and(|(_, value)| *value != node.value)
            && changed.iter().all(|other| other.shared != node.shared)
        {
            changed.push(node.clone());
        }
    }
    for child in &node.content {
        find_changed(child, shared, changed);
    }
}

fn spread(node: &mut Node, new: &Node) {
    if node.shared == new.shared && node.kind == Kind::Scalar {
        node.value.clone_from(&new.value);
        node.tag = new.tag.clone();
        node.style = new.style;
    }
    for child in &mut node.content {
        spread(child, new);
    }
}
