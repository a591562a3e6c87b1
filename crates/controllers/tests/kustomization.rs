//! Kustomizations on the embedded control plane: what users see is compared with Flux's docs and code.

mod world;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use world::{World, condition, config_map, eventually, inventory};

const CONFIG: &str = "v1 ConfigMap";
const KUSTOMIZATION: &str = "kustomize.toolkit.fluxcd.io/v1 Kustomization";

fn account(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: default\n"
    )
}

fn deployment(name: &str, replicas: u32, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: default\nspec:\n  replicas: {replicas}\n  \
         selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      \
         containers:\n        - name: main\n          image: {image}\n"
    )
}

#[expect(
    clippy::too_many_lines,
    reason = "one scenario, and all that is seen of it"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_and_reports_within_seven_requests() {
    let world = World::start().await;
    world
        .source(
            "app",
            "1",
            &[
                ("w/a.yaml", &config_map("one", "1")),
                ("w/b.yaml", &account("two")),
            ],
        )
        .await;
    // So that the watches of the kinds are open; they are for all Kustomizations.
    world.kustomization("warm", json!({"path": "./w"})).await;
    world.ready("warm", "1").await;
    world
        .source(
            "app",
            "2",
            &[
                ("w/a.yaml", &config_map("one", "1")),
                ("x/a.yaml", &config_map("three", "1")),
                ("x/b.yaml", &account("four")),
            ],
        )
        .await;
    world
        .until("warm", |object| {
            object["status"]["lastAppliedRevision"] == "main@sha1:2"
        })
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = world.requests(&["POST", "PATCH", "PUT", "DELETE"]);
    world.kustomization("app", json!({"path": "./x"})).await;
    let object = world.ready("app", "2").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let writes = world.requests(&["POST", "PATCH", "PUT", "DELETE"]) - before;
    assert!(writes <= 7, "{writes} requests");
    assert_eq!(
        inventory(&object),
        [
            "default_four__ServiceAccount v1",
            "default_three__ConfigMap v1"
        ]
    );
    let status = &object["status"];
    assert_eq!(
        condition(&object, "Ready")["reason"],
        "ReconciliationSucceeded"
    );
    assert_eq!(
        condition(&object, "Ready")["message"],
        "Applied revision: main@sha1:2"
    );
    assert_eq!(condition(&object, "Ready")["observedGeneration"], 1);
    assert_eq!(status["conditions"].as_array().map(Vec::len), Some(1));
    assert_eq!(status["lastAttemptedRevision"], "main@sha1:2");
    assert_eq!(
        object["metadata"]["finalizers"],
        json!(["finalizers.fluxcd.io"])
    );
    let history = &status["history"];
    assert_eq!(history.as_array().map(Vec::len), Some(1));
    assert_eq!(
        history[0]["lastReconciledStatus"],
        "ReconciliationSucceeded"
    );
    assert_eq!(history[0]["metadata"], json!({"revision": "main@sha1:2"}));
    assert_eq!(history[0]["totalReconciliations"], 1);
    let events = world.events("app").await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(
        events[0],
        "Normal Progressing: ServiceAccount/default/four created\nConfigMap/default/three created"
    );
    assert!(
        events[1].starts_with("Normal ReconciliationSucceeded: Reconciliation finished in ")
            && events[1].ends_with(", next run in 1h0m0s"),
        "{events:?}"
    );
    let applied = world
        .get(&format!("{CONFIG} three"))
        .await
        .expect("applied");
    assert_eq!(
        applied["metadata"]["labels"],
        json!({"kustomize.toolkit.fluxcd.io/name": "app", "kustomize.toolkit.fluxcd.io/namespace": "default"})
    );
    assert_eq!(
        applied["metadata"]["managedFields"][0]["manager"],
        "kustomize-controller"
    );
    assert_eq!(
        applied["metadata"]["managedFields"][0]["operation"],
        "Apply"
    );
    let managers: Vec<&Value> = object["metadata"]["managedFields"]
        .as_array()
        .expect("entries")
        .iter()
        .collect();
    let ours = managers
        .iter()
        .filter(|entry| entry["manager"] == "gotk-kustomize-controller");
    assert_eq!(ours.clone().count(), 2);
    assert_eq!(
        ours.filter(|entry| entry["subresource"] == "status")
            .count(),
        1
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_changed_costs_nothing() {
    let world = World::start().await;
    let files = [
        ("a.yaml", config_map("one", "1")),
        ("b.yaml", account("two")),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    world.source("app", "1", &files).await;
    world.kustomization("app", json!({"interval": "1s"})).await;
    world.ready("app", "1").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = world.requests(&["POST", "PATCH", "PUT", "DELETE"]);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let after = world.requests(&["POST", "PATCH", "PUT", "DELETE"]);
    assert_eq!(
        after - before,
        0,
        "an interval with nothing to do writes nothing"
    );
    // Asked for, it tells; counts of the runs meanwhile are in the history.
    let object = world.request("app", "now").await;
    let total = object["status"]["history"][0]["totalReconciliations"]
        .as_i64()
        .unwrap_or_default();
    assert!(total >= 4, "{total}");
    // A commit that touches nothing that was read: recorded, not applied.
    let mut more = files.clone();
    more.push((".github/x", "y"));
    let patches = world.requests(&["PATCH"]);
    world.source("app", "2", &more).await;
    world.ready("app", "2").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        world.requests(&["PATCH"]) - patches <= 3,
        "the source's and one status"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_the_source_is_pruned_and_what_moves_is_handed_over() {
    let world = World::start().await;
    world
        .source(
            "app",
            "1",
            &[
                ("a/one.yaml", &config_map("one", "1")),
                ("a/moves.yaml", &config_map("moves", "1")),
                ("b/two.yaml", &config_map("two", "1")),
            ],
        )
        .await;
    world.kustomization("a", json!({"path": "./a"})).await;
    world.kustomization("b", json!({"path": "./b"})).await;
    world.ready("a", "1").await;
    world.ready("b", "1").await;
    let uid = world.get("v1 ConfigMap moves").await.expect("applied")["metadata"]["uid"].clone();
    world
        .source(
            "app",
            "2",
            &[
                ("a/one.yaml", &config_map("one", "2")),
                ("b/moves.yaml", &config_map("moves", "1")),
            ],
        )
        .await;
    let object = world.ready("a", "2").await;
    let other = world.ready("b", "2").await;
    assert_eq!(inventory(&object), ["default_one__ConfigMap v1"]);
    assert_eq!(inventory(&other), ["default_moves__ConfigMap v1"]);
    assert!(world.get("v1 ConfigMap two").await.is_none());
    let moved = world
        .get("v1 ConfigMap moves")
        .await
        .expect("handed over, not deleted");
    assert_eq!(moved["metadata"]["uid"], uid);
    assert_eq!(
        moved["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"],
        "b"
    );
    assert!(
        world
            .events("b")
            .await
            .contains(&"Normal Progressing: ConfigMap/default/two deleted".to_owned())
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_build_prunes_nothing() {
    let world = World::start().await;
    world
        .source("app", "1", &[("one.yaml", &config_map("one", "1"))])
        .await;
    world
        .kustomization("app", json!({"retryInterval": "1h"}))
        .await;
    world.ready("app", "1").await;
    world
        .source(
            "app",
            "2",
            &[("kustomization.yaml", "resources: [missing.yaml]\n")],
        )
        .await;
    let object = world.not_ready("app", "BuildFailed").await;
    assert!(
        condition(&object, "Ready")["message"]
            .as_str()
            .unwrap()
            .starts_with("kustomize build failed: accumulating resources")
    );
    assert_eq!(
        condition(&object, "Reconciling")["reason"],
        "ProgressingWithRetry"
    );
    assert_eq!(object["status"]["lastAppliedRevision"], "main@sha1:1");
    assert_eq!(object["status"]["lastAttemptedRevision"], "main@sha1:2");
    assert!(world.get("v1 ConfigMap one").await.is_some());
    world
        .patch(
            &format!("{KUSTOMIZATION} app"),
            json!({"spec": {"path": "./nowhere"}}),
        )
        .await;
    world
        .source("app", "3", &[("other/x.yaml", &config_map("x", "1"))])
        .await;
    let object = world.not_ready("app", "ArtifactFailed").await;
    let message = condition(&object, "Ready")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.starts_with("kustomization path not found: stat /tmp/kustomization-")
            && message.ends_with("/nowhere: no such file or directory"),
        "{message}"
    );
    assert!(world.get("v1 ConfigMap one").await.is_some());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dependants_wait_and_wake_at_once() {
    let world = World::start().await;
    world
        .source(
            "app",
            "1",
            &[
                ("a/x.yaml", &config_map("a", "1")),
                ("b/x.yaml", &config_map("b", "1")),
            ],
        )
        .await;
    world
        .kustomization(
            "second",
            json!({"path": "./a", "dependsOn": [{"name": "first"}]}),
        )
        .await;
    let object = world.not_ready("second", "DependencyNotReady").await;
    assert_eq!(
        condition(&object, "Ready")["message"],
        "dependency 'default/first' not found: kustomizations.kustomize.toolkit.fluxcd.io \"first\" not found"
    );
    let start = Instant::now();
    world.kustomization("first", json!({"path": "./b"})).await;
    world.ready("first", "1").await;
    world.ready("second", "1").await;
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "no polling: {:?}",
        start.elapsed()
    );
    assert!(
        world.events("second").await.contains(
            &"Normal DependencyNotReady: Dependencies do not meet ready condition, retrying in 5s"
                .to_owned()
        )
    );
    world
        .kustomization(
            "third",
            json!({"path": "./a", "dependsOn": [{"name": "first", "readyExpr": "dep.nope("}]}),
        )
        .await;
    let object = world.not_ready("third", "InvalidCELExpression").await;
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().starts_with("Reconciliation failed terminally due to configuration error: terminal error: failed to evaluate dependency first: failed to parse the CEL expression"));
    assert_eq!(condition(&object, "Stalled")["status"], "True");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_waited_for_and_a_new_revision_supersedes_the_wait() {
    let world = World::start().await;
    world
        .source(
            "app",
            "1",
            &[("d.yaml", &deployment("web", 1, "fail:image-pull"))],
        )
        .await;
    world
        .kustomization("app", json!({"wait": true, "timeout": "2m"}))
        .await;
    world
        .kustomization("other", json!({"wait": true, "path": "./none"}))
        .await;
    let object = world
        .until("app", |object| {
            condition(object, "Healthy")["status"] == "Unknown"
        })
        .await;
    assert_eq!(
        condition(&object, "Healthy")["message"],
        "Running health checks for revision main@sha1:1 with a timeout of 2m0s"
    );
    assert_eq!(
        condition(&object, "Reconciling")["message"],
        "Running health checks for revision main@sha1:1 with a timeout of 2m0s"
    );
    assert_eq!(condition(&object, "Ready")["status"], "Unknown");
    let start = Instant::now();
    world
        .source("app", "2", &[("d.yaml", &deployment("web", 1, "nginx:1"))])
        .await;
    let object = world.ready("app", "2").await;
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(condition(&object, "Healthy")["reason"], "Succeeded");
    assert!(
        condition(&object, "Healthy")["message"]
            .as_str()
            .unwrap()
            .starts_with("Health check passed in ")
    );
    let events = world.events("app").await;
    assert!(events.contains(&"Normal HealthCheckCanceled: Health checks canceled due to new reconciliation triggered by GitRepository/default/app".to_owned()), "{events:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_checks_fail_in_time() {
    let world = World::start().await;
    world
        .source("app", "1", &[("d.yaml", &config_map("one", "1"))])
        .await;
    let checks = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "missing", "namespace": "default"}]);
    world
        .kustomization(
            "app",
            json!({"healthChecks": checks, "timeout": "30s", "retryInterval": "1h"}),
        )
        .await;
    let object = world.not_ready("app", "HealthCheckFailed").await;
    let message = condition(&object, "Ready")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.starts_with("health check failed after 30."),
        "{message}"
    );
    assert!(
        message
            .ends_with("s: timeout waiting for: [Deployment/default/missing status: 'NotFound']"),
        "{message}"
    );
    assert_eq!(condition(&object, "Healthy")["reason"], "HealthCheckFailed");
    assert_eq!(
        object["status"]["history"][0]["lastReconciledStatus"],
        "HealthCheckFailed"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_is_corrected_at_once_and_told() {
    let world = World::start().await;
    world
        .source(
            "app",
            "1",
            &[
                ("d.yaml", &deployment("web", 2, "nginx:1")),
                ("c.yaml", &config_map("one", "1")),
            ],
        )
        .await;
    world.kustomization("app", json!({})).await;
    world.ready("app", "1").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    world
        .patch("apps/v1 Deployment web", json!({"spec": {"replicas": 5}}))
        .await;
    eventually(|| async {
        world
            .get("apps/v1 Deployment web")
            .await
            .is_some_and(|object| object["spec"]["replicas"] == 2)
    })
    .await;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    let start = Instant::now();
    world.delete("v1 ConfigMap one").await;
    eventually(|| async { world.get("v1 ConfigMap one").await.is_some() }).await;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    let events = world.events("app").await;
    assert!(
        events
            .iter()
            .any(|event| event.contains("Deployment/default/web configured: .spec.replicas")),
        "{events:#?}"
    );
    // A field that nobody applies is nobody's drift.
    world
        .patch(
            "v1 ConfigMap one",
            json!({"metadata": {"annotations": {"mine": "yes"}}}),
        )
        .await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(
        world.get("v1 ConfigMap one").await.unwrap()["metadata"]["annotations"]["mine"],
        "yes"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_follows_the_policy() {
    let world = World::start().await;
    let files: Vec<(String, String)> = ["mirror", "orphan", "kept", "waits"]
        .iter()
        .map(|name| (format!("{name}/x.yaml"), config_map(name, "1")))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    world.source("app", "1", &files).await;
    for (name, more) in [
        ("mirror", json!({"path": "./mirror"})),
        (
            "orphan",
            json!({"path": "./orphan", "deletionPolicy": "Orphan"}),
        ),
        ("kept", json!({"path": "./kept", "prune": false})),
        (
            "waits",
            json!({"path": "./waits", "prune": false, "deletionPolicy": "WaitForTermination"}),
        ),
    ] {
        world.kustomization(name, more).await;
        world.ready(name, "1").await;
        world.delete(&format!("{KUSTOMIZATION} {name}")).await;
        eventually(|| async {
            world
                .get(&format!("{KUSTOMIZATION} {name}"))
                .await
                .is_none()
        })
        .await;
        let is_left = world.get(&format!("{CONFIG} {name}")).await.is_some();
        assert_eq!(is_left, ["orphan", "kept"].contains(&name), "{name}");
    }
    // A suspended one leaves everything.
    world
        .kustomization("mirror", json!({"path": "./mirror"}))
        .await;
    world.ready("mirror", "1").await;
    world
        .patch(
            &format!("{KUSTOMIZATION} mirror"),
            json!({"spec": {"suspend": true}}),
        )
        .await;
    world.delete(&format!("{KUSTOMIZATION} mirror")).await;
    eventually(|| async {
        world
            .get(&format!("{KUSTOMIZATION} mirror"))
            .await
            .is_none()
    })
    .await;
    assert!(world.get("v1 ConfigMap mirror").await.is_some());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_ones_rest_and_sources_are_awaited() {
    let world = World::start().await;
    world
        .kustomization("app", json!({"retryInterval": "1h"}))
        .await;
    let object = world.not_ready("app", "ArtifactFailed").await;
    assert_eq!(
        condition(&object, "Ready")["message"],
        "GitRepository.source.toolkit.fluxcd.io \"app\" not found"
    );
    world
        .source("app", "1", &[("x.yaml", &config_map("one", "1"))])
        .await;
    world.ready("app", "1").await;
    world
        .patch(
            &format!("{KUSTOMIZATION} app"),
            json!({"spec": {"suspend": true}}),
        )
        .await;
    world
        .source("app", "2", &[("x.yaml", &config_map("one", "2"))])
        .await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(
        world.get("v1 ConfigMap one").await.unwrap()["data"]["key"],
        "1"
    );
    world
        .patch(
            &format!("{KUSTOMIZATION} app"),
            json!({"spec": {"suspend": false}}),
        )
        .await;
    world.ready("app", "2").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_act_with_their_own_rights() {
    let world = World::with(|settings| settings.no_cross_namespace_refs = true, |_| {}).await;
    world
        .source("app", "1", &[("x.yaml", &config_map("one", "1"))])
        .await;
    world
        .kustomization(
            "tenant",
            json!({"serviceAccountName": "dev", "retryInterval": "1h"}),
        )
        .await;
    let object = world.not_ready("tenant", "ReconciliationFailed").await;
    let message = condition(&object, "Ready")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("ConfigMap/default/one dry-run failed (Forbidden): configmaps \"one\" is forbidden: User \"system:serviceaccount:default:dev\" cannot patch"), "{message}");
    let source = json!({"kind": "GitRepository", "name": "app", "namespace": "elsewhere"});
    world
        .kustomization("cross", json!({"sourceRef": source}))
        .await;
    let object = world.not_ready("cross", "AccessDenied").await;
    assert_eq!(
        condition(&object, "Ready")["message"],
        "can't access 'GitRepository/elsewhere/app', cross-namespace references have been blocked"
    );
    assert_eq!(condition(&object, "Stalled")["reason"], "AccessDenied");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_come_from_config_maps_and_secrets() {
    let world = World::start().await;
    world
        .source(
            "app",
            "1",
            &[("x.yaml", &config_map("one", "${first}-${second}"))],
        )
        .await;
    let from = json!([{"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "none", "optional": true}]);
    let post_build = json!({"substitute": {"first": "inline"}, "substituteFrom": from});
    world
        .kustomization(
            "app",
            json!({"postBuild": post_build, "retryInterval": "1h"}),
        )
        .await;
    let object = world.not_ready("app", "BuildFailed").await;
    assert_eq!(
        condition(&object, "Ready")["message"],
        "post build failed for 'ConfigMap.v1.[noGrp]/one': substitute from 'ConfigMap/vars' error: configmaps \"vars\" not found"
    );
    world
        .create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "vars", "labels": {"reconcile.fluxcd.io/watch": "Enabled"}}, "data": {"first": "x", "second": "map"}}))
        .await;
    world.ready("app", "1").await;
    assert_eq!(
        world.get("v1 ConfigMap one").await.unwrap()["data"]["key"],
        "inline-map"
    );
    world
        .patch("v1 ConfigMap vars", json!({"data": {"second": "changed"}}))
        .await;
    eventually(|| async {
        world.get("v1 ConfigMap one").await.unwrap()["data"]["key"] == "inline-changed"
    })
    .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_and_their_objects_come_in_one_tree() {
    let world = World::start().await;
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: widgets.example.com\nspec:\n  \
        group: example.com\n  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}\n  scope: Namespaced\n  versions:\n    - name: v1\n      \
        served: true\n      storage: true\n      schema:\n        openAPIV3Schema:\n          type: object\n          x-kubernetes-preserve-unknown-fields: true\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: made\n";
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n  namespace: made\nspec: {a: 1}\n";
    world
        .source(
            "app",
            "1",
            &[
                ("a.yaml", widget),
                ("b.yaml", namespace),
                ("c.yaml", definition),
            ],
        )
        .await;
    world.kustomization("app", json!({"wait": true})).await;
    let object = world.ready("app", "1").await;
    assert_eq!(
        inventory(&object),
        [
            "_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition v1",
            "_made__Namespace v1",
            "made_w_example.com_Widget v1"
        ]
    );
    let failures: Vec<String> = world
        .events("app")
        .await
        .into_iter()
        .filter(|event| event.starts_with("Warning"))
        .collect();
    assert_eq!(failures, Vec::<String>::new(), "the first try succeeds");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_secrets_need_keys() {
    let world = World::start().await;
    let mut keys = sops::AgeKeys::default();
    keys.import("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
        .expect("a key");
    let recipient = sops::KeyService::held(&keys).remove(0);
    let mut request = sops::Encrypt::new(
        vec![vec![sops::KeyKind::Age { recipient }]],
        "2026-01-02T03:04:05Z",
    );
    request.rule = sops::Rule::EncryptedRegex("^(data|stringData)$".to_owned());
    let plain = b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: secret\n  namespace: default\nstringData:\n  password: canary-1234\n";
    let mut random = |bytes: &mut [u8]| bytes.fill(7);
    let sealed =
        sops::encrypt(plain, sops::Format::Yaml, &request, &keys, &mut random).expect("encrypted");
    let sealed = String::from_utf8(sealed).expect("text");
    world.source("app", "1", &[("s.yaml", &sealed)]).await;
    world
        .kustomization("app", json!({"retryInterval": "1h"}))
        .await;
    let object = world.not_ready("app", "ReconciliationFailed").await;
    assert_eq!(
        condition(&object, "Ready")["message"],
        "Secret/default/secret is SOPS encrypted, configuring decryption is required for this secret to be reconciled"
    );
    world
        .patch(
            &format!("{KUSTOMIZATION} app"),
            json!({"spec": {"decryption": {"provider": "sops", "secretRef": {"name": "keys"}}}}),
        )
        .await;
    let object = world.not_ready("app", "BuildFailed").await;
    assert_eq!(
        condition(&object, "Ready")["message"],
        "secrets \"keys\" not found"
    );
    let key = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "labels": {"reconcile.fluxcd.io/watch": "Enabled"}},
        "stringData": {"main.agekey": "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"}});
    world.create(key).await;
    world.ready("app", "1").await;
    let secret = world.get("v1 Secret secret").await.expect("applied");
    assert_eq!(secret["data"]["password"], "Y2FuYXJ5LTEyMzQ=");
    let seen = format!(
        "{:?}{:?}",
        world.events("app").await,
        world.get(&format!("{KUSTOMIZATION} app")).await
    );
    assert!(!seen.contains("canary-1234"));
    world.end().await;
}
