//! Charts from their files. Source: Helm 4.2 `loader.LoadFiles`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotemplate::Map;

use super::{Chart, File, Metadata};
use crate::Compat;
use crate::values::read_values;

/// How deep charts may lie in charts.
const MAX_DEPTH: usize = 50;

/// Why files are no chart: Helm's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChartError(pub String);

/// The chart that these files are, with those below `charts/`, in folders and archives.
///
/// Paths are within the chart, with slashes: `Chart.yaml`, `templates/service.yaml`.
pub fn load_files(files: Vec<File>, compat: Compat) -> Result<Chart, ChartError> {
    let loader = Loader {
        compat,
        unpacked: Cell::new(0),
    };
    let mut chart = loader.load(files, 0).map_err(ChartError)?;
    chart.set_paths("");
    Ok(chart)
}

/// One loading: how much the archives within archives have come to.
struct Loader {
    compat: Compat,
    unpacked: Cell<u64>,
}

impl Loader {
    fn load(&self, files: Vec<File>, depth: usize) -> Result<Chart, String> {
        if depth > MAX_DEPTH {
            return Err(format!("charts nest deeper than {MAX_DEPTH} levels"));
        }
        let raw = Arc::new(files.clone());
        let kind = if self.compat.is_v3() {
            "chart.Metadata"
        } else {
            "v2.Metadata"
        };
        let mut metadata: Option<Metadata> = None;
        let mut lock = None;
        for file in files.iter().filter(|file| file.name == "Chart.yaml") {
            let document = crate::values::read_json(file.data.as_bytes())
                .map_err(|error| format!("cannot load Chart.yaml: {error}"))?;
            let metadata = metadata.get_or_insert_default();
            metadata.read(&document, kind).map_err(|error| {
                if error.starts_with("validation:") {
                    error
                } else {
                    format!("cannot load Chart.yaml: {error}")
                }
            })?;
            if metadata.api_version.is_empty() {
                "v1".clone_into(&mut metadata.api_version);
            }
        }
        let mut values = Map::new();
        let (mut templates, mut others) = (Vec::new(), Vec::new());
        let mut schema = None;
        let mut children: BTreeMap<String, Vec<File>> = BTreeMap::new();
        for file in files {
            let name = file.name.clone();
            match name.as_str() {
                "Chart.yaml" => {}
                "Chart.lock" | "requirements.lock" => {
                    let document = crate::values::read_json(file.data.as_bytes())
                        .map_err(|error| format!("cannot load {name}: {error}"))?;
                    lock = document.is_object().then_some(document);
                    let is_v1 = metadata
                        .as_ref()
                        .is_some_and(|metadata| metadata.api_version == "v1");
                    if name == "requirements.lock" && is_v1 {
                        others.push(file);
                    }
                }
                "values.yaml" => {
                    values = read_values(file.data.as_bytes(), self.compat)
                        .map_err(|error| format!("cannot load values.yaml: {error}"))?;
                }
                "values.schema.json" => schema = Some(file.data),
                "requirements.yaml" => {
                    let metadata = metadata.get_or_insert_default();
                    let document = crate::values::read_json(file.data.as_bytes())
                        .map_err(|error| format!("cannot load requirements.yaml: {error}"))?;
                    metadata
                        .read(&document, kind)
                        .map_err(|error| format!("cannot load requirements.yaml: {error}"))?;
                    if metadata.api_version == "v1" {
                        others.push(file);
                    }
                }
                _ if name.starts_with("templates/") => templates.push(file),
                _ if name.starts_with("charts/") && !name.ends_with(".prov") => {
                    let inner = &name["charts/".len()..];
                    let child = inner.split('/').next().unwrap_or_default().to_owned();
                    children
                        .entry(child)
                        .or_default()
                        .push(File::new(inner, file.data));
                }
                _ => others.push(file),
            }
        }
        let Some(mut metadata) = metadata else {
            return Err("Chart.yaml file is missing".to_owned());
        };
        metadata.validate()?;
        let mut chart = Chart {
            metadata,
            templates,
            values,
            schema,
            lock,
            files: Arc::new(others),
            raw,
            dependencies: Vec::new(),
            load_path: String::new(),
            is_attached: true,
            is_twin: false,
        };
        for (name, files) in children {
            if name.starts_with(['_', '.']) {
                continue;
            }
            let child = self.load_child(&chart, &name, files, depth)?;
            chart.dependencies.push(child);
        }
        Ok(chart)
    }

    /// A chart below `charts/`.
    fn load_child(
        &self,
        parent: &Chart,
        name: &str,
        files: Vec<File>,
        depth: usize,
    ) -> Result<Chart, String> {
        let parent = &parent.metadata.name;
        let files = if name.ends_with(".tgz") {
            let Some(archive) = files.first().filter(|file| file.name == name) else {
                let got = files.first().map_or("", |file| file.name.as_str());
                return Err(format!(
                    "error unpacking subchart tar in {parent}: expected {name}, got {got}"
                ));
            };
            super::unpack(archive.data.as_bytes(), self.compat).and_then(|files| self.charge(files))
        } else {
            Ok(files
                .into_iter()
                .filter_map(|file| {
                    let (_, inner) = file.name.split_once('/')?;
                    Some(File::new(inner, file.data.clone()))
                })
                .collect())
        };
        files
            .and_then(|files| self.load(files, depth + 1))
            .map_err(|error| format!("error unpacking subchart {name} in {parent}: {error}"))
    }

    /// Bounds what archives within archives come to together.
    fn charge(&self, files: Vec<File>) -> Result<Vec<File>, String> {
        let size: u64 = files.iter().map(|file| file.data.len() as u64).sum();
        let total = self.unpacked.get() + size;
        self.unpacked.set(total);
        if total > super::archive::MAX_TOTAL {
            return Err(format!(
                "decompressed chart is larger than the maximum size {}",
                super::archive::MAX_TOTAL
            ));
        }
        Ok(files)
    }
}
