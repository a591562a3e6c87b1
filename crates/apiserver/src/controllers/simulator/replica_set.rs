//! ReplicaSets: as many pods as wanted.
//!
//! Source: Kubernetes `pkg/controller/replicaset`.

use std::time::Duration;

use object::{Value, meta};
use serde_json::{Map, json};

use super::world::{World, apps, integer, pods};
use super::{Next, pods as counting, template};
use crate::error::ApiError;

pub(super) async fn step(world: &World, set: &Value) -> Result<Next, ApiError> {
    let wanted = integer(set, "/spec/replicas").unwrap_or(1);
    let mut owned = world.controlled(&pods(), set);
    owned.retain(counting::is_active);
    let missing = wanted - owned.len() as i64;
    for _ in 0..missing.max(0) {
        let pod = template::pod(set, &set["spec"]["template"], None);
        world
            .manager
            .create(&pods(), meta::namespace(set), pod)
            .await?;
    }
    // Those that are not ready go first.
    owned.sort_by_key(super::pod::is_ready);
    for pod in owned.iter().take(missing.min(0).unsigned_abs() as usize) {
        counting::delete(world, pod).await?;
    }
    let now = world.core.now();
    let min_ready = integer(set, "/spec/minReadySeconds").unwrap_or_default();
    let all = world.controlled(&pods(), set);
    let counts = counting::count(&all, min_ready, &now);
    let mut status = Map::new();
    status.insert("replicas".to_owned(), json!(counts.total));
    for (key, count) in [
        ("fullyLabeledReplicas", counts.total),
        ("readyReplicas", counts.ready),
        ("availableReplicas", counts.available),
    ] {
        if count > 0 {
            status.insert(key.to_owned(), json!(count));
        }
    }
    status.insert(
        "observedGeneration".to_owned(),
        json!(meta::generation(set)),
    );
    world
        .set_status(
            &world.manager,
            &apps("replicasets"),
            set,
            Value::Object(status),
        )
        .await?;
    let waits = min_ready > 0 && counts.available < counts.ready;
    Ok(waits.then(|| Duration::from_secs(1)))
}
