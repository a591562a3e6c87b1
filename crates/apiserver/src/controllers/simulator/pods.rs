//! The pods of a workload, counted.

use object::{Value, meta};
use serde_json::json;

use super::pod::{is_available, is_ready};
use super::world::{World, pods};
use crate::error::ApiError;

/// How many pods there are, in which state. Ended and terminating pods do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) total: i64,
    pub(super) ready: i64,
    pub(super) available: i64,
}

/// Whether a pod is one that a workload counts on.
pub(super) fn is_active(pod: &Value) -> bool {
    let phase = pod
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or_default();
    !meta::is_terminating(pod) && !matches!(phase, "Succeeded" | "Failed")
}

/// Counts the active pods among some.
pub(super) fn count<'a>(
    pods: impl IntoIterator<Item = &'a Value>,
    min_ready_seconds: i64,
    now: &str,
) -> Counts {
    let mut counts = Counts::default();
    for pod in pods.into_iter().filter(|pod| is_active(pod)) {
        counts.total += 1;
        counts.ready += i64::from(is_ready(pod));
        counts.available += i64::from(is_available(pod, min_ready_seconds, now));
    }
    counts
}

/// Deletes a pod.
pub(super) async fn delete(world: &World, pod: &Value) -> Result<(), ApiError> {
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": meta::uid(pod)}});
    match world
        .manager
        .delete(&pods(), meta::namespace(pod), meta::name(pod), options)
        .await
    {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}
