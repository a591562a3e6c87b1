//! The watch that feeds a cache.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, utils::Backoff};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{Cache, Kind, ObjectKey};

/// Where a watch looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Scope {
    /// The only namespace; all if it is `None`.
    pub(crate) namespace: Option<String>,
    /// A selector over the labels; empty selects all.
    pub(crate) selector: String,
}

/// How long to wait after errors of the watch: short at first, since an API server that restarts is back soon.
#[derive(Debug, Clone)]
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(SHORTEST)
    }
}

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

impl Iterator for Pause {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (self.0 * 2).min(LONGEST);
        Some(pause.mul_f64(rand::random_range(0.8..1.2)))
    }
}

impl Backoff for Pause {
    fn reset(&mut self) {
        self.0 = SHORTEST;
    }
}

/// What kube calls the resource of a kind.
pub(crate) fn resource<S: Kind>() -> ApiResource {
    let gvk = GroupVersionKind::gvk(S::NAMES.group, S::VERSION, S::NAMES.kind);
    ApiResource::from_gvk_with_plural(&gvk, S::NAMES.plural)
}

/// The API for a kind in one namespace, or in all.
pub(crate) fn api_for<S: Kind>(
    client: &kube::Client,
    namespace: Option<&str>,
) -> Api<DynamicObject> {
    let resource = resource::<S>();
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// Keeps `cache` like the API server, until `stop`.
pub(crate) async fn run<S: Kind>(
    client: kube::Client,
    cache: Arc<Cache<S>>,
    scope: Scope,
    stop: CancellationToken,
) {
    let mut config = watcher::Config::default();
    if !scope.selector.is_empty() {
        config = config.labels(&scope.selector);
    }
    let api = api_for::<S>(&client, scope.namespace.as_deref());
    let stream = watcher::watcher(api, config).backoff(Pause::default());
    let mut stream = std::pin::pin!(stream);
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Some(Ok(Event::Init)) => cache.begin_list(),
            Some(Ok(Event::InitApply(object) | Event::Apply(object))) => take_in(&cache, object),
            Some(Ok(Event::InitDone)) => cache.end_list(),
            Some(Ok(Event::Delete(object))) => {
                let version = object
                    .metadata
                    .resource_version
                    .as_deref()
                    .unwrap_or_default();
                let version = version.parse().unwrap_or(0);
                let key = ObjectKey::new(
                    object.metadata.namespace.unwrap_or_default(),
                    object.metadata.name.unwrap_or_default(),
                );
                cache.remove(&key, version);
            }
            Some(Err(error)) => {
                report::<S>(&error);
                // The kind is not installed (yet): there are no objects.
                if is_unknown_kind(&error) {
                    cache.end_list();
                }
            }
            None => return,
        }
    }
}

fn is_unknown_kind(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 404)
}

fn report<S: Kind>(error: &watcher::Error) {
    let kind = S::NAMES.kind;
    match error {
        // A watch that ends is opened again; that is the ordinary course of things.
        watcher::Error::WatchFailed(_) | watcher::Error::WatchError(_) => {
            tracing::debug!(kind, %error, "watch ended");
        }
        _ if is_unknown_kind(error) => tracing::debug!(kind, "the kind is not installed"),
        _ => tracing::warn!(kind, error = %chain(error), "cannot watch"),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn take_in<S: Kind>(cache: &Cache<S>, object: DynamicObject) {
    let name = format!(
        "{}/{}",
        object.metadata.namespace.as_deref().unwrap_or_default(),
        object.metadata.name.as_deref().unwrap_or_default()
    );
    match decode::<S>(object) {
        Ok(object) => cache.apply(object),
        // One object that cannot be read does not keep the others from being reconciled.
        Err(error) => {
            tracing::error!(kind = S::NAMES.kind, name, error = %chain(&*error), "cannot read the object")
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The typed object, without the managed fields, which nobody here reads.
pub(crate) fn decode<S: Kind>(object: DynamicObject) -> Result<api::meta::Object<S>, BoxError> {
    let DynamicObject {
        types,
        mut metadata,
        data,
    } = object;
    metadata.managed_fields = None;
    let mut fields = match data {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    // In a list the items may lack them.
    let (api_version, kind) = match types {
        Some(types) => (types.api_version, types.kind),
        None => (S::NAMES.api_version(S::VERSION), S::NAMES.kind.to_owned()),
    };
    fields.insert("apiVersion".to_owned(), api_version.into());
    fields.insert("kind".to_owned(), kind.into());
    fields.insert("metadata".to_owned(), serde_json::to_value(metadata)?);
    let (object, ignored) = api::convert::read::<S>(Value::Object(fields))?;
    if !ignored.is_empty() {
        tracing::debug!(kind = S::NAMES.kind, name = %ObjectKey::of(&object), fields = ignored.join(", "), "fields without effect");
    }
    Ok(object)
}
