//! What all parts of a server share.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::config::Config;
use crate::registry::Registry;
use crate::registry::definitions::Definitions;
use crate::store::Store;

/// The heart of a server: settings, store and the table of served resources.
pub struct Core {
    /// The settings it was started with.
    pub config: Config,
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// The objects.
    pub store: Store,
    /// Who may do what.
    pub auth: Auth,
    /// What admission keeps between writes.
    pub admission: crate::admission::State,
    /// Cancelled when the server ends: watches close, controllers return.
    pub shutdown: CancellationToken,
    /// What was made of the definitions in the store.
    pub definitions: Definitions,
    /// The definitions whose objects are being deleted.
    pub cleanups: Mutex<HashSet<String>>,
    /// The OpenAPI documents that were asked for last.
    pub openapi: crate::openapi::Cache,
    registry: ArcSwap<Registry>,
}

impl Core {
    /// A core over a store, serving the built-in kinds.
    pub fn new(config: Config, store: Store, auth: Auth) -> Self {
        Self {
            clock: Arc::clone(&config.clock),
            config,
            store,
            auth,
            admission: crate::admission::State::default(),
            shutdown: CancellationToken::new(),
            definitions: Definitions::default(),
            cleanups: Mutex::default(),
            openapi: crate::openapi::Cache::default(),
            registry: ArcSwap::from_pointee(Registry::builtin()),
        }
    }

    /// The resources served at this moment.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// Replaces the table of served resources.
    pub fn set_registry(&self, registry: Registry) {
        self.registry.store(Arc::new(registry));
    }

    /// Now, as objects have it.
    pub fn now(&self) -> String {
        crate::clock::rfc3339(self.clock.now())
    }
}
