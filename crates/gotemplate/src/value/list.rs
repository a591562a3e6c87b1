//! Slices: immutable, with the capacity that `slice` may reach into.

use super::Value;

/// The static type of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// `[]interface {}`
    Any,
    /// `[]string`
    String,
    /// `[]int`
    Int,
    /// `[][]interface {}`
    ListOfAny,
    /// A named or other slice type, such as `[]*chart.Maintainer`; its elements have concrete types.
    Named(&'static str),
}

impl ListType {
    /// The type's name as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            ListType::Any => "[]interface {}",
            ListType::String => "[]string",
            ListType::Int => "[]int",
            ListType::ListOfAny => "[][]interface {}",
            ListType::Named(name) => name,
        }
    }

    /// Whether elements are held as `interface {}`.
    pub fn is_boxed(self) -> bool {
        self == ListType::Any
    }
}

/// A slice of values. Immutable; shared by [`std::sync::Arc`].
#[derive(Clone, Debug)]
pub struct List {
    list_type: ListType,
    /// The elements, then those between length and capacity.
    items: Vec<Value>,
    len: usize,
    nil: bool,
}

impl List {
    /// A slice of all `items`.
    pub fn new(list_type: ListType, items: Vec<Value>) -> List {
        List {
            list_type,
            len: items.len(),
            items,
            nil: false,
        }
    }

    /// The nil slice of a type: empty, and `null` in JSON.
    pub fn nil(list_type: ListType) -> List {
        List {
            list_type,
            items: Vec::new(),
            len: 0,
            nil: true,
        }
    }

    /// The static type.
    pub fn list_type(&self) -> ListType {
        self.list_type
    }

    /// Whether this is the nil slice.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// The elements.
    pub fn items(&self) -> &[Value] {
        &self.items[..self.len]
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Go's `cap`, as far as a template can see it: what a slice of a longer list still reaches.
    pub fn capacity(&self) -> usize {
        self.items.len()
    }

    /// Takes the elements out if nobody else holds the list.
    pub(super) fn take_if_unshared(list: &mut std::sync::Arc<List>) -> Vec<Value> {
        std::sync::Arc::get_mut(list).map_or_else(Vec::new, |list| {
            list.len = 0;
            std::mem::take(&mut list.items)
        })
    }

    /// `list[start:end:max]`; the caller has checked `start ≤ end ≤ max ≤ capacity`.
    pub fn slice(&self, start: usize, end: usize, max: usize) -> List {
        List {
            list_type: self.list_type,
            items: self.items[start..max].to_vec(),
            len: end - start,
            nil: self.nil,
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if !self.items.is_empty() {
            super::drop_flat(std::mem::take(&mut self.items));
        }
    }
}
