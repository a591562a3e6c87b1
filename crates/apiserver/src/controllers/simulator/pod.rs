//! Pods: scheduled, created, running; ended if they are not to be restarted.

use std::time::Duration;

use object::{GroupVersionResource, Value, meta};
use serde_json::{Map, json};

use super::Next;
use super::behaviour::Behaviour;
use super::world::{NODE, NODE_ADDRESS, World, integer, pods, seconds_since, set_condition};
use crate::error::ApiError;

/// The longest pause between restarts, in seconds.
const MAX_BACK_OFF: i64 = 60;

/// Ends a pod that is being deleted.
pub(super) async fn end(world: &World, pod: &Value) -> Result<Next, ApiError> {
    if pod
        .pointer("/metadata/deletionGracePeriodSeconds")
        .and_then(Value::as_i64)
        == Some(0)
    {
        return Ok(None);
    }
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
        "preconditions": {"uid": meta::uid(pod)}});
    world
        .kubelet
        .delete(&pods(), meta::namespace(pod), meta::name(pod), options)
        .await?;
    Ok(None)
}

/// Takes a pod to its next state.
pub(super) async fn step(world: &World, pod: &Value) -> Result<Next, ApiError> {
    if pod.pointer("/spec/schedulingGates/0").is_some() {
        return Ok(None);
    }
    let node = pod
        .pointer("/spec/nodeName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if node.is_empty() {
        schedule(world, pod).await?;
        return Ok(None);
    }
    if node != NODE {
        return Ok(None);
    }
    match pod
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or("Pending")
    {
        "Succeeded" | "Failed" => Ok(None),
        "Running" => run(world, pod).await,
        _ => start(world, pod).await,
    }
}

