//! Flux's own controllers, unchanged, against `sluice up`: from Git to applied objects, and from a
//! HelmRepository and a GitRepository to releases.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::git_server::GitServer;
use testkit::peers;
use testkit::process::{Background, run};
use testkit::server::{Kubectl, Server};
use testkit::wait::eventually;

const SLUICE: &str = env!("CARGO_BIN_EXE_sluice");
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/chart");

/// The controllers of one test, with their own storage.
struct Controllers {
    running: Vec<Background>,
}

impl Controllers {
    fn start(server: &Server, programs: &[std::path::PathBuf]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let storage = free.local_addr().expect("it is bound");
        drop(free);
        let running = programs.iter().map(|program| {
            let name = program
                .file_name()
                .expect("a program has a name")
                .to_string_lossy();
            let scratch = server.folder().join(&*name);
            std::fs::create_dir_all(&scratch).expect("a folder can be made");
            let mut command = server.client(program);
            command
                .env("RUNTIME_NAMESPACE", "flux-system")
                .env("TMPDIR", &scratch)
                .args([
                    "--events-addr=",
                    "--metrics-addr=127.0.0.1:0",
                    "--health-addr=127.0.0.1:0",
                ])
                .args(["--watch-all-namespaces", "--log-level=debug"]);
            if name == "source-controller" {
                command
                    .arg(format!("--storage-path={}", scratch.display()))
                    .arg(format!("--storage-addr={storage}"))
                    .arg(format!("--storage-adv-addr={storage}"));
            }
            Background::start(&mut command, &server.folder().join(format!("{name}.log")))
        });
        Self {
            running: running.collect(),
        }
    }

    /// Waits for `Ready`; what the controllers logged is shown when it does not come.
    fn wait_ready(&self, kubectl: &Kubectl<'_>, what: &str) {
        let waited = kubectl.run(&["wait", "--for=condition=Ready", "--timeout=110s", what]);
        if waited.status.success() {
            return;
        }
        let logs: Vec<String> = self
            .running
            .iter()
            .map(|process| last(&process.output(), 40))
            .collect();
        let object = kubectl.run(&["get", what, "-o", "yaml"]);
        panic!(
            "{what} is not ready: {waited}\n{object}\n{}",
            logs.join("\n---\n")
        );
    }
}

fn last(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn with_controllers(names: &[&str], test: impl FnOnce(&Kubectl<'_>, &Controllers, &GitServer)) {
    let programs: Vec<_> = names.iter().filter_map(|name| peers::find(name)).collect();
    if programs.len() < names.len() {
        return;
    }
    let server = Server::in_memory(SLUICE);
    let Some(kubectl) = server.kubectl() else {
        return;
    };
    let definitions = run(
        Command::new(SLUICE).args(["crds", "--current"]),
        "",
        Duration::from_secs(30),
    )
    .ok();
    kubectl
        .run_with(&["apply", "--server-side", "-f", "-"], &definitions)
        .ok();
    kubectl.ok(&[
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "crd",
        "--all",
    ]);
    kubectl.ok(&["create", "namespace", "flux-system"]);
    let controllers = Controllers::start(&server, &programs);
    test(
        &kubectl.namespace("flux-system"),
        &controllers,
        &GitServer::start(),
    );
}

fn deployment(image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: 2\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: [{{name: web, image: \"{image}\"}}]}}\n"
    )
}

#[test]
fn a_git_repository_is_applied_and_pruned() {
    with_controllers(
        &["source-controller", "kustomize-controller"],
        |kubectl, controllers, git| {
            let kustomization = "resources: [web.yaml, extra.yaml]\nnamespace: default\n";
            let extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata:\n  colour: ${colour}\n";
            let first = git.commit(
                "fleet",
                &[
                    ("apps/kustomization.yaml", kustomization),
                    ("apps/web.yaml", &deployment("nginx:1")),
                    ("apps/extra.yaml", extra),
                ],
            );
            kubectl.apply(&format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: fleet}}\nspec: {{interval: 2s, url: {}, ref: {{branch: main}}}}\n---\n\
             apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps}}\nspec:\n  interval: 1m\n  path: ./apps\n  prune: true\n  wait: true\n  timeout: 1m\n  sourceRef: {{kind: GitRepository, name: fleet}}\n  postBuild: {{substitute: {{colour: green}}}}\n",
            git.url("fleet")
        ));
            controllers.wait_ready(kubectl, "gitrepository/fleet");
            controllers.wait_ready(kubectl, "kustomization/apps");
            let applied = "jsonpath={.status.lastAppliedRevision}";
            assert_eq!(
                kubectl.ok(&["get", "kustomization", "apps", "-o", applied]),
                format!("main@sha1:{first}")
            );
            let default = kubectl.namespace("default");
            assert_eq!(
                default.ok(&["get", "cm", "extra", "-o", "jsonpath={.data.colour}"]),
                "green"
            );
            assert_eq!(
                default.ok(&[
                    "get",
                    "deployment",
                    "web",
                    "-o",
                    "jsonpath={.status.readyReplicas}"
                ]),
                "2"
            );

            // The next commit changes one object and drops the other.
            let second = git.commit(
                "fleet",
                &[
                    (
                        "apps/kustomization.yaml",
                        "resources: [web.yaml]\nnamespace: default\n",
                    ),
                    ("apps/web.yaml", &deployment("nginx:2")),
                ],
            );
            kubectl.until(
                &["get", "kustomization", "apps", "-o", applied],
                |revision| revision == format!("main@sha1:{second}"),
            );
            assert_eq!(
                default.ok(&[
                    "get",
                    "deployment",
                    "web",
                    "-o",
                    "jsonpath={.spec.template.spec.containers[0].image}"
                ]),
                "nginx:2"
            );
            assert!(
                default
                    .run(&["get", "cm", "extra"])
                    .failed()
                    .contains("NotFound")
            );

            kubectl.ok(&["delete", "kustomization", "apps"]);
            assert!(
                default
                    .run(&["get", "deployment", "web"])
                    .failed()
                    .contains("NotFound")
            );
        },
    );
}

