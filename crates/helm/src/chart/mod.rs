//! Charts: their files, their metadata, the charts they depend on.

mod archive;
mod dependencies;
mod load;
mod metadata;

pub use archive::unpack;
pub use dependencies::process_dependencies;
pub use load::{ChartError, Unpack, load_files};
pub use metadata::{Dependency, ImportValues, Maintainer, Metadata};

use std::sync::Arc;

use gotemplate::{Map, Str};

use crate::values::ChartValues;

/// A file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path within the chart, with slashes.
    pub name: String,
    /// Its bytes.
    pub data: Str,
}

impl File {
    /// A file of this name and contents.
    pub fn new(name: impl Into<String>, data: impl Into<Str>) -> File {
        File {
            name: name.into(),
            data: data.into(),
        }
    }
}

/// A chart with the charts it depends on.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What `Chart.yaml` says.
    pub metadata: Metadata,
    /// The files below `templates/`.
    pub templates: Vec<File>,
    /// What `values.yaml` says.
    pub values: Map,
    /// The contents of `values.schema.json`.
    pub schema: Option<Str>,
    /// The files that are nothing else: what `.Files` gives.
    pub files: Arc<Vec<File>>,
    /// The charts below `charts/`.
    pub dependencies: Vec<Chart>,
}

impl Chart {
    /// The definitions below `crds/`, of this chart and those it depends on: paths and texts.
    pub fn crds(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.collect_crds("", &mut found);
        found
    }

    fn collect_crds(&self, parent: &str, found: &mut Vec<(String, String)>) {
        let name = &self.metadata.name;
        let path = if parent.is_empty() {
            name.clone()
        } else {
            format!("{parent}/charts/{name}")
        };
        for file in self
            .files
            .iter()
            .filter(|file| file.name.starts_with("crds/"))
        {
            let lower = file.name.to_lowercase();
            if [".yaml", ".yml", ".json"]
                .iter()
                .any(|extension| lower.ends_with(extension))
            {
                found.push((format!("{path}/{}", file.name), file.data.to_string()));
            }
        }
        for child in &self.dependencies {
            child.collect_crds(&path, found);
        }
    }

    /// Whether it only lends its named templates to others.
    pub fn is_library(&self) -> bool {
        self.metadata.chart_type.eq_ignore_ascii_case("library")
    }
}

impl ChartValues for Chart {
    fn name(&self) -> &str {
        &self.metadata.name
    }

    fn values(&self) -> &Map {
        &self.values
    }

    fn dependencies(&self) -> &[Chart] {
        &self.dependencies
    }
}
