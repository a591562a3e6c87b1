//! What quotas allow and what is used of it, in their status.
//!
//! Source: Kubernetes `pkg/controller/resourcequota`.

use std::collections::HashSet;
use std::sync::Arc;

use object::{GroupResource, GroupVersionResource, Value, meta};
use serde_json::{Map, json};

use super::feed::Feed;
use crate::admission::quota;
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::store::Range;

/// Keeps the status of quotas; runs until the server ends.
pub(super) async fn run(core: Arc<Core>) {
    let user = User::system("system:serviceaccount:kube-system:resourcequota-controller");
    let local = Local::new(Arc::clone(&core), user).with_manager("kube-controller-manager");
    let quotas = GroupVersionResource::new("", "v1", "resourcequotas");
    let mut feed = Feed::new(&core, |resource| resource.resource != "events");
    while let Some(events) = feed.next().await {
        let touched: HashSet<&str> = events
            .iter()
            .map(|(_, event)| event.object.namespace())
            .filter(|namespace| has_quota(&core, namespace))
            .collect();
        if touched.is_empty() {
            continue;
        }
        // As upstream's queue, which lets changes gather.
        tokio::select! {
            () = core.shutdown.cancelled() => return,
            () = tokio::time::sleep(core.config.pace.reaction) => {}
        }
        for namespace in touched {
            if let Err(error) = sync(&core, &local, &quotas, namespace).await {
                tracing::warn!(namespace, %error, "measuring a quota failed");
            }
        }
    }
}

fn has_quota(core: &Core, namespace: &str) -> bool {
    !namespace.is_empty()
        && !core
            .store
            .bucket(&GroupResource::new("", "resourcequotas"))
            .list(&Range::namespace(namespace))
            .objects
            .is_empty()
}

async fn sync(
    core: &Core,
    local: &Local,
    quotas: &GroupVersionResource,
    namespace: &str,
) -> Result<(), ApiError> {
    for stored in local.list(quotas, namespace)?.objects {
        let quota = stored.value();
        if meta::is_terminating(&quota) {
            continue;
        }
        let hard = quota::limits_of(&quota["spec"]["hard"]);
        let used: Map<String, Value> = quota::used(core, &quota, &hard)
            .into_iter()
            .map(|(name, amount)| (name, amount.to_json()))
            .collect();
        let status = json!({"hard": quota["spec"]["hard"], "used": used});
        if quota["status"] == status {
            continue;
        }
        let mut told = quota.clone();
        told["status"] = status;
        match local.update(quotas, "status", told).await {
            // Its next event brings it back here.
            Err(error) if error.is_conflict() || error.is_not_found() => {}
            other => other.map(drop)?,
        }
    }
    Ok(())
}
