//! `migrate`: objects, or manifests in files, to the current API versions.

mod files;

use serde_json::{Value, json};

use super::cluster::kinds::DEFINITION;
use super::cluster::{Cluster, Reason, Selection};
use super::invocation::Invocation;
use super::{Outcome, output};

/// Runs `migrate`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    if !invocation.text("path").is_empty() {
        return files::run(invocation);
    }
    output::action("starting migration of custom resources");
    let cluster = invocation.cluster()?;
    let definitions = cluster
        .list(
            &DEFINITION,
            None,
            &Selection::labelled(super::version::PART_OF),
        )
        .map_err(|error| format!("failed to list CRDs: {error}"))?;
    for definition in &definitions {
        migrate(&cluster, definition)?;
    }
    output::success("custom resources migrated successfully");
    Ok(())
}

fn migrate(cluster: &Cluster, definition: &Value) -> Outcome {
    let name = object::meta::name(definition);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array();
    let storage = versions
        .into_iter()
        .flatten()
        .find(|version| version["storage"] == true);
    let version = storage
        .map(|version| text(&version["name"]))
        .unwrap_or_default();
    if version.is_empty() {
        return Err(format!("no storage version found for CRD {name}").into());
    }
    let (group, plural, kind) = (
        text(&spec["group"]),
        text(&spec["names"]["plural"]),
        text(&spec["names"]["kind"]),
    );
    let failed = |error: &dyn std::fmt::Display| {
        format!("failed to migrate resources for CRD {name}: {error}")
    };
    let list = cluster
        .send(
            "GET",
            &format!("/apis/{group}/{version}/{plural}"),
            None,
            "",
            None,
        )
        .map_err(|error| failed(&error))?;
    for object in list["items"].as_array().into_iter().flatten() {
        let (namespace, object_name) =
            (object::meta::namespace(object), object::meta::name(object));
        let path = if namespace.is_empty() {
            format!("/apis/{group}/{version}/{plural}/{object_name}")
        } else {
            format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}/{object_name}")
        };
        // The server stores what it is given in the current version, and the owners of fields keep
        // theirs as long as nobody says otherwise.
        let managed = managed_fields(object, &format!("{group}/{version}"));
        let (patch, content) = match managed {
            Some(patch) => (patch, "application/json-patch+json"),
            None => (json!({}), "application/merge-patch+json"),
        };
        match cluster.send("PATCH", &path, Some(&patch), content, None) {
            Err(error) if matches!(error.reason, Reason::NotFound | Reason::NoMatch) => {}
            other => {
                other.map_err(|error| failed(&error))?;
            }
        }
        output::success(format_args!(
            "{kind}/{namespace}/{object_name} migrated to version {version}"
        ));
    }
    let stored = definition["status"]["storedVersions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if stored != [Value::from(version.as_str())] {
        let patch = json!({"status": {"storedVersions": [version]}});
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}/status");
        cluster
            .send(
                "PATCH",
                &path,
                Some(&patch),
                "application/merge-patch+json",
                None,
            )
            .map_err(|error| format!("failed to update CRD {name} status: {error}"))?;
        output::success(format_args!("{name} migrated to storage version {version}"));
    }
    Ok(())
}

/// A JSON patch that gives all owners of fields the version, if one has another.
fn managed_fields(object: &Value, version: &str) -> Option<Value> {
    let mut fields = object["metadata"]["managedFields"].clone();
    let mut changed = false;
    for entry in fields.as_array_mut()? {
        if entry["apiVersion"] != version {
            entry["apiVersion"] = version.into();
            changed = true;
        }
    }
    let resource_version = object["metadata"]["resourceVersion"].clone();
    changed.then(|| {
        json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": fields},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
        ])
    })
}
