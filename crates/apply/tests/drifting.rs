//! Drift: changes by others are told when they happen, and undone by the next apply; all else is free.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use apply::{Action, Applier, Cluster};
use serde_json::{Value, json};
use support::{World, eventually};

type Told = Arc<Mutex<Vec<String>>>;

fn listen(cluster: &Cluster) -> Told {
    let told = Told::default();
    let shared = Arc::clone(&told);
    cluster.memory().on_drift(move |drift| {
        let word = if drift.is_deleted { "gone" } else { "changed" };
        shared
            .lock()
            .unwrap()
            .push(format!("{} {} {word}", drift.owner.name, drift.id.name));
    });
    told
}

async fn is_told(told: &Told, expected: &str) {
    eventually(async || {
        let found = told.lock().unwrap().clone();
        found
            .contains(&expected.to_owned())
            .then_some(())
            .ok_or(format!("{found:?}"))
    })
    .await;
    told.lock().unwrap().clear();
}

async fn correct(world: &World, applier: &Applier, object: &Value) -> (Action, Vec<String>) {
    let outcome = world.apply(applier, std::slice::from_ref(object)).await;
    assert!(outcome.is_ok(), "{}", outcome.detailed_errors());
    let change = &outcome.changes[0];
    assert!(
        change.is_drift || change.action == Action::Unchanged,
        "{change:?}"
    );
    (change.action, change.fields.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_by_others_are_told_and_undone() {
    let world = World::start().await;
    let cluster = world.cluster();
    let told = listen(&cluster);
    let applier = world.applier(&cluster, "a");
    let deployment = world.deployment("d", 2);
    let map = world.config_map("m", "1");
    for object in [&deployment, &map] {
        world
            .apply(&applier, &[deployment.clone(), map.clone()])
            .await;
        assert!(world.get(object).await.is_some());
    }
    world.requests();
    // (what is patched, how, by whom, what is told to have drifted)
    let cases = [
        (&map, json!({"data": {"key": "2"}}), "someone", ".data.key"),
        (&map, json!({"data": {"key": null}}), "someone", ".data"),
        (
            &map,
            json!({"data": {"more": "x"}}),
            "kubectl-edit",
            ".data.more",
        ),
        (
            &map,
            json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "other"}}}),
            "someone",
            ".metadata.labels[\"kustomize.toolkit.fluxcd.io/name\"]",
        ),
        (
            &map,
            json!({"metadata": {"annotations": {"x": "y"}}}),
            "kubectl-annotate",
            ".metadata.annotations.x",
        ),
        (
            &deployment,
            json!({"spec": {"replicas": 7}}),
            "someone",
            ".spec.replicas",
        ),
    ];
    for (object, patch, manager, field) in cases {
        let name = object::meta::name(object);
        world.patch(object, patch.clone(), manager).await;
        is_told(&told, &format!("a {name} changed")).await;
        let before = world.requests().len();
        assert_eq!(before, 0, "noticing costs nothing");
        let outcome = world
            .apply(&applier, &[deployment.clone(), map.clone()])
            .await;
        let changed: Vec<_> = outcome.changed().collect();
        assert_eq!(changed.len(), 1, "{patch}: {}", outcome.log());
        assert_eq!(
            (changed[0].action, changed[0].is_drift),
            (Action::Configured, true)
        );
        assert_eq!(changed[0].fields, [field], "{patch}");
        assert!(world.requests().len() <= 5);
    }
    let live = world.get(&map).await.unwrap();
    assert_eq!(live["data"], json!({"key": "1"}));
    assert_eq!(world.get(&deployment).await.unwrap()["spec"]["replicas"], 2);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        *told.lock().unwrap(),
        Vec::<String>::new(),
        "own writes are no drift"
    );
    world.requests();
    world.apply(&applier, &[deployment, map]).await;
    assert_eq!(world.requests(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_objects_come_back() {
    let world = World::start().await;
    let cluster = world.cluster();
    let told = listen(&cluster);
    let applier = world.applier(&cluster, "a");
    let map = world.config_map("m", "1");
    world.apply(&applier, std::slice::from_ref(&map)).await;
    world.delete(&map).await;
    is_told(&told, "a m gone").await;
    assert_eq!(correct(&world, &applier, &map).await.0, Action::Created);
    assert!(world.get(&map).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_drift_costs_nothing() {
    let world = World::start().await;
    let cluster = world.cluster();
    let told = listen(&cluster);
    let applier = world.applier(&cluster, "a");
    let objects = [world.deployment("d", 2), world.config_map("m", "1")];
    world.apply(&applier, &objects).await;
    world.requests();
    world
        .patch_status(&objects[0], json!({"replicas": 2, "observedGeneration": 1}))
        .await;
    world
        .patch(
            &objects[0],
            json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "1"}}}),
            "kube-controller-manager",
        )
        .await;
    world
        .patch(&objects[1], json!({"data": {"other": "field"}}), "someone")
        .await;
    world
        .patch(
            &world.config_map("m", "1"),
            json!({"metadata": {"finalizers": []}}),
            "someone",
        )
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(*told.lock().unwrap(), Vec::<String>::new());
    let outcome = world.apply(&applier, &objects).await;
    assert_eq!(
        (outcome.change_log().as_str(), world.requests()),
        ("", vec![])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_watches_are_cut_is_noticed() {
    let world = World::start().await;
    let cluster = world.cluster();
    let told = listen(&cluster);
    let applier = world.applier(&cluster, "a");
    let objects = [
        world.config_map("changed", "1"),
        world.config_map("deleted", "1"),
        world.config_map("kept", "1"),
    ];
    world.apply(&applier, &objects).await;
    for _ in 0..3 {
        let gone = "too old resource version";
        world.fail(
            1,
            &["watch=true"],
            support::Fault::Status(410, "Expired", gone.to_owned()),
        );
        world.fail(1, &["limit=500"], support::Fault::Cut);
        world.cut_watches();
        world
            .patch(&objects[0], json!({"data": {"key": "2"}}), "someone")
            .await;
        world.delete(&objects[1]).await;
        eventually(async || {
            let found = told.lock().unwrap().clone();
            let both = ["a changed changed", "a deleted gone"]
                .iter()
                .all(|text| found.contains(&(*text).to_owned()));
            both.then_some(()).ok_or(format!("{found:?}"))
        })
        .await;
        told.lock().unwrap().clear();
        let outcome = world.apply(&applier, &objects).await;
        assert_eq!(outcome.changed().count(), 2, "{}", outcome.log());
    }
    assert_eq!(world.get(&objects[0]).await.unwrap()["data"]["key"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_end_with_what_they_are_for() {
    let world = World::start().await;
    let cluster = world.cluster();
    let (first, second) = (world.applier(&cluster, "a"), world.applier(&cluster, "b"));
    world
        .apply(
            &first,
            &[world.config_map("x", "1"), world.deployment("x", 1)],
        )
        .await;
    world.apply(&second, &[world.config_map("y", "1")]).await;
    assert_eq!(cluster.memory().size(), (3, 2));
    world.apply(&first, &[world.config_map("x", "1")]).await;
    assert_eq!(cluster.memory().size().0, 2);
    cluster.memory().forget(first.owner());
    cluster.memory().forget(second.owner());
    assert_eq!(cluster.memory().size().0, 0);
}
