//! The state of the memory: decisions over plain values.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use api::meta::ObjectId;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use object::{GroupKind, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::entry::{Entry, Latest, Told};
use super::live::{bits_of, excluded, version_of};
use super::{Digest, Drift, Key, Known, Live, Policy};
use crate::options::Selection;
use crate::owner::Owner;
use crate::rest::Resource;

/// How long a kind is still watched after the last object of it is forgotten.
pub(super) const LINGER: Duration = Duration::from_secs(30);
/// How far the watch of a kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first list is not in.
    Opening,
    /// The objects are known.
    Synced,
    /// The objects may not be listed.
    Refused,
}

#[derive(Default)]
pub(super) struct State {
    kinds: Vec<Kind>,
    places: HashMap<GroupKind, usize>,
    owners: HashMap<Arc<Owner>, Vec<(usize, Arc<Key>)>>,
    hasher: RandomState,
}

struct Kind {
    name: GroupKind,
    entries: HashMap<Arc<Key>, Entry>,
    /// The versions of all objects that are there, by the hash of their key.
    live: HashMap<u64, u64>,
    /// Those that are to be left alone.
    excluded: HashMap<u64, u8>,
    /// The objects of the list that is coming in, and those applied meanwhile.
    listing: Option<HashMap<u64, u64>>,
    phase: watch::Sender<Phase>,
    stop: Option<CancellationToken>,
    /// Whether it will be looked in a while whether the watch is still needed.
    is_closing: bool,
    /// Whether it is watched also when nothing of it was applied.
    is_kept: bool,
}

