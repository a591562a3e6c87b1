//! Maps with string keys: shared references, sorted by key, changed in place by `set`, `unset` and `merge`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

use super::Value;
use crate::function::{CallError, Signature};
use crate::text::Str;

/// A named type over `map[string]interface {}`, with its methods.
#[derive(Debug)]
pub struct NamedMap {
    /// The type's name as `%T` prints it.
    pub name: &'static str,
    /// The signature of a method.
    pub method: fn(&str) -> Option<&'static Signature>,
    /// Calls a method that exists, with arguments that fit its signature.
    pub call: fn(&Map, &str, &[Value]) -> Result<Value, CallError>,
}

impl PartialEq for NamedMap {
    fn eq(&self, other: &NamedMap) -> bool {
        self.name == other.name
    }
}

impl Eq for NamedMap {}

/// The static type of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`
    Any,
    /// `map[string]string`
    String,
    /// A named type over `map[string]interface {}`, such as `common.Values`.
    NamedAny(&'static NamedMap),
    /// Another type of map with string keys, whose elements have concrete types.
    Named(&'static str),
}

impl MapType {
    /// The type's name as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            MapType::Any => "map[string]interface {}",
            MapType::String => "map[string]string",
            MapType::NamedAny(named) => named.name,
            MapType::Named(name) => name,
        }
    }

    /// Whether elements are held as `interface {}`.
    pub fn is_boxed(self) -> bool {
        self.is_any()
    }

    /// Whether a value of this type may be given where `map[string]interface {}` is wanted.
    pub fn is_any(self) -> bool {
        matches!(self, MapType::Any | MapType::NamedAny(_))
    }

    /// The zero value of an element.
    pub fn zero(self) -> Value {
        match self {
            MapType::String => Value::String(Str::default()),
            MapType::Any | MapType::NamedAny(_) | MapType::Named(_) => Value::Nil,
        }
    }
}

struct Shared {
    map_type: MapType,
    nil: bool,
    entries: RwLock<BTreeMap<Str, Value>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let entries = std::mem::take(self.entries.get_mut());
        if !entries.is_empty() {
            super::drop_flat(entries.into_values().collect());
        }
    }
}

/// A map. Cloning copies the reference, not the entries, as in Go.
#[derive(Clone)]
pub struct Map {
    shared: Arc<Shared>,
    /// Whether this reference is one to a plain `map[string]interface {}`, whatever the map's type.
    is_plain: bool,
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Map {
        Map::typed(MapType::Any, BTreeMap::new())
    }

    /// A `map[string]interface {}` of `entries`; a later one of the same key wins.
    pub fn from_entries(entries: impl IntoIterator<Item = (Str, Value)>) -> Map {
        Map::typed(MapType::Any, entries.into_iter().collect())
    }

    /// A map of the given type.
    pub fn typed(map_type: MapType, entries: BTreeMap<Str, Value>) -> Map {
        Map {
            shared: Arc::new(Shared {
                map_type,
                nil: false,
                entries: RwLock::new(entries),
            }),
            is_plain: false,
        }
    }

    /// The nil map of a type. Writing to it is an error in Go; see [`Map::insert`].
    pub fn nil(map_type: MapType) -> Map {
        Map {
            shared: Arc::new(Shared {
                map_type,
                nil: true,
                entries: RwLock::new(BTreeMap::new()),
            }),
            is_plain: false,
        }
    }

    /// The static type.
    pub fn map_type(&self) -> MapType {
        if self.is_plain {
            MapType::Any
        } else {
            self.shared.map_type
        }
    }

    /// The same map, referred to as the `map[string]interface {}` that is underneath a named type.
    pub fn as_plain(&self) -> Map {
        Map {
            shared: Arc::clone(&self.shared),
            is_plain: self.shared.map_type.is_any(),
        }
    }

    /// Whether this is the nil map.
    pub fn is_nil(&self) -> bool {
        self.shared.nil
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.shared.entries.read().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.shared.entries.read().is_empty()
    }

    /// The value of `key`.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.shared.entries.read().get(key.as_ref()).cloned()
    }

    /// Whether there is an entry for `key`.
    pub fn contains_key(&self, key: impl AsRef<[u8]>) -> bool {
        self.shared.entries.read().contains_key(key.as_ref())
    }

    /// Sets an entry; all holders of this map see it. Returns whether it could: the nil map cannot.
    pub fn insert(&self, key: impl Into<Str>, value: Value) -> bool {
        if self.shared.nil {
            return false;
        }
        // The old value is dropped after the lock is released: it may hold this very map.
        let old = self.shared.entries.write().insert(key.into(), value);
        drop(old);
        true
    }

    /// Removes an entry; all holders of this map see it.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.shared.entries.write().remove(key.as_ref())
    }

    /// The entries in the order of their keys, as they are now.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        let entries = self.shared.entries.read();
        entries
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The keys in order.
    pub fn keys(&self) -> Vec<Str> {
        self.shared.entries.read().keys().cloned().collect()
    }

    /// A new map of the same type with the same entries; values are shared.
    pub fn shallow_copy(&self) -> Map {
        Map::typed(self.map_type(), self.shared.entries.read().clone())
    }

    /// Takes the values out if nobody else holds the map.
    pub(super) fn take_if_unshared(&mut self) -> Vec<Value> {
        Arc::get_mut(&mut self.shared).map_or_else(Vec::new, |shared| {
            std::mem::take(shared.entries.get_mut())
                .into_values()
                .collect()
        })
    }

    /// Whether two references are to the same map.
    pub fn is_same(&self, other: &Map) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// A number that tells this map from others while it lives: its address, as `%p` prints it.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.shared).cast::<u8>() as usize
    }
}

impl Default for Map {
    fn default() -> Self {
        Map::new()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Value::Map(self.clone()), f)
    }
}
