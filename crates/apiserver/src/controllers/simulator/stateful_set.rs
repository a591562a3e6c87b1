//! StatefulSets: pods with names and claims of their own, one after the other.
//!
//! Source: Kubernetes `pkg/controller/statefulset`.

use object::{GroupVersionResource, Value, meta};
use serde_json::{Map, json};

use super::world::{World, apps, integer, owner_reference, pods};
use super::{Next, pods as counting, template};
use crate::error::ApiError;

const REVISION: &str = "controller-revision-hash";

pub(super) async fn step(world: &World, set: &Value) -> Result<Next, ApiError> {
    let update = ensure_revision(world, set).await?;
    let wanted = integer(set, "/spec/replicas").unwrap_or(1);
    let first = integer(set, "/spec/ordinals/start").unwrap_or_default();
    let owned = world.controlled(&pods(), set);
    let parallel = set
        .pointer("/spec/podManagementPolicy")
        .and_then(Value::as_str)
        == Some("Parallel");
    let by_name = |name: &str| owned.iter().find(|pod| meta::name(pod) == name);
    let mut waiting = false;
    for ordinal in first..first + wanted {
        let name = format!("{}-{ordinal}", meta::name(set));
        match by_name(&name) {
            None => {
                make_pod(world, set, &name, ordinal, &update).await?;
                waiting = true;
            }
            Some(pod) => waiting |= !super::pod::is_ready(pod),
        }
        if waiting && !parallel {
            break;
        }
    }
    if !waiting || parallel {
        remove(world, set, &owned, first + wanted, &update).await?;
    }
    tell(world, set, &update, wanted).await?;
    Ok(None)
}

async fn make_pod(
    world: &World,
    set: &Value,
    name: &str,
    ordinal: i64,
    revision: &str,
) -> Result<(), ApiError> {
    let mut pod = template::pod(set, &set["spec"]["template"], Some(name));
    template::set_label(&mut pod, REVISION, revision);
    template::set_label(&mut pod, "statefulset.kubernetes.io/pod-name", name);
    template::set_label(
        &mut pod,
        "apps.kubernetes.io/pod-index",
        &ordinal.to_string(),
    );
    pod["spec"]["hostname"] = json!(name);
    if let Some(service) = set
        .pointer("/spec/serviceName")
        .filter(|service| *service != "")
    {
        pod["spec"]["subdomain"] = service.clone();
    }
    let claims = set
        .pointer("/spec/volumeClaimTemplates")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut volumes = pod
        .pointer("/spec/volumes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for claim in claims {
        let volume = meta::name(&claim).to_owned();
        let claim_name = format!("{volume}-{name}");
        ensure_claim(world, set, claim, &claim_name).await?;
        volumes.retain(|known| known["name"] != volume.as_str());
        volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim_name}}));
    }
    if !volumes.is_empty() {
        pod["spec"]["volumes"] = Value::from(volumes);
    }
    world
        .manager
        .create(&pods(), meta::namespace(set), pod)
        .await
        .map(drop)
}

async fn ensure_claim(
    world: &World,
    set: &Value,
    mut claim: Value,
    name: &str,
) -> Result<(), ApiError> {
    let claims = GroupVersionResource::new("", "v1", "persistentvolumeclaims");
    if world.find(&claims, meta::namespace(set), name).is_some() {
        return Ok(());
    }
    claim["apiVersion"] = json!("v1");
    claim["kind"] = json!("PersistentVolumeClaim");
    claim["metadata"]["name"] = json!(name);
    claim["metadata"]["namespace"] = json!(meta::namespace(set));
    if let Some(labels) = set
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object)
    {
        for (key, value) in labels {
            claim["metadata"]["labels"][key] = value.clone();
        }
    }
    if let Some(fields) = claim.as_object_mut() {
        fields.remove("status");
    }
    world
        .manager
        .create(&claims, meta::namespace(set), claim)
        .await
        .map(drop)
}

