//! What was applied, and how the objects stood just after: so that nothing is applied again that is as it was, and
//! changes made by others are noticed when they happen.
//!
//! One metadata-only watch per kind tells of changes. Whether a change matters is read from the managed fields: who
//! changes or removes a field that we apply takes it out of our entry. So an event that leaves our entry alone (a status,
//! a field that nobody applies) costs a look at the metadata and nothing else.

mod entry;
mod live;
mod state;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use api::meta::ObjectId;
use object::Value;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;

use crate::options::{Cleanup, Selection};
use crate::owner::Owner;
use crate::rest::Resource;
pub(crate) use live::Digest;
use live::Live;
use state::State;
pub(crate) use watch::Pause;

/// How long the first list of a kind may take; without it the live objects are read one by one.
const LIST_DEADLINE: Duration = Duration::from_secs(15);

/// An object is no longer as it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Who applied it.
    pub owner: Arc<Owner>,
    /// The object.
    pub id: ObjectId,
    /// Whether it is gone.
    pub is_deleted: bool,
}

/// What the owner of an object wants to know of it; shared by all objects that are applied alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) field_manager: String,
    pub(crate) cleanup: Cleanup,
}

type Listener = Arc<dyn Fn(Drift) + Send + Sync>;

/// The memory of one API server; cheap to clone.
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    client: kube::Client,
    is_watching: bool,
    state: Mutex<State>,
    listener: RwLock<Option<Listener>>,
    /// The policy that was asked for last; owners mostly have the same.
    policy: Mutex<Option<Arc<Policy>>>,
    stop: CancellationToken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What is known of an object before it is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Whether it is there; `None` if that is not known.
    pub(crate) exists: Option<bool>,
    /// Which of the [`Selection`] of exclusions it has, as far as it is there.
    pub(crate) is_excluded: bool,
    /// Its version, as far as it is known.
    pub(crate) version: u64,
    /// Whether it is as this owner applied it with this manifest.
    pub(crate) is_clean: bool,
    /// Whether this owner applied this manifest, and something has changed since.
    pub(crate) is_drift: bool,
    /// Whether this owner has applied another manifest of it.
    pub(crate) is_update: bool,
}

/// An object that is being applied; its events wait until it is [`done`](InFlight::done).
pub(crate) struct InFlight {
    memory: Memory,
    kind: usize,
    key: Arc<Key>,
    is_done: bool,
    /// Whether the object may have been changed although there was no answer.
    is_uncertain: bool,
}

/// Namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
}

impl Memory {
    /// A memory that follows changes by watches.
    pub(crate) fn watching(client: kube::Client) -> Self {
        Self::new(client, true)
    }

    /// A memory that trusts nothing.
    pub(crate) fn blind(client: kube::Client) -> Self {
        Self::new(client, false)
    }

    fn new(client: kube::Client, is_watching: bool) -> Self {
        Self(Arc::new(Inner {
            client,
            is_watching,
            state: Mutex::default(),
            listener: RwLock::default(),
            policy: Mutex::default(),
            stop: CancellationToken::new(),
        }))
    }

    /// Sets who hears of drift: the function is called from the watches, and must return at once.
    pub fn on_drift(&self, listener: impl Fn(Drift) + Send + Sync + 'static) {
        *self.0.listener.write() = Some(Arc::new(listener));
    }

    /// Whether changes are followed.
    pub fn is_watching(&self) -> bool {
        self.0.is_watching
    }

    /// Forgets an owner and all it has applied, as when it is deleted.
    pub fn forget(&self, owner: &Owner) {
        self.0.state.lock().forget(owner);
        self.close_unused();
    }

    /// Forgets an object, so that it is applied again next time.
    pub fn distrust(&self, owner: &Owner, id: &ObjectId) {
        self.0.state.lock().distrust(owner, id);
    }

    /// How many objects are remembered, and how many kinds are watched for them.
    pub fn size(&self) -> (usize, usize) {
        self.0.state.lock().size()
    }

    /// Makes sure that a kind is watched and its objects are known. Returns whether that is so.
    pub(crate) async fn ready(&self, resource: &Arc<Resource>) -> bool {
        if !self.0.is_watching {
            return false;
        }
        let (mut synced, start) = self.0.state.lock().open(resource);
        if let Some((kind, stop)) = start {
            watch::start(&self.0, kind, resource, stop);
        }
        let ready = synced.wait_for(|phase| *phase != state::Phase::Opening);
        match tokio::time::timeout(LIST_DEADLINE, ready).await {
            Ok(Ok(phase)) => *phase == state::Phase::Synced,
            _ => false,
        }
    }

