//! `version`: of this program and of what runs in the cluster.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cluster::kinds::{DEFINITION, DEPLOYMENT};
use super::cluster::{Cluster, Selection};
use super::invocation::Invocation;
use super::{FLUX_VERSION, Outcome, Stop, go, image_name, output};

/// What marks the objects of an installation.
pub(super) const PART_OF: &str = "app.kubernetes.io/part-of=flux";

/// Runs `version`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let form = invocation.text("output");
    if form != "yaml" && form != "json" {
        return Err(format!("--output must be json or yaml, not {form}").into());
    }
    let mut lines = vec![("flux".to_owned(), format!("v{FLUX_VERSION}"))];
    if !invocation.boolean("client") {
        let cluster = invocation.cluster()?;
        let distribution = installation(&cluster)?.unwrap_or_default().distribution;
        if !distribution.is_empty() {
            lines.push(("distribution".to_owned(), distribution));
        }
        lines.extend(controllers(&cluster, &invocation.namespace)?);
    }
    if form == "json" {
        lines.sort();
        let fields: Vec<String> = lines
            .iter()
            .map(|(name, version)| {
                format!("  {}: {}", go::json_string(name), go::json_string(version))
            })
            .collect();
        output::out(format!("{{\n{}\n}}\n", fields.join(",\n")));
    } else {
        for (name, version) in lines {
            let mut line = serde_json::Map::new();
            line.insert(name, version.into());
            output::out(yaml::from_json(&Value::Object(line)));
        }
    }
    Ok(())
}

/// The images of the controllers: name and tag of each.
fn controllers(cluster: &Cluster, namespace: &str) -> Result<BTreeMap<String, String>, Stop> {
    let list = cluster.list(&DEPLOYMENT, Some(namespace), &Selection::labelled(PART_OF))?;
    if list.is_empty() {
        return Err(format!("no deployments found in {namespace} namespace").into());
    }
    let mut versions = BTreeMap::new();
    for deployment in &list {
        let containers = deployment["spec"]["template"]["spec"]["containers"].as_array();
        for container in containers.into_iter().flatten() {
            let image = container["image"].as_str().unwrap_or_default();
            let (name, tag) = split_image(image)?;
            versions.insert(name, tag);
        }
    }
    Ok(versions)
}

fn split_image(image: &str) -> Result<(String, String), Stop> {
    let reference = image_name::Reference::parse(image)
        .map_err(|error| format!("parsing image '{image}' failed: {error}"))?;
    let rest = image
        .strip_prefix(reference.repository.registry.as_str())
        .unwrap_or(image);
    let (name, tag) = rest
        .split_once(':')
        .ok_or_else(|| format!("missing image tag in image {image}"))?;
    let name = name.rsplit('/').next().unwrap_or(name);
    Ok((name.to_owned(), tag.to_owned()))
}

/// An installation, as the labels of a CRD tell of it.
#[derive(Debug, Default)]
pub(super) struct Installation {
    /// Its version.
    pub(super) version: String,
    /// Its distribution and version.
    pub(super) distribution: String,
    /// Whether it is kept in a Git repository.
    pub(super) bootstrapped: bool,
    /// The tool that manages it.
    pub(super) managed_by: String,
}

/// The installation in the cluster, if there is one.
pub(super) fn installation(cluster: &Cluster) -> Result<Option<Installation>, Stop> {
    let name = "gitrepositories.source.toolkit.fluxcd.io";
    let Some(definition) = cluster.find(&DEFINITION, "", name)? else {
        return Ok(None);
    };
    let label = |key: &str| {
        object::meta::label(&definition, key)
            .unwrap_or_default()
            .to_owned()
    };
    let version = label("app.kubernetes.io/version");
    let part_of = label("app.kubernetes.io/part-of");
    let distribution = if part_of.is_empty() {
        version.clone()
    } else {
        format!("{part_of}-{version}")
    };
    let bootstrapped =
        object::meta::label(&definition, "kustomize.toolkit.fluxcd.io/namespace").is_some();
    Ok(Some(Installation {
        version,
        distribution,
        bootstrapped,
        managed_by: label("app.kubernetes.io/managed-by"),
    }))
}
