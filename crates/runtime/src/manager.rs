//! What all controllers of a process share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use api::meta::Object;

use crate::configs;
use crate::events::Sink;
use crate::metrics::Metrics;
use crate::watch::{self, Scope};
use crate::{Cache, Connection, Jitter, Kind, ObjectKey, Recorder};

/// Settings of all controllers.
#[derive(Clone, Debug, Default)]
pub struct ManagerOptions {
    /// The only namespace that is watched (`--watch-all-namespaces=false`); all if it is `None`.
    pub namespace: Option<String>,
    /// A selector over the labels of the objects that are reconciled (`--watch-label-selector`).
    pub label_selector: String,
    /// A selector over the labels of Secrets and ConfigMaps whose changes wake those that read them
    /// (`--watch-configs-label-selector`); empty watches none.
    pub config_selector: String,
    /// How far intervals are spread (`--interval-jitter-percentage`).
    pub jitter: Jitter,
    /// Where events go besides the API server (`--events-addr`); nowhere if it is empty.
    pub events_address: String,
}

/// The client, the caches, metrics and recorders; a handle that is cheap to clone.
#[derive(Clone)]
pub struct Manager(Arc<Inner>);

struct Inner {
    connection: Connection,
    options: ManagerOptions,
    metrics: Metrics,
    sink: Sink,
    caches: Mutex<HashMap<(TypeId, Scope), Arc<dyn Any + Send + Sync>>>,
    stop: CancellationToken,
}

impl Manager {
    /// A manager that works until `stop`.
    pub fn new(
        connection: Connection,
        options: ManagerOptions,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Self {
        let sink = Sink::start(
            connection.client().clone(),
            &options.events_address,
            stop.clone(),
        );
        Self(Arc::new(Inner {
            connection,
            options,
            metrics,
            sink,
            caches: Mutex::default(),
            stop,
        }))
    }

    /// The API server.
    pub fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// The client for the API server.
    pub fn client(&self) -> &kube::Client {
        self.0.connection.client()
    }

    /// The settings.
    pub fn options(&self) -> &ManagerOptions {
        &self.0.options
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Spreads an interval.
    pub fn jittered(&self, interval: std::time::Duration) -> std::time::Duration {
        self.0.options.jitter.apply(interval)
    }

    /// Cancelled when the process ends.
    pub fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// A recorder of events that come from `component`.
    pub fn recorder(&self, component: &str) -> Recorder {
        Recorder::new(self.0.sink.clone(), component)
    }

    /// Waits until the events recorded so far are posted.
    pub async fn flush_events(&self) {
        self.0.sink.flush().await;
    }

    /// The objects of a kind that are reconciled here: in the watched namespaces, with the watched labels.
    pub fn reconciled<S: Kind>(&self) -> Arc<Cache<S>> {
        let selector = self.0.options.label_selector.clone();
        self.cache(Scope {
            namespace: self.0.options.namespace.clone(),
            selector,
        })
    }

    /// The objects of a kind that others may refer to: in the watched namespaces, with any labels.
    pub fn referred<S: Kind>(&self) -> Arc<Cache<S>> {
        self.cache(Scope {
            namespace: self.0.options.namespace.clone(),
            selector: String::new(),
        })
    }

    /// An object as the API server has it now.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub async fn fetch<S: Kind>(&self, key: &ObjectKey) -> Result<Object<S>, kube::Error> {
        let api = watch::api_for::<S>(self.client(), Some(&key.namespace));
        let object = api.get(&key.name).await?;
        watch::decode::<S>(object).map_err(kube::Error::Service)
    }

    /// Calls `changed` with the key of each Secret or ConfigMap (`kind`) with the watched labels
    /// (`--watch-configs-label-selector`) that is made or changed from now on.
    pub fn watch_configs(
        &self,
        kind: &'static str,
        changed: impl Fn(&ObjectKey) + Send + Sync + 'static,
    ) {
        let selector = self.0.options.config_selector.clone();
        if selector.is_empty() {
            return;
        }
        let scope = Scope {
            namespace: self.0.options.namespace.clone(),
            selector,
        };
        tokio::spawn(configs::run(
            self.client().clone(),
            kind,
            scope,
            self.0.stop.clone(),
            changed,
        ));
    }

    fn cache<S: Kind>(&self, scope: Scope) -> Arc<Cache<S>> {
        let mut caches = self.0.caches.lock();
        let known = caches.get(&(TypeId::of::<S>(), scope.clone())).cloned();
        if let Some(Ok(cache)) = known.map(Arc::downcast::<Cache<S>>) {
            return cache;
        }
        let cache = Arc::new(Cache::<S>::default());
        caches.insert((TypeId::of::<S>(), scope.clone()), cache.clone());
        tokio::spawn(watch::run(
            self.client().clone(),
            Arc::clone(&cache),
            scope,
            self.0.stop.clone(),
        ));
        cache
    }
}
