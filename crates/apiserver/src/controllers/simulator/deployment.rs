//! Deployments: a ReplicaSet per template, rolled over as the strategy says.
//!
//! Source: Kubernetes `pkg/controller/deployment`.

use std::time::Duration;

use object::{Value, meta};
use serde_json::{Map, json};

use super::Next;
use super::template::{hash, set_label};
use super::world::{
    World, apps, conditions, integer, owner_reference, seconds_since, set_condition,
};
use crate::error::ApiError;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

pub(super) async fn step(world: &World, deployment: &Value) -> Result<Next, ApiError> {
    let sets = world.controlled(&apps("replicasets"), deployment);
    let template_hash = hash(
        &deployment["spec"]["template"],
        integer(deployment, "/status/collisionCount").unwrap_or(0),
    );
    let current = sets
        .iter()
        .find(|set| meta::label(set, HASH) == Some(&template_hash))
        .cloned();
    let paused = deployment.pointer("/spec/paused") == Some(&Value::Bool(true));
    let Some(current) = current else {
        if paused {
            return tell(world, deployment, &sets, None).await;
        }
        make_set(world, deployment, &sets, &template_hash).await?;
        return Ok(Some(Duration::from_millis(20)));
    };
    let old: Vec<&Value> = sets
        .iter()
        .filter(|set| meta::name(set) != meta::name(&current))
        .collect();
    if sync_revision(world, deployment, &current, &old).await? {
        return Ok(Some(Duration::from_millis(20)));
    }
    if !paused {
        roll(world, deployment, &current, &old).await?;
        clean_up(world, deployment, &old).await?;
    }
    tell(world, deployment, &sets, Some(&current)).await
}

fn revision(object: &Value) -> i64 {
    meta::annotation(object, REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn wanted(object: &Value) -> i64 {
    integer(object, "/spec/replicas").unwrap_or(1)
}

async fn make_set(
    world: &World,
    deployment: &Value,
    sets: &[Value],
    template_hash: &str,
) -> Result<(), ApiError> {
    let mut template = deployment["spec"]["template"].clone();
    set_label(&mut template, HASH, template_hash);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = json!(template_hash);
    let next = sets.iter().map(revision).max().unwrap_or_default() + 1;
    let mut annotations = deployment
        .pointer("/metadata/annotations")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    annotations.insert(REVISION.to_owned(), json!(next.to_string()));
    annotations.insert(
        "deployment.kubernetes.io/desired-replicas".to_owned(),
        json!(wanted(deployment).to_string()),
    );
    let replicas = initial_replicas(deployment, sets);
    let mut spec = json!({"replicas": replicas, "selector": selector, "template": template});
    if let Some(seconds) = deployment.pointer("/spec/minReadySeconds") {
        spec["minReadySeconds"] = seconds.clone();
    }
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": format!("{}-{template_hash}", meta::name(deployment)), "namespace": meta::namespace(deployment),
            "labels": template["metadata"]["labels"], "annotations": annotations, "ownerReferences": [owner_reference(deployment)]},
        "spec": spec});
    world
        .manager
        .create(&apps("replicasets"), meta::namespace(deployment), set)
        .await
        .map(drop)
}

/// How many pods a new set begins with.
fn initial_replicas(deployment: &Value, sets: &[Value]) -> i64 {
    let running: i64 = sets.iter().map(wanted).sum();
    if is_recreate(deployment) {
        return if running == 0 { wanted(deployment) } else { 0 };
    }
    let (surge, _) = limits(deployment);
    (wanted(deployment) + surge - running).clamp(0, wanted(deployment))
}

fn is_recreate(deployment: &Value) -> bool {
    deployment
        .pointer("/spec/strategy/type")
        .and_then(Value::as_str)
        == Some("Recreate")
}

/// How many pods there may be too many, and too few, during a rollout.
fn limits(deployment: &Value) -> (i64, i64) {
    let total = wanted(deployment);
    let resolve = |key: &str, round_up: bool| match deployment
        .pointer(&format!("/spec/strategy/rollingUpdate/{key}"))
    {
        Some(Value::Number(number)) => number.as_i64().unwrap_or_default(),
        Some(Value::String(text)) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(25);
            if round_up {
                (total * percent + 99) / 100
            } else {
                total * percent / 100
            }
        }
        _ => {
            if round_up {
                (total + 3) / 4
            } else {
                total / 4
            }
        }
    };
    let (surge, unavailable) = (resolve("maxSurge", true), resolve("maxUnavailable", false));
    if surge == 0 && unavailable == 0 {
        (0, 1)
    } else {
        (surge, unavailable)
    }
}

