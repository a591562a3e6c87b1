//! What happens in the store, as one stream for a controller.

use std::collections::HashMap;
use std::sync::Arc;

use object::GroupResource;
use tokio::sync::watch;

use crate::core::Core;
use crate::store::{Event, EventKind, Range};

/// At most this many events of a resource are taken at a time.
const BATCH: usize = 1000;

/// An event and the resource it is of.
pub(super) type Happening = (GroupResource, Arc<Event>);

/// The events of some resources. It begins with all objects that there are, as `Added`; where events
/// were missed it begins anew for that resource.
pub(super) struct Feed {
    core: Arc<Core>,
    wanted: fn(&GroupResource) -> bool,
    seen: HashMap<GroupResource, i64>,
    changed: watch::Receiver<i64>,
}

impl Feed {
    /// A feed of the resources that are `wanted`.
    pub(super) fn new(core: &Arc<Core>, wanted: fn(&GroupResource) -> bool) -> Self {
        Self {
            changed: core.store.subscribe(),
            core: Arc::clone(core),
            wanted,
            seen: HashMap::new(),
        }
    }

    /// The next events, of each resource in order; `None` when the server ends.
    pub(super) async fn next(&mut self) -> Option<Vec<Happening>> {
        let shutdown = self.core.shutdown.clone();
        loop {
            self.changed.borrow_and_update();
            let events = self.take();
            if !events.is_empty() {
                return Some(events);
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                changed = self.changed.changed() => changed.ok()?,
            }
        }
    }

    fn take(&mut self) -> Vec<Happening> {
        let mut out = Vec::new();
        for resource in self.core.store.resources() {
            if !(self.wanted)(&resource) {
                continue;
            }
            let bucket = self.core.store.bucket(&resource);
            let seen = self.seen.get(&resource).copied();
            if seen.is_some_and(|seen| seen >= bucket.last_change()) {
                continue;
            }
            let events = seen.and_then(|seen| bucket.events_since(seen, BATCH).ok());
            let events = events.unwrap_or_else(|| {
                let listed = bucket.list(&Range::all());
                self.seen.insert(resource.clone(), listed.revision);
                let added =
                    |stored: Arc<_>| Event::new(listed.revision, EventKind::Added, stored, None);
                listed
                    .objects
                    .into_iter()
                    .map(|stored| Arc::new(added(stored)))
                    .collect()
            });
            if let Some(last) = events.last() {
                let seen = self.seen.entry(resource.clone()).or_default();
                *seen = last.revision.max(*seen);
            }
            out.extend(events.into_iter().map(|event| (resource.clone(), event)));
        }
        out
    }
}
