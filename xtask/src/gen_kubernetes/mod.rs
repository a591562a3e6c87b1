//! Facts about the built-in kinds, read from a running kube-apiserver and from the Go API types.
//!
//! Writes `crates/builtin/data/kubernetes.json` (version, resources, types, table columns) and
//! `crates/builtin/data/bootstrap.json` (the objects of an empty cluster), one fact a line, without
//! prose: a column's description is a reference to the field it repeats, where it repeats one.

mod columns;
mod resources;
mod types;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{TaskError, go, peers, workspace_root};

/// Starts the real API server, reads it, writes the files.
pub(crate) fn run() -> Result<(), TaskError> {
    let state = std::env::temp_dir().join(format!("sluice-gen-{}", std::process::id()));
    peers::up(&state, None, true)?;
    let outcome = generate(&Server {
        state: state.clone(),
    });
    peers::down(&state)?;
    let _ = std::fs::remove_dir_all(&state);
    outcome
}

/// The running server.
struct Server {
    state: PathBuf,
}

impl Server {
    /// The JSON document at a path.
    fn get(&self, path: &str) -> Result<Value, TaskError> {
        let text = peers::kubectl(&self.state, &["get", "--raw", path])?;
        serde_json::from_str(&text)
            .map_err(|error| TaskError::Other(format!("{path} is not JSON: {error}")))
    }
}

fn generate(server: &Server) -> Result<(), TaskError> {
    let go_types = reflect()?;
    let openapi = types::OpenApi::read(server)?;
    let (groups, resources) = resources::read(server, &openapi)?;
    let types = types::merge(&go_types, &openapi, &resources);
    let columns = columns::read(&server.state, &openapi, &resources)?;
    let version = server.get("/version")?;

    let mut text = String::from("{\n");
    text.push_str(&format!("\"version\": {version},\n\"groups\": {groups},\n"));
    push_list(&mut text, "resources", &resources);
    text.push_str(",\n");
    push_list(&mut text, "types", &types);
    text.push_str(",\n");
    push_list(&mut text, "columns", &columns);
    text.push_str("\n}\n");
    let data = workspace_root().join("crates/builtin/data");
    go::create_dir(&data)?;
    go::write(&data.join("kubernetes.json"), &text)?;
    write_bootstrap(server, &data)
}

fn push_list(text: &mut String, name: &str, items: &[Value]) {
    let lines: Vec<String> = items.iter().map(Value::to_string).collect();
    text.push_str(&format!("\"{name}\": [\n{}\n]", lines.join(",\n")));
}

/// Runs the reflection program over the Go types.
fn reflect() -> Result<Value, TaskError> {
    let directory = std::env::temp_dir().join(format!("sluice-go-types-{}", std::process::id()));
    let version = peers::KUBERNETES_MODULES;
    let mut manifest = String::from("module sluice/types\n\ngo 1.26\n\nrequire (\n");
    for name in [
        "api",
        "apimachinery",
        "client-go",
        "apiextensions-apiserver",
        "kube-aggregator",
    ] {
        manifest.push_str(&format!("\tk8s.io/{name} {version}\n"));
    }
    manifest.push_str(")\n");
    go::module(
        &directory,
        &[
            ("go.mod", &manifest),
            ("main.go", include_str!("../../go/types/main.go.txt")),
        ],
    )?;
    let text = go::go(&directory, &["run", "."])?;
    let _ = std::fs::remove_dir_all(&directory);
    serde_json::from_str(&text)
        .map_err(|error| TaskError::Other(format!("the reflection's output is not JSON: {error}")))
}

/// The objects that an API server creates by itself, less what differs from cluster to cluster.
fn write_bootstrap(server: &Server, data: &Path) -> Result<(), TaskError> {
    const PATHS: [&str; 9] = [
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/rbac.authorization.k8s.io/v1/roles",
        "/apis/rbac.authorization.k8s.io/v1/rolebindings",
        "/apis/apiregistration.k8s.io/v1/apiservices",
        "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
        "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        "/api/v1/namespaces",
    ];
    let mut objects = Vec::new();
    for path in PATHS {
        let list = server.get(path)?;
        let kind = list["kind"]
            .as_str()
            .unwrap_or_default()
            .trim_end_matches("List")
            .to_owned();
        for item in list["items"].as_array().into_iter().flatten() {
            let mut item = item.clone();
            item["apiVersion"] = list["apiVersion"].clone();
            item["kind"] = json!(kind);
            // The status of flow schemas and API services tells times.
            if kind != "Namespace"
                && let Some(fields) = item.as_object_mut()
            {
                fields.remove("status");
            }
            if let Some(metadata) = item["metadata"].as_object_mut() {
                for key in [
                    "uid",
                    "resourceVersion",
                    "creationTimestamp",
                    "managedFields",
                ] {
                    metadata.remove(key);
                }
            }
            // The aggregation controller fills these in when it comes round to them.
            if !item["aggregationRule"].is_null() {
                item["rules"] = Value::Null;
            }
            objects.push(item);
        }
    }
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    go::write(
        &data.join("bootstrap.json"),
        &format!("[\n{}\n]\n", lines.join(",\n")),
    )
}
