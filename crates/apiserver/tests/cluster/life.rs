//! Namespaces and garbage collection.

use serde_json::{Value, json};

use crate::{Cluster, text};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn owned(name: &str, owner: &Value, blocks: bool) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "ownerReferences": [{
        "apiVersion": "v1", "kind": "ConfigMap", "name": text(owner, "/metadata/name"),
        "uid": text(owner, "/metadata/uid"), "blockOwnerDeletion": blocks}]}})
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

async fn family(cluster: &Cluster) {
    let owner = cluster.create(CONFIG_MAPS, config_map("owner")).await;
    let child = cluster
        .create(CONFIG_MAPS, owned("child", &owner, true))
        .await;
    cluster
        .create(CONFIG_MAPS, owned("grandchild", &child, true))
        .await;
}

async fn delete(cluster: &Cluster, policy: &str) {
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy});
    let (status, answer) = cluster
        .send("admin", "DELETE", &format!("{CONFIG_MAPS}/owner"), options)
        .await;
    assert!(matches!(status, 200 | 202), "{answer}");
}

#[tokio::test]
async fn what_is_owned_goes_with_its_owner() {
    for policy in ["Background", "Foreground"] {
        let cluster = Cluster::start().await;
        family(&cluster).await;
        delete(&cluster, policy).await;
        for name in ["grandchild", "child", "owner"] {
            cluster.until_gone(&format!("{CONFIG_MAPS}/{name}")).await;
        }
        cluster.server.shutdown().await;
    }
}

#[tokio::test]
async fn an_owner_in_the_foreground_waits_for_what_blocks_it() {
    let cluster = Cluster::start().await;
    family(&cluster).await;
    let child = format!("{CONFIG_MAPS}/child");
    let hold = json!({"metadata": {"finalizers": ["example.test/hold"]}});
    assert_eq!(cluster.send("admin", "PATCH", &child, hold).await.0, 200);
    delete(&cluster, "Foreground").await;
    cluster
        .until(&child, |_, child| {
            !text(child, "/metadata/deletionTimestamp").is_empty()
        })
        .await;
    assert_eq!(cluster.get(&format!("{CONFIG_MAPS}/owner")).await.0, 200);
    let release = json!({"metadata": {"finalizers": null}});
    // The collector may have put a finalizer of its own beside it.
    assert_eq!(cluster.send("admin", "PATCH", &child, release).await.0, 200);
    cluster.until_gone(&format!("{CONFIG_MAPS}/owner")).await;
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn orphans_stay() {
    let cluster = Cluster::start().await;
    family(&cluster).await;
    delete(&cluster, "Orphan").await;
    cluster.until_gone(&format!("{CONFIG_MAPS}/owner")).await;
    let child = cluster.get(&format!("{CONFIG_MAPS}/child")).await;
    assert_eq!(child.0, 200);
    assert!(child.1["metadata"].get("ownerReferences").is_none());
    assert_eq!(
        cluster.get(&format!("{CONFIG_MAPS}/grandchild")).await.0,
        200
    );
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn namespaces_are_emptied_before_they_go() {
    let cluster = Cluster::start().await;
    cluster
        .create(
            "/api/v1/namespaces",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}),
        )
        .await;
    let maps = "/api/v1/namespaces/n/configmaps";
    cluster.create(maps, config_map("plain")).await;
    let mut held = config_map("held");
    held["metadata"]["finalizers"] = json!(["example.test/hold"]);
    cluster.create(maps, held).await;
    let path = "/api/v1/namespaces/n";
    assert_eq!(
        cluster.send("admin", "DELETE", path, Value::Null).await.0,
        200
    );
    cluster.until_gone(&format!("{maps}/plain")).await;
    let told = cluster
        .until(path, |_, namespace| {
            namespace["status"]["conditions"]
                .as_array()
                .is_some_and(|all| {
                    all.iter().any(|condition| {
                        condition["type"] == "NamespaceFinalizersRemaining"
                            && condition["status"] == "True"
                    })
                })
        })
        .await;
    assert_eq!(text(&told, "/status/phase"), "Terminating");
    let (status, refusal) = cluster
        .send("admin", "POST", maps, config_map("late"))
        .await;
    assert_eq!(status, 403);
    assert!(text(&refusal, "/message").ends_with("because it is being terminated"));
    let release = json!({"metadata": {"finalizers": null}});
    assert_eq!(
        cluster
            .send("admin", "PATCH", &format!("{maps}/held"), release)
            .await
            .0,
        200
    );
    cluster.until_gone(path).await;
    let (status, _) = cluster
        .send("admin", "POST", maps, config_map("later"))
        .await;
    assert_eq!(status, 404);
    let (status, refusal) = cluster
        .send("admin", "DELETE", "/api/v1/namespaces/default", Value::Null)
        .await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "namespaces \"default\" is forbidden: this namespace may not be deleted"
    );
    cluster.server.shutdown().await;
}
