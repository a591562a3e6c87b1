//! Charts: their files, their metadata, the charts they depend on.

mod archive;
mod check;
mod dependencies;
mod directory;
mod ignore;
mod load;
mod metadata;
pub(crate) mod path;
mod view;

pub use archive::unpack;
pub use check::{
    InvalidName, NotInstallable, check_dependencies, check_installable, check_release_name,
};
pub use dependencies::process_dependencies;
pub use directory::{load, load_archive, load_dir};
pub use ignore::{IGNORE_FILE, IgnoreError, IgnoreRules};
pub use load::{ChartError, load_files};
pub(crate) use metadata::is_compatible;
pub use metadata::{Dependency, ImportValues, Maintainer, Metadata};
pub use path::{BadPattern, matches};

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
    /// What `Chart.lock` or `requirements.lock` says.
    pub lock: Option<serde_json::Value>,
    /// The files that are nothing else: what `.Files` gives.
    pub files: Arc<Vec<File>>,
    /// All files of the chart as they were loaded, those below `charts/` too.
    pub raw: Arc<Vec<File>>,
    /// The charts below `charts/`.
    pub dependencies: Vec<Chart>,
    /// Its path as it was loaded: names with `/charts/` between.
    load_path: String,
    /// Whether it knows the chart that holds it; see [`Chart::path_below`].
    is_attached: bool,
    /// Whether it is another alias of a chart that came before, in Helm 3.
    is_twin: bool,
}

/// A file of definitions below `crds/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crd {
    /// Its path within its chart.
    pub name: String,
    /// Its path with those of the charts that hold it.
    pub path: String,
    /// Its text.
    pub data: Str,
}

impl Chart {
    /// The definitions below `crds/`, of this chart and then of those it depends on.
    pub fn crds(&self) -> Vec<Crd> {
        let mut found = Vec::new();
        self.collect_crds(None, &mut found);
        found
    }

    fn collect_crds(&self, parent: Option<&str>, found: &mut Vec<Crd>) {
        let path = self.path_below(parent);
        for file in self.files.iter() {
            let base = file.name.rsplit('/').next().unwrap_or_default();
            let extension = base.rsplit_once('.').map_or("", |(_, extension)| extension);
            let is_manifest = ["yaml", "yml", "json"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known));
            if file.name.starts_with("crds/") && is_manifest {
                found.push(Crd {
                    name: file.name.clone(),
                    path: format!("{path}/{}", file.name),
                    data: file.data.clone(),
                });
            }
        }
        for child in &self.dependencies {
            child.collect_crds(Some(&path), found);
        }
    }

    /// The path of this chart, held by the one at `parent` (none for the root).
    ///
    /// A chart in Helm points to its parent, and a copy made for an alias leaves the charts below it pointing
    /// to the original. Their paths are those from before, which is seen in `# Source:` comments.
    pub(crate) fn path_below(&self, parent: Option<&str>) -> String {
        match parent {
            None => self.metadata.name.clone(),
            Some(_) if !self.is_attached => self.load_path.clone(),
            Some(parent) => format!("{parent}/charts/{}", self.metadata.name),
        }
    }

    fn set_paths(&mut self, parent: &str) {
        self.load_path = if parent.is_empty() {
            self.metadata.name.clone()
        } else {
            format!("{parent}/charts/{}", self.metadata.name)
        };
        for child in &mut self.dependencies {
            child.set_paths(&self.load_path);
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
