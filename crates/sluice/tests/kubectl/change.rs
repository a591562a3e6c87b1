//! `label`, `annotate`, `patch`, `edit`, `set`, `scale`, `replace`.

use testkit::process::run;

use super::{SETTINGS, WEB, with_kubectl};

#[test]
fn label_and_annotate() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(SETTINGS);
        assert_eq!(
            kubectl.ok(&["label", "cm", "settings", "tier=web"]),
            "configmap/settings labeled\n"
        );
        let text = kubectl
            .run(&["label", "cm", "settings", "tier=db"])
            .failed();
        assert!(
            text.contains("'tier' already has a value (web), and --overwrite is false"),
            "{text}"
        );
        kubectl.ok(&["label", "cm", "settings", "tier=db", "--overwrite"]);
        assert_eq!(
            kubectl.ok(&["get", "cm", "-l", "tier=db", "-o", "name"]),
            "configmap/settings\n"
        );
        assert_eq!(
            kubectl.ok(&["label", "cm", "settings", "tier-"]),
            "configmap/settings unlabeled\n"
        );
        assert_eq!(
            kubectl.ok(&["annotate", "cm", "settings", "note=hello there"]),
            "configmap/settings annotated\n"
        );
        assert_eq!(
            kubectl.ok(&[
                "get",
                "cm",
                "settings",
                "-o",
                "jsonpath={.metadata.labels}{.metadata.annotations.note}"
            ]),
            "hello there"
        );
        let text = kubectl.run(&["label", "cm", "settings", "a=b c"]).failed();
        assert!(
            text.contains("a valid label must be an empty string or consist of alphanumeric"),
            "{text}"
        );
    });
}

#[test]
fn patch_in_three_types() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        let patch = |kind: &str, patch: &str| {
            kubectl.ok(&["patch", "deployment", "web", "--type", kind, "-p", patch])
        };
        let strategic =
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox"}]}}}}"#;
        assert_eq!(
            patch("strategic", strategic),
            "deployment.apps/web patched\n"
        );
        assert_eq!(
            patch("strategic", strategic),
            "deployment.apps/web patched (no change)\n"
        );
        let images = [
            "get",
            "deployment",
            "web",
            "-o",
            "jsonpath={.spec.template.spec.containers[*].image}",
        ];
        assert_eq!(kubectl.ok(&images), "busybox nginx:1.27");
        patch(
            "merge",
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:2"}]}}}}"#,
        );
        assert_eq!(kubectl.ok(&images), "nginx:2");
        patch(
            "json",
            r#"[{"op":"test","path":"/spec/replicas","value":2},{"op":"replace","path":"/spec/replicas","value":1}]"#,
        );
        assert_eq!(
            kubectl.ok(&[
                "get",
                "deployment",
                "web",
                "-o",
                "jsonpath={.spec.replicas}"
            ]),
            "1"
        );
        let text = kubectl
            .run(&[
                "patch",
                "deployment",
                "web",
                "--subresource=status",
                "--type=merge",
                "-p",
                r#"{"status":{"replicas":7},"spec":{"replicas":9}}"#,
                "-o",
                "jsonpath={.spec.replicas}",
            ])
            .ok();
        assert_eq!(
            text, "1",
            "spec is not written through the status subresource"
        );
        let text = kubectl
            .run(&[
                "patch",
                "deployment",
                "web",
                "--type=json",
                "-p",
                r#"[{"op":"remove","path":"/spec/nothing"}]"#,
            ])
            .failed();
        assert!(text.contains("The request is invalid: the server rejected our request due to an error in our request"), "{text}");
    });
}

#[test]
fn edit_sends_what_the_editor_changed() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(SETTINGS);
        let edit = |script: &str| {
            let mut command = kubectl.command(&["edit", "configmap", "settings"]);
            command.env("KUBE_EDITOR", format!("sed -i {script}"));
            run(&mut command, "", std::time::Duration::from_secs(60))
        };
        assert_eq!(edit("s/blue/purple/").ok(), "configmap/settings edited\n");
        assert_eq!(
            kubectl.ok(&["get", "cm", "settings", "-o", "jsonpath={.data.colour}"]),
            "purple"
        );
        let unchanged = edit("s/absent/nothing/");
        assert_eq!(unchanged.stderr, "Edit cancelled, no changes made.\n");
    });
}

#[test]
fn scale_with_preconditions() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        assert_eq!(
            kubectl.ok(&["scale", "deployment/web", "--replicas=4"]),
            "deployment.apps/web scaled\n"
        );
        kubectl.until(
            &[
                "get",
                "deployment",
                "web",
                "-o",
                "jsonpath={.status.availableReplicas}",
            ],
            |text| text == "4",
        );
        let text = kubectl
            .run(&[
                "scale",
                "deployment/web",
                "--current-replicas=2",
                "--replicas=1",
            ])
            .failed();
        assert!(text.contains("Expected replicas to be 2, was 4"), "{text}");
        assert_eq!(
            kubectl.ok(&[
                "scale",
                "deployment/web",
                "--current-replicas=4",
                "--replicas=0"
            ]),
            "deployment.apps/web scaled\n"
        );
        kubectl.until(
            &["get", "pods", "-l", "app=web", "-o", "name"],
            str::is_empty,
        );
        kubectl.ok(&[
            "autoscale",
            "deployment/web",
            "--min=1",
            "--max=3",
            "--cpu=80%",
        ]);
        let text = kubectl.ok(&["get", "hpa", "web", "-o", "jsonpath={.spec.minReplicas} {.spec.maxReplicas} {.spec.metrics[0].resource.target.averageUtilization}"]);
        assert_eq!(text, "1 3 80");
    });
}

#[test]
fn replace_and_set() {
    with_kubectl(|kubectl, _| {
        kubectl.ok(&["create", "configmap", "settings", "--from-literal=old=1"]);
        assert_eq!(
            kubectl.run_with(&["replace", "-f", "-"], SETTINGS).ok(),
            "configmap/settings replaced\n"
        );
        assert_eq!(
            kubectl.ok(&["get", "cm", "settings", "-o", "jsonpath={.data}"]),
            r#"{"colour":"blue","size":"small"}"#
        );
        let stale = SETTINGS.replace("name: settings", "name: settings, resourceVersion: \"1\"");
        let text = kubectl.run_with(&["replace", "-f", "-"], &stale).failed();
        assert!(text.contains("the object has been modified; please apply your changes to the latest version and try again"), "{text}");
        kubectl.apply(WEB);
        assert_eq!(
            kubectl.ok(&["set", "image", "deployment/web", "web=nginx:3"]),
            "deployment.apps/web image updated\n"
        );
        assert_eq!(
            kubectl.ok(&[
                "set",
                "resources",
                "deployment/web",
                "--limits=cpu=200m,memory=512Mi"
            ]),
            "deployment.apps/web resource requirements updated\n"
        );
        assert_eq!(
            kubectl.ok(&["expose", "deployment", "web", "--port=80"]),
            "service/web exposed\n"
        );
        kubectl.until(
            &["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"],
            |text| text.starts_with("10.96."),
        );
    });
}
