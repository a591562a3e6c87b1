//! The columns of `kubectl get`, from the server's `Table` answers.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::types::OpenApi;
use crate::TaskError;
use crate::go::{read as read_file, run};

const TABLE: &str = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io";

/// One record per listable resource: its columns with type, format, priority and description.
///
/// A description that repeats a field's is written as a reference to it, `type#field`; the server's
/// answers need the short others literally.
fn read_columns(table: &Value, openapi: &OpenApi) -> Vec<Value> {
    let mut columns = Vec::new();
    for column in table["columnDefinitions"].as_array().into_iter().flatten() {
        let description = column["description"].as_str().unwrap_or_default();
        let reference = openapi.field_described(description);
        columns.push(match reference {
            Some(reference) => {
                json!([column["name"], column["type"], column["format"], column["priority"], {"doc": reference}])
            }
            None => json!([column["name"], column["type"], column["format"], column["priority"], description]),
        });
    }
    columns
}

/// Asks for each resource's (empty) table.
pub(super) fn read(
    state: &Path,
    openapi: &OpenApi,
    resources: &[Value],
) -> Result<Vec<Value>, TaskError> {
    let (server, token) = credentials(state)?;
    let mut out = Vec::new();
    for resource in resources {
        let verbs = resource["verbs"].as_array().into_iter().flatten();
        if !verbs.into_iter().any(|verb| verb == "list") {
            continue;
        }
        let text = |key: &str| resource[key].as_str().unwrap_or_default();
        let (group, version, name) = (text("group"), text("version"), text("resource"));
        let root = if group.is_empty() {
            "/api".to_owned()
        } else {
            format!("/apis/{group}")
        };
        let answer = run(Command::new("curl")
            .args(["-sk", "-H", TABLE, "-H"])
            .arg(format!("Authorization: Bearer {token}"))
            .arg(format!("{server}{root}/{version}/{name}?limit=1")))?;
        let table: Value = serde_json::from_str(&answer).map_err(|error| {
            TaskError::Other(format!("the table of {name} is not JSON: {error}"))
        })?;
        out.push(json!({"group": group, "version": version, "resource": name, "columns": read_columns(&table, openapi)}));
    }
    Ok(out)
}

fn credentials(state: &Path) -> Result<(String, String), TaskError> {
    let kubeconfig = read_file(&state.join("kubeconfig"))?;
    let server = kubeconfig.split('"').nth(1).unwrap_or_default().to_owned();
    let tokens = read_file(&state.join("tokens.csv"))?;
    Ok((
        server,
        tokens.split(',').next().unwrap_or_default().to_owned(),
    ))
}
