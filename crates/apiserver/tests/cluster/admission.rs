//! Admission: policies, limits, quotas, accounts of pods.

use apiserver::Config;
use serde_json::{Value, json};

use crate::{Cluster, text};

const PODS: &str = "/api/v1/namespaces/default/pods";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const REGISTRATION: &str = "/apis/admissionregistration.k8s.io/v1";

fn pod(name: &str, resources: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "app", "image": "x:1", "resources": resources}]}})
}

fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

async fn policy(cluster: &Cluster, spec: Value, binding: Value) {
    let version = "admissionregistration.k8s.io/v1";
    let mut spec = spec;
    spec["matchConstraints"] = json!({"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
        "resources": ["configmaps"], "operations": ["CREATE", "UPDATE"]}]});
    cluster
        .create(
            &format!("{REGISTRATION}/validatingadmissionpolicies"),
            json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}, "spec": spec}),
        )
        .await;
    let mut binding = binding;
    binding["policyName"] = json!("p");
    cluster
        .create(
            &format!("{REGISTRATION}/validatingadmissionpolicybindings"),
            json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "b"}, "spec": binding}),
        )
        .await;
}

#[tokio::test]
async fn policies_judge_with_variables_conditions_and_parameters() {
    let cluster = Cluster::start().await;
    cluster
        .create(CONFIG_MAPS, config_map("limit", json!({"most": "2"})))
        .await;
    let spec = json!({
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConditions": [{"name": "not-exempt", "expression": "!object.metadata.name.startsWith('exempt')"}],
        "variables": [{"name": "size", "expression": "has(object.data) ? size(object.data) : 0"}],
        "validations": [{
            "expression": "variables.size <= int(params.data.most)",
            "messageExpression": "'at most ' + params.data.most + ', not ' + string(variables.size)",
        }, {
            "expression": "request.operation != 'UPDATE' || oldObject.metadata.name != 'fixed'",
            "message": "cannot be changed", "reason": "Forbidden",
        }],
    });
    let binding = json!({"validationActions": ["Deny"], "paramRef": {"name": "limit", "parameterNotFoundAction": "Deny"}});
    policy(&cluster, spec, binding).await;
    let three = json!({"a": "", "b": "", "c": ""});
    let (status, refusal) = cluster
        .send(
            "admin",
            "POST",
            CONFIG_MAPS,
            config_map("many", three.clone()),
        )
        .await;
    assert_eq!(status, 422);
    assert_eq!(
        text(&refusal, "/message"),
        "configmaps \"many\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: at most 2, not 3"
    );
    cluster
        .create(CONFIG_MAPS, config_map("exempt-many", three))
        .await;
    cluster
        .create(CONFIG_MAPS, config_map("fixed", json!({})))
        .await;
    let patch = json!({"data": {"a": "b"}});
    let (status, refusal) = cluster
        .send("admin", "PATCH", &format!("{CONFIG_MAPS}/fixed"), patch)
        .await;
    assert_eq!((status, text(&refusal, "/reason")), (403, "Forbidden"));
    // Without its parameter the binding refuses everything it is about.
    let (status, _) = cluster
        .send(
            "admin",
            "DELETE",
            &format!("{CONFIG_MAPS}/limit"),
            Value::Null,
        )
        .await;
    assert_eq!(status, 200);
    let (status, refusal) = cluster
        .send("admin", "POST", CONFIG_MAPS, config_map("one", json!({})))
        .await;
    assert_eq!(status, 422);
    assert!(text(&refusal, "/message").contains("failed to configure binding: no params found"));
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn failing_rules_do_as_the_failure_policy_says() {
    for (failure_policy, expected) in [("Fail", 422), ("Ignore", 201)] {
        let cluster = Cluster::start().await;
        let spec = json!({"failurePolicy": failure_policy, "validations": [{"expression": "object.data.missing == ''"}]});
        policy(&cluster, spec, json!({"validationActions": ["Deny"]})).await;
        let (status, answer) = cluster
            .send(
                "admin",
                "POST",
                CONFIG_MAPS,
                config_map("x", json!({"a": ""})),
            )
            .await;
        assert_eq!(status, expected, "{answer}");
        if status == 422 {
            assert!(
                text(&answer, "/message").ends_with(
                    "expression 'object.data.missing == ''' resulted in error: no such key: missing"
                ),
                "{answer}"
            );
        }
        cluster.server.shutdown().await;
    }
}

#[tokio::test]
async fn limits_are_filled_in_and_enforced() {
    let cluster = Cluster::start().await;
    cluster
        .create(
            "/api/v1/namespaces/default/limitranges",
            json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [
                {"type": "Container", "default": {"memory": "64Mi"}, "max": {"memory": "128Mi"}}]}}),
        )
        .await;
    let created = cluster.create(PODS, pod("plain", json!({}))).await;
    assert_eq!(
        text(&created, "/spec/containers/0/resources/limits/memory"),
        "64Mi"
    );
    let (status, refusal) = cluster
        .send(
            "admin",
            "POST",
            PODS,
            pod("big", json!({"limits": {"memory": "1Gi"}})),
        )
        .await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "pods \"big\" is forbidden: [maximum memory usage per Container is 128Mi, but limit is 1Gi]"
            .replace(['[', ']'], "")
    );
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn quotas_count_and_refuse() {
    let cluster = Cluster::start().await;
    let quotas = "/api/v1/namespaces/default/resourcequotas";
    cluster
        .create(
            quotas,
            json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
                "spec": {"hard": {"requests.cpu": "1", "count/configmaps": "1"}}}),
        )
        .await;
    let path = format!("{quotas}/q");
    cluster
        .until(&path, |_, quota| {
            text(quota, "/status/used/requests.cpu") == "0"
        })
        .await;
    let (status, refusal) = cluster
        .send("admin", "POST", PODS, pod("p", json!({})))
        .await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "pods \"p\" is forbidden: failed quota: q: must specify requests.cpu for: app"
    );
    cluster
        .create(PODS, pod("p", json!({"requests": {"cpu": "700m"}})))
        .await;
    let (status, refusal) = cluster
        .send(
            "admin",
            "POST",
            PODS,
            pod("r", json!({"requests": {"cpu": "400m"}})),
        )
        .await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "pods \"r\" is forbidden: exceeded quota: q, requested: requests.cpu=400m, used: requests.cpu=700m, limited: requests.cpu=1"
    );
    cluster
        .create(CONFIG_MAPS, config_map("one", json!({})))
        .await;
    let (status, _) = cluster
        .send("admin", "POST", CONFIG_MAPS, config_map("two", json!({})))
        .await;
    assert_eq!(status, 403);
    cluster
        .until(&path, |_, quota| {
            text(quota, "/status/used/requests.cpu") == "700m"
                && text(quota, "/status/used/count~1configmaps") == "1"
        })
        .await;
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn pods_get_their_account_when_told_to() {
    let cluster = Cluster::with(Config {
        service_account_admission: true,
        ..Config::default()
    })
    .await;
    let created = cluster.create(PODS, pod("p", json!({}))).await;
    assert_eq!(text(&created, "/spec/serviceAccountName"), "default");
    assert_eq!(
        text(&created, "/spec/containers/0/volumeMounts/0/mountPath"),
        "/var/run/secrets/kubernetes.io/serviceaccount"
    );
    let mut other = pod("q", json!({}));
    other["spec"]["serviceAccountName"] = json!("nobody");
    let (status, refusal) = cluster.send("admin", "POST", PODS, other).await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "pods \"q\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not found"
    );
    cluster.server.shutdown().await;
}