/// Gives the current set the newest revision, and the deployment the same; tells whether it had to.
async fn sync_revision(
    world: &World,
    deployment: &Value,
    current: &Value,
    old: &[&Value],
) -> Result<bool, ApiError> {
    let newest = old
        .iter()
        .map(|set| revision(set))
        .max()
        .unwrap_or_default();
    let mut due = revision(current);
    if due <= newest {
        due = newest + 1;
    }
    let mut changed = false;
    for (resource, object) in [("replicasets", current), ("deployments", deployment)] {
        if revision(object) != due {
            let patch = json!({"metadata": {"annotations": {REVISION: due.to_string()}}});
            let place = (meta::namespace(object), meta::name(object), "");
            world
                .manager
                .patch(
                    &apps(resource),
                    place,
                    "application/merge-patch+json",
                    &patch,
                )
                .await?;
            changed = true;
        }
    }
    Ok(changed)
}

async fn scale(world: &World, set: &Value, replicas: i64) -> Result<(), ApiError> {
    if wanted(set) == replicas {
        return Ok(());
    }
    let patch = json!({"spec": {"replicas": replicas}});
    let place = (meta::namespace(set), meta::name(set), "");
    world
        .manager
        .patch(
            &apps("replicasets"),
            place,
            "application/merge-patch+json",
            &patch,
        )
        .await
        .map(drop)
}

fn count(set: &Value, key: &str) -> i64 {
    integer(set, &format!("/status/{key}")).unwrap_or_default()
}

/// Takes the rollout one step further.
async fn roll(
    world: &World,
    deployment: &Value,
    current: &Value,
    old: &[&Value],
) -> Result<(), ApiError> {
    let total = wanted(deployment);
    if is_recreate(deployment) {
        for set in old {
            scale(world, set, 0).await?;
        }
        let gone = old.iter().all(|set| count(set, "replicas") == 0);
        return if gone {
            scale(world, current, total).await
        } else {
            Ok(())
        };
    }
    let (surge, unavailable) = limits(deployment);
    let of_old: i64 = old.iter().map(|set| wanted(set)).sum();
    let room = total + surge - of_old;
    let grown = wanted(current).max(room).min(total).max(0);
    scale(
        world,
        current,
        if wanted(current) > total {
            total
        } else {
            grown
        },
    )
    .await?;
    // Pods of old sets that are not available go first; the others as far as enough are left.
    let available: i64 = std::iter::once(current)
        .chain(old.iter().copied())
        .map(|set| count(set, "availableReplicas"))
        .sum();
    let mut spare = (available - (total - unavailable)).max(0);
    for set in old {
        let broken = (wanted(set) - count(set, "availableReplicas")).max(0);
        let removed = spare.min(wanted(set) - broken);
        spare -= removed;
        let left = (wanted(set) - broken - removed).max(0);
        scale(world, set, left).await?;
    }
    Ok(())
}

/// Deletes old sets beyond the history limit.
async fn clean_up(world: &World, deployment: &Value, old: &[&Value]) -> Result<(), ApiError> {
    let limit = integer(deployment, "/spec/revisionHistoryLimit")
        .unwrap_or(10)
        .max(0) as usize;
    let mut ended: Vec<&&Value> = old
        .iter()
        .filter(|set| wanted(set) == 0 && count(set, "replicas") == 0)
        .collect();
    ended.sort_by_key(|set| revision(set));
    let surplus = ended.len().saturating_sub(limit);
    for set in ended.into_iter().take(surplus) {
        world
            .manager
            .delete(
                &apps("replicasets"),
                meta::namespace(set),
                meta::name(set),
                Value::Null,
            )
            .await?;
    }
    Ok(())
}