    /// Whether a namespace is missing. They are watched from the first question on.
    pub(crate) async fn lacks_namespace(&self, resource: &Arc<Resource>, name: &str) -> bool {
        if !self.0.is_watching {
            return false;
        }
        self.0.state.lock().hold(resource);
        let key = Key {
            namespace: "".into(),
            name: name.into(),
        };
        self.ready(resource).await && self.exists(resource, &key) == Some(false)
    }

    /// A policy to be shared.
    pub(crate) fn share(&self, policy: Policy) -> Arc<Policy> {
        let mut last = self.0.policy.lock();
        match &*last {
            Some(known) if **known == policy => Arc::clone(known),
            _ => {
                let policy = Arc::new(policy);
                *last = Some(Arc::clone(&policy));
                policy
            }
        }
    }

    /// Begins to apply an object: what is known of it, and, unless it can be left alone, a guard to be kept until the
    /// answer is there.
    pub(crate) fn begin(
        &self,
        owner: &Arc<Owner>,
        resource: &Arc<Resource>,
        key: &Key,
        digest: Digest,
        exclusions: &Selection,
        policy: &Arc<Policy>,
    ) -> (Known, Option<InFlight>) {
        let mut state = self.0.state.lock();
        let (known, place) = state.begin(
            owner,
            resource,
            key,
            digest,
            exclusions,
            policy,
            self.0.is_watching,
        );
        let flight = place.map(|(kind, key)| InFlight {
            memory: self.clone(),
            kind,
            key,
            is_done: false,
            is_uncertain: false,
        });
        (known, flight)
    }

    /// Whether an object is there, not being deleted, as far as that is known without asking.
    pub(crate) fn is_present(&self, id: &ObjectId) -> bool {
        self.0.is_watching && self.0.state.lock().is_present(id)
    }

    /// The version of an object after it was applied last, or 0.
    pub(crate) fn version_of(&self, id: &ObjectId) -> u64 {
        self.0.state.lock().version_of(id)
    }

    /// Whether an object is there; `None` if that is not known.
    pub(crate) fn exists(&self, resource: &Resource, key: &Key) -> Option<bool> {
        if !self.0.is_watching {
            return None;
        }
        self.0.state.lock().exists(resource, key)
    }

    /// Says which objects an owner has now; the others of it are forgotten.
    pub(crate) fn keep(&self, owner: &Arc<Owner>, ids: &[&ObjectId]) {
        self.0.state.lock().keep(owner, ids);
        self.close_unused();
    }

    /// Says which objects an owner has besides those it is known to have.
    pub(crate) fn add(&self, owner: &Arc<Owner>, ids: &[&ObjectId]) {
        self.0.state.lock().add(owner, ids);
    }

    /// Whether an object was seen to be ready since it was last changed.
    pub(crate) fn is_ready(&self, id: &ObjectId) -> bool {
        self.0.is_watching && self.0.state.lock().is_ready(id)
    }

    /// Says that objects are ready.
    pub(crate) fn are_ready(&self, ids: &[ObjectId]) {
        let mut state = self.0.state.lock();
        for id in ids {
            state.ready(id);
        }
    }

    /// Says that an object is gone.
    pub(crate) fn gone(&self, id: &ObjectId) {
        self.0.state.lock().gone(id);
    }

    /// Ends the watches of kinds of which nothing is remembered, after a while.
    fn close_unused(&self) {
        let unused = self.0.state.lock().unused();
        if unused.is_empty() {
            return;
        }
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(state::LINGER).await;
            if let Some(inner) = inner.upgrade() {
                inner.state.lock().close(&unused);
            }
        });
    }
}

impl Inner {
    fn tell(&self, drift: Drift, after: Duration) {
        let Some(listener) = self.listener.read().clone() else {
            return;
        };
        if after.is_zero() {
            listener(drift);
            return;
        }
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => listener(drift),
                () = stop.cancelled() => {}
            }
        });
    }
}

impl InFlight {
    /// Says whether the object may have been changed although there was no good answer.
    pub(crate) fn set_uncertain(&mut self, is_uncertain: bool) {
        self.is_uncertain = is_uncertain;
    }

    /// The object was applied; `answer` is the object or its metadata.
    pub(crate) fn done(mut self, answer: &Value, corrected: bool) {
        self.is_done = true;
        let drift = {
            let mut state = self.memory.0.state.lock();
            state.done(self.kind, &self.key, answer, corrected)
        };
        if let Some((drift, after)) = drift {
            self.memory.0.tell(drift, after);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let told = {
            let mut state = self.memory.0.state.lock();
            state.failed(self.kind, &self.key, !self.is_uncertain)
        };
        if let Some((drift, after)) = told {
            self.memory.0.tell(drift, after);
        }
    }
}
