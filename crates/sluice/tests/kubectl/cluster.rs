//! Discovery, access, configuration.

use testkit::process::run;

use super::{SETTINGS, with_kubectl};

/// A small definition.
pub(crate) const WIDGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            x-kubernetes-validations:
            - {rule: "self.size >= oldSelf.size", message: a widget cannot shrink}
            properties:
              size: {type: integer, maximum: 9}
              colour: {type: string, default: grey}
          status: {type: object, properties: {size: {type: integer}}}
"#;

#[test]
fn api_resources_and_versions() {
    with_kubectl(|kubectl, _| {
        let table = kubectl.ok(&["api-resources"]);
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        for row in [
            ["configmaps", "cm", "v1", "true", "ConfigMap"],
            ["deployments", "deploy", "apps/v1", "true", "Deployment"],
            [
                "customresourcedefinitions",
                "crd,crds",
                "apiextensions.k8s.io/v1",
                "false",
                "CustomResourceDefinition",
            ],
        ] {
            assert!(
                rows.iter().any(|seen| *seen == row),
                "no row {row:?} in\n{table}"
            );
        }
        let names = kubectl.ok(&[
            "api-resources",
            "--namespaced=false",
            "--verbs=list",
            "-o",
            "name",
        ]);
        assert!(
            names.contains("clusterroles.rbac.authorization.k8s.io\n") && !names.contains("pods"),
            "{names}"
        );
        let versions = kubectl.ok(&["api-versions"]);
        assert!(versions.ends_with("storage.k8s.io/v1\nv1\n"), "{versions}");
        let version = kubectl.ok(&["version", "-o", "json"]);
        let version: serde_json::Value = serde_json::from_str(&version).unwrap();
        assert_eq!(version["serverVersion"]["minor"], "35");
    });
}

#[test]
fn definitions_are_served_at_once() {
    with_kubectl(|kubectl, _| {
        assert_eq!(
            kubectl.apply(WIDGETS),
            "customresourcedefinition.apiextensions.k8s.io/widgets.example.com created\n"
        );
        kubectl.ok(&[
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd/widgets.example.com",
        ]);
        let widget =
            "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 3}\n";
        assert_eq!(kubectl.apply(widget), "widget.example.com/a created\n");
        let table = kubectl.ok(&["get", "wd"]);
        assert_eq!(table, "NAME   SIZE\na      3\n");
        assert_eq!(
            kubectl.ok(&["get", "wd", "a", "-o", "jsonpath={.spec.colour}"]),
            "grey"
        );
        let text = kubectl
            .run_with(&["apply", "-f", "-"], &widget.replace('3', "2"))
            .failed();
        assert!(
            text.contains("spec: Invalid value: a widget cannot shrink")
                || text.contains("a widget cannot shrink"),
            "{text}"
        );
        let text = kubectl
            .run_with(&["apply", "-f", "-"], &widget.replace('3', "12"))
            .failed();
        assert!(
            text.contains(
                "spec.size: Invalid value: 12: spec.size in body should be less than or equal to 9"
            ),
            "{text}"
        );
        let text = kubectl
            .run_with(
                &["apply", "-f", "-"],
                &widget.replace("size: 3", "size: 3, sise: 4"),
            )
            .failed();
        assert!(text.contains("unknown field \"spec.sise\""), "{text}");
        assert_eq!(
            kubectl.ok(&["scale", "widget/a", "--replicas=5"]),
            "widget.example.com/a scaled\n"
        );
        kubectl.ok(&["delete", "crd", "widgets.example.com"]);
        kubectl.until(
            &["api-resources", "--api-group=example.com", "-o", "name"],
            str::is_empty,
        );
    });
}

#[test]
fn auth_can_i_and_tokens() {
    with_kubectl(|kubectl, server| {
        assert_eq!(kubectl.ok(&["auth", "can-i", "delete", "nodes"]), "yes\n");
        let who = kubectl.ok(&["auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}"]);
        assert!(who.contains("system:masters"), "{who}");
        kubectl.ok(&["create", "serviceaccount", "robot"]);
        kubectl.ok(&[
            "create",
            "role",
            "reader",
            "--verb=get,list",
            "--resource=configmaps",
        ]);
        kubectl.ok(&[
            "create",
            "rolebinding",
            "readers",
            "--role=reader",
            "--serviceaccount=default:robot",
        ]);
        let robot = "--as=system:serviceaccount:default:robot";
        assert_eq!(
            kubectl.ok(&["auth", "can-i", "get", "configmaps", robot]),
            "yes\n"
        );
        let finished = kubectl.run(&["auth", "can-i", "create", "configmaps", robot]);
        assert_eq!(
            (finished.status.code(), finished.stdout.as_str()),
            (Some(1), "no\n")
        );
        let list = kubectl.ok(&["auth", "can-i", "--list", robot]);
        assert!(
            list.contains("configmaps") && list.contains("[get list]"),
            "{list}"
        );
        let text = kubectl.run(&["get", "secrets", robot]).failed();
        assert_eq!(
            text,
            "Error from server (Forbidden): secrets is forbidden: User \"system:serviceaccount:default:robot\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\"\n"
        );
        let token = kubectl.ok(&["create", "token", "robot", "--duration=10m"]);
        assert_eq!(token.trim().split('.').count(), 3, "a JWT");
        // The token alone, without the administrator's.
        let kubeconfig = server.file(
            "robot",
            &std::fs::read_to_string(&server.kubeconfig).unwrap(),
        );
        let with_token = |arguments: &[&str]| {
            let mut command = kubectl.command(&[]);
            command.env("KUBECONFIG", &kubeconfig).args(arguments);
            run(&mut command, "", testkit::DEADLINE)
        };
        with_token(&[
            "config",
            "set-credentials",
            "sluice",
            &format!("--token={}", token.trim()),
        ])
        .ok();
        kubectl.apply(SETTINGS);
        assert_eq!(
            with_token(&["get", "cm", "settings", "-o", "name"]).ok(),
            "configmap/settings\n"
        );
        assert!(
            with_token(&["delete", "cm", "settings"])
                .failed()
                .contains("(Forbidden)")
        );
        with_token(&["config", "set-credentials", "sluice", "--token=wrong"]).ok();
        let text = with_token(&["get", "cm"]).failed();
        assert!(
            text.contains("You must be logged in to the server (Unauthorized)")
                || text.contains("the server has asked for the client to provide credentials"),
            "{text}"
        );
    });
}

#[test]
fn config_and_cluster_info() {
    with_kubectl(|kubectl, server| {
        assert_eq!(kubectl.ok(&["config", "current-context"]), "sluice\n");
        let view = kubectl.ok(&[
            "config",
            "view",
            "-o",
            "jsonpath={.clusters[0].cluster.server} {.users[0].user.token}",
        ]);
        assert_eq!(view, format!("{} REDACTED", server.url));
        kubectl.ok(&[
            "config",
            "set-context",
            "--current",
            "--namespace=kube-system",
        ]);
        kubectl.apply(SETTINGS);
        assert_eq!(
            kubectl.ok(&["get", "cm", "settings", "-n", "kube-system", "-o", "name"]),
            "configmap/settings\n"
        );
        let info = kubectl.ok(&["cluster-info"]);
        assert!(
            info.contains("is running at") && info.contains(&server.url),
            "{info}"
        );
        for path in ["/healthz", "/livez", "/readyz"] {
            assert_eq!(kubectl.ok(&["get", "--raw", path]), "ok");
        }
        assert_eq!(
            kubectl.ok(&[
                "get",
                "nodes",
                "-o",
                "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}"
            ]),
            "True"
        );
    });
}
