//! The GitOps loop with the real binary: controllers against a control plane over TLS, Git over HTTP, the demo.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::git_server::GitServer;
use testkit::process::{Background, run};
use testkit::server::{Kubectl, Server};
use testkit::{DEADLINE, eventually};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sluice");

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: default\ndata:\n  key: \"{value}\"\n"
    )
}

fn objects(url: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: app\n  namespace: default\nspec:\n  interval: 1s\n  url: {url}\n  \
         ref:\n    branch: main\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: app\n  namespace: default\nspec:\n  \
         interval: 10m\n  path: ./\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: app\n"
    )
}

/// `sluice controllers` for a kubeconfig, on free ports.
fn controllers(kubeconfig: &Path, folder: &Path, name: &str, more: &[&str]) -> Background {
    let storage = folder.join(format!("storage-{name}"));
    Background::start(
        Command::new(PROGRAM)
            .args([
                "controllers",
                "--storage-addr=127.0.0.1:0",
                "--health-addr=0",
                "--metrics-addr=0",
            ])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .arg("--storage-path")
            .arg(&storage)
            .args(more),
        &folder.join(format!("{name}.log")),
    )
}

/// kubectl for a server that serves the kinds of Flux; none if kubectl is not there.
fn with_definitions(server: &Server) -> Option<Kubectl<'_>> {
    let kubectl = server.kubectl()?;
    let mut program = server.client(Path::new(PROGRAM));
    let definitions = run(program.arg("crds"), "", DEADLINE).ok();
    kubectl
        .run_with(&["apply", "--server-side", "-f", "-"], &definitions)
        .ok();
    Some(kubectl)
}

#[test]
fn commits_are_applied_and_survive_a_killed_process() {
    let server = Server::in_memory(PROGRAM);
    let Some(kubectl) = with_definitions(&server) else {
        return;
    };
    let git = GitServer::start();
    git.commit(
        "app",
        &[
            ("one.yaml", &config_map("one", "1")),
            ("two.yaml", &config_map("two", "1")),
        ],
    );
    let mut process = controllers(&server.kubeconfig, server.folder(), "first", &[]);
    kubectl.apply(&objects(&git.url("app")));
    let value = |name: &str| {
        kubectl
            .run(&[
                "get",
                "configmap",
                name,
                "-o",
                "jsonpath={.data.key}",
                "--ignore-not-found",
            ])
            .ok()
    };
    eventually(DEADLINE, || {
        if value("two") == "1" {
            Ok(())
        } else {
            Err(process.output())
        }
    });
    let commit = git.commit("app", &[("one.yaml", &config_map("one", "2"))]);
    eventually(DEADLINE, || {
        if value("one") == "2" && value("two").is_empty() {
            Ok(())
        } else {
            Err(process.output())
        }
    });
    let revision = [
        "get",
        "kustomization",
        "app",
        "-o",
        "jsonpath={.status.lastAppliedRevision}",
    ];
    kubectl.until(&revision, |text| text == format!("main@sha1:{commit}"));
    // Killed, and what came meanwhile is caught up with.
    process.kill();
    git.commit(
        "app",
        &[
            ("one.yaml", &config_map("one", "3")),
            ("three.yaml", &config_map("three", "3")),
        ],
    );
    kubectl.ok(&["delete", "configmap", "one"]);
    let mut process = controllers(&server.kubeconfig, server.folder(), "second", &[]);
    eventually(DEADLINE, || {
        if value("one") == "3" && value("three") == "3" {
            Ok(())
        } else {
            Err(process.output())
        }
    });
    let status = process.terminate(Duration::from_secs(30));
    assert!(status.success(), "{}", process.output());
}

#[test]
fn a_second_process_takes_over_within_fifteen_seconds() {
    let server = Server::in_memory(PROGRAM);
    let Some(kubectl) = with_definitions(&server) else {
        return;
    };
    let git = GitServer::start();
    git.commit("app", &[("one.yaml", &config_map("one", "1"))]);
    let flags = ["--enable-leader-election", "--runtime-namespace=default"];
    let mut first = controllers(&server.kubeconfig, server.folder(), "first", &flags);
    kubectl.apply(&objects(&git.url("app")));
    let value = || {
        kubectl
            .run(&[
                "get",
                "configmap",
                "one",
                "-o",
                "jsonpath={.data.key}",
                "--ignore-not-found",
            ])
            .ok()
    };
    eventually(DEADLINE, || {
        if value() == "1" {
            Ok(())
        } else {
            Err(first.output())
        }
    });
    let second = controllers(&server.kubeconfig, server.folder(), "second", &flags);
    std::thread::sleep(Duration::from_secs(3));
    first.kill();
    git.commit("app", &[("one.yaml", &config_map("one", "2"))]);
    let died = Instant::now();
    eventually(DEADLINE, || {
        if value() == "2" {
            Ok(())
        } else {
            Err(second.output())
        }
    });
    assert!(
        died.elapsed() < Duration::from_secs(15),
        "{:?}",
        died.elapsed()
    );
    let leases = kubectl.ok(&["get", "leases", "-o", "name"]);
    assert!(
        leases.contains("kustomize-controller-leader-election")
            && leases.contains("source-controller-leader-election"),
        "{leases}"
    );
}

#[test]
fn the_demo_gets_ready_by_itself() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let demo = || {
        let mut command = Command::new(PROGRAM);
        command
            .arg("demo")
            .arg(folder.path().join("demo"))
            .arg("--once")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HOME", folder.path());
        run(&mut command, "", Duration::from_secs(150)).ok()
    };
    let text = demo();
    for line in [
        "everything is ready after",
        "Kustomization/production",
        "production   Deployment/example-application  True   Deployment is available. Replicas: 3",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    let sealed = std::fs::read_to_string(
        folder
            .path()
            .join("demo/environments/production/credentials.yaml"),
    )
    .expect("a Secret");
    assert!(
        sealed.contains("ENC[AES256_GCM") && sealed.contains("username: ENC["),
        "{sealed}"
    );
    // Again: the repository is the user's now.
    assert!(demo().contains("everything is ready after"));
}

#[test]
fn a_repository_of_ones_own_is_synced() {
    let git = GitServer::start();
    git.commit("own", &[("deploy/one.yaml", &config_map("one", "1"))]);
    let server = Server::start(
        PROGRAM,
        &[
            "--in-memory",
            "--git",
            &git.url("own"),
            "--path",
            "./deploy",
        ],
    );
    let Some(kubectl) = server.kubectl() else {
        return;
    };
    kubectl.until(
        &[
            "get",
            "configmap",
            "one",
            "-o",
            "jsonpath={.data.key}",
            "--ignore-not-found",
        ],
        |text| text == "1",
    );
    kubectl.until(
        &[
            "get",
            "kustomization",
            "flux-system",
            "-n",
            "flux-system",
            "-o",
            "jsonpath={.status.conditions[?(@.type=='Ready')].status}",
        ],
        |text| text == "True",
    );
}
