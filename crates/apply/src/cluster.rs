//! One API server, as this crate sees it.

use std::sync::Arc;

use crate::health::HealthTracker;
use crate::mapper::Mapper;
use crate::memory::Memory;

/// An API server with what is known of it: its kinds, what was applied to it, how objects stand. Make one per
/// connection, and share it; it is cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    client: kube::Client,
    mapper: Mapper,
    memory: Memory,
    health: HealthTracker,
}

impl Cluster {
    /// A cluster whose applied objects are watched: nothing is applied again that is as it was, and drift is told.
    ///
    /// The client has to be allowed to list and watch what is applied, in all namespaces; objects of kinds where it may
    /// not are read before they are applied.
    pub fn new(client: kube::Client) -> Self {
        let memory = Memory::watching(client.clone());
        Self::with(client, memory)
    }

    /// A cluster that is not watched: every object is compared each time it is applied.
    pub fn unwatched(client: kube::Client) -> Self {
        let memory = Memory::blind(client.clone());
        Self::with(client, memory)
    }

    fn with(client: kube::Client, memory: Memory) -> Self {
        let mapper = Mapper::new(client.clone());
        let health = HealthTracker::new(client.clone(), mapper.clone(), memory.clone());
        Self(Arc::new(Inner {
            client,
            mapper,
            memory,
            health,
        }))
    }

    /// The client of the watches.
    pub fn client(&self) -> &kube::Client {
        &self.0.client
    }

    /// The kinds it serves.
    pub fn mapper(&self) -> &Mapper {
        &self.0.mapper
    }

    /// What was applied to it.
    pub fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// How its objects stand.
    pub fn health(&self) -> &HealthTracker {
        &self.0.health
    }
}
