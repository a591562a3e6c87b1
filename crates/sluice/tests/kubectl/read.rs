//! `get` in all its forms, `describe`, `explain`.

use testkit::process::Background;
use testkit::{DEADLINE, eventually};

use super::{SETTINGS, WEB, with_kubectl};

/// The columns of a table's first line.
fn header(table: &str) -> Vec<&str> {
    table
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}

#[test]
fn get_prints_tables() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        kubectl.ok(&["rollout", "status", "deployment/web"]);
        let table = kubectl.ok(&["get", "deployment", "web"]);
        assert_eq!(
            header(&table),
            ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
        );
        let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row[..4], ["web", "2/2", "2", "2"]);
        let wide = kubectl.ok(&["get", "deployment", "-o", "wide"]);
        assert_eq!(
            header(&wide),
            [
                "NAME",
                "READY",
                "UP-TO-DATE",
                "AVAILABLE",
                "AGE",
                "CONTAINERS",
                "IMAGES",
                "SELECTOR"
            ]
        );
        assert!(wide.contains("nginx:1.27   app=web"), "{wide}");
        let pods = kubectl.ok(&["get", "pods", "--show-labels"]);
        assert_eq!(
            header(&pods),
            ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "LABELS"]
        );
        assert_eq!(pods.matches("1/1     Running   0").count(), 2, "{pods}");
        let all = kubectl.ok(&["get", "all", "--all-namespaces"]);
        for name in ["deployment.apps/web", "replicaset.apps/web-"] {
            assert!(all.contains(name), "{all}");
        }
        let none = kubectl.run(&["get", "pods", "-n", "kube-public"]);
        assert_eq!(
            none.stderr,
            "No resources found in kube-public namespace.\n"
        );
    });
}

#[test]
fn get_prints_objects() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(SETTINGS);
        let yaml = kubectl.ok(&["get", "configmap", "settings", "-o", "yaml"]);
        assert!(
            yaml.starts_with(
                "apiVersion: v1\ndata:\n  colour: blue\n  size: small\nkind: ConfigMap\n"
            ),
            "{yaml}"
        );
        let json: serde_json::Value =
            serde_json::from_str(&kubectl.ok(&["get", "configmaps", "-o", "json"])).unwrap();
        assert_eq!(json["kind"], "List");
        let names: Vec<_> = json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["metadata"]["name"])
            .collect();
        assert_eq!(names, ["settings"]);
        assert_eq!(
            kubectl.ok(&["get", "cm/settings", "-o", "jsonpath={.data.size}"]),
            "small"
        );
        let columns = kubectl.ok(&[
            "get",
            "cm",
            "settings",
            "-o",
            "custom-columns=WHO:.metadata.name,COLOUR:.data.colour",
        ]);
        assert_eq!(columns, "WHO        COLOUR\nsettings   blue\n");
        assert_eq!(
            kubectl.ok(&["get", "cm", "settings", "-o", "name"]),
            "configmap/settings\n"
        );
        assert_eq!(
            kubectl.ok(&[
                "get",
                "cm",
                "settings",
                "-o",
                "go-template={{.data.colour}}"
            ]),
            "blue"
        );
        let sorted = kubectl.ok(&[
            "get",
            "namespaces",
            "--sort-by=.metadata.name",
            "-o",
            "name",
        ]);
        assert_eq!(
            sorted,
            "namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public\nnamespace/kube-system\n"
        );
    });
}

#[test]
fn get_selects_by_label_and_field_in_chunks() {
    with_kubectl(|kubectl, _| {
        let mut manifest = String::new();
        for index in 0..12 {
            manifest.push_str(&format!(
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index:02}, labels: {{even: \"{}\"}}}}\n",
                index % 2 == 0
            ));
        }
        kubectl.apply(&manifest);
        let names = kubectl.ok(&[
            "get",
            "cm",
            "-l",
            "even in (true),even!=maybe",
            "--chunk-size=5",
            "-o",
            "name",
        ]);
        assert_eq!(names.lines().count(), 6, "{names}");
        let names = kubectl.ok(&["get", "cm", "--chunk-size=5", "-o", "name"]);
        assert_eq!(names.lines().count(), 12, "{names}");
        let names = kubectl.ok(&[
            "get",
            "cm",
            "--field-selector",
            "metadata.name=c03",
            "-o",
            "name",
        ]);
        assert_eq!(names, "configmap/c03\n");
        let text = kubectl
            .run(&["get", "cm", "--field-selector", "data.x=1"])
            .failed();
        assert!(text.contains("\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""), "{text}");
    });
}

#[test]
fn get_watches() {
    with_kubectl(|kubectl, server| {
        kubectl.apply(SETTINGS);
        let watch = Background::start(
            &mut kubectl.command(&[
                "get",
                "cm",
                "settings",
                "-w",
                "--output-watch-events",
                "-o",
                "jsonpath={.type} {.object.data.colour}{\"\\n\"}",
            ]),
            &server.folder().join("watch"),
        );
        let seen = |line: &str| {
            eventually(DEADLINE, || {
                let output = watch.output();
                if output.lines().any(|seen| seen == line) {
                    Ok(())
                } else {
                    Err(output)
                }
            });
        };
        seen("ADDED blue");
        kubectl.apply(&SETTINGS.replace("blue", "red"));
        seen("MODIFIED red");
        kubectl.ok(&["delete", "cm", "settings"]);
        seen("DELETED red");
    });
}

#[test]
fn describe_shows_objects_and_their_events() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        kubectl.ok(&["rollout", "status", "deployment/web"]);
        let text = kubectl.ok(&["describe", "deployment", "web"]);
        for line in [
            "Name:                   web",
            "Selector:               app=web",
            "Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable",
            "StrategyType:           RollingUpdate",
            "  Available      True    MinimumReplicasAvailable",
            "  Progressing    True    NewReplicaSetAvailable",
        ] {
            assert!(text.contains(line), "no line {line:?} in\n{text}");
        }
        let pod = kubectl.ok(&["describe", "pods", "-l", "app=web"]);
        assert!(pod.contains("Controlled By:  ReplicaSet/web-"), "{pod}");
        for kind in [
            "namespace/default",
            "serviceaccount/default",
            "clusterrole/cluster-admin",
        ] {
            let text = kubectl.ok(&["describe", kind]);
            assert!(text.starts_with("Name:"), "{text}");
        }
    });
}

#[test]
fn explain_reads_the_published_schemas() {
    with_kubectl(|kubectl, _| {
        let text = kubectl.ok(&["explain", "deployment.spec"]);
        assert!(text.starts_with("GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n\nFIELD: spec <DeploymentSpec>\n"), "{text}");
        assert!(text.contains("  replicas\t<integer>\n"), "{text}");
        assert!(
            text.contains("  selector\t<LabelSelector> -required-\n"),
            "{text}"
        );
        let text = kubectl.ok(&["explain", "pods", "--recursive"]);
        assert!(
            text.contains("    containers\t<[]Container> -required-\n"),
            "{text}"
        );
        let text = kubectl.run(&["explain", "pods.spec.nothing"]).failed();
        assert!(text.contains("field \"nothing\" does not exist"), "{text}");
        kubectl.apply(super::cluster::WIDGETS);
        let text = kubectl.until(&["explain", "widgets.spec"], |_| true);
        assert!(text.contains("  size\t<integer> -required-\n"), "{text}");
    });
}
