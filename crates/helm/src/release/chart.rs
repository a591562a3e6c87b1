//! The chart inside a release: without the charts that it depends on, as Helm keeps it.

use std::collections::BTreeMap;

use gotemplate::{Map, Str};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::text;
use crate::chart::{Chart, Dependency, File, Maintainer, Metadata};

/// A file of a chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its path within the chart.
    pub name: String,
    /// Its bytes.
    #[serde(
        serialize_with = "text::write_bytes",
        deserialize_with = "text::read_bytes"
    )]
    pub data: Option<Str>,
    /// When it was changed, in RFC 3339; Helm 4.2 and later keep it.
    #[serde(
        default,
        skip_serializing_if = "text::is_zero_time",
        deserialize_with = "text::time"
    )]
    pub modtime: String,
}

impl From<&File> for FileRecord {
    fn from(file: &File) -> Self {
        Self {
            name: file.name.clone(),
            data: Some(file.data.clone()),
            modtime: String::new(),
        }
    }
}

/// Somebody who keeps a chart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MaintainerRecord {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
}

impl From<&Maintainer> for MaintainerRecord {
    fn from(maintainer: &Maintainer) -> Self {
        Self {
            name: maintainer.name.clone(),
            email: maintainer.email.clone(),
            url: maintainer.url.clone(),
        }
    }
}

/// A chart that another depends on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DependencyRecord {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    repository: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    condition: String,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enabled: bool,
    #[serde(
        rename = "import-values",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    import_values: Vec<Json>,
    #[serde(skip_serializing_if = "String::is_empty")]
    alias: String,
}

impl From<&Dependency> for DependencyRecord {
    fn from(dependency: &Dependency) -> Self {
        let imports = dependency.import_values.iter().map(|import| {
            // Once dependencies have been processed Helm keeps pairs of paths.
            serde_json::json!({"child": import.child, "parent": import.parent})
        });
        Self {
            name: dependency.name.clone(),
            version: dependency.version.clone(),
            repository: dependency.repository.clone(),
            condition: dependency.condition.clone(),
            tags: dependency.tags.clone(),
            enabled: dependency.enabled,
            import_values: imports.collect(),
            alias: dependency.alias.clone(),
        }
    }
}

/// What `Chart.yaml` says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MetadataRecord {
    /// The name of the chart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    home: String,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    sources: Vec<String>,
    /// The version of the chart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What the chart is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    keywords: Vec<String>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    maintainers: Vec<MaintainerRecord>,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon: String,
    /// The version of the format: `v1` or `v2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    condition: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    tags: String,
    /// The version of what the chart installs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deprecated: bool,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    kube_version: String,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    dependencies: Vec<DependencyRecord>,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
}

impl MetadataRecord {
    /// The names of the charts it depends on.
    pub fn dependency_names(&self) -> Vec<String> {
        let dependencies = self.dependencies.iter();
        dependencies
            .map(|dependency| dependency.name.clone())
            .collect()
    }
}

impl From<&Metadata> for MetadataRecord {
    fn from(metadata: &Metadata) -> Self {
        Self {
            name: metadata.name.clone(),
            home: metadata.home.clone(),
            sources: metadata.sources.clone(),
            version: metadata.version.clone(),
            description: metadata.description.clone(),
            keywords: metadata.keywords.clone(),
            maintainers: metadata.maintainers.iter().map(Into::into).collect(),
            icon: metadata.icon.clone(),
            api_version: metadata.api_version.clone(),
            condition: metadata.condition.clone(),
            tags: metadata.tags.clone(),
            app_version: metadata.app_version.clone(),
            deprecated: metadata.deprecated,
            annotations: metadata.annotations.clone().filter(|all| !all.is_empty()),
            kube_version: metadata.kube_version.clone(),
            dependencies: metadata.dependencies.iter().map(Into::into).collect(),
            kind: metadata.chart_type.clone(),
        }
    }
}

/// The chart of a release.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChartRecord {
    /// What `Chart.yaml` says.
    #[serde(deserialize_with = "text::or_default")]
    pub metadata: MetadataRecord,
    /// What `Chart.lock` says.
    pub lock: Option<Json>,
    /// The files below `templates/`; none is null.
    pub templates: Option<Vec<FileRecord>>,
    /// What `values.yaml` says, with what dependencies brought in.
    #[serde(
        serialize_with = "text::write_map",
        deserialize_with = "text::read_map"
    )]
    pub values: Map,
    /// The contents of `values.schema.json`.
    #[serde(
        serialize_with = "text::write_bytes",
        deserialize_with = "text::read_bytes"
    )]
    pub schema: Option<Str>,
    /// When that was changed; Helm 4.2 and later keep it.
    #[serde(serialize_with = "text::write_time", deserialize_with = "text::time")]
    pub schemamodtime: String,
    /// The other files; none is null.
    pub files: Option<Vec<FileRecord>>,
    /// When `Chart.yaml` was changed; Helm 4.2 and later keep it.
    #[serde(
        skip_serializing_if = "text::is_zero_time",
        deserialize_with = "text::time"
    )]
    pub modtime: String,
}

impl From<&Chart> for ChartRecord {
    fn from(chart: &Chart) -> Self {
        let files = |files: &[File]| -> Option<Vec<FileRecord>> {
            (!files.is_empty()).then(|| files.iter().map(Into::into).collect())
        };
        Self {
            metadata: (&chart.metadata).into(),
            lock: chart.lock.clone(),
            templates: files(&chart.templates),
            values: chart.values.clone(),
            schema: chart.schema.clone(),
            schemamodtime: String::new(),
            files: files(&chart.files),
            modtime: String::new(),
        }
    }
}
