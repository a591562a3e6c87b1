//! Charts: their files, their metadata, the charts they depend on.

mod dependencies;
mod load;
mod metadata;

pub use dependencies::process_dependencies;
pub use load::{ChartError, load_files};
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
