//! The real programs: built from the Go module proxy into a cache, started on loopback.
//!
//! The cache is `$SLUICE_PEERS`, else `sluice-peers` in the user's cache folder. Needs Go and openssl.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::TaskError;
use crate::go::{create_dir, go, module, read, run, write};

/// Kubernetes, and the same release of its published modules.
pub(crate) const KUBERNETES: &str = "v1.35.4";
pub(crate) const KUBERNETES_MODULES: &str = "v0.35.4";
const ETCD: &str = "v3.6.8";
const KUSTOMIZE: &str = "v5.8.1";
const HELM: &str = "v3.22.0";
const CONTAINER_REGISTRY: &str = "v0.20.6";
const FLUX: [(&str, &str); 4] = [
    ("source-controller", "v1.9.1"),
    ("kustomize-controller", "v1.9.4"),
    ("helm-controller", "v1.6.3"),
    ("notification-controller", "v1.9.3"),
];
/// What the end-to-end tests need.
const DEFAULT: [&str; 6] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kubectl",
    "kustomize",
    "helm",
];
/// What a control plane is made of, and the client that tells when it is ready.
const CONTROL_PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kubectl",
];

fn cache() -> PathBuf {
    if let Some(path) = std::env::var_os("SLUICE_PEERS") {
        return path.into();
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    base.join("sluice-peers")
}

/// Where the program `name` is, or will be.
pub(crate) fn path(name: &str) -> PathBuf {
    cache().join("bin").join(name)
}

#[expect(clippy::print_stdout, reason = "a command-line tool")]
pub(crate) fn print_path(name: &str) -> Result<(), TaskError> {
    println!("{}", path(name).display());
    Ok(())
}

/// Builds the programs that are not in the cache yet.
#[expect(clippy::print_stderr, reason = "a command-line tool")]
pub(crate) fn build(names: &[String]) -> Result<(), TaskError> {
    let names: Vec<&str> = if names.is_empty() {
        DEFAULT.to_vec()
    } else {
        names.iter().map(String::as_str).collect()
    };
    create_dir(&cache().join("bin"))?;
    for name in names {
        if path(name).exists() {
            continue;
        }
        eprintln!("building {name} …");
        match name {
            "etcd" => build_etcd()?,
            "kube-apiserver" | "kube-controller-manager" | "kubectl" => build_kubernetes(name)?,
            "kustomize" => install(&format!("sigs.k8s.io/kustomize/kustomize/v5@{KUSTOMIZE}"))?,
            "helm" => install(&format!("helm.sh/helm/v3/cmd/helm@{HELM}"))?,
            "crane" | "registry" => install(&format!(
                "github.com/google/go-containerregistry/cmd/{name}@{CONTAINER_REGISTRY}"
            ))?,
            _ => match FLUX.iter().find(|(known, _)| *known == name) {
                Some((_, version)) => build_flux(name, version)?,
                None => return Err(TaskError::Other(format!("no such program: {name}"))),
            },
        }
    }
    Ok(())
}

fn install(package: &str) -> Result<(), TaskError> {
    run(Command::new("go")
        .args(["install", "-ldflags", "-s -w", package])
        .env("GOBIN", cache().join("bin"))
        .current_dir(cache()))
    .map(drop)
}

fn build_in(directory: &Path, name: &str, flags: &str, package: &str) -> Result<(), TaskError> {
    let output = path(name);
    go(
        directory,
        &[
            "build",
            "-ldflags",
            flags,
            "-o",
            &output.to_string_lossy(),
            package,
        ],
    )
    .map(drop)
}

/// kubernetes/kubernetes requires its own modules at `v0.0.0`; a module that uses it has to say which
/// release of them is meant.
fn build_kubernetes(name: &str) -> Result<(), TaskError> {
    let directory = cache().join("src").join(name);
    create_dir(&directory)?;
    write(
        &directory.join("go.mod"),
        "module sluice/peers\n\ngo 1.26\n",
    )?;
    let info = go(
        &directory,
        &[
            "mod",
            "download",
            "-json",
            &format!("k8s.io/kubernetes@{KUBERNETES}"),
        ],
    )?;
    let info: Value = serde_json::from_str(&info).map_err(|error| {
        TaskError::Other(format!("unexpected answer of go mod download: {error}"))
    })?;
    let upstream = read(&Path::new(info["Dir"].as_str().unwrap_or_default()).join("go.mod"))?;
    let mut manifest =
        format!("module sluice/peers\n\ngo 1.26\n\nrequire k8s.io/kubernetes {KUBERNETES}\n\n");
    for line in upstream.lines() {
        if let [module, "v0.0.0"] = line.split_whitespace().collect::<Vec<_>>()[..] {
            manifest.push_str(&format!(
                "replace {module} => {module} {KUBERNETES_MODULES}\n"
            ));
        }
    }
    let package = format!("k8s.io/kubernetes/cmd/{name}");
    let tools = format!("//go:build tools\n\npackage peers\n\nimport _ \"{package}\"\n");
    module(&directory, &[("go.mod", &manifest), ("tools.go", &tools)])?;
    let version = "k8s.io/component-base/version";
    let flags = format!(
        "-s -w -X {version}.gitVersion={KUBERNETES} -X {version}.gitMajor=1 -X {version}.gitMinor=35"
    );
    build_in(&directory, name, &flags, &package)
}

fn build_etcd() -> Result<(), TaskError> {
    let directory = cache().join("src/etcd");
    let manifest =
        format!("module sluice/etcd\n\ngo 1.26\n\nrequire go.etcd.io/etcd/server/v3 {ETCD}\n");
    let main = "package main\n\nimport (\n\t\"os\"\n\n\t\"go.etcd.io/etcd/server/v3/etcdmain\"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n";
    module(&directory, &[("go.mod", &manifest), ("main.go", main)])?;
    build_in(&directory, "etcd", "-s -w", ".")
}

/// A Flux controller is the main package of its module; the `replace` lines of its `go.mod` count only
/// in a main module, so they are repeated in ours.
fn build_flux(name: &str, version: &str) -> Result<(), TaskError> {
    let directory = cache().join("src").join(name);
    create_dir(&directory)?;
    let mut manifest = format!(
        "module sluice/{name}\n\ngo 1.26\n\nrequire (\n\tgithub.com/fluxcd/{name} {version}\n\tgithub.com/fluxcd/{name}/api {version}\n)\n"
    );
    write(&directory.join("go.mod"), &manifest)?;
    let info = go(
        &directory,
        &[
            "mod",
            "download",
            "-json",
            &format!("github.com/fluxcd/{name}@{version}"),
        ],
    )?;
    let info: Value = serde_json::from_str(&info).map_err(|error| {
        TaskError::Other(format!("unexpected answer of go mod download: {error}"))
    })?;
    let upstream = info["GoMod"].as_str().unwrap_or_default();
    let upstream = go(&directory, &["mod", "edit", "-json", upstream])?;
    let upstream: Value = serde_json::from_str(&upstream)
        .map_err(|error| TaskError::Other(format!("unexpected answer of go mod edit: {error}")))?;
    for replace in upstream["Replace"].as_array().into_iter().flatten() {
        let (old, new) = (&replace["Old"]["Path"], &replace["New"]);
        // Flux pins a fork of Helm that the module proxy does not serve; upstream's same version stands in.
        if let (Some(old), Some(path), Some(version)) =
            (old.as_str(), new["Path"].as_str(), new["Version"].as_str())
            && path != "github.com/fluxcd/helm/v4"
        {
            manifest.push_str(&format!("replace {old} => {path} {version}\n"));
        }
    }
    let tools =
        format!("//go:build tools\n\npackage peers\n\nimport _ \"github.com/fluxcd/{name}\"\n");
    module(&directory, &[("go.mod", &manifest), ("tools.go", &tools)])?;
    build_in(
        &directory,
        name,
        "-s -w",
        &format!("github.com/fluxcd/{name}"),
    )
}

fn free_port() -> Result<u16, TaskError> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| TaskError::Other(format!("no free loopback port: {error}")))
}

