//! `apply`, `diff`, `create`.

use super::{SETTINGS, WEB, with_kubectl};

#[test]
fn apply_creates_configures_and_leaves_alone() {
    with_kubectl(|kubectl, _| {
        assert_eq!(kubectl.apply(SETTINGS), "configmap/settings created\n");
        assert_eq!(kubectl.apply(SETTINGS), "configmap/settings unchanged\n");
        let changed = SETTINGS.replace("blue, size: small", "red");
        assert_eq!(kubectl.apply(&changed), "configmap/settings configured\n");
        // The key that the manifest no longer has is gone: kubectl's three-way patch.
        assert_eq!(
            kubectl.ok(&["get", "configmap", "settings", "-o", "jsonpath={.data}"]),
            r#"{"colour":"red"}"#
        );
    });
}

#[test]
fn apply_sends_a_strategic_patch_of_a_list() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        kubectl.ok(&["set", "env", "deployment/web", "ADDED=by-hand"]);
        let changed = WEB.replace("nginx:1.27", "nginx:1.28");
        assert_eq!(kubectl.apply(&changed), "deployment.apps/web configured\n");
        let container = "jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].name}";
        assert_eq!(
            kubectl.ok(&["get", "deployment", "web", "-o", container]),
            "nginx:1.28 ADDED"
        );
    });
}

#[test]
fn server_side_apply_reports_conflicts_and_forces_them() {
    with_kubectl(|kubectl, _| {
        let apply = ["apply", "--server-side", "-f", "-"];
        assert_eq!(
            kubectl.run_with(&apply, SETTINGS).ok(),
            "configmap/settings serverside-applied\n"
        );
        let other = SETTINGS.replace("blue", "green");
        let theirs = ["apply", "--server-side", "--field-manager=other", "-f", "-"];
        let conflict = kubectl.run_with(&theirs, &other).failed();
        assert!(
            conflict
                .contains("Apply failed with 1 conflict: conflict with \"kubectl\": .data.colour"),
            "{conflict}"
        );
        let mut forced = theirs.to_vec();
        forced.push("--force-conflicts");
        kubectl.run_with(&forced, &other).ok();
        let managers = kubectl.ok(&[
            "get",
            "configmap",
            "settings",
            "--show-managed-fields",
            "-o",
            "jsonpath={range .metadata.managedFields[*]}{.manager}={.operation} {end}",
        ]);
        assert_eq!(managers, "kubectl=Apply other=Apply ");
    });
}

#[test]
fn apply_prunes_by_label() {
    with_kubectl(|kubectl, _| {
        let labelled = |name: &str| {
            format!(
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{set: one}}}}\n"
            )
        };
        kubectl.apply(&format!("{}{}", labelled("kept"), labelled("dropped")));
        let text = kubectl
            .run_with(
                &[
                    "apply",
                    "--prune",
                    "-l",
                    "set=one",
                    "--prune-allowlist=core/v1/ConfigMap",
                    "-f",
                    "-",
                ],
                &labelled("kept"),
            )
            .ok();
        assert!(text.contains("configmap/kept unchanged"), "{text}");
        assert!(text.contains("configmap/dropped pruned"), "{text}");
    });
}

#[test]
fn apply_shows_what_is_wrong() {
    with_kubectl(|kubectl, _| {
        let unknown = WEB.replace("replicas:", "replicaz:");
        let text = kubectl.run_with(&["apply", "-f", "-"], &unknown).failed();
        assert!(text.contains("unknown field \"spec.replicaz\""), "{text}");
        let invalid = WEB.replace("name: web,", "name: Web_1,");
        let text = kubectl.run_with(&["apply", "-f", "-"], &invalid).failed();
        assert!(
            text.contains("The Deployment \"Web_1\" is invalid: metadata.name: Invalid value: \"Web_1\": a lowercase RFC 1123 subdomain"),
            "{text}"
        );
        let text = kubectl
            .run_with(
                &["apply", "-f", "-"],
                "apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: a}\n",
            )
            .failed();
        assert!(
            text.contains("no matches for kind \"Nothing\" in version \"example.com/v1\""),
            "{text}"
        );
    });
}

