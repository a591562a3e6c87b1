//! The map of crates: which layer each is in, and that no dependency points up.

use std::process::Command;

use serde_json::Value;

/// The layers of ARCHITECTURE.md, the lowest first. A crate may depend on crates of its own layer and
/// of those below.
const LAYERS: [(&str, &[&str]); 6] = [
    ("base", &["api", "api-derive", "tls", "tree", "yaml"]),
    (
        "engine",
        &[
            "builtin",
            "crd",
            "gotemplate",
            "helm",
            "kustomize",
            "object",
            "sops",
        ],
    ),
    ("fetch", &["git", "kms", "oci"]),
    (
        "service",
        &[
            "apiserver",
            "apply",
            "artifact",
            "controllers",
            "release",
            "runtime",
        ],
    ),
    ("edge", &["cli", "sluice"]),
    ("development", &["testkit", "xtask"]),
];

/// Crates that engines must not know: async, clients, sockets.
const NOT_IN_ENGINES: [&str; 6] = ["tokio", "kube", "hyper", "axum", "reqwest", "rusqlite"];

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, crates)| crates.contains(&name))
}

/// Each of our crates with its dependencies; those for tests only are left out.
fn dependencies() -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(crate::workspace_root())
        .output()
        .expect("cargo runs this test");
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"]
        .as_array()
        .expect("cargo metadata lists packages");
    packages
        .iter()
        .map(|package| {
            let names = package["dependencies"].as_array().into_iter().flatten();
            let names = names.filter(|dependency| dependency["kind"] != "dev");
            let names =
                names.filter_map(|dependency| dependency["name"].as_str().map(str::to_owned));
            (
                package["name"].as_str().unwrap_or_default().to_owned(),
                names.collect(),
            )
        })
        .collect()
}

#[test]
fn arrows_point_down() {
    let all = dependencies();
    let mut wrong = Vec::new();
    for (name, needs) in &all {
        let Some(own) = layer(name) else {
            wrong.push(format!("{name} is in no layer"));
            continue;
        };
        for need in needs {
            match layer(need) {
                Some(other) if other > own => wrong.push(format!("{name} → {need} points up")),
                None if all.iter().any(|(name, _)| name == need) => {
                    wrong.push(format!("{need} is in no layer"))
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        all.len() >= 10,
        "cargo metadata listed only {} packages",
        all.len()
    );
}

#[test]
fn engines_know_no_client_and_no_async() {
    let engine = layer("kustomize");
    for (name, needs) in dependencies() {
        if layer(&name) <= engine {
            let found: Vec<&String> = needs
                .iter()
                .filter(|need| NOT_IN_ENGINES.contains(&need.as_str()))
                .collect();
            assert!(found.is_empty(), "{name} depends on {found:?}");
        }
    }
}
