//! What is remembered of one object, and what a change of it means.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::meta::ObjectId;
use object::GroupKind;

use super::{Digest, Drift, Key, Live, Policy};
use crate::owner::Owner;

/// So many corrections of an object are made at once; if someone keeps changing it, the pauses grow.
const AT_ONCE: u32 = 3;
/// After so long without a correction an object counts as calm again.
const CALM: Duration = Duration::from_secs(120);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// What is remembered of an object.
pub(super) struct Entry {
    pub(super) owner: Arc<Owner>,
    pub(super) policy: Arc<Policy>,
    /// The manifest that was applied; `None` if nobody knows whether it was.
    pub(super) digest: Option<Digest>,
    /// The manifest that is being applied.
    pub(super) next: Option<Digest>,
    /// How the object stood after it was applied, or when it was last compared.
    pub(super) live: Option<Live>,
    /// What the watch has told of the object while it is being applied.
    pub(super) latest: Latest,
    pub(super) is_in_flight: bool,
    pub(super) is_dirty: bool,
    /// Whether it was seen to be ready since it was last changed.
    pub(super) is_ready: bool,
    pub(super) corrections: u32,
    pub(super) corrected: Option<Instant>,
}

/// What the watch has told of an object while it is being applied.
pub(super) enum Latest {
    Nothing,
    State(Live),
    /// It is gone, as of this version.
    Gone(u64),
}

pub(super) type Told = Option<(Drift, Duration)>;

impl Entry {
    /// An object of which nothing is known.
    pub(super) fn new(owner: &Arc<Owner>, policy: &Arc<Policy>) -> Self {
        Self {
            owner: Arc::clone(owner),
            policy: Arc::clone(policy),
            digest: None,
            next: None,
            live: None,
            latest: Latest::Nothing,
            is_in_flight: false,
            is_dirty: false,
            is_ready: false,
            corrections: 0,
            corrected: None,
        }
    }

    /// Counts a correction.
    pub(super) fn count_correction(&mut self) {
        let is_calm = self.corrected.is_none_or(|last| last.elapsed() > CALM);
        self.corrections = if is_calm { 1 } else { self.corrections + 1 };
        self.corrected = Some(Instant::now());
    }

    /// Takes in what the watch has told while the object was being applied.
    pub(super) fn catch_up(
        &mut self,
        kind: &GroupKind,
        key: &Key,
        versions: &mut HashMap<u64, u64>,
        hash: u64,
    ) -> Told {
        let version = self.live.as_ref().map_or(0, |live| live.version);
        match std::mem::replace(&mut self.latest, Latest::Nothing) {
            Latest::State(latest) if latest.version > version => {
                self.change(kind, key, Some(latest))
            }
            Latest::Gone(end) if end > version => {
                versions.remove(&hash);
                self.change(kind, key, None)
            }
            _ => None,
        }
    }

    /// Takes in what the watch has told; says whom to tell of drift, and after which pause.
    pub(super) fn change(&mut self, kind: &GroupKind, key: &Key, new: Option<Live>) -> Told {
        let applied = self.live.as_ref()?;
        let is_deleted = new.is_none();
        if let Some(new) = new {
            // Of our own write, or of something before it.
            if new.version != 0 && new.version <= applied.version {
                return None;
            }
            let differs = new.differs(applied);
            let is_dirty = self.is_dirty || differs;
            let applied = Live {
                version: new.version,
                is_terminating: new.is_terminating,
                ..applied.clone()
            };
            self.live = Some(applied);
            self.is_dirty = is_dirty;
            if !differs {
                return None;
            }
        } else {
            self.live = None;
            self.is_dirty = true;
        }
        self.digest?;
        let drift = Drift {
            owner: Arc::clone(&self.owner),
            id: ObjectId {
                namespace: key.namespace.to_string(),
                name: key.name.to_string(),
                group: kind.group.clone(),
                kind: kind.kind.clone(),
            },
            is_deleted,
        };
        Some((drift, self.pause()))
    }

    /// How long to wait before the next correction: nothing at first, longer and longer when someone keeps at it.
    fn pause(&self) -> Duration {
        let is_calm = self.corrected.is_none_or(|last| last.elapsed() > CALM);
        if is_calm || self.corrections < AT_ONCE {
            return Duration::ZERO;
        }
        let exponent = (self.corrections - AT_ONCE).min(10);
        Duration::from_secs(1 << exponent).min(LONGEST_PAUSE)
    }
}
