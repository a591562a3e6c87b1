//! The watch that tells of changes of a kind.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt as _;
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use tokio_util::sync::CancellationToken;

use super::Inner;
use crate::rest::{Resource, chain};

/// How long to wait after errors: short at first, since an API server that restarts is back soon.
#[derive(Debug, Clone)]
pub(crate) struct Pause(Duration);

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// How long to wait before a list that was refused is tried again: rights seldom change.
const REFUSED: Duration = Duration::from_secs(300);

impl Default for Pause {
    fn default() -> Self {
        Self(SHORTEST)
    }
}

impl Iterator for Pause {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (self.0 * 2).min(LONGEST);
        Some(pause)
    }
}

impl Backoff for Pause {
    fn reset(&mut self) {
        self.0 = SHORTEST;
    }
}

/// Starts to watch a kind.
pub(super) fn start(inner: &Arc<Inner>, kind: usize, resource: &Resource, stop: CancellationToken) {
    let api: Api<PartialObjectMeta<DynamicObject>> =
        Api::all_with(inner.client.clone(), &resource.api_resource());
    let (weak, ended) = (Arc::downgrade(inner), inner.stop.clone());
    let name = resource.gvk.to_string();
    tokio::spawn(async move {
        tokio::select! {
            () = follow(&weak, kind, &name, api, &stop) => {}
            () = stop.cancelled() => {}
            () = ended.cancelled() => {}
        }
    });
}

async fn follow(
    inner: &Weak<Inner>,
    kind: usize,
    name: &str,
    api: Api<PartialObjectMeta<DynamicObject>>,
    stop: &CancellationToken,
) {
    while watch(inner, kind, name, api.clone(), stop).await {
        tokio::time::sleep(REFUSED).await;
    }
}

/// Watches until it is refused, then returns true, or until nobody needs it any more.
async fn watch(
    inner: &Weak<Inner>,
    kind: usize,
    name: &str,
    api: Api<PartialObjectMeta<DynamicObject>>,
    stop: &CancellationToken,
) -> bool {
    let stream = watcher::watcher(api, watcher::Config::default());
    let stream = stream.backoff(Pause::default());
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.next().await {
        let Some(inner) = inner.upgrade() else {
            return false;
        };
        let told = {
            let mut state = inner.state.lock();
            if !state.is_current(kind, stop) {
                return false;
            }
            match event {
                Ok(Event::Init) => {
                    state.begin_list(kind);
                    Vec::new()
                }
                Ok(Event::InitApply(object) | Event::Apply(object)) => {
                    state.observe(kind, &object.metadata).into_iter().collect()
                }
                Ok(Event::InitDone) => state.end_list(kind),
                Ok(Event::Delete(object)) => {
                    state.remove(kind, &object.metadata).into_iter().collect()
                }
                Err(error) => {
                    report(name, &error);
                    if is_refused(&error) {
                        state.refuse(kind);
                        return true;
                    }
                    Vec::new()
                }
            }
        };
        for (drift, after) in told {
            inner.tell(drift, after);
        }
    }
    false
}

/// Whether the API server will not let the objects be listed, however often it is asked.
fn is_refused(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))) = error
    else {
        return false;
    };
    matches!(status.code, 401 | 403 | 404 | 405)
}

fn report(kind: &str, error: &watcher::Error) {
    match error {
        // A watch that ends is opened again; that is the ordinary course of things.
        watcher::Error::WatchFailed(_) | watcher::Error::WatchError(_) => {
            tracing::debug!(kind, %error, "watch ended");
        }
        _ => tracing::warn!(kind, error = %chain(error), "cannot watch applied objects"),
    }
}
