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

    /// The zero value of an element.
    fn zero(self) -> Value {
        match self {
            ListType::String => Value::from(""),
            ListType::Int => Value::int(0),
            _ => Value::Nil,
        }
    }
}

/// A slice of values. Immutable; shared by [`std::sync::Arc`].
///
/// Go's slices have a capacity, and templates can slice into it. What lies between length and capacity is
/// kept where it is something, and is zero values otherwise.
#[derive(Clone, Debug)]
pub struct List {
    element_type: ListType,
    /// The elements, then those beyond the length that are something.
    items: Vec<Value>,
    len: usize,
    capacity: usize,
    nil: bool,
}

impl List {
    /// A slice of all `items`, without room to grow.
    pub fn new(list_type: ListType, items: Vec<Value>) -> List {
        let capacity = items.len();
        List::with_capacity(list_type, items, capacity)
    }

    /// A slice with the given capacity, at least its length.
    pub fn with_capacity(list_type: ListType, items: Vec<Value>, capacity: usize) -> List {
        List {
            element_type: list_type,
            len: items.len(),
            capacity: capacity.max(items.len()),
            items,
            nil: false,
        }
    }

    /// A slice as Go makes it by appending the items one by one to an empty one.
    pub fn grown(list_type: ListType, items: Vec<Value>) -> List {
        let mut capacity = 0;
        while capacity < items.len() {
            capacity = List::capacity_after_append(capacity, capacity);
        }
        List::with_capacity(list_type, items, capacity)
    }

    /// The capacity of a slice of interfaces of length and capacity given, after one more is appended.
    /// Source: runtime `growslice`.
    pub fn capacity_after_append(length: usize, capacity: usize) -> usize {
        let needed = length + 1;
        if needed <= capacity {
            return capacity;
        }
        let wanted = if needed > capacity * 2 {
            needed
        } else if capacity < 256 {
            capacity * 2
        } else {
            let mut wanted = capacity;
            while wanted < needed {
                wanted += (wanted + 3 * 256) >> 2;
            }
            wanted
        };
        round_up_to_size_class(wanted * INTERFACE_SIZE) / INTERFACE_SIZE
    }

    /// The nil slice of a type: empty, and `null` in JSON.
    pub fn nil(list_type: ListType) -> List {
        let mut list = List::new(list_type, Vec::new());
        list.nil = true;
        list
    }

    /// The static type.
    pub fn list_type(&self) -> ListType {
        self.element_type
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

    /// Go's `cap`.
    pub fn capacity(&self) -> usize {
        self.capacity
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
        let known = self.items.len();
        let mut items = self.items[start.min(known)..max.min(known)].to_vec();
        while items.len() < end - start {
            items.push(self.element_type.zero());
        }
        List {
            element_type: self.element_type,
            items,
            len: end - start,
            capacity: max - start,
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

/// Bytes of an `interface {}`.
const INTERFACE_SIZE: usize = 16;

/// Bytes of a page of Go's allocator, to which large sizes are rounded.
const PAGE: usize = 8192;

/// The sizes that Go's allocator gives. Source: internal/runtime/gc `SizeClassToSize`.
const SIZE_CLASSES: [usize; 67] = [
    8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352,
    384, 416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048,
    2304, 2688, 3072, 3200, 3456, 4096, 4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728,
    10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672,
    32768,
];

fn round_up_to_size_class(size: usize) -> usize {
    // Larger objects with pointers carry a header of eight bytes.
    let header = if size > 512 { 8 } else { 0 };
    match SIZE_CLASSES.iter().find(|class| **class >= size + header) {
        Some(class) => class - header,
        None => size.div_ceil(PAGE) * PAGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_grow_as_in_go() {
        let grown = |length: usize| List::grown(ListType::Any, vec![Value::Nil; length]).capacity();
        assert_eq!([0, 1, 2, 3, 5, 9].map(grown), [0, 1, 2, 4, 8, 16]);
        assert_eq!(List::capacity_after_append(3, 3), 6);
        assert_eq!(List::capacity_after_append(5, 5), 10);
    }
}
