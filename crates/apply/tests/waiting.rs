//! Waiting for health: by watches, in Flux's words.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use apply::health::{HealthChecks, HealthSet, WaitOptions};
use apply::{Manifest, id_of};
use serde_json::{Value, json};
use support::World;

const LONG: WaitOptions = WaitOptions {
    timeout: Duration::from_secs(20),
    fail_fast: true,
};
const SHORT: WaitOptions = WaitOptions {
    timeout: Duration::from_millis(400),
    fail_fast: true,
};

fn set(objects: &[&Value]) -> HealthSet {
    HealthSet::new(objects.iter().map(|object| id_of(object)).collect())
}

fn ready(replicas: u32) -> Value {
    json!({"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
        "conditions": [{"type": "Available", "status": "True", "reason": "x", "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z", "message": ""},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z", "message": ""}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn workloads_are_waited_for_without_asking() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let (deployment, map) = (world.deployment("d", 2), world.config_map("m", "1"));
    world
        .apply(&applier, &[deployment.clone(), map.clone()])
        .await;
    world.requests();
    let both = set(&[&deployment, &map]);
    let error = cluster.health().wait(&both, &SHORT).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "timeout waiting for: [Deployment/{}/d status: 'InProgress']",
            world.namespace
        )
    );
    let waiter = {
        let (cluster, both) = (cluster.clone(), both.clone());
        tokio::spawn(async move { cluster.health().wait(&both, &LONG).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiter.is_finished());
    world.patch_status(&deployment, ready(2)).await;
    waiter.await.unwrap().unwrap();
    assert!(
        world.requests().len() <= 1,
        "one look at an object whose watch is there"
    );

    let mut failed = ready(2);
    failed["conditions"][1] = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z", "message": ""});
    world.patch_status(&deployment, failed).await;
    let text = support::eventually(async || {
        let waited = cluster.health().wait(&both, &LONG).await;
        waited
            .err()
            .map(|error| error.to_string())
            .ok_or("still ready".to_owned())
    })
    .await;
    assert_eq!(
        text,
        format!(
            "failed early due to stalled resources: [Deployment/{}/d status: 'Failed']",
            world.namespace
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told() {
    let world = World::start().await;
    let cluster = world.cluster();
    let map = world.config_map("none", "1");
    let unknown = json!({"apiVersion": "no.test/v1", "kind": "Nothing", "metadata": {"name": "x", "namespace": world.namespace}});
    let error = cluster
        .health()
        .wait(&set(&[&map, &unknown]), &SHORT)
        .await
        .unwrap_err();
    let namespace = &world.namespace;
    assert_eq!(
        error.to_string(),
        format!(
            "timeout waiting for: [ConfigMap/{namespace}/none status: 'NotFound', Nothing/{namespace}/x status: 'Unknown': no matches for kind \"Nothing\" in group \"no.test\"]"
        )
    );
    let mut nowhere = world.deployment("d", 1);
    nowhere["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    let error = cluster
        .health()
        .wait(&set(&[&nowhere]), &SHORT)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "resource Deployment.apps d is namespace scoped, but namespace is not set"
    );
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": world.namespace}, "spec": {"ttlSecondsAfterFinished": 0}});
    let manifests = [Manifest::new(job.clone())];
    cluster
        .health()
        .wait(&set(&[&job]).with_jobs_of(&manifests), &LONG)
        .await
        .unwrap();
    job["spec"] = json!({});
    let manifests = [Manifest::new(job.clone())];
    cluster
        .health()
        .wait(&set(&[&job]).with_jobs_of(&manifests), &SHORT)
        .await
        .unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_tell_how_objects_stand() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let map = world.config_map("m", "1");
    world.apply(&applier, std::slice::from_ref(&map)).await;
    let checks = json!([{"apiVersion": "v1", "kind": "ConfigMap", "current": "data.key == '2'", "failed": "data.key == '3'"}]);
    let checks =
        Arc::new(HealthChecks::new(&serde_json::from_value::<Vec<_>>(checks).unwrap()).unwrap());
    let one = set(&[&map]).with_checks(&checks);
    let error = cluster.health().wait(&one, &SHORT).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "timeout waiting for: [ConfigMap/{}/m status: 'InProgress']",
            world.namespace
        )
    );
    let waiter = {
        let (cluster, one) = (cluster.clone(), one.clone());
        tokio::spawn(async move { cluster.health().wait(&one, &LONG).await })
    };
    world
        .patch(&map, json!({"data": {"key": "2"}}), "someone")
        .await;
    waiter.await.unwrap().unwrap();
    world
        .patch(&map, json!({"data": {"key": "3"}}), "someone")
        .await;
    support::eventually(async || {
        cluster
            .health()
            .wait(&one, &LONG)
            .await
            .err()
            .map(drop)
            .ok_or("ready".to_owned())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_outlives_cut_watches() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let deployment = world.deployment("d", 1);
    world
        .apply(&applier, std::slice::from_ref(&deployment))
        .await;
    let one = set(&[&deployment]);
    let waiter = {
        let (cluster, one) = (cluster.clone(), one.clone());
        tokio::spawn(async move { cluster.health().wait(&one, &LONG).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.fail(2, &["deployments"], support::Fault::Cut);
    world.cut_watches();
    world.patch_status(&deployment, ready(1)).await;
    waiter.await.unwrap().unwrap();
}
