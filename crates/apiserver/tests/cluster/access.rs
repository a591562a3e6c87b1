//! Rights, impersonation, tokens.

use serde_json::{Value, json};

use crate::{Cluster, text};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn role(name: &str, rules: Value) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules})
}

fn binding(name: &str, role: &str, user: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})
}

async fn grant(cluster: &Cluster, user: &str, rules: Value) {
    let base = format!("{RBAC}/namespaces/default");
    let name = format!("of-{user}");
    cluster
        .create(&format!("{base}/roles"), role(&name, rules))
        .await;
    cluster
        .create(&format!("{base}/rolebindings"), binding(&name, &name, user))
        .await;
}

#[tokio::test]
async fn users_may_what_roles_allow() {
    let cluster = Cluster::start().await;
    let (status, refusal) = cluster.send("alice", "GET", CONFIG_MAPS, Value::Null).await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "configmaps is forbidden: User \"alice\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\""
    );
    let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]);
    grant(&cluster, "alice", rules).await;
    let (status, _) = cluster.send("alice", "GET", CONFIG_MAPS, Value::Null).await;
    assert_eq!(status, 200);
    let other = "/api/v1/namespaces/kube-system/configmaps";
    let (status, _) = cluster.send("alice", "GET", other, Value::Null).await;
    assert_eq!(status, 403);
    let (status, _) = cluster.send("wrong", "GET", CONFIG_MAPS, Value::Null).await;
    assert_eq!(status, 401);
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn nobody_grants_more_than_they_hold() {
    let cluster = Cluster::start().await;
    let rules = json!([
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["*"], "resourceNames": []},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]},
    ]);
    let rules = {
        // Everything but `bind` and `escalate` on roles.
        let mut rules = rules;
        rules[0]["verbs"] = json!(["create", "get", "update", "patch"]);
        rules
    };
    grant(&cluster, "alice", rules).await;
    let roles = format!("{RBAC}/namespaces/default/roles");
    let more = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "delete", "create"]}]);
    let (status, refusal) = cluster
        .send("alice", "POST", &roles, role("more", more))
        .await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"alice\" (groups=[\"developers\" \"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"configmaps\"], Verbs:[\"delete\" \"create\"]}"
    );
    let same = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]);
    let (status, _) = cluster
        .send("alice", "POST", &roles, role("same", same))
        .await;
    assert_eq!(status, 201);
    // What has too much cannot be bound either.
    let secrets = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    cluster.create(&roles, role("secrets", secrets)).await;
    let bindings = format!("{RBAC}/namespaces/default/rolebindings");
    let (status, _) = cluster
        .send("alice", "POST", &bindings, binding("b", "secrets", "alice"))
        .await;
    assert_eq!(status, 403);
    let (status, _) = cluster
        .send("alice", "POST", &bindings, binding("b", "same", "alice"))
        .await;
    assert_eq!(status, 201);
    let (status, _) = cluster
        .send("alice", "POST", &bindings, binding("c", "none", "alice"))
        .await;
    assert_eq!(status, 404);
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn acting_as_another_needs_the_right_to() {
    let cluster = Cluster::start().await;
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let headers = [
        ("impersonate-user", "system:serviceaccount:apps:bot"),
        ("impersonate-extra-scope", "one"),
    ];
    let (status, answer) = cluster
        .send_as("admin", "POST", path, review.clone(), &headers)
        .await;
    assert_eq!(status, 201, "{answer}");
    let info = &answer["status"]["userInfo"];
    assert_eq!(info["username"], "system:serviceaccount:apps:bot");
    assert_eq!(
        info["groups"],
        json!([
            "system:serviceaccounts",
            "system:serviceaccounts:apps",
            "system:authenticated"
        ])
    );
    assert_eq!(info["extra"], json!({"scope": ["one"]}));
    let (status, refusal) = cluster
        .send_as(
            "alice",
            "POST",
            path,
            review,
            &[("impersonate-user", "bob")],
        )
        .await;
    assert_eq!(status, 403);
    assert_eq!(
        text(&refusal, "/message"),
        "users \"bob\" is forbidden: User \"alice\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
    );
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn tokens_of_accounts_live_as_long_as_they() {
    let cluster = Cluster::start().await;
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    cluster
        .create(
            accounts,
            json!({"metadata": {"name": "bot"}, "apiVersion": "v1", "kind": "ServiceAccount"}),
        )
        .await;
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}});
    let answer = cluster
        .create(&format!("{accounts}/bot/token"), request)
        .await;
    let token = text(&answer, "/status/token").to_owned();
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}});
    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    let answer = cluster.create(reviews, review.clone()).await;
    assert_eq!(answer["status"]["authenticated"], true);
    assert_eq!(
        answer["status"]["user"]["username"],
        "system:serviceaccount:default:bot"
    );
    // Known, but without rights; a changed signature is not known.
    assert_eq!(
        cluster
            .send(&token, "GET", CONFIG_MAPS, Value::Null)
            .await
            .0,
        403
    );
    let (head, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", "A".repeat(86));
    assert_eq!(
        cluster
            .send(&forged, "GET", CONFIG_MAPS, Value::Null)
            .await
            .0,
        401
    );
    let (status, _) = cluster
        .send("admin", "DELETE", &format!("{accounts}/bot"), Value::Null)
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        cluster
            .send(&token, "GET", CONFIG_MAPS, Value::Null)
            .await
            .0,
        401
    );
    let answer = cluster.create(reviews, review).await;
    assert!(answer["status"]["authenticated"].is_null());
    cluster.server.shutdown().await;
}

#[tokio::test]
async fn secrets_that_ask_for_a_token_get_one() {
    let cluster = Cluster::start().await;
    let namespace = "/api/v1/namespaces/default";
    cluster
        .until(
            &format!("{namespace}/serviceaccounts/default"),
            |status, _| status == 200,
        )
        .await;
    cluster
        .create(
            &format!("{namespace}/secrets"),
            json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
                "metadata": {"name": "old", "annotations": {"kubernetes.io/service-account.name": "default"}}}),
        )
        .await;
    let secret = cluster
        .until(&format!("{namespace}/secrets/old"), |_, secret| {
            !text(secret, "/data/token").is_empty()
        })
        .await;
    assert_eq!(text(&secret, "/data/namespace"), "ZGVmYXVsdA==");
    cluster.server.shutdown().await;
}