impl State {
    fn hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key)
    }

    fn place(&mut self, name: &GroupKind) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.kinds.push(Kind {
            name: name.clone(),
            entries: HashMap::new(),
            live: HashMap::new(),
            excluded: HashMap::new(),
            listing: None,
            phase: watch::Sender::new(Phase::Opening),
            stop: None,
            is_closing: false,
            is_kept: false,
        });
        let place = self.kinds.len() - 1;
        self.places.insert(name.clone(), place);
        place
    }

    /// The progress of the watch of a kind; if there is none yet, also what is needed to start one.
    pub(super) fn open(
        &mut self,
        resource: &Resource,
    ) -> (watch::Receiver<Phase>, Option<(usize, CancellationToken)>) {
        let place = self.place(&resource.gvk.group_kind());
        let kind = &mut self.kinds[place];
        let mut start = None;
        if kind.stop.is_none() {
            let stop = CancellationToken::new();
            kind.stop = Some(stop.clone());
            kind.phase.send_replace(Phase::Opening);
            start = Some((place, stop));
        }
        (kind.phase.subscribe(), start)
    }

    /// Watches a kind for as long as the memory lives.
    pub(super) fn hold(&mut self, resource: &Resource) {
        let place = self.place(&resource.gvk.group_kind());
        self.kinds[place].is_kept = true;
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the facts of one decision, asked for in one place"
    )]
    pub(super) fn begin(
        &mut self,
        owner: &Arc<Owner>,
        resource: &Resource,
        key: &Key,
        digest: Digest,
        exclusions: &Selection,
        policy: &Arc<Policy>,
        is_watching: bool,
    ) -> (Known, Option<(usize, Arc<Key>)>) {
        let hash = self.hash(key);
        let place = self.place(&resource.gvk.group_kind());
        let kind = &mut self.kinds[place];
        let is_synced = *kind.phase.borrow() == Phase::Synced && is_watching;
        let mut known = Known::default();
        let bits = bits_of(exclusions);
        if is_synced && let Some(bits) = bits {
            known.exists = Some(kind.live.contains_key(&hash));
            known.is_excluded = kind
                .excluded
                .get(&hash)
                .is_some_and(|found| found & bits != 0);
            known.version = kind.live.get(&hash).copied().unwrap_or(0);
        }
        let entry = kind.entries.get(key);
        let is_alike =
            |entry: &Entry| Arc::ptr_eq(&entry.policy, policy) || *entry.policy == **policy;
        let is_same = entry.is_some_and(|entry| {
            entry.owner == *owner && entry.digest == Some(digest) && is_alike(entry)
        });
        if let Some(entry) = entry {
            known.is_update =
                entry.owner == *owner && entry.digest.is_some() && entry.digest != Some(digest);
            if let Some(live) = &entry.live {
                known.version = known.version.max(live.version);
            }
            let is_trusted = is_synced && !entry.is_in_flight && entry.live.is_some();
            known.is_clean = is_same && is_trusted && !entry.is_dirty && known.exists == Some(true);
            known.is_drift = is_same && entry.is_dirty;
        }
        if known.is_clean || known.is_excluded {
            return (known, None);
        }
        let (key, entry) = kind.entry(key, owner, policy);
        entry.is_in_flight = true;
        entry.latest = Latest::Nothing;
        entry.owner = Arc::clone(owner);
        entry.policy = Arc::clone(policy);
        entry.next = Some(digest);
        (known, Some((place, key)))
    }

    pub(super) fn done(
        &mut self,
        place: usize,
        key: &Arc<Key>,
        answer: &Value,
        corrected: bool,
    ) -> Told {
        let hash = self.hash(key);
        let kind = &mut self.kinds[place];
        let name = kind.name.clone();
        let entry = kind.entries.get_mut(key)?;
        let live = Live::of(answer, &entry.policy);
        let newer = |known: &mut u64| *known = live.version.max(*known);
        newer(kind.live.entry(hash).or_default());
        if let Some(listing) = &mut kind.listing {
            newer(listing.entry(hash).or_default());
        }
        entry.digest = entry.next.take();
        entry.is_in_flight = false;
        entry.is_dirty = false;
        if corrected {
            entry.count_correction();
        }
        let version = live.version;
        entry.is_ready &= entry
            .live
            .as_ref()
            .is_some_and(|was| was.version == version);
        entry.live = Some(live);
        // What the watch told meanwhile matters if it is newer than the answer.
        entry.catch_up(&name, key, &mut kind.live, hash)
    }

    /// The object was not applied; `is_certain` says that it is as it was before.
    pub(super) fn failed(&mut self, place: usize, key: &Arc<Key>, is_certain: bool) -> Told {
        let hash = self.hash(key);
        let kind = &mut self.kinds[place];
        let name = kind.name.clone();
        let entry = kind.entries.get_mut(key)?;
        entry.is_in_flight = false;
        entry.next = None;
        if !is_certain {
            entry.digest = None;
        }
        entry.catch_up(&name, key, &mut kind.live, hash)
    }

    /// The watch has begun to list.
    pub(super) fn begin_list(&mut self, place: usize) {
        self.kinds[place].listing = Some(HashMap::new());
    }

    /// The watch has told of an object.
    pub(super) fn observe(&mut self, place: usize, metadata: &ObjectMeta) -> Told {
        let key = key_of(metadata);
        let hash = self.hash(&key);
        let kind = &mut self.kinds[place];
        let version = version_of(metadata);
        kind.live.insert(hash, version);
        if let Some(listing) = &mut kind.listing {
            listing.insert(hash, version);
        }
        match excluded(metadata) {
            0 => drop(kind.excluded.remove(&hash)),
            bits => drop(kind.excluded.insert(hash, bits)),
        }
        let (key, entry) = kind.entries.get_key_value(&key)?;
        let key = Arc::clone(key);
        let live = Live::of_metadata(metadata, &entry.policy);
        let name = kind.name.clone();
        let entry = kind.entries.get_mut(&key)?;
        if entry.is_in_flight {
            entry.latest = Latest::State(live);
            return None;
        }
        entry.change(&name, &key, Some(live))
    }

    /// The watch has told that an object is gone.
    pub(super) fn remove(&mut self, place: usize, metadata: &ObjectMeta) -> Told {
        let key = key_of(metadata);
        let version = version_of(metadata);
        self.vanish(place, &key, version)
    }

    fn vanish(&mut self, place: usize, key: &Key, version: u64) -> Told {
        let hash = self.hash(key);
        let kind = &mut self.kinds[place];
        let is_newer = |known: &u64| version == 0 || *known == 0 || version >= *known;
        // An object that was made anew is newer than the end of the old one.
        if kind.live.get(&hash).is_some_and(|known| !is_newer(known)) {
            return None;
        }
        kind.live.remove(&hash);
        kind.excluded.remove(&hash);
        let name = kind.name.clone();
        let (key, _) = kind.entries.get_key_value(key)?;
        let key = Arc::clone(key);
        let entry = kind.entries.get_mut(&key)?;
        if entry.is_in_flight {
            entry.latest = Latest::Gone(version);
            return None;
        }
        entry.change(&name, &key, None)
    }

    /// The list is complete: what was not in it is gone.
    pub(super) fn end_list(&mut self, place: usize) -> Vec<(Drift, Duration)> {
        let kind = &mut self.kinds[place];
        let Some(listed) = kind.listing.take() else {
            return Vec::new();
        };
        kind.live.retain(|hash, _| listed.contains_key(hash));
        kind.excluded.retain(|hash, _| listed.contains_key(hash));
        let keys: Vec<Arc<Key>> = kind.entries.keys().cloned().collect();
        let gone: Vec<Arc<Key>> = keys
            .into_iter()
            .filter(|key| !listed.contains_key(&self.hasher.hash_one(&**key)))
            .collect();
        let told = gone
            .iter()
            .filter_map(|key| self.vanish(place, key, 0))
            .collect();
        self.kinds[place].phase.send_replace(Phase::Synced);
        told
    }

    /// The objects may not be listed, or the kind is no longer served.
    pub(super) fn refuse(&mut self, place: usize) {
        self.kinds[place].phase.send_replace(Phase::Refused);
    }

    pub(super) fn is_present(&self, id: &ObjectId) -> bool {
        let name = GroupKind::new(id.group.as_str(), id.kind.as_str());
        let Some(kind) = self.places.get(&name).map(|place| &self.kinds[*place]) else {
            return false;
        };
        let is_synced = *kind.phase.borrow() == Phase::Synced;
        let entry = kind.entries.get(&key_of_id(id));
        is_synced
            && entry.is_some_and(|entry| {
                !entry.is_in_flight
                    && !entry.is_dirty
                    && entry.live.as_ref().is_some_and(|live| !live.is_terminating)
            })
    }

    pub(super) fn version_of(&self, id: &ObjectId) -> u64 {
        let name = GroupKind::new(id.group.as_str(), id.kind.as_str());
        let kind = self.places.get(&name).map(|place| &self.kinds[*place]);
        let entry = kind.and_then(|kind| kind.entries.get(&key_of_id(id)));
        entry
            .and_then(|entry| entry.live.as_ref())
            .map_or(0, |live| live.version)
    }

    pub(super) fn exists(&self, resource: &Resource, key: &Key) -> Option<bool> {
        let place = self.places.get(&resource.gvk.group_kind())?;
        let kind = &self.kinds[*place];
        let is_synced = *kind.phase.borrow() == Phase::Synced;
        is_synced.then(|| kind.live.contains_key(&self.hash(key)))
    }

    fn entry_of(&mut self, id: &ObjectId) -> Option<&mut Entry> {
        let name = GroupKind::new(id.group.as_str(), id.kind.as_str());
        let place = *self.places.get(&name)?;
        self.kinds[place].entries.get_mut(&key_of_id(id))
    }

    pub(super) fn is_ready(&mut self, id: &ObjectId) -> bool {
        self.is_present(id) && self.entry_of(id).is_some_and(|entry| entry.is_ready)
    }

    pub(super) fn ready(&mut self, id: &ObjectId) {
        if let Some(entry) = self.entry_of(id) {
            entry.is_ready = true;
        }
    }

    pub(super) fn add(&mut self, owner: &Arc<Owner>, ids: &[&ObjectId]) {
        let mut known: HashSet<(usize, Arc<Key>)> =
            self.owners.remove(owner).into_iter().flatten().collect();
        known.extend(self.held(owner, ids));
        self.owners
            .insert(Arc::clone(owner), known.into_iter().collect());
    }

    /// The entries of these objects that are the owner's.
    fn held(&self, owner: &Arc<Owner>, ids: &[&ObjectId]) -> Vec<(usize, Arc<Key>)> {
        let mut kept = Vec::with_capacity(ids.len());
        for id in ids {
            let name = GroupKind::new(id.group.as_str(), id.kind.as_str());
            let Some(place) = self.places.get(&name) else {
                continue;
            };
            let found = self.kinds[*place].entries.get_key_value(&key_of_id(id));
            if let Some((key, entry)) = found
                && entry.owner == *owner
            {
                kept.push((*place, Arc::clone(key)));
            }
        }
        kept
    }

    pub(super) fn keep(&mut self, owner: &Arc<Owner>, ids: &[&ObjectId]) {
        let kept = self.held(owner, ids);
        let known: HashSet<(usize, Arc<Key>)> = kept.iter().cloned().collect();
        for (place, key) in self.owners.remove(owner).into_iter().flatten() {
            if !known.contains(&(place, Arc::clone(&key))) {
                self.kinds[place].forget(&key, owner);
            }
        }
        self.owners.insert(Arc::clone(owner), kept);
    }

    pub(super) fn forget(&mut self, owner: &Owner) {
        for (place, key) in self.owners.remove(owner).into_iter().flatten() {
            self.kinds[place].forget(&key, owner);
        }
    }

    pub(super) fn distrust(&mut self, owner: &Owner, id: &ObjectId) {
        if let Some(entry) = self.entry_of(id).filter(|entry| *entry.owner == *owner) {
            entry.digest = None;
        }
    }

    pub(super) fn gone(&mut self, id: &ObjectId) {
        let name = GroupKind::new(id.group.as_str(), id.kind.as_str());
        if let Some(place) = self.places.get(&name) {
            self.kinds[*place].entries.remove(&key_of_id(id));
        }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        let entries = self.kinds.iter().map(|kind| kind.entries.len()).sum();
        let is_watched = |kind: &&Kind| kind.stop.is_some() && !kind.is_kept;
        let watched = self.kinds.iter().filter(is_watched).count();
        (entries, watched)
    }

    /// The kinds that have come to be watched for nothing.
    pub(super) fn unused(&mut self) -> Vec<usize> {
        let mut unused = Vec::new();
        for (place, kind) in self.kinds.iter_mut().enumerate() {
            if kind.stop.is_some() && kind.entries.is_empty() && !kind.is_closing && !kind.is_kept {
                kind.is_closing = true;
                unused.push(place);
            }
        }
        unused
    }

    /// Ends the watches of those of the kinds that are still watched for nothing.
    pub(super) fn close(&mut self, places: &[usize]) {
        for place in places {
            let kind = &mut self.kinds[*place];
            kind.is_closing = false;
            if kind.entries.is_empty()
                && !kind.is_kept
                && let Some(stop) = kind.stop.take()
            {
                stop.cancel();
                kind.live = HashMap::new();
                kind.excluded = HashMap::new();
                kind.listing = None;
                kind.phase.send_replace(Phase::Opening);
            }
        }
    }

    /// Whether the watch with this token is still the one of the kind.
    pub(super) fn is_current(&self, place: usize, stop: &CancellationToken) -> bool {
        !stop.is_cancelled() && self.kinds[place].stop.is_some()
    }
}

impl Kind {
    /// The entry of an object, made if there is none.
    fn entry(
        &mut self,
        key: &Key,
        owner: &Arc<Owner>,
        policy: &Arc<Policy>,
    ) -> (Arc<Key>, &mut Entry) {
        let key = match self.entries.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => Arc::new(key.clone()),
        };
        let entry = self
            .entries
            .entry(Arc::clone(&key))
            .or_insert_with(|| Entry::new(owner, policy));
        (key, entry)
    }

    fn forget(&mut self, key: &Arc<Key>, owner: &Owner) {
        if self
            .entries
            .get(key)
            .is_some_and(|entry| *entry.owner == *owner)
        {
            self.entries.remove(key);
        }
    }
}

fn key_of(metadata: &ObjectMeta) -> Key {
    Key {
        namespace: metadata.namespace.as_deref().unwrap_or_default().into(),
        name: metadata.name.as_deref().unwrap_or_default().into(),
    }
}

fn key_of_id(id: &ObjectId) -> Key {
    Key {
        namespace: id.namespace.as_str().into(),
        name: id.name.as_str().into(),
    }
}

#[cfg(test)]
mod tests;