/// Starts a program in the background, its output in `DIR/<name>.log`, its process id in `DIR/pids`.
fn start(dir: &Path, name: &str, arguments: &[String]) -> Result<(), TaskError> {
    let log_path = dir.join(format!("{name}.log"));
    let file = |source| TaskError::File {
        action: "write",
        path: log_path.clone(),
        source,
    };
    let log = File::create(&log_path).map_err(file)?;
    let child = Command::new(path(name))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(file)?)
        .stderr(log)
        .spawn()
        .map_err(|source| TaskError::Start {
            program: path(name).display().to_string(),
            source,
        })?;
    let pids = dir.join("pids");
    let mut text = fs::read_to_string(&pids).unwrap_or_default();
    text.push_str(&format!("{}\n", child.id()));
    write(&pids, &text)
}

fn openssl(dir: &Path, arguments: &[&str]) -> Result<String, TaskError> {
    run(Command::new("openssl").args(arguments).current_dir(dir))
}

/// Starts etcd, kube-apiserver and, if asked, kube-controller-manager; waits until they answer.
#[expect(clippy::print_stdout, reason = "a command-line tool")]
pub(crate) fn up(dir: &Path, tokens: Option<&Path>, controllers: bool) -> Result<(), TaskError> {
    build(&CONTROL_PLANE.map(str::to_owned))?;
    create_dir(dir)?;
    let dir = fs::canonicalize(dir).map_err(|source| TaskError::File {
        action: "open",
        path: dir.into(),
        source,
    })?;
    let (etcd, peer, api, manager) = (free_port()?, free_port()?, free_port()?, free_port()?);
    if !dir.join("sa.key").exists() {
        openssl(&dir, &["genrsa", "-out", "sa.key", "2048"])?;
        openssl(&dir, &["rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"])?;
    }
    let accounts = match tokens {
        Some(file) => read(file)?,
        None => format!(
            "{},admin,admin,system:masters\n",
            openssl(&dir, &["rand", "-hex", "16"])?.trim()
        ),
    };
    write(&dir.join("tokens.csv"), &accounts)?;
    let token = accounts
        .lines()
        .next()
        .and_then(|line| line.split(',').next())
        .unwrap_or_default();
    write(&dir.join("pids"), "")?;
    start(&dir, "etcd", &etcd_arguments(&dir, etcd, peer))?;
    start(
        &dir,
        "kube-apiserver",
        &apiserver_arguments(&dir, etcd, api),
    )?;
    write(
        &dir.join("kubeconfig"),
        &format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: peer, cluster: {{server: \"https://127.0.0.1:{api}\", insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: admin, user: {{token: {token}}}}}]\ncontexts: [{{name: peer, context: {{cluster: peer, user: admin}}}}]\ncurrent-context: peer\n"
        ),
    )?;
    wait_until_ready(&dir)?;
    if controllers {
        start(
            &dir,
            "kube-controller-manager",
            &manager_arguments(&dir, manager),
        )?;
    }
    println!("KUBECONFIG={}", dir.join("kubeconfig").display());
    Ok(())
}

fn etcd_arguments(dir: &Path, client: u16, peer: u16) -> Vec<String> {
    vec![
        format!("--data-dir={}", dir.join("etcd").display()),
        format!("--listen-client-urls=http://127.0.0.1:{client}"),
        format!("--advertise-client-urls=http://127.0.0.1:{client}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-cluster=default=http://127.0.0.1:{peer}"),
        // A throw-away cluster need not survive a power cut, and it is the faster one to compare with.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn apiserver_arguments(dir: &Path, etcd: u16, port: u16) -> Vec<String> {
    let issuer = "https://kubernetes.default.svc.cluster.local";
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--cert-dir={}", dir.join("certs").display()),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        format!("--token-auth-file={}", dir.join("tokens.csv").display()),
        "--allow-privileged".to_owned(),
        format!(
            "--service-account-key-file={}",
            dir.join("sa.pub").display()
        ),
        format!(
            "--service-account-signing-key-file={}",
            dir.join("sa.key").display()
        ),
        format!("--service-account-issuer={issuer}"),
        format!("--api-audiences={issuer}"),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ]
}

fn manager_arguments(dir: &Path, port: u16) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", dir.join("kubeconfig").display()),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--cert-dir={}", dir.join("certs-manager").display()),
        format!("--service-account-private-key-file={}", dir.join("sa.key").display()),
        "--leader-elect=false".to_owned(),
        "--controllers=namespace-controller,garbage-collector-controller,serviceaccount-controller,deployment-controller,replicaset-controller,job-controller,cronjob-controller,clusterrole-aggregation-controller".to_owned(),
    ]
}