/// Writes the status.
async fn tell(
    world: &World,
    deployment: &Value,
    sets: &[Value],
    current: Option<&Value>,
) -> Result<Next, ApiError> {
    let now = world.core.now();
    let total = wanted(deployment);
    let sum = |key: &str| sets.iter().map(|set| count(set, key)).sum::<i64>();
    let (replicas, ready, available) = (
        sum("replicas"),
        sum("readyReplicas"),
        sum("availableReplicas"),
    );
    let updated = current.map_or(0, |set| count(set, "replicas"));
    let mut status = Map::new();
    status.insert(
        "observedGeneration".to_owned(),
        json!(meta::generation(deployment)),
    );
    for (key, count) in [
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        (
            "unavailableReplicas",
            (total.max(replicas) - available).max(0),
        ),
    ] {
        if count > 0 {
            status.insert(key.to_owned(), json!(count));
        }
    }
    let mut list = conditions(deployment);
    let (_, unavailable) = limits(deployment);
    let enough = available
        >= total
            - if is_recreate(deployment) {
                0
            } else {
                unavailable
            };
    let availability = if enough {
        json!({"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability."})
    } else {
        json!({"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": "Deployment does not have minimum availability."})
    };
    set_condition(&mut list, availability, &now, Some("lastUpdateTime"));
    let done = updated == total && replicas == total && available == total;
    let next = progress(
        deployment,
        current,
        done,
        &mut list,
        (updated, replicas, available),
        &now,
    );
    status.insert("conditions".to_owned(), Value::from(list));
    world
        .set_status(
            &world.manager,
            &apps("deployments"),
            deployment,
            Value::Object(status),
        )
        .await?;
    Ok(next)
}

/// Sets the `Progressing` condition; gives when the deadline is to be checked.
fn progress(
    deployment: &Value,
    current: Option<&Value>,
    done: bool,
    list: &mut Vec<Value>,
    counts: (i64, i64, i64),
    now: &str,
) -> Next {
    let set = current.map(meta::name).unwrap_or_default();
    let known = list
        .iter()
        .find(|condition| condition["type"] == "Progressing")
        .cloned();
    let was = |field: &str| integer(deployment, &format!("/status/{field}")).unwrap_or_default();
    let moved = (
        was("updatedReplicas"),
        was("replicas"),
        was("availableReplicas"),
    ) != counts
        || was("observedGeneration") != meta::generation(deployment);
    let deadline = integer(deployment, "/spec/progressDeadlineSeconds").unwrap_or(600);
    let progressing = |status: &str, reason: &str, message: String| json!({"type": "Progressing", "status": status, "reason": reason, "message": message});
    let condition = if done {
        progressing(
            "True",
            "NewReplicaSetAvailable",
            format!("ReplicaSet \"{set}\" has successfully progressed."),
        )
    } else if let Some(known) = known.filter(|_| !moved) {
        let since = seconds_since(now, known.get("lastUpdateTime"));
        let stuck = known["reason"] != "NewReplicaSetAvailable" && since >= deadline;
        if !stuck {
            return (known["reason"] != "ProgressDeadlineExceeded")
                .then(|| Duration::from_secs((deadline - since).clamp(1, 60).unsigned_abs()));
        }
        progressing(
            "False",
            "ProgressDeadlineExceeded",
            format!("ReplicaSet \"{set}\" has timed out progressing."),
        )
    } else {
        progressing(
            "True",
            "ReplicaSetUpdated",
            format!("ReplicaSet \"{set}\" is progressing."),
        )
    };
    if moved && !done {
        // Progress moves the time from which the deadline counts, even where the words stay.
        list.retain(|known| {
            known["type"] != "Progressing" || known["status"] == condition["status"]
        });
        for known in list
            .iter_mut()
            .filter(|known| known["type"] == "Progressing")
        {
            known["reason"] = json!("");
        }
    }
    set_condition(list, condition, now, Some("lastUpdateTime"));
    (!done).then(|| Duration::from_secs(deadline.clamp(1, 60).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rounded_as_upstream_rounds_them() {
        let of = |replicas: i64, strategy: Value| {
            limits(
                &json!({"spec": {"replicas": replicas, "strategy": {"rollingUpdate": strategy}}}),
            )
        };
        assert_eq!(
            of(3, json!({"maxSurge": "25%", "maxUnavailable": "25%"})),
            (1, 0)
        );
        assert_eq!(
            of(10, json!({"maxSurge": "25%", "maxUnavailable": "25%"})),
            (3, 2)
        );
        assert_eq!(of(4, json!({"maxSurge": 0, "maxUnavailable": 0})), (0, 1));
        assert_eq!(of(4, json!({"maxSurge": 2, "maxUnavailable": 1})), (2, 1));
    }
}
