//! Requests at the same time, and what the control plane does of itself to namespaces and events.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use apiserver::Config;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{Cluster, text};

/// How many requests are made at the same time.
const AT_ONCE: usize = 40;

/// Makes many requests at the same time; gives status and body of each.
async fn create_at_once(
    cluster: &Arc<Cluster>,
    path: &'static str,
    object: impl Fn(usize) -> Value,
) -> Vec<(u16, Value)> {
    let mut requests = JoinSet::new();
    for index in 0..AT_ONCE {
        let (cluster, object) = (Arc::clone(cluster), object(index));
        requests.spawn(async move { cluster.send("admin", "POST", path, object).await });
    }
    requests.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_services_get_the_same_address_or_port() {
    // So few addresses that chance alone would give some of them twice.
    let cluster = Cluster::with(Config {
        service_cidr: "10.20.0.0/25".to_owned(),
        ..Config::default()
    })
    .await;
    let cluster = Arc::new(cluster);
    let made = create_at_once(&cluster, "/api/v1/namespaces/default/services", |index| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("s{index}")},
            "spec": {"type": "NodePort", "ports": [{"port": 80}]}})
    })
    .await;
    let (mut addresses, mut ports) = (HashSet::new(), HashSet::new());
    for (status, service) in made {
        assert_eq!(status, 201, "{service}");
        let address = text(&service, "/spec/clusterIP").to_owned();
        assert!(addresses.insert(address), "given twice: {service}");
        let port = service["spec"]["ports"][0]["nodePort"].as_i64();
        assert!(ports.insert(port), "given twice: {service}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_at_the_same_time_do_not_get_past_a_quota() {
    let cluster = Arc::new(Cluster::start().await);
    let quotas = "/api/v1/namespaces/default/resourcequotas";
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
        "spec": {"hard": {"count/secrets": "7"}}});
    cluster.create(quotas, quota).await;
    cluster
        .until(&format!("{quotas}/few"), |_, quota| {
            quota["status"]["hard"]["count/secrets"] == "7"
        })
        .await;
    let made = create_at_once(&cluster, "/api/v1/namespaces/default/secrets", |index| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("s{index}")}})
    })
    .await;
    let created = made.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(created, 7);
    assert!(made.iter().all(|(status, _)| matches!(status, 201 | 403)));
}

#[tokio::test]
async fn namespaces_have_the_certificate_of_the_cluster() {
    let cluster = Cluster::with(Config {
        certificate_authority: "-----BEGIN CERTIFICATE-----\n".to_owned(),
        service_account_admission: true,
        ..Config::default()
    })
    .await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "late"}});
    cluster.create("/api/v1/namespaces", namespace).await;
    let is_there = |status: u16, map: &Value| {
        status == 200 && map["data"]["ca.crt"] == "-----BEGIN CERTIFICATE-----\n"
    };
    let path = "/api/v1/namespaces/late/configmaps/kube-root-ca.crt";
    for path in [
        "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
        path,
    ] {
        cluster.until(path, is_there).await;
    }
    // What is changed or deleted comes back.
    let change = json!({"data": {"ca.crt": "mine", "other": "x"}});
    cluster.send("admin", "PATCH", path, change).await;
    let kept = cluster.until(path, is_there).await;
    assert_eq!(kept["data"]["other"], Value::Null);
    cluster.send("admin", "DELETE", path, Value::Null).await;
    cluster.until(path, is_there).await;
    // And it is no hindrance to the end of the namespace.
    let namespace = "/api/v1/namespaces/late";
    cluster
        .send("admin", "DELETE", namespace, Value::Null)
        .await;
    cluster.until_gone(namespace).await;
}

#[tokio::test]
async fn events_go_after_their_time() {
    let cluster = Cluster::with(Config {
        event_ttl: Duration::from_secs(1),
        ..Config::default()
    })
    .await;
    let events = "/api/v1/namespaces/default/events";
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"},
        "involvedObject": {"kind": "ConfigMap", "namespace": "default", "name": "x"},
        "reason": "Tested", "message": "m", "type": "Normal"});
    cluster.create(events, event).await;
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stays"}});
    let config_maps = "/api/v1/namespaces/default/configmaps";
    cluster.create(config_maps, other).await;
    cluster.until_gone(&format!("{events}/e")).await;
    let (status, _) = cluster.get(&format!("{config_maps}/stays")).await;
    assert_eq!(status, 200);
}
