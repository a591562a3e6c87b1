//! Applying sets of objects: what is asked of the API server, what becomes of the objects, what is told.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use apply::{Action, Options, Outcome};
use serde_json::{Value, json};
use support::{Fault, World, eventually};

fn actions(outcome: &Outcome) -> Vec<(String, Action)> {
    assert!(outcome.is_ok(), "{}", outcome.detailed_errors());
    outcome
        .changes
        .iter()
        .map(|change| (change.id.name.clone(), change.action))
        .collect()
}

fn action(outcome: &Outcome) -> Action {
    assert!(outcome.is_ok(), "{}", outcome.detailed_errors());
    assert_eq!(outcome.changes.len(), 1);
    outcome.changes[0].action
}

#[tokio::test(flavor = "multi_thread")]
async fn new_objects_cost_one_request_and_unchanged_ones_none() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": world.namespace}});
    let objects = [
        world.config_map("a", "1"),
        account,
        world.config_map("b", "1"),
    ];
    let outcome = world.apply(&applier, &objects).await;
    assert_eq!(actions(&outcome).len(), 3);
    let namespace = &world.namespace;
    assert_eq!(
        outcome.change_log(),
        format!(
            "ServiceAccount/{namespace}/a created\nConfigMap/{namespace}/a created\nConfigMap/{namespace}/b created"
        )
    );
    let requests = world.requests();
    let patches = requests
        .iter()
        .filter(|line| line.starts_with("PATCH"))
        .count();
    assert_eq!(
        (patches, requests.len()),
        (3, 5),
        "discovery and the objects: {requests:#?}"
    );
    let live = world.get(&objects[0]).await.unwrap();
    assert_eq!(
        live["metadata"]["labels"],
        json!({"kustomize.toolkit.fluxcd.io/name": "a", "kustomize.toolkit.fluxcd.io/namespace": namespace})
    );
    let fields = &live["metadata"]["managedFields"][0];
    assert_eq!(
        (&fields["manager"], &fields["operation"]),
        (&json!("kustomize-controller"), &json!("Apply"))
    );

    let again = world.apply(&applier, &objects).await;
    assert!(
        actions(&again)
            .iter()
            .all(|(_, action)| *action == Action::Unchanged)
    );
    assert_eq!(
        (again.change_log().as_str(), world.requests()),
        ("", vec![])
    );

    let mut changed = objects.clone();
    changed[2] = world.config_map("b", "2");
    let outcome = world.apply(&applier, &changed).await;
    assert_eq!(
        outcome.change_log(),
        format!("ConfigMap/{namespace}/b configured")
    );
    assert_eq!(world.requests().len(), 1);
    assert_eq!(world.get(&changed[2]).await.unwrap()["data"]["key"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_starts_finds_its_objects_unchanged() {
    let world = World::start().await;
    let objects = [world.config_map("a", "1"), world.deployment("b", 2)];
    let first = world.cluster();
    actions(&world.apply(&world.applier(&first, "a"), &objects).await);
    drop(first);
    world.requests();
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let outcome = world.apply(&applier, &objects).await;
    assert!(
        actions(&outcome)
            .iter()
            .all(|(_, action)| *action == Action::Unchanged),
        "{}",
        outcome.log()
    );
    assert_eq!(world.requests().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_watches_every_object_is_compared() {
    let world = World::start().await;
    let cluster = apply::Cluster::unwatched(world.client.clone());
    let applier = world.applier(&cluster, "a");
    let object = world.config_map("a", "1");
    assert_eq!(
        action(&world.apply(&applier, std::slice::from_ref(&object)).await),
        Action::Created
    );
    assert_eq!(
        action(&world.apply(&applier, std::slice::from_ref(&object)).await),
        Action::Unchanged
    );
    world
        .patch(&object, json!({"data": {"key": "other"}}), "someone")
        .await;
    assert_eq!(
        action(&world.apply(&applier, std::slice::from_ref(&object)).await),
        Action::Configured
    );
    assert_eq!(world.get(&object).await.unwrap()["data"]["key"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_and_namespaces_come_before_what_needs_them() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let group = format!("{}.test", world.namespace);
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("things.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}});
    let name = format!("{}-new", world.namespace);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let thing = json!({"apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": {"name": "x", "namespace": name}, "spec": {"a": 1}});
    let objects = [thing.clone(), namespace.clone(), definition.clone()];
    let outcome = world.apply(&applier, &objects).await;
    let kinds: Vec<_> = outcome
        .changes
        .iter()
        .map(|change| (change.id.kind.as_str(), change.action))
        .collect();
    assert!(outcome.is_ok(), "{}", outcome.detailed_errors());
    assert_eq!(
        kinds,
        [
            ("CustomResourceDefinition", Action::Created),
            ("Namespace", Action::Created),
            ("Thing", Action::Created)
        ]
    );
    assert_eq!(outcome.entries()[2].id, format!("{name}_x_{group}_Thing"));
    let again = world.apply(&applier, &objects).await;
    assert_eq!(again.change_log(), "", "{}", again.detailed_errors());
    world.requests();
    world.apply(&applier, &objects).await;
    assert_eq!(
        world.requests(),
        Vec::<String>::new(),
        "definitions that were ready are not looked at"
    );
    for object in [thing, namespace, definition] {
        world.delete(&object).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_failures_are_told_and_nothing_is_applied() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let namespace = world.namespace.clone();
    let unknown = json!({"apiVersion": "no.test/v1", "kind": "Nothing", "metadata": {"name": "x", "namespace": namespace}});
    let good = world.config_map("good", "1");
    let mut wrong = world.deployment("wrong", 1);
    wrong["spec"]["selector"]["matchLabels"] = json!({"other": "label"});
    let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": namespace}, "data": {"a": 12_345_678}});
    secret["type"] = json!("Opaque");
    let outcome = world
        .apply(&applier, &[good.clone(), wrong, unknown, secret])
        .await;
    let texts: Vec<String> = outcome.errors.iter().map(ToString::to_string).collect();
    let all = texts.join("\n");
    assert_eq!(texts.len(), 3, "{all}");
    assert!(all.contains(&format!("Nothing/{namespace}/x dry-run failed: no matches for kind \"Nothing\" in version \"no.test/v1\"")), "{all}");
    assert!(all.contains(&format!("Deployment/{namespace}/wrong dry-run failed (Invalid): Deployment.apps \"wrong\" is invalid: ")), "{all}");
    assert!(
        all.contains(&format!("Secret/{namespace}/s dry-run failed")) && !all.contains("12345678"),
        "{all}"
    );
    assert!(
        world.get(&good).await.is_none(),
        "nothing of the stage is applied"
    );
    assert_eq!(outcome.apply_error().unwrap(), format!("{}\n", texts[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_refused_are_named_as_in_flux() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let mut nowhere = world.config_map("x", "1");
    nowhere["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    let mut missing = world.config_map("x", "1");
    missing["metadata"]["namespace"] = json!("not-there");
    let good = world.config_map("good", "1");
    let outcome = world
        .apply(&applier, &[good.clone(), missing.clone()])
        .await;
    assert_eq!((outcome.errors.len(), outcome.changes.len()), (1, 0));
    assert!(world.get(&good).await.is_none());
    for (object, text) in [
        (
            nowhere,
            "ConfigMap/x namespace not specified: the server could not find the requested resource (patch configmaps x)",
        ),
        (
            missing,
            "ConfigMap/not-there/x not found: namespaces \"not-there\" not found",
        ),
    ] {
        let outcome = world.apply(&applier, &[object]).await;
        assert_eq!(outcome.errors[0].to_string(), text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kubectl_has_applied_is_taken_over() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let object = world.config_map("a", "1");
    let mut theirs = object.clone();
    theirs["data"]["extra"] = json!("x");
    theirs["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
    world.create(&theirs, "kubectl-client-side-apply").await;
    let outcome = world.apply(&applier, std::slice::from_ref(&object)).await;
    assert_eq!(action(&outcome), Action::Configured);
    let live = world.get(&object).await.unwrap();
    assert_eq!(live["data"], json!({"key": "1"}));
    assert_eq!(live["metadata"].get("annotations"), None);
    let managers = live["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(managers.len(), 1, "{managers:#?}");

    let mut merged = world.config_map("merged", "1");
    merged["metadata"]["annotations"] = json!({"kustomize.toolkit.fluxcd.io/ssa": "merge"});
    let mut theirs = merged.clone();
    theirs["data"]["extra"] = json!("x");
    world.create(&theirs, "kubectl-edit").await;
    world.apply(&applier, std::slice::from_ref(&merged)).await;
    assert_eq!(
        world.get(&merged).await.unwrap()["data"],
        json!({"key": "1", "extra": "x"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn annotations_say_what_is_left_alone() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let with = |name: &str, value: &str, key: &str, word: &str| {
        let mut object = world.config_map(name, value);
        object["metadata"]["annotations"] = json!({ key: word });
        object
    };
    let off = with(
        "off",
        "1",
        "kustomize.toolkit.fluxcd.io/reconcile",
        "disabled",
    );
    assert_eq!(
        action(&world.apply(&applier, std::slice::from_ref(&off)).await),
        Action::Skipped
    );
    assert!(world.get(&off).await.is_none());
    let once = |value: &str| {
        with(
            "once",
            value,
            "kustomize.toolkit.fluxcd.io/ssa",
            "IfNotPresent",
        )
    };
    assert_eq!(
        action(&world.apply(&applier, &[once("1")]).await),
        Action::Created
    );
    assert_eq!(
        action(&world.apply(&applier, &[once("2")]).await),
        Action::Skipped
    );
    assert_eq!(world.get(&once("1")).await.unwrap()["data"]["key"], "1");

    let plain = |value: &str| world.config_map("plain", value);
    world.apply(&applier, &[plain("1")]).await;
    let ignored =
        json!({"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/ssa": "Ignore"}}});
    world.patch(&plain("1"), ignored, "someone").await;
    eventually(async || {
        let outcome = world.apply(&applier, &[plain("2")]).await;
        match action(&outcome) {
            Action::Skipped => Ok(()),
            other => Err(format!("{other}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_anew_when_they_must_be() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let map = |value: &str| {
        let mut object = world.config_map("fixed", value);
        object["immutable"] = json!(true);
        object
    };
    assert_eq!(
        action(&world.apply(&applier, &[map("1")]).await),
        Action::Created
    );
    let refused = world.apply(&applier, &[map("2")]).await;
    let text = refused.errors[0].to_string();
    assert!(
        text.starts_with(&format!(
            "ConfigMap/{}/fixed dry-run failed (Invalid): ",
            world.namespace
        )),
        "{text}"
    );
    assert!(refused.errors[0].hint().is_some());
    let before = world.get(&map("1")).await.unwrap();
    let mut options = Options::for_kustomizations(&[]);
    options.force = true;
    assert_eq!(
        action(&world.apply_with(&applier, &[map("2")], &options).await),
        Action::Created
    );
    let after = world.get(&map("1")).await.unwrap();
    assert_ne!(before["metadata"]["uid"], after["metadata"]["uid"]);
    let mut annotated = map("3");
    annotated["metadata"]["annotations"] = json!({"kustomize.toolkit.fluxcd.io/force": "Enabled"});
    assert_eq!(
        action(&world.apply(&applier, &[annotated]).await),
        Action::Created
    );
    assert_eq!(
        action(
            &world
                .apply(&applier, &[world.config_map("fixed", "x")])
                .await
        ),
        Action::Created
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ignored_fields_are_left_to_others() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let mut options = Options::for_kustomizations(&[]);
    let rules: Vec<api::meta::IgnoreRule> = serde_json::from_value(
        json!([{"paths": ["/spec/replicas"], "target": {"kind": "Deployment"}}]),
    )
    .unwrap();
    options.ignore = apply::ignore::IgnoreRules::new(&rules).unwrap();
    let deployment = |replicas: u32| world.deployment("a", replicas);
    assert_eq!(
        action(&world.apply_with(&applier, &[deployment(1)], &options).await),
        Action::Created
    );
    world
        .patch(
            &deployment(1),
            json!({"spec": {"replicas": 5}}),
            "autoscaler",
        )
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let outcome = world.apply_with(&applier, &[deployment(1)], &options).await;
    assert_eq!(action(&outcome), Action::Unchanged);
    let mut changed = deployment(1);
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = json!("example.test/image:2");
    assert_eq!(
        action(&world.apply_with(&applier, &[changed], &options).await),
        Action::Configured
    );
    let live = world.get(&deployment(1)).await.unwrap();
    assert_eq!(
        (
            &live["spec"]["replicas"],
            &live["spec"]["template"]["spec"]["containers"][0]["image"]
        ),
        (&json!(5), &json!("example.test/image:2"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_passing_is_tried_again() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let message = |text: &str| text.to_owned();
    for (number, fault) in [
        Fault::Status(500, "InternalError", message("Internal error occurred: failed calling webhook \"x\": dial tcp: connect: connection refused")),
        Fault::Status(429, "TooManyRequests", message("slow down")),
        Fault::Status(503, "ServiceUnavailable", message("not now")),
        Fault::Cut,
        Fault::Lost,
    ]
    .into_iter()
    .enumerate()
    {
        let object = world.config_map(&format!("m{number}"), "1");
        world.fail(1, &["PATCH", "configmaps"], fault.clone());
        let outcome = world.apply(&applier, std::slice::from_ref(&object)).await;
        assert!(outcome.is_ok(), "{fault:?}: {}", outcome.detailed_errors());
        assert_eq!(world.get(&object).await.unwrap()["data"]["key"], "1", "{fault:?}");
    }
    let object = world.config_map("last", "1");
    world.fail(
        1,
        &["PATCH", "configmaps"],
        Fault::Status(500, "InternalError", message("boom")),
    );
    let outcome = world.apply(&applier, std::slice::from_ref(&object)).await;
    assert_eq!(
        outcome.errors[0].to_string(),
        format!(
            "ConfigMap/{}/last dry-run failed (InternalError): boom",
            world.namespace
        )
    );
    assert!(world.apply(&applier, &[object]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_shown_without_secrets() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": world.namespace}, "stringData": {"a": value}});
    let diff = async |object: Value| {
        let mut manifests = [apply::Manifest::new(object)];
        apply::set_owner_labels(&mut manifests, applier.owner());
        apply::normalize(&mut manifests);
        applier
            .diff(&manifests[0], &Options::for_kustomizations(&[]))
            .await
            .unwrap()
    };
    assert_eq!(diff(secret("1")).await.change.action, Action::Created);
    assert!(world.get(&secret("1")).await.is_none());
    world.apply(&applier, &[secret("1")]).await;
    assert_eq!(diff(secret("1")).await.change.action, Action::Unchanged);
    let found = diff(secret("2")).await;
    assert_eq!(found.change.action, Action::Configured);
    let (live, wanted) = *found.states.unwrap();
    assert_eq!(
        (&live["data"]["a"], &wanted["data"]["a"]),
        (&json!("*** (before)"), &json!("*** (after)"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_stays_wrong_stays_without_effect() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let fixed = |value: &str| {
        let mut object = world.config_map("fixed", value);
        object["immutable"] = json!(true);
        object
    };
    let first = world
        .apply(&applier, &[fixed("1"), world.config_map("other", "1")])
        .await;
    assert!(first.is_ok(), "{}", first.detailed_errors());
    for _ in 0..3 {
        let outcome = world
            .apply(&applier, &[fixed("2"), world.config_map("other", "2")])
            .await;
        assert_eq!((outcome.errors.len(), outcome.changes.len()), (1, 0));
        let other = world.get(&world.config_map("other", "")).await.unwrap();
        assert_eq!(other["data"]["key"], "1");
    }
    let reverted = world
        .apply(&applier, &[fixed("1"), world.config_map("other", "2")])
        .await;
    assert_eq!(
        reverted.change_log(),
        format!("ConfigMap/{}/other configured", world.namespace)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_given_up_is_made_good() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let objects = |value: &str| [world.config_map("a", value), world.config_map("b", value)];
    assert!(world.apply(&applier, &objects("1")).await.is_ok());
    for words in [&["PATCH", "/a?"][..], &["PATCH", "/b?"]] {
        world.fail(1, words, Fault::Hang);
        let limit = std::time::Duration::from_millis(300);
        let given_up = tokio::time::timeout(limit, world.apply(&applier, &objects("2"))).await;
        assert!(given_up.is_err());
        assert!(world.apply(&applier, &objects("2")).await.is_ok());
        for object in objects("2") {
            assert_eq!(world.get(&object).await.unwrap()["data"]["key"], "2");
        }
        assert!(world.apply(&applier, &objects("1")).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_may_not_be_listed_are_read_one_by_one() {
    let world = World::start().await;
    let refused = "configmaps is forbidden: User cannot list resource";
    world.fail(
        u32::MAX,
        &["limit=500", "configmaps"],
        Fault::Status(403, "Forbidden", refused.to_owned()),
    );
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a");
    let object = |value: &str| world.config_map("a", value);
    for (value, expected) in [
        ("1", Action::Created),
        ("1", Action::Unchanged),
        ("2", Action::Configured),
    ] {
        let outcome = world.apply(&applier, &[object(value)]).await;
        assert_eq!(action(&outcome), expected);
    }
    let off =
        json!({"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}});
    world.patch(&object("2"), off, "someone").await;
    let outcome = world.apply(&applier, &[object("3")]).await;
    assert_eq!(action(&outcome), Action::Skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_lack_rights_changes_nothing_before_all_is_tried() {
    let world = World::start().await;
    let cluster = world.cluster();
    let applier = world.applier(&cluster, "a").cautious();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": world.namespace}, "stringData": {"a": "b"}});
    let map = world.config_map("a", "1");
    world.fail(
        1,
        &["PATCH", "secrets"],
        Fault::Status(403, "Forbidden", "secrets \"s\" is forbidden".to_owned()),
    );
    let outcome = world.apply(&applier, &[map.clone(), secret.clone()]).await;
    let text = format!(
        "Secret/{}/s dry-run failed (Forbidden): secrets \"s\" is forbidden",
        world.namespace
    );
    assert_eq!(outcome.errors[0].to_string(), text);
    assert!(world.get(&map).await.is_none());
    assert!(world.apply(&applier, &[map.clone(), secret]).await.is_ok());
    assert!(world.get(&map).await.is_some());
}
