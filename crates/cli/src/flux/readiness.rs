//! Whether an object is ready, and waiting for it.

use object::status::{self, Status};
use serde_json::Value;

use super::Stop;
use super::cluster::kinds::Kind;
use super::cluster::{Cluster, now};

/// Whether a controller writes the object's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It does: readiness is that of the latest generation.
    Dynamic,
    /// It does not, so the object is ready as it is.
    Static,
}

/// The object's `Ready` condition.
pub(crate) fn ready_condition(object: &Value) -> Option<&Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == "Ready")
}

/// Whether the object is ready; an error if it will not become so by itself.
pub(crate) fn is_ready(object: &Value, shape: Shape) -> Result<bool, Stop> {
    if shape == Shape::Dynamic {
        let observed = object["status"]["observedGeneration"]
            .as_i64()
            .unwrap_or_default();
        if observed < 1 {
            return Ok(false);
        }
        let Some(condition) = ready_condition(object) else {
            return Ok(false);
        };
        let generation = object::meta::generation(object);
        let of_condition = condition["observedGeneration"].as_i64().unwrap_or_default();
        let seen = if of_condition == 0 {
            observed
        } else {
            of_condition
        };
        if seen != generation {
            return Ok(false);
        }
    }
    settled(object)
}

/// Whether kstatus calls the object current; an error if it has failed.
pub(crate) fn settled(object: &Value) -> Result<bool, Stop> {
    let health = status::of(object, now());
    match health.status {
        Status::Current => Ok(true),
        Status::InProgress => Ok(false),
        _ => Err(Stop::Failed(health.message)),
    }
}

/// Waits until the object is ready, and gives it as it is then.
pub(crate) fn wait(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    name: &str,
    shape: Shape,
) -> Result<Value, Stop> {
    cluster.poll(|| {
        let object = cluster.get(kind, namespace, name)?;
        Ok(is_ready(&object, shape)?.then_some(object))
    })
}