/// `kubectl ARGUMENTS` against the server that `up DIR` started.
pub(crate) fn kubectl(dir: &Path, arguments: &[&str]) -> Result<String, TaskError> {
    run(Command::new(path("kubectl"))
        .arg("--kubeconfig")
        .arg(dir.join("kubeconfig"))
        .args(arguments))
}

fn wait_until_ready(dir: &Path) -> Result<(), TaskError> {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        match kubectl(dir, &["get", "--raw", "/readyz"]) {
            Ok(answer) if answer.starts_with("ok") => return Ok(()),
            Err(error) if Instant::now() > deadline => return Err(error),
            _ => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// Stops what `up` started.
pub(crate) fn down(dir: &Path) -> Result<(), TaskError> {
    let pids = dir.join("pids");
    if let Ok(text) = fs::read_to_string(&pids) {
        // In the reverse order: an API server without its etcd does not end by itself.
        for pid in text.lines().rev() {
            stop(pid);
        }
        fs::remove_file(&pids).map_err(|source| TaskError::File {
            action: "remove",
            path: pids,
            source,
        })?;
    }
    Ok(())
}

/// Asks a process to end, and ends it if it does not within five seconds.
fn stop(pid: &str) {
    // A process that is gone already is as good as stopped: `kill` then fails.
    let signal = |name: &str| run(Command::new("kill").args([name, pid])).is_ok();
    signal("-TERM");
    for _ in 0..50 {
        if !signal("-0") {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    signal("-KILL");
}
