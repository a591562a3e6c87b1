//! The workload simulator.

use serde_json::{Value, json};

use crate::{Cluster, number, text};

const APPS: &str = "/apis/apps/v1/namespaces/default";
const BATCH: &str = "/apis/batch/v1/namespaces/default";
const CORE: &str = "/api/v1/namespaces/default";

fn template(image: &str, restart: &str) -> Value {
    json!({"metadata": {"labels": {"app": "x"}},
        "spec": {"restartPolicy": restart, "containers": [{"name": "app", "image": image}]}})
}

fn workload(version: &str, kind: &str, name: &str, replicas: Option<i64>, image: &str) -> Value {
    let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template(image, "Always")}});
    if let Some(replicas) = replicas {
        object["spec"]["replicas"] = json!(replicas);
    }
    object
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    object["status"]["conditions"]
        .as_array()
        .and_then(|all| all.iter().find(|condition| condition["type"] == kind))
        .unwrap_or(&Value::Null)
}

fn is_rolled_out(deployment: &Value, replicas: i64) -> bool {
    number(deployment, "/status/observedGeneration") == number(deployment, "/metadata/generation")
        && number(deployment, "/status/updatedReplicas") == replicas
        && number(deployment, "/status/availableReplicas") == replicas
        && number(deployment, "/status/replicas") == replicas
        && condition(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"
}

#[tokio::test]
async fn deployments_roll_out_scale_and_roll_on() {
    let cluster = Cluster::start().await;
    let path = format!("{APPS}/deployments/web");
    cluster
        .create(
            &format!("{APPS}/deployments"),
            workload("apps/v1", "Deployment", "web", Some(3), "x:1"),
        )
        .await;
    let first = cluster.until(&path, |_, web| is_rolled_out(web, 3)).await;
    let revision = "/metadata/annotations/deployment.kubernetes.io~1revision";
    assert_eq!(text(&first, revision), "1");
    assert_eq!(condition(&first, "Available")["status"], "True");
    let scaled = json!({"spec": {"replicas": 1}});
    assert_eq!(cluster.send("admin", "PATCH", &path, scaled).await.0, 200);
    cluster.until(&path, |_, web| is_rolled_out(web, 1)).await;
    let next =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "x:2"}]}}}});
    assert_eq!(cluster.send("admin", "PATCH", &path, next).await.0, 200);
    cluster
        .until(&path, |_, web| {
            is_rolled_out(web, 1) && text(web, revision) == "2"
        })
        .await;
    let (_, sets) = cluster.get(&format!("{APPS}/replicasets")).await;
    assert_eq!(sets["items"].as_array().map(Vec::len), Some(2));
    let options =
        json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"});
    cluster.send("admin", "DELETE", &path, options).await;
    cluster.until_gone(&path).await;
    let nothing = |_, list: &Value| list["items"].as_array().is_some_and(Vec::is_empty);
    cluster.until(&format!("{APPS}/replicasets"), nothing).await;
    cluster.until(&format!("{CORE}/pods"), nothing).await;
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn an_image_can_be_told_to_fail() {
    let cluster = Cluster::start().await;
    for (image, reason) in [
        ("simulate-crash-loop:1", "CrashLoopBackOff"),
        ("simulate-image-pull-error:1", "ImagePullBackOff"),
        ("simulate-hang:1", "ContainerCreating"),
    ] {
        let name = image.trim_end_matches(":1");
        cluster
            .create(
                &format!("{CORE}/pods"),
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                    "spec": {"containers": [{"name": "app", "image": image}]}}),
            )
            .await;
        cluster
            .until(&format!("{CORE}/pods/{name}"), |_, pod| {
                text(pod, "/status/containerStatuses/0/state/waiting/reason") == reason
            })
            .await;
    }
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn stateful_sets_have_ordinals_and_claims() {
    let cluster = Cluster::start().await;
    let mut set = workload("apps/v1", "StatefulSet", "db", Some(2), "x:1");
    set["spec"]["serviceName"] = json!("db");
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
    cluster.create(&format!("{APPS}/statefulsets"), set).await;
    cluster
        .until(&format!("{APPS}/statefulsets/db"), |_, set| {
            number(set, "/status/readyReplicas") == 2 && number(set, "/status/updatedReplicas") == 2
        })
        .await;
    assert_eq!(cluster.get(&format!("{CORE}/pods/db-1")).await.0, 200);
    cluster
        .until(
            &format!("{CORE}/persistentvolumeclaims/data-db-0"),
            |_, claim| text(claim, "/status/phase") == "Bound",
        )
        .await;
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn daemon_sets_run_on_the_node() {
    let cluster = Cluster::start().await;
    cluster
        .create(
            &format!("{APPS}/daemonsets"),
            workload("apps/v1", "DaemonSet", "agent", None, "x:1"),
        )
        .await;
    cluster
        .until(&format!("{APPS}/daemonsets/agent"), |_, set| {
            number(set, "/status/numberReady") == 1
                && number(set, "/status/desiredNumberScheduled") == 1
        })
        .await;
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn jobs_succeed_or_fail() {
    let cluster = Cluster::start().await;
    for (name, image, kind) in [
        ("good", "x:1", "Complete"),
        ("bad", "simulate-fail:1", "Failed"),
    ] {
        let spec = json!({"backoffLimit": 0, "template": template(image, "Never")});
        cluster
            .create(
                &format!("{BATCH}/jobs"),
                json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}),
            )
            .await;
        cluster
            .until(&format!("{BATCH}/jobs/{name}"), |_, job| {
                condition(job, kind)["status"] == "True"
            })
            .await;
    }
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn services_get_addresses_and_endpoints() {
    let cluster = Cluster::start().await;
    cluster
        .create(
            &format!("{CORE}/pods"),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "x"}},
                "spec": {"containers": [{"name": "app", "image": "x:1"}]}}),
        )
        .await;
    let service = cluster
        .create(
            &format!("{CORE}/services"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
                "spec": {"type": "LoadBalancer", "selector": {"app": "x"}, "ports": [{"port": 80}]}}),
        )
        .await;
    assert!(text(&service, "/spec/clusterIP").starts_with("10.96."));
    assert!(number(&service, "/spec/ports/0/nodePort") >= 30_000);
    cluster
        .until(&format!("{CORE}/services/s"), |_, service| {
            !text(service, "/status/loadBalancer/ingress/0/ip").is_empty()
        })
        .await;
    let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name%3Ds";
    cluster
        .until(slices, |_, list| {
            list.pointer("/items/0/endpoints/0/conditions/ready") == Some(&Value::Bool(true))
        })
        .await;
    cluster.server.shutdown().await;
}