#[test]
fn charts_are_released() {
    with_controllers(
        &["source-controller", "helm-controller"],
        |kubectl, controllers, git| {
            let Some(helm) = peers::find("helm") else {
                return;
            };
            let (folder, url) = git.files();
            package(&helm, &folder, &url);
            let files: Vec<(String, String)> =
                ["Chart.yaml", "values.yaml", "templates/workload.yaml"]
                    .into_iter()
                    .map(|name| {
                        let text = std::fs::read_to_string(Path::new(CHART).join(name))
                            .expect("a file of the fixture");
                        (format!("charts/shop/{name}"), text)
                    })
                    .collect();
            let files: Vec<(&str, &str)> = files
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str()))
                .collect();
            git.commit("charts", &files);
            kubectl.apply(&format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: shops}}\nspec: {{interval: 1m, url: {url}}}\n---\n\
             apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: charts}}\nspec: {{interval: 1m, url: {}, ref: {{branch: main}}}}\n---\n\
             apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: packaged}}\nspec:\n  interval: 1m\n  chart: {{spec: {{chart: shop, version: 1.x, sourceRef: {{kind: HelmRepository, name: shops}}}}}}\n  test: {{enable: true}}\n  values: {{replicas: 2}}\n---\n\
             apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: from-git}}\nspec:\n  interval: 1m\n  chart: {{spec: {{chart: charts/shop, sourceRef: {{kind: GitRepository, name: charts}}}}}}\n  values: {{greeting: from git}}\n",
            git.url("charts")
        ));
            controllers.wait_ready(kubectl, "helmrepository/shops");
            for name in ["packaged", "from-git"] {
                controllers.wait_ready(kubectl, &format!("helmrelease/{name}"));
            }
            assert_eq!(
                kubectl.ok(&[
                    "get",
                    "deployment",
                    "packaged",
                    "-o",
                    "jsonpath={.status.availableReplicas}"
                ]),
                "2"
            );
            assert_eq!(
                kubectl.ok(&[
                    "get",
                    "cm",
                    "from-git-settings",
                    "-o",
                    "jsonpath={.data.greeting}"
                ]),
                "from git"
            );
            let history = "jsonpath={.status.history[0].chartName} {.status.history[0].status}";
            assert_eq!(
                kubectl.ok(&["get", "helmrelease", "packaged", "-o", history]),
                "shop deployed"
            );

            kubectl.ok(&[
                "patch",
                "helmrelease",
                "packaged",
                "--type=merge",
                "-p",
                r#"{"spec":{"values":{"replicas":3}}}"#,
            ]);
            kubectl.until(
                &[
                    "get",
                    "deployment",
                    "packaged",
                    "-o",
                    "jsonpath={.status.availableReplicas}",
                ],
                |text| text == "3",
            );
            kubectl.ok(&["delete", "helmrelease", "packaged", "from-git"]);
            assert_eq!(kubectl.ok(&["get", "deployments", "-o", "name"]), "");
        },
    );
}

#[test]
fn a_chart_in_a_registry_is_released() {
    with_controllers(
        &["source-controller", "helm-controller"],
        |kubectl, controllers, git| {
            let (Some(helm), Some(registry)) = (peers::find("helm"), peers::find("registry"))
            else {
                return;
            };
            let (folder, url) = git.files();
            package(&helm, &folder, &url);
            let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = free.local_addr().expect("it is bound");
            drop(free);
            let _registry = Background::start(
                Command::new(&registry).args(["-port", &address.port().to_string()]),
                &folder.join("registry.log"),
            );
            let archive = folder.join("shop-1.0.0.tgz");
            let repository = format!("oci://{address}/charts");
            eventually(Duration::from_secs(20), || {
                run(
                    Command::new(&helm)
                        .args(["push", "--plain-http"])
                        .arg(&archive)
                        .arg(&repository),
                    "",
                    Duration::from_secs(20),
                )
                .result()
            });
            kubectl.apply(&format!(
                "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: shop}}\nspec:\n  interval: 1m\n  url: {repository}/shop\n  insecure: true\n  ref: {{semver: 1.x}}\n  layerSelector: {{mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}}\n---\n\
                 apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: shop}}\nspec:\n  interval: 1m\n  chartRef: {{kind: OCIRepository, name: shop}}\n  values: {{greeting: from a registry}}\n"
            ));
            controllers.wait_ready(kubectl, "ocirepository/shop");
            controllers.wait_ready(kubectl, "helmrelease/shop");
            assert_eq!(
                kubectl.ok(&[
                    "get",
                    "cm",
                    "shop-settings",
                    "-o",
                    "jsonpath={.data.greeting}"
                ]),
                "from a registry"
            );
        },
    );
}

/// The chart as a Helm repository: an archive and an index.
fn package(helm: &Path, folder: &Path, url: &str) {
    let folder = folder.to_string_lossy();
    let helm = |arguments: &[&str]| {
        run(
            Command::new(helm).args(arguments),
            "",
            Duration::from_secs(60),
        )
        .ok()
    };
    helm(&["package", CHART, "--destination", &folder]);
    helm(&["repo", "index", &folder, "--url", url]);
}
