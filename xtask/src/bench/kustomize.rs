//! `cargo xtask bench kustomize`: `sluice kustomize build` side by side with the `kustomize` command.
//!
//! Whole processes, measured in turn in one run: CPU time (user and system) and peak memory. The overlay is
//! that of a real fleet: an app is three Deployments, two Services and two ConfigMaps; the overlay has a
//! namespace, a prefix, labels, images, generators that every Deployment refers to, a JSON patch by selector,
//! strategic merges and a replacement.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::{TaskError, workspace_root};

/// The flags of `cargo xtask bench kustomize`.
#[derive(Args)]
pub(crate) struct KustomizeBench {
    /// The program to measure [default: target/release/sluice]
    #[arg(long)]
    sluice: Option<PathBuf>,
    /// How many resources the overlays hold
    #[arg(long, value_delimiter = ',', default_value = "1,1000")]
    sizes: Vec<usize>,
    /// Up to how many resources kustomize is run too; its time grows with the square (10 000: 20 minutes)
    #[arg(long, default_value_t = 1000)]
    peer_up_to: usize,
    /// How often each is run; the best run counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

/// CPU seconds and KiB.
#[derive(Debug, Clone, Copy)]
struct Cost {
    seconds: f64,
    kibibytes: u64,
}

/// Measures both and prints the ratios.
#[expect(clippy::print_stdout, reason = "a command-line tool")]
pub(crate) fn kustomize(arguments: &KustomizeBench) -> Result<(), TaskError> {
    let sluice = match &arguments.sluice {
        Some(path) => path.clone(),
        None => workspace_root().join("target/release/sluice"),
    };
    let peer = testkit_peer("kustomize");
    println!(
        "resources | sluice CPU s | kustomize CPU s | times | sluice MiB | kustomize MiB | part"
    );
    for &size in &arguments.sizes {
        let folder = std::env::temp_dir().join(format!(
            "sluice-bench-kustomize-{size}-{}",
            std::process::id()
        ));
        let _ = fs::remove_dir_all(&folder);
        write_overlay(&folder, size).map_err(|error| other(&folder, &error))?;
        // One run of a small build is below what the clock tells.
        let times = if size < 100 { 40 } else { 1 };
        let ours = best(arguments.runs, || {
            measure(
                Command::new(&sluice)
                    .args(["kustomize", "build"])
                    .arg(&folder),
                times,
            )
        })?;
        let theirs = match &peer {
            Some(peer) if size <= arguments.peer_up_to => {
                Some(best(arguments.runs.min(2), || {
                    measure(Command::new(peer).arg("build").arg(&folder), times)
                })?)
            }
            _ => None,
        };
        print_row(size, ours, theirs);
        let _ = fs::remove_dir_all(&folder);
    }
    Ok(())
}

fn other(path: &Path, error: &std::io::Error) -> TaskError {
    TaskError::Other(format!("{}: {error}", path.display()))
}

fn testkit_peer(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("HOME").map(PathBuf::from)?;
    let path = cache.join(".cache/sluice-peers/bin").join(name);
    path.exists().then_some(path)
}

#[expect(clippy::print_stdout, reason = "a command-line tool")]
fn print_row(size: usize, ours: Cost, theirs: Option<Cost>) {
    let mib = |cost: Cost| cost.kibibytes as f64 / 1024.0;
    match theirs {
        Some(theirs) => println!(
            "{size:9} | {:12.4} | {:15.3} | {:5.1} | {:10.1} | {:13.1} | {:.2}",
            ours.seconds,
            theirs.seconds,
            theirs.seconds / ours.seconds.max(0.0001),
            mib(ours),
            mib(theirs),
            mib(ours) / mib(theirs)
        ),
        None => println!(
            "{size:9} | {:12.4} | {:>15} | {:>5} | {:10.1} |",
            ours.seconds,
            "-",
            "-",
            mib(ours)
        ),
    }
}

fn best(runs: usize, mut run: impl FnMut() -> Result<Cost, TaskError>) -> Result<Cost, TaskError> {
    let mut best = run()?;
    for _ in 1..runs {
        let next = run()?;
        best.seconds = best.seconds.min(next.seconds);
        best.kibibytes = best.kibibytes.min(next.kibibytes);
    }
    Ok(best)
}

/// Runs a command `times` times. Bash tells the CPU time of what it ran in milliseconds, time the largest
/// resident set.
fn measure(command: &mut Command, times: usize) -> Result<Cost, TaskError> {
    let program = command.get_program().to_owned();
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let script = "TIMEFORMAT='%3U %3S'; n=$1; shift\n\
        /usr/bin/time -f %M -o /dev/fd/3 \"$@\" 3>&1 >/dev/null 2>&1 || exit 1\n\
        time for ((i = 0; i < n; i++)); do \"$@\" >/dev/null 2>/dev/null; done";
    let output = Command::new("bash")
        .args(["-c", script, "bash", &times.to_string()])
        .arg(&program)
        .args(&arguments)
        .output()
        .map_err(|error| other(Path::new("bash"), &error))?;
    if !output.status.success() {
        return Err(TaskError::Other(format!("{} failed", program.display())));
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers.as_slice() {
        [kibibytes, user, system] => Ok(Cost {
            seconds: (user + system) / times as f64,
            kibibytes: *kibibytes as u64,
        }),
        _ => Err(TaskError::Other(format!("cannot read {text:?}"))),
    }
}

/// A base with `size` resources, and the overlay over it.
fn write_overlay(folder: &Path, size: usize) -> std::io::Result<()> {
    let base = folder.join("base");
    fs::create_dir_all(&base)?;
    let mut resources = String::from("resources:\n");
    let mut left = size;
    let mut app = 0;
    while left > 0 {
        let documents = app_documents(app);
        let taken = documents.len().min(left);
        fs::write(
            base.join(format!("app-{app}.yaml")),
            documents[..taken].join("---\n"),
        )?;
        let _ = writeln!(resources, "- app-{app}.yaml");
        left -= taken;
        app += 1;
    }
    fs::write(base.join("kustomization.yaml"), resources)?;
    if size < 7 {
        return fs::write(
            folder.join("kustomization.yaml"),
            "resources: [base]\nnamePrefix: prod-\n",
        );
    }
    fs::write(folder.join("kustomization.yaml"), OVERLAY)
}

const OVERLAY: &str = r#"resources: [base]
namespace: production
namePrefix: prod-
labels:
- pairs: {team: platform}
  includeSelectors: true
commonAnnotations: {owner: platform}
images:
- {name: registry.example.com/app, newTag: "2.0"}
configMapGenerator:
- {name: shared-config, literals: [LEVEL=info, REGION=eu]}
secretGenerator:
- {name: shared-secret, literals: [token=abc]}
replacements:
- source: {kind: ConfigMap, name: shared-config, fieldPath: data.REGION}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=app].env.[name=REGION].value"]
patches:
- target: {kind: Deployment, labelSelector: tier=web}
  patch: '[{"op": "add", "path": "/spec/template/spec/priorityClassName", "value": "high"}]'
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: app-0-web}
    spec:
      replicas: 5
      template: {spec: {containers: [{name: app, resources: {limits: {memory: 1Gi}}}]}}
