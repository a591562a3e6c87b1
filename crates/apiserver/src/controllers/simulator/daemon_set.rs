//! DaemonSets: one pod on the one node.
//!
//! Source: Kubernetes `pkg/controller/daemon`.

use object::{Value, meta};
use serde_json::json;

use super::world::{NODE, World, apps, integer, pods};
use super::{Next, pods as counting, stateful_set, template};
use crate::error::ApiError;

const REVISION: &str = "controller-revision-hash";

pub(super) async fn step(world: &World, set: &Value) -> Result<Next, ApiError> {
    let name = stateful_set::ensure_revision(world, set).await?;
    let hash = name.rsplit('-').next().unwrap_or_default().to_owned();
    let owned = world.controlled(&pods(), set);
    let active: Vec<&Value> = owned
        .iter()
        .filter(|pod| counting::is_active(pod))
        .collect();
    let on_delete = set
        .pointer("/spec/updateStrategy/type")
        .and_then(Value::as_str)
        == Some("OnDelete");
    if active.is_empty() && owned.iter().all(|pod| !meta::is_terminating(pod)) {
        let mut pod = template::pod(set, &set["spec"]["template"], None);
        template::set_label(&mut pod, REVISION, &hash);
        template::set_label(
            &mut pod,
            "pod-template-generation",
            &meta::generation(set).to_string(),
        );
        pod["spec"]["nodeName"] = json!(NODE);
        world
            .manager
            .create(&pods(), meta::namespace(set), pod)
            .await?;
    }
    for pod in &active {
        if !on_delete && meta::label(pod, REVISION) != Some(&hash) {
            counting::delete(world, pod).await?;
        }
    }
    let now = world.core.now();
    let owned = world.controlled(&pods(), set);
    let counts = counting::count(
        &owned,
        integer(set, "/spec/minReadySeconds").unwrap_or_default(),
        &now,
    );
    let updated = owned
        .iter()
        .filter(|pod| counting::is_active(pod) && meta::label(pod, REVISION) == Some(&hash))
        .count();
    let mut status = json!({"currentNumberScheduled": counts.total, "numberMisscheduled": 0, "desiredNumberScheduled": 1,
        "numberReady": counts.ready, "observedGeneration": meta::generation(set)});
    for (key, count) in [
        ("updatedNumberScheduled", updated as i64),
        ("numberAvailable", counts.available),
        ("numberUnavailable", 1 - counts.available.min(1)),
    ] {
        if count > 0 {
            status[key] = json!(count);
        }
    }
    world
        .set_status(&world.manager, &apps("daemonsets"), set, status)
        .await?;
    Ok(None)
}
