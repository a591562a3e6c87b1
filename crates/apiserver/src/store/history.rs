//! What lately happened to the objects of one resource.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::encode::Stored;

/// The revision of an empty store.
pub(super) const FIRST_REVISION: i64 = 2;

/// How many events of a resource are kept at most.
const MAX_EVENTS: usize = 10_000;
/// How many are kept however old they are.
const MIN_EVENTS: usize = 100;
/// How many bytes of overwritten objects are kept at most.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How long events are kept at least, as long as the bounds allow (kube-apiserver compacts etcd
/// every five minutes).
const MAX_AGE: Duration = Duration::from_secs(300);

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It was created.
    Added,
    /// It was changed.
    Modified,
    /// It was removed.
    Deleted,
}

/// One write.
#[derive(Debug)]
pub struct Event {
    /// The revision of the write.
    pub revision: i64,
    /// What kind of write it was.
    pub kind: EventKind,
    /// The object after it; for a removal its last state, with the removal's revision.
    pub object: Arc<Stored>,
    /// The object before it.
    pub previous: Option<Arc<Stored>>,
    /// The line that watchers without selectors get; made once for all of them.
    line: OnceLock<Bytes>,
    at: Instant,
}

/// The revision asked for is no longer remembered; the oldest that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The oldest revision from which all events are known.
    pub oldest: i64,
}

impl Event {
    pub(crate) fn new(
        revision: i64,
        kind: EventKind,
        object: Arc<Stored>,
        previous: Option<Arc<Stored>>,
    ) -> Self {
        Self {
            revision,
            kind,
            object,
            previous,
            line: OnceLock::new(),
            at: Instant::now(),
        }
    }

    /// The line for watchers that see every event in the stored version.
    pub fn line(&self) -> Bytes {
        self.line
            .get_or_init(|| {
                let name: &[u8] = match self.kind {
                    EventKind::Added => b"ADDED",
                    EventKind::Modified => b"MODIFIED",
                    EventKind::Deleted => b"DELETED",
                };
                frame(name, &self.object.raw)
            })
            .clone()
    }
}

/// One line of a watch: `{"type":…,"object":…}`.
pub(crate) fn frame(kind: &[u8], object: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(object.len() + kind.len() + 24);
    line.extend_from_slice(b"{\"type\":\"");
    line.extend_from_slice(kind);
    line.extend_from_slice(b"\",\"object\":");
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}

/// A bounded window of events.
pub(super) struct History {
    events: VecDeque<Arc<Event>>,
    /// All events after this revision are in the window.
    oldest: i64,
    bytes: usize,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            events: VecDeque::new(),
            // What came before the first object was made is not remembered.
            oldest: FIRST_REVISION,
            bytes: 0,
        }
    }

    pub(super) fn push(&mut self, event: Arc<Event>) {
        self.bytes += weight(&event);
        self.events.push_back(event);
        while self.is_over_bounds() {
            self.forget_oldest();
        }
    }

    fn is_over_bounds(&self) -> bool {
        let Some(first) = self.events.front() else {
            return false;
        };
        self.events.len() > MAX_EVENTS
            || (self.bytes > MAX_BYTES && self.events.len() > 1)
            || (self.events.len() > MIN_EVENTS && first.at.elapsed() > MAX_AGE)
    }

    fn forget_oldest(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.bytes -= weight(&event);
            self.oldest = event.revision;
        }
    }

    pub(super) fn compact(&mut self, revision: i64) {
        while self
            .events
            .front()
            .is_some_and(|event| event.revision <= revision)
        {
            self.forget_oldest();
        }
        self.oldest = self.oldest.max(revision);
    }

    /// The events after a revision.
    pub(super) fn since(
        &self,
        revision: i64,
    ) -> Result<impl DoubleEndedIterator<Item = &Arc<Event>>, Gap> {
        if revision < self.oldest {
            return Err(Gap {
                oldest: self.oldest,
            });
        }
        let from = self
            .events
            .partition_point(|event| event.revision <= revision);
        Ok(self.events.range(from..))
    }
}

/// The bytes an event holds that the index does not: the object it replaced or removed.
fn weight(event: &Event) -> usize {
    let removed = if event.kind == EventKind::Deleted {
        event.object.raw.len()
    } else {
        0
    };
    removed + event.previous.as_ref().map_or(0, |old| old.raw.len()) + 128
}
