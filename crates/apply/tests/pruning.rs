//! Deleting what is no longer wanted, and only that.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use api::meta::{Inventory, ObjectId};
use apply::{Action, DeleteOptions, inventory};
use serde_json::json;
use support::{Fault, World};

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_ours_is_deleted() {
    let world = World::start().await;
    let cluster = world.cluster();
    let (applier, other) = (world.applier(&cluster, "a"), world.applier(&cluster, "b"));
    let objects: Vec<_> = ["gone", "kept", "moved", "handed", "deleted", "off"]
        .iter()
        .map(|name| world.config_map(name, "1"))
        .collect();
    let outcome = world.apply(&applier, &objects).await;
    let old = Inventory {
        entries: outcome.entries(),
    };
    world
        .patch(
            &objects[1],
            json!({"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/prune": "Disabled"}}}),
            "someone",
        )
        .await;
    world.apply(&other, &[objects[2].clone()]).await;
    world.delete(&objects[4]).await;
    world
        .patch(
            &objects[5],
            json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}}),
            "someone",
        )
        .await;

    let stale = inventory::stale(&old, &Inventory::default()).unwrap();
    let options = DeleteOptions::for_kustomizations(applier.owner());
    world.fail(
        1,
        &["DELETE", "gone"],
        Fault::Status(
            403,
            "Forbidden",
            "admission webhook denied the request".to_owned(),
        ),
    );
    let first = applier
        .prune(&stale, &options, |id: &ObjectId| id.name == "handed")
        .await;
    assert_eq!(
        first.delete_error().unwrap(),
        format!(
            "delete failed, errors: ConfigMap/{}/gone delete failed: admission webhook denied the request;",
            world.namespace
        )
    );
    let actions = |outcome: &apply::Outcome| -> Vec<(String, Action)> {
        outcome
            .changes
            .iter()
            .map(|change| (change.id.name.clone(), change.action))
            .collect()
    };
    let expected = |gone: Action| {
        [
            ("off", Action::Skipped),
            ("moved", Action::Skipped),
            ("kept", Action::Skipped),
            ("handed", Action::Skipped),
            ("gone", gone),
            ("deleted", Action::Deleted),
        ]
        .map(|(name, action)| (name.to_owned(), action))
    };
    assert_eq!(actions(&first), expected(Action::Unknown));
    let again = applier
        .prune(&stale, &options, |id: &ObjectId| id.name == "handed")
        .await;
    assert_eq!(actions(&again), expected(Action::Deleted));
    applier
        .wait_for_termination(&again, std::time::Duration::from_secs(5))
        .await
        .unwrap();
    let mut left = Vec::new();
    for object in &objects {
        left.push(world.get(object).await.is_some());
    }
    assert_eq!(left, [false, true, true, true, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_do_not_end_are_waited_for() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let mut object = world.config_map("a", "1");
    object["metadata"]["finalizers"] = json!(["example.test/wait"]);
    let outcome = world.apply(&applier, std::slice::from_ref(&object)).await;
    let stale = inventory::stale(
        &Inventory {
            entries: outcome.entries(),
        },
        &Inventory::default(),
    )
    .unwrap();
    let options = DeleteOptions::for_kustomizations(applier.owner());
    let outcome = applier.prune(&stale, &options, |_| false).await;
    let error = applier
        .wait_for_termination(&outcome, std::time::Duration::from_millis(300))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ConfigMap/{}/a termination timeout: context deadline exceeded",
            world.namespace
        )
    );
    world
        .patch(
            &object,
            json!({"metadata": {"finalizers": null}}),
            "someone",
        )
        .await;
    applier
        .wait_for_termination(&outcome, std::time::Duration::from_secs(5))
        .await
        .unwrap();
}
