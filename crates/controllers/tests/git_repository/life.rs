//! From creation to deletion.

use super::*;
use world::condition;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_is_followed() {
    both(async |world: &mut World| {
        let first = world
            .git
            .commit("app", &[("a.yaml", "a: 1\n"), ("d/run.sh", "#!/bin/sh\n")]);
        world.create("app", "app", json!({})).await;
        let object = world.step("first", "app", at(&first)).await;
        let ready = condition(&object, "Ready");
        assert_eq!(
            ready["message"],
            format!("stored artifact for revision 'main@sha1:{first}'")
        );
        assert_eq!(
            object["status"]["artifact"]["path"],
            format!("gitrepository/default/app/{first}.tar.gz")
        );
        world.reconcile("app", "one").await;
        world.step("nothing new", "app", at(&first)).await;
        let second = world.git.commit("app", &[("a.yaml", "a: 2\n")]);
        world.reconcile("app", "two").await;
        world.step("second", "app", at(&second)).await;
        let events = world.note_events("app").await;
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(world.stored("app").len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_told_and_recovered_from() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        world
            .create("app", "app", reference(json!({"branch": "later"})))
            .await;
        world.step("no branch", "app", has_failed).await;
        world.git.git("app", &["branch", "later"]);
        world.step("branch", "app", at(&first)).await;
        world.git.set(|behaviour| behaviour.status = Some(503));
        world.reconcile("app", "down").await;
        world.step("down", "app", has_failed).await;
        world.git.set(|behaviour| behaviour.status = None);
        world.step("up again", "app", at(&first)).await;
        world.note_events("app").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspension_and_deletion() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        world.create("app", "app", json!({"suspend": true})).await;
        world
            .step("suspended", "app", |object| {
                object["metadata"]["finalizers"].is_array()
            })
            .await;
        world
            .patch("app", json!({"spec": {"suspend": false}}))
            .await;
        world.step("resumed", "app", at(&first)).await;
        world.patch("app", json!({"spec": {"suspend": true}})).await;
        world.git.commit("app", &[("a.yaml", "2")]);
        world.reconcile("app", "while suspended").await;
        let object = world.step("suspended again", "app", |_| true).await;
        assert!(
            object["status"]["artifact"]["revision"]
                .as_str()
                .unwrap()
                .ends_with(&first)
        );
        world.delete("app").await;
        assert!(world.stored("app").is_empty());
        world.note_events("app").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_and_damaged_artifacts_are_made_anew() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        world.create("app", "app", json!({})).await;
        let object = world.step("stored", "app", at(&first)).await;
        let path = world
            .storage
            .path()
            .join(object["status"]["artifact"]["path"].as_str().unwrap());
        std::fs::remove_file(&path).unwrap();
        world.reconcile("app", "lost").await;
        world.step("after the loss", "app", at(&first)).await;
        std::fs::write(&path, "damage").unwrap();
        world.reconcile("app", "damaged").await;
        world.step("after the damage", "app", at(&first)).await;
        assert!(path.metadata().unwrap().len() > 20);
        let events = world.note_events("app").await;
        assert!(
            events
                .iter()
                .any(|event| event.contains("ArtifactVerificationFailed")),
            "{events:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_what_is_there() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        world.create("app", "app", json!({})).await;
        world.step("before", "app", at(&first)).await;
        world.halt().await;
        world.run();
        world.reconcile("app", "after").await;
        world.step("after", "app", at(&first)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_and_strange_repositories() {
    both(async |world: &mut World| {
        let bare = world.git.root().join("empty.git");
        std::process::Command::new("git")
            .args(["init", "--quiet", "--bare"])
            .arg(&bare)
            .status()
            .unwrap();
        world.create("empty", "empty", json!({})).await;
        world.step("empty", "empty", has_failed).await;
        world.create("missing", "missing", json!({})).await;
        world.step("missing", "missing", has_failed).await;
        world
            .create("port", "x", json!({"url": "http://127.0.0.1:port/x"}))
            .await;
        world
            .step("port", "port", |object| {
                !condition(object, "Stalled").is_null()
            })
            .await;
        for name in ["empty", "missing", "port"] {
            world.note_events(name).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_meets_the_timeout() {
    both(async |world: &mut World| {
        world.git.commit("app", &[("a.yaml", "1")]);
        world
            .git
            .set(|behaviour| behaviour.delay = Some(std::time::Duration::from_secs(6)));
        world
            .create("app", "app", json!({"timeout": "1500ms"}))
            .await;
        world.step("too slow", "app", has_failed).await;
        world.git.set(|behaviour| behaviour.delay = None);
    })
    .await;
}