async fn schedule(world: &World, pod: &Value) -> Result<(), ApiError> {
    let binding = json!({"apiVersion": "v1", "kind": "Binding",
        "metadata": {"name": meta::name(pod), "namespace": meta::namespace(pod)},
        "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}});
    let place = (meta::namespace(pod), meta::name(pod), "binding");
    world
        .manager
        .create_subresource(&pods(), place, binding)
        .await
        .map(drop)
}

/// What keeps a container from starting: reason and message.
fn obstacle(world: &World, pod: &Value, container: &Value) -> Option<(&'static str, String)> {
    match Behaviour::of(pod, container) {
        Behaviour::Hang => return Some(("ContainerCreating", String::new())),
        Behaviour::ImagePullError => {
            let image = container["image"].as_str().unwrap_or_default();
            return Some((
                "ImagePullBackOff",
                format!("Back-off pulling image \"{image}\""),
            ));
        }
        _ => {}
    }
    missing_volume(world, pod)
        .map(|_| ("ContainerCreating", String::new()))
        .or_else(|| {
            missing_environment(world, pod, container)
                .map(|what| ("CreateContainerConfigError", what))
        })
}

fn exists(world: &World, pod: &Value, kind: &str, name: &str) -> bool {
    let resource = GroupVersionResource::new("", "v1", kind);
    world.find(&resource, meta::namespace(pod), name).is_some()
}

/// A ConfigMap or Secret that the reference at `key` needs and that is not there.
fn missing(
    world: &World,
    pod: &Value,
    reference: &Value,
    name_key: &str,
    kind: &str,
) -> Option<String> {
    let name = reference[name_key].as_str()?;
    if reference["optional"] == true || exists(world, pod, kind, name) {
        return None;
    }
    Some(format!(
        "{} \"{name}\" not found",
        kind.trim_end_matches('s')
    ))
}

fn missing_volume(world: &World, pod: &Value) -> Option<String> {
    pod.pointer("/spec/volumes")?
        .as_array()?
        .iter()
        .find_map(|volume| {
            missing(world, pod, &volume["configMap"], "name", "configmaps")
                .or_else(|| missing(world, pod, &volume["secret"], "secretName", "secrets"))
        })
}

fn missing_environment(world: &World, pod: &Value, container: &Value) -> Option<String> {
    let list = |key: &str| container[key].as_array().cloned().unwrap_or_default();
    let from = list("envFrom").into_iter().find_map(|source| {
        missing(world, pod, &source["configMapRef"], "name", "configmaps")
            .or_else(|| missing(world, pod, &source["secretRef"], "name", "secrets"))
    });
    from.or_else(|| {
        list("env").into_iter().find_map(|variable| {
            let source = &variable["valueFrom"];
            missing(world, pod, &source["configMapKeyRef"], "name", "configmaps")
                .or_else(|| missing(world, pod, &source["secretKeyRef"], "name", "secrets"))
        })
    })
}

fn containers<'a>(pod: &'a Value, list: &str) -> &'a [Value] {
    pod.pointer(list)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A pending pod: first it is seen to be created, then its containers run.
async fn start(world: &World, pod: &Value) -> Result<Next, ApiError> {
    let now = world.core.now();
    let obstacles: Vec<Option<(&'static str, String)>> = containers(pod, "/spec/containers")
        .iter()
        .map(|container| obstacle(world, pod, container))
        .collect();
    let seen = pod
        .pointer("/status/startTime")
        .is_some_and(|time| !time.is_null());
    let blocked = obstacles.iter().any(Option::is_some);
    let mut status = base_status(pod, &now);
    if !seen || blocked {
        status["phase"] = json!("Pending");
        let waiting = |reason: &str, message: &str| {
            let mut state = json!({"reason": reason});
            if !message.is_empty() {
                state["message"] = json!(message);
            }
            json!({"waiting": state})
        };
        let states = containers(pod, "/spec/containers")
            .iter()
            .zip(&obstacles)
            .map(|(container, obstacle)| {
                let state = match obstacle {
                    Some((reason, message)) => waiting(reason, message),
                    None => waiting("ContainerCreating", ""),
                };
                container_status(pod, container, state, false, 0)
            });
        status["containerStatuses"] = states.collect();
        set_conditions(pod, &mut status, &now, false);
        world
            .set_status(&world.kubelet, &pods(), pod, status)
            .await?;
        return Ok(Some(if seen {
            Duration::from_secs(1)
        } else {
            world.core.config.pace.start
        }));
    }
    status["phase"] = json!("Running");
    running(pod, &mut status, &now);
    world
        .set_status(&world.kubelet, &pods(), pod, status)
        .await?;
    Ok(Some(world.core.config.pace.run))
}

/// What every pod of the node has in its status.
fn base_status(pod: &Value, now: &str) -> Value {
    let mut status = pod["status"].as_object().cloned().unwrap_or_else(Map::new);
    let has = |status: &Map<String, Value>, key: &str| {
        status.get(key).is_some_and(|value| !value.is_null())
    };
    if !has(&status, "startTime") {
        status.insert("startTime".to_owned(), json!(now));
    }
    if !has(&status, "podIP") {
        let address = pod_address(meta::uid(pod));
        status.insert("podIP".to_owned(), json!(address));
        status.insert("podIPs".to_owned(), json!([{"ip": address}]));
    }
    status.insert("hostIP".to_owned(), json!(NODE_ADDRESS));
    status.insert("hostIPs".to_owned(), json!([{"ip": NODE_ADDRESS}]));
    status.insert(
        "observedGeneration".to_owned(),
        json!(meta::generation(pod)),
    );
    Value::Object(status)
}

/// An address of the pod network that follows from the uid.
fn pod_address(uid: &str) -> String {
    let hash = super::template::fnv32(uid.as_bytes());
    format!(
        "10.244.{}.{}",
        (hash >> 8) & 0xff,
        (hash & 0xff).clamp(2, 254)
    )
}

fn container_status(
    pod: &Value,
    container: &Value,
    state: Value,
    ready: bool,
    restarts: i64,
) -> Value {
    let running = state.get("running").is_some();
    let ended = state.get("terminated").is_some();
    let name = container["name"].as_str().unwrap_or_default();
    let id = super::template::fnv32(format!("{}/{name}/{restarts}", meta::uid(pod)).as_bytes());
    let mut status = json!({"name": name, "image": container["image"], "imageID": "", "ready": ready, "started": running,
        "restartCount": restarts, "lastState": {}, "state": state});
    if running || ended {
        status["imageID"] = json!(format!(
            "simulated://{}",
            container["image"].as_str().unwrap_or_default()
        ));
        status["containerID"] = json!(format!("simulated://{id:08x}"));
    }
    status
}

/// Whether the pod's main containers end by themselves.
fn ends(pod: &Value) -> bool {
    pod.pointer("/spec/restartPolicy")
        .and_then(Value::as_str)
        .unwrap_or("Always")
        != "Always"
}

/// Fills in containers that have just been started.
fn running(pod: &Value, status: &mut Value, now: &str) {
    let states = containers(pod, "/spec/containers").iter().map(|container| {
        let ready = Behaviour::of(pod, container) == Behaviour::Healthy;
        let restarts = restarts_of(pod, container);
        container_status(
            pod,
            container,
            json!({"running": {"startedAt": now}}),
            ready,
            restarts,
        )
    });
    let states: Vec<Value> = states.collect();
    let ready = states.iter().all(|state| state["ready"] == true);
    status["containerStatuses"] = Value::from(states);
    let done = containers(pod, "/spec/initContainers")
        .iter()
        .map(|container| {
            let sidecar = container["restartPolicy"] == "Always";
            let state = if sidecar {
                json!({"running": {"startedAt": now}})
            } else {
                terminated(0, now)
            };
            container_status(pod, container, state, true, 0)
        });
    let done: Vec<Value> = done.collect();
    if !done.is_empty() {
        status["initContainerStatuses"] = Value::from(done);
    }
    set_conditions(pod, status, now, ready);
}

fn terminated(exit_code: i64, now: &str) -> Value {
    let reason = if exit_code == 0 { "Completed" } else { "Error" };
    json!({"terminated": {"exitCode": exit_code, "reason": reason, "startedAt": now, "finishedAt": now}})
}

fn restarts_of(pod: &Value, container: &Value) -> i64 {
    let known = containers(pod, "/status/containerStatuses")
        .iter()
        .find(|status| status["name"] == container["name"]);
    known
        .and_then(|status| status["restartCount"].as_i64())
        .unwrap_or_default()
}

fn set_conditions(pod: &Value, status: &mut Value, now: &str, ready: bool) {
    let mut conditions = super::world::conditions(pod);
    let created = status["phase"] != "Pending";
    let names: Vec<&str> = containers(pod, "/spec/containers")
        .iter()
        .filter_map(|container| container["name"].as_str())
        .collect();
    let unready = format!("containers with unready status: [{}]", names.join(" "));
    for (kind, holds) in [
        ("PodReadyToStartContainers", created),
        ("Initialized", true),
        ("Ready", ready),
        ("ContainersReady", ready),
        ("PodScheduled", true),
    ] {
        let mut condition = json!({"type": kind, "status": if holds { "True" } else { "False" }, "lastProbeTime": null,
            "observedGeneration": meta::generation(pod)});
        if !holds && kind != "PodReadyToStartContainers" {
            condition["reason"] = json!("ContainersNotReady");
            condition["message"] = json!(unready);
        }
        set_condition(&mut conditions, condition, now, None);
    }
    status["conditions"] = Value::from(conditions);
}

/// A running pod: containers that end do so, and fail again and again if told to.
async fn run(world: &World, pod: &Value) -> Result<Next, ApiError> {
    let now = world.core.now();
    let behaviours: Vec<Behaviour> = containers(pod, "/spec/containers")
        .iter()
        .map(|container| Behaviour::of(pod, container))
        .collect();
    let fails = behaviours.contains(&Behaviour::Fail);
    let stays = behaviours.contains(&Behaviour::NotReady);
    if !fails && (!ends(pod) || stays) {
        return Ok(None);
    }
    let mut status = base_status(pod, &now);
    let never = pod.pointer("/spec/restartPolicy").and_then(Value::as_str) == Some("Never");
    if !fails || never {
        status["phase"] = json!(if fails { "Failed" } else { "Succeeded" });
        let states = containers(pod, "/spec/containers")
            .iter()
            .zip(&behaviours)
            .map(|(container, behaviour)| {
                let exit_code = i64::from(*behaviour == Behaviour::Fail);
                container_status(
                    pod,
                    container,
                    terminated(exit_code, &now),
                    false,
                    restarts_of(pod, container),
                )
            });
        status["containerStatuses"] = states.collect();
        set_conditions(pod, &mut status, &now, false);
        complete_conditions(&mut status, fails);
        world
            .set_status(&world.kubelet, &pods(), pod, status)
            .await?;
        return Ok(None);
    }
    crash(world, pod, &behaviours, status, &now).await
}

/// The conditions of an ended pod say so.
fn complete_conditions(status: &mut Value, failed: bool) {
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        if matches!(
            condition["type"].as_str(),
            Some("Ready" | "ContainersReady")
        ) {
            condition["reason"] = json!(if failed { "PodFailed" } else { "PodCompleted" });
            if let Some(fields) = condition.as_object_mut() {
                fields.remove("message");
            }
        }
    }
}

/// Containers that crash: they wait, run for a moment, and wait longer.
async fn crash(
    world: &World,
    pod: &Value,
    behaviours: &[Behaviour],
    mut status: Value,
    now: &str,
) -> Result<Next, ApiError> {
    let crashing = containers(pod, "/spec/containers")
        .iter()
        .zip(behaviours)
        .find(|(_, behaviour)| **behaviour == Behaviour::Fail)
        .map(|(container, _)| container);
    let restarts = crashing.map_or(0, |container| restarts_of(pod, container));
    let back_off = (10 << restarts.min(3)).min(MAX_BACK_OFF);
    let last = containers(pod, "/status/containerStatuses")
        .iter()
        .find_map(|state| state.pointer("/lastState/terminated/finishedAt"));
    let waited = seconds_since(now, last);
    if last.is_some() && waited < back_off {
        return Ok(Some(Duration::from_secs(
            (back_off - waited).unsigned_abs(),
        )));
    }
    let states = containers(pod, "/spec/containers")
        .iter()
        .zip(behaviours)
        .map(|(container, behaviour)| {
            if *behaviour != Behaviour::Fail {
                let ready = *behaviour == Behaviour::Healthy;
                return container_status(
                    pod,
                    container,
                    json!({"running": {"startedAt": now}}),
                    ready,
                    restarts_of(pod, container),
                );
            }
            let count = restarts_of(pod, container) + i64::from(last.is_some());
            let name = container["name"].as_str().unwrap_or_default();
            let message = format!(
                "back-off {back_off}s restarting failed container={name} pod={}_{}({})",
                meta::name(pod),
                meta::namespace(pod),
                meta::uid(pod)
            );
            let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
            let mut state = container_status(pod, container, waiting, false, count);
            state["lastState"] = terminated(1, now);
            state
        });
    status["containerStatuses"] = states.collect();
    set_conditions(pod, &mut status, now, false);
    world
        .set_status(&world.kubelet, &pods(), pod, status)
        .await?;
    Ok(Some(Duration::from_secs(back_off.unsigned_abs())))
}

/// Whether a pod is ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    super::world::conditions(pod)
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Whether a pod has been ready for `min_ready_seconds`.
pub(super) fn is_available(pod: &Value, min_ready_seconds: i64, now: &str) -> bool {
    super::world::conditions(pod).iter().any(|condition| {
        condition["type"] == "Ready"
            && condition["status"] == "True"
            && (min_ready_seconds == 0
                || seconds_since(now, condition.get("lastTransitionTime")) >= min_ready_seconds)
    })
}

/// The restart count of a pod's containers together.
pub(super) fn total_restarts(pod: &Value) -> i64 {
    containers(pod, "/status/containerStatuses")
        .iter()
        .filter_map(|status| integer(status, "/restartCount"))
        .sum()
}