"#;

fn app_documents(app: usize) -> Vec<String> {
    let mut documents = Vec::new();
    for tier in ["web", "api", "worker"] {
        documents.push(format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{app}-{tier}\n  labels: {{tier: {tier}}}\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {{app: app-{app}, tier: {tier}}}\n  template:\n    metadata:\n      labels: {{app: app-{app}, tier: {tier}}}\n    spec:\n      containers:\n      - name: app\n        image: registry.example.com/app:1.0\n        env:\n        - {{name: REGION, value: none}}\n        - name: TOKEN\n          valueFrom: {{secretKeyRef: {{name: shared-secret, key: token}}}}\n        envFrom:\n        - configMapRef: {{name: shared-config}}\n        - configMapRef: {{name: app-{app}-one}}\n        ports:\n        - containerPort: 8080\n          name: http\n"
        ));
    }
    for tier in ["web", "api"] {
        documents.push(format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: app-{app}-{tier}\nspec:\n  selector: {{app: app-{app}, tier: {tier}}}\n  ports:\n  - {{name: http, port: 80, targetPort: http}}\n"
        ));
    }
    for name in ["one", "two"] {
        documents.push(format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-{app}-{name}\ndata:\n  file.conf: |\n    level = info\n    app = {app}\n"
        ));
    }
    documents
}
