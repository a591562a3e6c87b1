//! The Kustomization that is built, as a file or the cluster has it.

use std::collections::BTreeMap;
use std::path::Path;

use kustomize::flux::Spec;
use serde_json::Value;

use super::Cluster;
use super::shape;

const GROUP: &str = "kustomize.toolkit.fluxcd.io/";

/// Whether an object is a Flux Kustomization.
pub(super) fn is_one(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    version.starts_with(GROUP) && object["kind"] == "Kustomization"
}

/// A Kustomization whose fields have the right types.
#[derive(Debug)]
pub(super) struct Kustomization {
    object: Value,
}

type Pairs = BTreeMap<String, String>;

fn pairs(value: &Value) -> Pairs {
    let map = value.as_object().into_iter().flatten();
    map.map(|(key, value)| (key.clone(), text(value).to_owned()))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Kustomization {
    /// # Errors
    /// A field of another type, in encoding/json's words.
    pub(super) fn from_object(mut object: Value) -> Result<Self, String> {
        shape::check(&mut object)?;
        Ok(Self { object })
    }

    /// The one of the file's documents that has the name; one without namespace is of any.
    ///
    /// # Errors
    /// None has, or one before it cannot be read.
    pub(super) fn from_file(
        current: &Path,
        file: &str,
        name: &str,
        namespace: &str,
    ) -> Result<Self, String> {
        let content = std::fs::read(current.join(file)).map_err(|error| {
            format!(
                "failed to read kustomization file {file}: open {file}: {}",
                tree::errno_text(&error)
            )
        })?;
        let failed =
            |error: &str| format!("failed to unmarshall kustomization file {file}: {error}");
        for document in yaml::split_documents(&content) {
            let object = yaml::to_json(document)
                .map_err(|error| failed(&format!("error converting YAML to JSON: {error}")))?;
            if object.is_null() {
                continue;
            }
            let found = Self::from_object(object).map_err(|error| {
                failed(&format!(
                    "error unmarshaling JSON: while decoding JSON: {error}"
                ))
            })?;
            let matches = is_one(&found.object)
                && found.name() == name
                && (found.namespace() == namespace || found.namespace().is_empty());
            if matches {
                return Ok(found);
            }
        }
        Err(format!(
            "failed find kustomization with name '{name}' and namespace '{namespace}' in file '{file}'"
        ))
    }

    pub(super) fn name(&self) -> &str {
        text(&self.object["metadata"]["name"])
    }

    pub(super) fn namespace(&self) -> &str {
        text(&self.object["metadata"]["namespace"])
    }

    /// A text of the spec; empty if it is not there.
    pub(super) fn text(&self, field: &str) -> &str {
        text(&self.object["spec"][field])
    }

    pub(super) fn spec(&self) -> Result<Spec, String> {
        Spec::from_object(&self.object).map_err(|error| error.to_string())
    }

    /// Labels and annotations for all objects.
    pub(super) fn common_metadata(&self) -> Option<(Pairs, Pairs)> {
        let common = self.object["spec"].get("commonMetadata")?;
        Some((pairs(&common["labels"]), pairs(&common["annotations"])))
    }

    /// The source as `--local-sources` names it.
    pub(super) fn source(&self) -> String {
        let source = &self.object["spec"]["sourceRef"];
        let (kind, name) = (text(&source["kind"]), text(&source["name"]));
        match (text(&source["namespace"]), self.namespace()) {
            ("", "") => format!("{kind}/{name}"),
            ("", namespace) | (namespace, _) => format!("{kind}/{namespace}/{name}"),
        }
    }

    /// The variables that `substituteFrom` names.
    pub(super) fn variables(&self, cluster: &dyn Cluster) -> Result<Pairs, String> {
        let mut variables = Pairs::new();
        let references = &self.object["spec"]["postBuild"]["substituteFrom"];
        for reference in references.as_array().into_iter().flatten() {
            let (kind, name) = (text(&reference["kind"]), text(&reference["name"]));
            if !matches!(kind, "ConfigMap" | "Secret") {
                continue;
            }
            let failed = |error: &str| format!("substitute from '{kind}/{name}' error: {error}");
            match cluster.data(kind, self.namespace(), name) {
                Ok(Some(data)) => variables.extend(data),
                Ok(None) if reference["optional"] == true => {}
                Ok(None) => {
                    let plural = if kind == "Secret" {
                        "secrets"
                    } else {
                        "configmaps"
                    };
                    return Err(failed(&format!("{plural} {name:?} not found")));
                }
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(variables)
    }
}