#[test]
fn diff_shows_what_apply_would_change() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(SETTINGS);
        assert_eq!(kubectl.run_with(&["diff", "-f", "-"], SETTINGS).ok(), "");
        let changed = SETTINGS.replace("blue", "red");
        for server_side in ["--server-side=false", "--server-side=true"] {
            let finished = kubectl.run_with(
                &["diff", "--force-conflicts=true", server_side, "-f", "-"].map(|flag| {
                    // The flag is only for server-side apply.
                    if flag == "--force-conflicts=true" && server_side.ends_with("false") {
                        "--concurrency=1"
                    } else {
                        flag
                    }
                }),
                &changed,
            );
            assert_eq!(finished.status.code(), Some(1), "{finished}");
            assert!(
                finished
                    .stdout
                    .contains("-  colour: blue\n+  colour: red\n"),
                "{finished}"
            );
        }
        // It was a dry run.
        assert_eq!(
            kubectl.ok(&["get", "cm", "settings", "-o", "jsonpath={.data.colour}"]),
            "blue"
        );
    });
}

#[test]
fn create_has_generators_for_many_kinds() {
    with_kubectl(|kubectl, _| {
        for (arguments, expected) in [
            (
                &["create", "namespace", "shop"][..],
                "namespace/shop created\n",
            ),
            (
                &[
                    "create",
                    "deployment",
                    "web",
                    "--image=nginx",
                    "--replicas=2",
                ],
                "deployment.apps/web created\n",
            ),
            (
                &["create", "configmap", "c", "--from-literal=a=b"],
                "configmap/c created\n",
            ),
            (
                &["create", "secret", "generic", "s", "--from-literal=a=b"],
                "secret/s created\n",
            ),
            (
                &["create", "serviceaccount", "robot"],
                "serviceaccount/robot created\n",
            ),
            (
                &["create", "service", "clusterip", "svc", "--tcp=80:8080"],
                "service/svc created\n",
            ),
            (
                &["create", "job", "once", "--image=busybox"],
                "job.batch/once created\n",
            ),
            (
                &[
                    "create",
                    "cronjob",
                    "tick",
                    "--image=busybox",
                    "--schedule=*/5 * * * *",
                ],
                "cronjob.batch/tick created\n",
            ),
            (
                &["create", "role", "reader", "--verb=get", "--resource=pods"],
                "role.rbac.authorization.k8s.io/reader created\n",
            ),
            (
                &[
                    "create",
                    "rolebinding",
                    "readers",
                    "--role=reader",
                    "--serviceaccount=default:robot",
                ],
                "rolebinding.rbac.authorization.k8s.io/readers created\n",
            ),
            (
                &["create", "clusterrole", "all", "--verb=*", "--resource=*"],
                "clusterrole.rbac.authorization.k8s.io/all created\n",
            ),
            (
                &["create", "ingress", "in", "--rule=example.com/*=svc:80"],
                "ingress.networking.k8s.io/in created\n",
            ),
            (
                &["create", "quota", "limit", "--hard=pods=10"],
                "resourcequota/limit created\n",
            ),
            (
                &["create", "priorityclass", "high", "--value=1000"],
                "priorityclass.scheduling.k8s.io/high created\n",
            ),
            (
                &[
                    "create",
                    "poddisruptionbudget",
                    "pdb",
                    "--selector=app=web",
                    "--min-available=1",
                ],
                "poddisruptionbudget.policy/pdb created\n",
            ),
        ] {
            assert_eq!(kubectl.ok(arguments), expected);
        }
        let text = kubectl.run(&["create", "namespace", "shop"]).failed();
        assert_eq!(
            text,
            "Error from server (AlreadyExists): namespaces \"shop\" already exists\n"
        );
        let text = kubectl
            .run_with(
                &["create", "-f", "-"],
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: made-}\n",
            )
            .ok();
        assert!(
            text.starts_with("configmap/made-") && text.ends_with(" created\n"),
            "{text}"
        );
        let text = kubectl
            .run(&[
                "create",
                "configmap",
                "dry",
                "--from-literal=a=b",
                "--dry-run=server",
                "-o",
                "name",
            ])
            .ok();
        assert_eq!(text, "configmap/dry\n");
        let text = kubectl.run(&["get", "configmap", "dry"]).failed();
        assert_eq!(
            text,
            "Error from server (NotFound): configmaps \"dry\" not found\n"
        );
    });
}
