//! Events are not for ever: they go an hour after they were last written.
//!
//! Source: kube-apiserver's `--event-ttl`, for which etcd has leases.

use std::sync::Arc;
use std::time::Duration;

use object::{GroupResource, GroupVersionResource};
use serde::Deserialize;
use serde_json::json;

use crate::clock::{parse_rfc3339, unix_seconds};
use crate::context::User;
use crate::core::Core;
use crate::pipeline::Local;
use crate::store::{Range, Stored};

/// Events that are due within this time go together.
const AT_MOST_EVERY: Duration = Duration::from_secs(30);

/// What is read of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Facts {
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    uid: String,
    creation_timestamp: Option<String>,
    managed_fields: Option<Vec<Managed>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Managed {
    time: Option<String>,
}

impl Metadata {
    fn of(stored: &Stored) -> Self {
        // What the server stored can be read.
        let facts: Facts = serde_json::from_slice(&stored.raw).unwrap_or_default();
        facts.metadata
    }

    /// When the event was last written, in seconds since 1970: every write is some manager's.
    fn last_write(&self) -> i64 {
        let managed = self.managed_fields.iter().flatten();
        managed
            .map(|entry| &entry.time)
            .chain([&self.creation_timestamp])
            .filter_map(|time| parse_rfc3339(time.as_deref()?))
            .max()
            .unwrap_or(0)
    }
}

/// Removes what is too old; runs until the server ends.
pub(super) async fn run(core: Arc<Core>) {
    let user = User::system("system:apiserver");
    let local = Local::new(Arc::clone(&core), user);
    loop {
        let pause = sweep(&core, &local).await;
        tokio::select! {
            () = core.shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Removes the events that are due; gives how long until the next one is.
async fn sweep(core: &Core, local: &Local) -> Duration {
    let lifetime = core.config.event_ttl;
    let now = unix_seconds(core.clock.now());
    let bucket = core.store.bucket(&GroupResource::new("", "events"));
    let mut next = lifetime;
    for stored in bucket.list(&Range::all()).objects {
        let metadata = Metadata::of(&stored);
        let due = metadata.last_write() + lifetime.as_secs() as i64;
        if due > now {
            next = next.min(Duration::from_secs((due - now) as u64));
            continue;
        }
        let resource = GroupVersionResource::new("", "v1", "events");
        let options = json!({"preconditions": {
            "uid": metadata.uid, "resourceVersion": stored.revision.to_string()}});
        let (namespace, name) = (stored.namespace(), stored.name());
        match local.delete(&resource, namespace, name, options).await {
            // Written again meanwhile, or gone.
            Err(error) if error.is_conflict() || error.is_not_found() => {}
            Err(error) => tracing::warn!(namespace, name, %error, "removing an old event failed"),
            Ok(_) => {}
        }
    }
    next.max(AT_MOST_EVERY.min(lifetime))
}
