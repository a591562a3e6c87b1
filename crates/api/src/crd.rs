//! CustomResourceDefinitions, made from the types.
//!
//! ```text
//! Rust types ──Shape──► schema of each version ──► + what it lacks of the others ──► CRD
//! ```
//!
//! [`crds`] serves every version of every kind. Old versions are marked as deprecated; no conversion
//! webhook is needed (see [`crate::stored`] for how their fields live on). [`current_crds`] are what
//! Flux itself installs, one version of each kind.

use serde_json::{Value, json};

use crate::kind::{Kind, Version};
use crate::{convert, stored};

/// All kinds, sorted by the name of their definition.
pub fn kinds() -> Vec<&'static Kind> {
    let mut kinds: Vec<_> = all().collect();
    kinds.sort_by_key(|kind| (kind.names.group, kind.names.plural));
    kinds
}

/// The kind with this group and name.
pub fn kind(group: &str, name: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.names.group == group && kind.names.kind == name)
}

fn all() -> impl Iterator<Item = &'static Kind> {
    let groups = [
        crate::extensions::KINDS,
        crate::helm::KINDS,
        crate::image::KINDS,
        crate::kustomize::KINDS,
        crate::notification::KINDS,
        crate::source::KINDS,
    ];
    groups.into_iter().flatten()
}

/// The CustomResourceDefinitions of all kinds with all their versions, sorted by group and plural.
pub fn crds() -> Vec<Value> {
    kinds().into_iter().map(definition).collect()
}

/// The CustomResourceDefinitions as Flux has them: the current version of each kind.
pub fn current_crds() -> Vec<Value> {
    kinds()
        .into_iter()
        .map(|kind| {
            let version = kind.current();
            let version = version_json(version, (version.schema)().into(), true);
            wrapped(kind, vec![version])
        })
        .collect()
}

/// The CustomResourceDefinition of one kind with all its versions.
pub fn definition(kind: &Kind) -> Value {
    let versions = kind.versions.iter().map(|version| {
        let schema = stored::schema(kind, version);
        if version.name == kind.current().name {
            return version_json(version, schema, true);
        }
        let mut json = version_json(version, schema, false);
        json["deprecated"] = json!(true);
        json["deprecationWarning"] = json!(convert::deprecation_warning(kind, version));
        json
    });
    wrapped(kind, versions.collect())
}

fn wrapped(kind: &Kind, versions: Vec<Value>) -> Value {
    let names = kind.names;
    let mut names_json = json!({
        "kind": names.kind,
        "listKind": names.list_kind(),
        "plural": names.plural,
        "singular": names.singular(),
        "categories": names.categories,
    });
    if !names.short_names.is_empty() {
        names_json["shortNames"] = json!(names.short_names);
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": names.crd_name(),
            "annotations": {
                // The schemas are what this version of Flux's generator gives, byte for byte but for prose.
                "controller-gen.kubebuilder.io/version": "v0.21.0",
                // Patterns and rules hold `${`, which a Kustomization must not substitute.
                "kustomize.toolkit.fluxcd.io/substitute": "disabled",
            },
        },
        "spec": {
            "group": names.group,
            "names": names_json,
            "scope": "Namespaced",
            "versions": versions,
        },
    })
}

fn version_json(version: &Version, schema: Value, is_stored: bool) -> Value {
    let mut json = json!({
        "name": version.name,
        "served": true,
        "storage": is_stored,
        "schema": {"openAPIV3Schema": schema},
        "subresources": if version.has_status { json!({"status": {}}) } else { json!({}) },
    });
    if !version.columns.is_empty() {
        let columns: Vec<_> = version
            .columns
            .iter()
            .map(|column| column.to_json())
            .collect();
        json["additionalPrinterColumns"] = json!(columns);
    }
    json
}