/// Removes the last pod that is too many, or else one of an old revision; one at a time.
async fn remove(
    world: &World,
    set: &Value,
    owned: &[Value],
    end: i64,
    update: &str,
) -> Result<(), ApiError> {
    let ordinal = |pod: &Value| -> i64 {
        meta::name(pod)
            .rsplit('-')
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    };
    let mut active: Vec<&Value> = owned
        .iter()
        .filter(|pod| !meta::is_terminating(pod))
        .collect();
    if active.len() < owned.len() {
        return Ok(());
    }
    active.sort_by_key(|pod| std::cmp::Reverse(ordinal(pod)));
    let on_delete = set
        .pointer("/spec/updateStrategy/type")
        .and_then(Value::as_str)
        == Some("OnDelete");
    let partition =
        integer(set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or_default();
    let old = |pod: &Value| {
        !on_delete && ordinal(pod) >= partition && meta::label(pod, REVISION) != Some(update)
    };
    match active.iter().find(|pod| ordinal(pod) >= end || old(pod)) {
        Some(pod) => counting::delete(world, pod).await,
        None => Ok(()),
    }
}

/// Keeps a ControllerRevision of the template; gives the name of the current one.
pub(super) async fn ensure_revision(world: &World, owner: &Value) -> Result<String, ApiError> {
    let revisions = apps("controllerrevisions");
    let hash = template::hash(&owner["spec"]["template"], 0);
    let name = format!("{}-{hash}", meta::name(owner));
    let known = world.controlled(&revisions, owner);
    let newest = known
        .iter()
        .filter_map(|revision| revision["revision"].as_i64())
        .max()
        .unwrap_or_default();
    match known.iter().find(|revision| meta::name(revision) == name) {
        Some(current) if current["revision"].as_i64() == Some(newest) => {}
        Some(current) => {
            let mut current = current.clone();
            current["revision"] = json!(newest + 1);
            world.manager.update(&revisions, "", current).await?;
        }
        None => {
            let mut spec_template = owner["spec"]["template"].clone();
            spec_template["$patch"] = json!("replace");
            let revision = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision",
                "metadata": {"name": name, "namespace": meta::namespace(owner), "labels": owner.pointer("/spec/template/metadata/labels"),
                    "ownerReferences": [owner_reference(owner)]},
                "data": {"spec": {"template": spec_template}}, "revision": newest + 1});
            world
                .manager
                .create(&revisions, meta::namespace(owner), revision)
                .await?;
        }
    }
    Ok(name)
}

async fn tell(world: &World, set: &Value, update: &str, wanted: i64) -> Result<(), ApiError> {
    let now = world.core.now();
    let owned = world.controlled(&pods(), set);
    let counts = counting::count(
        &owned,
        integer(set, "/spec/minReadySeconds").unwrap_or_default(),
        &now,
    );
    let updated = owned
        .iter()
        .filter(|pod| counting::is_active(pod) && meta::label(pod, REVISION) == Some(update))
        .count() as i64;
    let done = updated == wanted && counts.ready == wanted && counts.total == wanted;
    let before = set
        .pointer("/status/currentRevision")
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    let current = if done {
        update
    } else {
        before.unwrap_or(update)
    };
    let of_current = owned
        .iter()
        .filter(|pod| counting::is_active(pod) && meta::label(pod, REVISION) == Some(current))
        .count();
    let mut status = Map::new();
    status.insert(
        "observedGeneration".to_owned(),
        json!(meta::generation(set)),
    );
    status.insert("replicas".to_owned(), json!(counts.total));
    status.insert("availableReplicas".to_owned(), json!(counts.available));
    for (key, count) in [
        ("readyReplicas", counts.ready),
        ("currentReplicas", of_current as i64),
        ("updatedReplicas", updated),
    ] {
        if count > 0 {
            status.insert(key.to_owned(), json!(count));
        }
    }
    status.insert("currentRevision".to_owned(), json!(current));
    status.insert("updateRevision".to_owned(), json!(update));
    status.insert("collisionCount".to_owned(), json!(0));
    world
        .set_status(
            &world.manager,
            &apps("statefulsets"),
            set,
            Value::Object(status),
        )
        .await
}
