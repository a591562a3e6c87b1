//! The objects that a command line names, by kubectl's rules.

use apply::escape;
use serde_json::Value;

use crate::flux::cluster::Cluster;
use crate::flux::invocation::Invocation;
use crate::flux::{Stop, go};

/// A kind as the server knows it.
struct Resource {
    api_version: String,
    plural: String,
    kind: String,
    namespaced: bool,
}

impl Resource {
    fn get(&self, cluster: &Cluster, namespace: &str, name: &str) -> Result<Value, Stop> {
        let version = &self.api_version;
        let base = if version.contains('/') {
            format!("/apis/{version}")
        } else {
            format!("/api/{version}")
        };
        let folder = if self.namespaced {
            format!("{base}/namespaces/{}/{}", escape(namespace), self.plural)
        } else {
            format!("{base}/{}", self.plural)
        };
        let path = format!("{folder}/{}", escape(name));
        let mut object = cluster.send("GET", &path, None, "", None)?;
        object["apiVersion"] = version.as_str().into();
        object["kind"] = self.kind.as_str().into();
        Ok(object)
    }
}

/// An object by the kind that manifests name.
pub(super) fn by_kind(
    cluster: &Cluster,
    api_version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Value, Stop> {
    let unknown = || format!("no matches for kind \"{kind}\" in version \"{api_version}\"");
    let resources = cluster.resources(api_version).map_err(|_| unknown())?;
    let found = resources
        .iter()
        .filter_map(|found| resource(api_version, found))
        .find(|found| found.kind == kind)
        .ok_or_else(unknown)?;
    found.get(cluster, namespace, name)
}

fn resource(api_version: &str, found: &Value) -> Option<Resource> {
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    let plural = text("name");
    // Those with a slash are parts of other resources.
    (!plural.contains('/')).then(|| Resource {
        api_version: api_version.to_owned(),
        kind: text("kind"),
        namespaced: found["namespaced"] == true,
        plural,
    })
}

/// The objects of the command line.
pub(super) fn objects(invocation: &Invocation<'_>, cluster: &Cluster) -> Result<Vec<Value>, Stop> {
    let namespace = &invocation.namespace;
    let (kind, version) = (invocation.text("kind"), invocation.text("api-version"));
    if !kind.is_empty() || !version.is_empty() {
        let name = invocation.first().ok_or("object name is required")?;
        if kind.is_empty() {
            return Err("object kind is required (--kind)".into());
        }
        if version.is_empty() {
            return Err("object apiVersion is required (--api-version)".into());
        }
        let object =
            by_kind(cluster, version, kind, namespace, name).map_err(|error| match error {
                Stop::Failed(text) => Stop::Failed(format!("failed to find object: {text}")),
                other => other,
            })?;
        return Ok(vec![object]);
    }
    let usage = "either `<resource>/<name>` or `<resource> <name>` is required as an argument";
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    if invocation.words.iter().any(|word| word.contains('/')) {
        for word in &invocation.words {
            wanted.push(word.split_once('/').ok_or(usage)?);
        }
    } else {
        let (resource, names) = invocation.words.split_first().ok_or(usage)?;
        if names.is_empty() {
            return Err(usage.into());
        }
        wanted.extend(names.iter().map(|name| (resource.as_str(), name.as_str())));
    }
    let mut objects = Vec::new();
    for (word, name) in wanted {
        let resource = by_word(cluster, word)?;
        let object = resource
            .get(cluster, namespace, name)
            .map_err(|error| match error {
                Stop::Failed(text) => Stop::Failed(format!("x: {text}")),
                other => other,
            })?;
        objects.push(object);
    }
    Ok(objects)
}

/// A kind by plural, singular, short name or kind, with `.<version>.<group>` or `.<group>` after it.
fn by_word(cluster: &Cluster, word: &str) -> Result<Resource, Stop> {
    let (name, group) = match word.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (word, None),
    };
    let lower = name.to_lowercase();
    let mut versions = vec!["v1".to_owned()];
    let groups = cluster.send("GET", "/apis", None, "", None)?;
    for found in groups["groups"].as_array().into_iter().flatten() {
        if let Some(version) = found["preferredVersion"]["groupVersion"].as_str() {
            versions.push(version.to_owned());
        }
    }
    for version in versions {
        let own = version.split_once('/').map_or("", |(group, _)| group);
        if group.is_some_and(|group| group != own && !group.ends_with(&format!(".{own}"))) {
            continue;
        }
        for found in cluster.resources(&version).unwrap_or_default() {
            let is = |field: &str| {
                found[field]
                    .as_str()
                    .is_some_and(|text| text.to_lowercase() == lower)
            };
            let short = found["shortNames"].as_array().into_iter().flatten();
            let short = short
                .into_iter()
                .any(|text| text.as_str() == Some(lower.as_str()));
            let named = is("name") || is("singularName") || is("kind") || short;
            if let Some(found) = named.then(|| resource(&version, &found)).flatten() {
                return Ok(found);
            }
        }
    }
    Err(format!(
        "the server doesn't have a resource type {}",
        go::quote(word)
    )
    .into())
}
