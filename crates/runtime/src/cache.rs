//! The objects of one kind as they are known here.
//!
//! A watch feeds the cache, and so does every write of our own ([`Cache::observe`]): who reads after a
//! write sees it, and the objects that wait for the change are woken before the watch tells of it. Changes
//! are told in order; the resource version decides which state is newer.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use api::meta::Object;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::{Kind, ObjectKey};

/// A change of an object.
#[derive(Debug)]
pub struct Change<'a, S: Kind> {
    /// Which object.
    pub key: &'a ObjectKey,
    /// As it was; `None` when it is new here.
    pub old: Option<&'a Arc<Object<S>>>,
    /// As it is; `None` when it is gone.
    pub new: Option<&'a Arc<Object<S>>>,
    /// Whether it comes from the first list, and nothing has happened to the object.
    pub is_initial: bool,
}

type Listener<S> = Arc<dyn Fn(&Change<'_, S>) + Send + Sync>;

/// The objects of one kind.
pub struct Cache<S: Kind> {
    state: RwLock<State<S>>,
    // Held while a change is made and told, so that listeners hear of changes in order.
    order: Mutex<()>,
    listeners: RwLock<Vec<Listener<S>>>,
    synced: watch::Sender<bool>,
}

struct State<S: Kind> {
    objects: BTreeMap<ObjectKey, (u64, Arc<Object<S>>)>,
    /// The newest version that the watch has told of.
    watched: u64,
    /// Keys of the list that is coming in, and of our own writes meanwhile.
    listing: Option<HashSet<ObjectKey>>,
}

impl<S: Kind> Default for Cache<S> {
    fn default() -> Self {
        Self {
            state: RwLock::new(State {
                objects: BTreeMap::new(),
                watched: 0,
                listing: None,
            }),
            order: Mutex::new(()),
            listeners: RwLock::new(Vec::new()),
            synced: watch::Sender::new(false),
        }
    }
}

/// The version as a number, by which states of one kind can be ordered; 0 if it is none.
fn version<S: Kind>(object: &Object<S>) -> u64 {
    object
        .metadata
        .resource_version
        .as_deref()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

impl<S: Kind> Cache<S> {
    /// The object, if it is there.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Object<S>>> {
        self.state
            .read()
            .objects
            .get(key)
            .map(|(_, object)| Arc::clone(object))
    }

    /// All objects, by namespace and name.
    pub fn list(&self) -> Vec<Arc<Object<S>>> {
        self.state
            .read()
            .objects
            .values()
            .map(|(_, object)| Arc::clone(object))
            .collect()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.state.read().objects.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until the first list is in.
    pub async fn synced(&self) {
        // The sender lives as long as `self`.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Whether the first list is in.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Calls `listener` with every change, and now with every object that is there.
    ///
    /// It is called with a lock held: it may read this cache, but not write to it, and must not take long.
    pub fn listen(&self, listener: impl Fn(&Change<'_, S>) + Send + Sync + 'static) {
        let listener: Listener<S> = Arc::new(listener);
        let _order = self.order.lock();
        for object in self.list() {
            let key = ObjectKey::of(&object);
            listener(&Change {
                key: &key,
                old: None,
                new: Some(&object),
                is_initial: true,
            });
        }
        self.listeners.write().push(listener);
    }

    /// An index of the objects by the words that `extract` finds in them.
    pub fn index(
        &self,
        extract: impl Fn(&Object<S>) -> Vec<String> + Send + Sync + 'static,
    ) -> Index {
        let index = Index::default();
        let shared = Arc::clone(&index.0);
        self.listen(move |change| {
            let mut map = shared.write();
            for word in change.old.map(|old| extract(old)).unwrap_or_default() {
                if let Some(keys) = map.get_mut(&word) {
                    keys.remove(change.key);
                    if keys.is_empty() {
                        map.remove(&word);
                    }
                }
            }
            for word in change.new.map(|new| extract(new)).unwrap_or_default() {
                map.entry(word).or_default().insert(change.key.clone());
            }
        });
        index
    }

    /// Takes in what the API server answered to a write of our own, unless something newer is known.
    pub fn observe(&self, object: Object<S>) {
        let (key, version) = (ObjectKey::of(&object), version(&object));
        let _order = self.order.lock();
        {
            let mut state = self.state.write();
            let newer = match state.objects.get(&key) {
                Some((known, _)) => version > *known,
                None => version > state.watched,
            };
            if !newer {
                return;
            }
            if let Some(listing) = &mut state.listing {
                listing.insert(key.clone());
            }
        }
        self.put(key, version, object, false);
    }

    /// The watch has begun to list.
    pub(crate) fn begin_list(&self) {
        self.state.write().listing = Some(HashSet::new());
    }

    /// The watch has told of an object.
    pub(crate) fn apply(&self, object: Object<S>) {
        let (key, version) = (ObjectKey::of(&object), version(&object));
        let _order = self.order.lock();
        {
            let mut state = self.state.write();
            state.watched = state.watched.max(version);
            if let Some(listing) = &mut state.listing {
                listing.insert(key.clone());
            }
            // Zero: the server's versions are no numbers, and cannot be compared.
            if let Some((known, _)) = state.objects.get(&key)
                && version <= *known
                && version != 0
            {
                return;
            }
        }
        let is_initial = !self.is_synced();
        self.put(key, version, object, is_initial);
    }

    /// The watch has told that an object is gone.
    pub(crate) fn remove(&self, key: &ObjectKey, version: u64) {
        let _order = self.order.lock();
        {
            let mut state = self.state.write();
            state.watched = state.watched.max(version);
        }
        self.take(key);
    }

    /// The list is complete: what was not in it is gone.
    pub(crate) fn end_list(&self) {
        let order = self.order.lock();
        let gone: Vec<ObjectKey> = {
            let mut state = self.state.write();
            let listed = state.listing.take().unwrap_or_default();
            state
                .objects
                .keys()
                .filter(|key| !listed.contains(*key))
                .cloned()
                .collect()
        };
        for key in &gone {
            self.take(key);
        }
        drop(order);
        self.synced.send_replace(true);
    }

    fn put(&self, key: ObjectKey, version: u64, object: Object<S>, is_initial: bool) {
        let object = Arc::new(object);
        let old = self
            .state
            .write()
            .objects
            .insert(key.clone(), (version, Arc::clone(&object)));
        let old = old.map(|(_, old)| old);
        self.tell(&Change {
            key: &key,
            old: old.as_ref(),
            new: Some(&object),
            is_initial,
        });
    }

    fn take(&self, key: &ObjectKey) {
        let old = self.state.write().objects.remove(key);
        if let Some((_, old)) = old {
            self.tell(&Change {
                key,
                old: Some(&old),
                new: None,
                is_initial: false,
            });
        }
    }

    fn tell(&self, change: &Change<'_, S>) {
        let listeners = self.listeners.read().clone();
        for listener in listeners {
            listener(change);
        }
    }
}

/// Which objects hold a word.
#[derive(Clone, Debug, Default)]
pub struct Index(Arc<RwLock<BTreeMap<String, BTreeSet<ObjectKey>>>>);

impl Index {
    /// The objects that hold `word`.
    pub fn get(&self, word: &str) -> Vec<ObjectKey> {
        self.0
            .read()
            .get(word)
            .map(|keys| keys.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// How many objects hold `word`.
    pub fn count(&self, word: &str) -> usize {
        self.0.read().get(word).map_or(0, BTreeSet::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::kustomize::v1::{Kustomization, KustomizationSpec};

    fn object(name: &str, version: u64, path: &str) -> Kustomization {
        let spec = KustomizationSpec {
            path: Some(path.to_owned()),
            ..Default::default()
        };
        let mut object = Kustomization::new("ns", name, spec);
        object.metadata.resource_version = Some(version.to_string());
        object
    }

    fn recorded(cache: &Cache<KustomizationSpec>) -> Arc<Mutex<Vec<String>>> {
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&log);
        let path = |o: Option<&Arc<Kustomization>>| {
            o.and_then(|o| o.spec.path.clone())
                .unwrap_or_else(|| "-".to_owned())
        };
        cache.listen(move |change| {
            shared.lock().push(format!(
                "{} {}>{}",
                change.key.name,
                path(change.old),
                path(change.new)
            ));
        });
        log
    }

    #[test]
    fn what_is_older_is_not_taken_in() {
        let cache = Cache::default();
        let log = recorded(&cache);
        cache.apply(object("a", 5, "five"));
        cache.observe(object("a", 7, "seven"));
        cache.apply(object("a", 6, "six"));
        cache.apply(object("a", 7, "seven"));
        cache.observe(object("a", 6, "six"));
        cache.apply(object("a", 8, "eight"));
        assert_eq!(*log.lock(), ["a ->five", "a five>seven", "a seven>eight"]);
    }

    #[test]
    fn what_was_deleted_does_not_come_back() {
        let cache = Cache::default();
        cache.apply(object("a", 5, "five"));
        cache.remove(&ObjectKey::new("ns", "a"), 9);
        cache.observe(object("a", 8, "a late answer"));
        assert!(cache.is_empty());
        cache.observe(object("a", 10, "made anew"));
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn a_list_removes_what_it_lacks_but_not_what_was_written_meanwhile() {
        let cache = Cache::default();
        for name in ["a", "b"] {
            cache.apply(object(name, 1, name));
        }
        let log = recorded(&cache);
        cache.begin_list();
        cache.apply(object("a", 1, "a"));
        cache.observe(object("c", 3, "c"));
        cache.end_list();
        assert_eq!(*log.lock(), ["a ->a", "b ->b", "c ->c", "b b>-"]);
    }

    #[test]
    fn an_index_follows_changes() {
        let cache = Cache::<KustomizationSpec>::default();
        let index =
            cache.index(|object: &Kustomization| object.spec.path.clone().into_iter().collect());
        cache.apply(object("a", 1, "x"));
        cache.apply(object("b", 2, "x"));
        assert_eq!(index.count("x"), 2);
        cache.apply(object("a", 3, "y"));
        cache.remove(&ObjectKey::new("ns", "b"), 4);
        assert_eq!(
            (index.count("x"), index.get("y")),
            (0, vec![ObjectKey::new("ns", "a")])
        );
    }
}
