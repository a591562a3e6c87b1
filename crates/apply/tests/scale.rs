//! What large sets and many owners cost, in requests. The times are printed, not judged.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Instant;

use futures::StreamExt as _;
use serde_json::{Value, json};
use support::World;

#[expect(clippy::print_stderr, reason = "the report of a test run")]
fn report(what: &str, count: usize, started: Instant, requests: usize) {
    eprintln!(
        "{what}: {count} objects, {requests} requests, {:?}",
        started.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_set_costs_a_request_an_object_and_then_only_what_changes() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "large");
    let count = 1000;
    let mut objects: Vec<Value> = (0..count)
        .map(|number| world.config_map(&format!("m{number}"), "1"))
        .collect();
    let started = Instant::now();
    let outcome = world.apply(&applier, &objects).await;
    assert_eq!(
        outcome.changed().count(),
        count,
        "{}",
        outcome.detailed_errors()
    );
    let requests = world.requests().len();
    report("first apply", count, started, requests);
    assert!(requests <= count + 10, "{requests}");

    let started = Instant::now();
    let outcome = world.apply(&applier, &objects).await;
    let requests = world.requests().len();
    report("nothing changed", count, started, requests);
    assert_eq!((outcome.changed().count(), requests), (0, 0));

    objects[77]["data"]["key"] = json!("2");
    let started = Instant::now();
    let outcome = world.apply(&applier, &objects).await;
    let requests = world.requests().len();
    report("one line", count, started, requests);
    assert_eq!((outcome.changed().count(), requests), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_owners_share_watches() {
    let world = World::start().await;
    let cluster = world.cluster();
    let count = 300;
    let started = Instant::now();
    let applied = futures::stream::iter(0..count).map(|number| {
        let (world, cluster) = (&world, &cluster);
        async move {
            let applier = world.applier(cluster, &format!("k{number}"));
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": format!("s{number}"), "namespace": world.namespace}});
            let outcome = world.apply(&applier, &[world.config_map(&format!("m{number}"), "1"), account]).await;
            assert!(outcome.is_ok(), "{}", outcome.detailed_errors());
            outcome.changed().count()
        }
    });
    let changed: usize = applied
        .buffer_unordered(20)
        .fold(0, async |sum, count| sum + count)
        .await;
    let requests = world.requests().len();
    report("many owners", changed, started, requests);
    assert_eq!((changed, requests), (2 * count, 2 * count + 2));
    assert_eq!(cluster.memory().size(), (2 * count, 2));

    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    cluster.memory().on_drift(move |drift| {
        // The receiver lives as long as the test.
        let _ = sender.send((drift.owner.name.clone(), Instant::now()));
    });
    let mut delays = Vec::new();
    for number in (0..count).step_by(5) {
        let object = world.config_map(&format!("m{number}"), "1");
        world
            .patch(&object, json!({"data": {"key": "other"}}), "someone")
            .await;
        let changed = Instant::now();
        let (owner, at) = told.recv().await.unwrap();
        assert_eq!(owner, format!("k{number}"));
        delays.push(at.saturating_duration_since(changed));
    }
    delays.sort();
    let (middle, last) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    assert_eq!(world.requests(), Vec::<String>::new());
    eprintln!(
        "drift told after: median {middle:?}, worst {last:?} of {}",
        delays.len()
    );
}
