//! `helmCharts`: which chart is rendered, with which values.
//!
//! Source: kustomize `HelmChartInflationGenerator`. Instead of running a `helm` command, the request goes to
//! the caller's [`RenderChart`].

use std::path::{Path, PathBuf};

use serde_json::Value;
use tree::clean;

use crate::error::{BuildError, Context as _, Result};
use crate::kustomization::{HelmChart, HelmGlobals};
use crate::load::Loader;
use crate::read;
use crate::resource::{HELM_GENERATED, Resource};

/// Renders Helm charts for `helmCharts`.
pub trait RenderChart: Sync {
    /// The `values.yaml` of a chart that is not in the tree ([`ChartRequest::is_local`]), fetched from its
    /// repository.
    ///
    /// # Errors
    /// A text for the message.
    fn default_values(&self, chart: &ChartRequest) -> std::result::Result<Vec<u8>, String>;

    /// The manifests of a chart, as `helm template` prints them. `values` are files, the later over the
    /// earlier ones, all over the chart's own.
    ///
    /// # Errors
    /// A text for the message.
    fn render(
        &self,
        chart: &ChartRequest,
        values: &[Vec<u8>],
    ) -> std::result::Result<Vec<u8>, String>;
}

/// A chart to render. Texts that are empty were not given.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartRequest {
    /// The chart's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The repository that it is in: an HTTP or `oci://` URL.
    pub repo: String,
    /// The folder of the chart, in the tree of the build.
    pub folder: PathBuf,
    /// Whether the folder is there; else the chart is to be fetched.
    pub is_local: bool,
    /// The release's name; if empty, one is made up.
    pub release_name: String,
    /// A template for the release's name.
    pub name_template: String,
    /// The release's namespace.
    pub namespace: String,
    /// Whether definitions in `crds/` are printed.
    pub include_crds: bool,
    /// Whether hooks are left out.
    pub skip_hooks: bool,
    /// Whether tests are left out.
    pub skip_tests: bool,
    /// Versions of APIs for `.Capabilities.APIVersions`.
    pub api_versions: Vec<String>,
    /// The version for `.Capabilities.KubeVersion`.
    pub kube_version: String,
    /// Whether versions that are not released count.
    pub devel: bool,
    /// Whether errors show what was rendered.
    pub debug: bool,
    values_file: String,
    additional_values_files: Vec<String>,
    values_inline: Option<Value>,
    /// Whether the inline values win over the file's; none leaves the file out.
    inline_wins: Option<bool>,
}

/// Where charts lie if `helmGlobals` does not say.
const DEFAULT_HOME: &str = "charts";

impl ChartRequest {
    /// What an entry of `helmCharts` asks for.
    ///
    /// # Errors
    /// Charts are not rendered here, or the entry is not right.
    pub(crate) fn new(
        globals: &HelmGlobals,
        chart: &HelmChart,
        loader: &Loader<'_>,
        helm: Option<&dyn RenderChart>,
    ) -> Result<Self> {
        if helm.is_none() {
            return Err("must specify --enable-helm".into());
        }
        if chart.name.is_empty() {
            return Err("chart name cannot be empty".into());
        }
        let home = match globals.chart_home.as_str() {
            "" => DEFAULT_HOME,
            home => home,
        };
        let mut home = clean(&loader.root().join(home));
        if !chart.version.is_empty() && !chart.repo.is_empty() {
            home.push(format!("{}-{}", chart.name, chart.version));
        }
        let folder = clean(&home.join(&chart.name));
        for file in &chart.additional_values_files {
            loader
                .load(file)
                .context("could not load additionalValuesFile")?;
        }
        let inline_wins = match chart.values_merge.as_str() {
            "" | "override" => Some(true),
            "merge" => Some(false),
            "replace" => None,
            _ => return Err("valuesMerge must be one of [merge override replace]".into()),
        };
        let inline = chart.values_inline.clone().filter(|map| !map.is_empty());
        Ok(Self {
            name: chart.name.clone(),
            version: chart.version.clone(),
            repo: chart.repo.clone(),
            is_local: loader.is_folder(&folder),
            release_name: chart.release_name.clone(),
            name_template: chart.name_template.clone(),
            namespace: chart.namespace.clone(),
            include_crds: chart.include_crds,
            skip_hooks: chart.skip_hooks,
            skip_tests: chart.skip_tests,
            api_versions: chart.api_versions.clone(),
            kube_version: chart.kube_version.clone(),
            devel: chart.devel,
            debug: chart.debug,
            values_file: chart.values_file.clone(),
            additional_values_files: chart.additional_values_files.clone(),
            values_inline: inline.map(|map| Value::Object(map.into_iter().collect())),
            inline_wins,
            folder,
        })
    }

    /// The chart's values file, or the one in its place.
    fn file_values(&self, loader: &Loader<'_>, helm: &dyn RenderChart) -> Result<Vec<u8>> {
        if !self.values_file.is_empty() {
            return Ok(loader.load(&self.values_file)?.to_vec());
        }
        if !self.is_local {
            return helm.default_values(self).map_err(BuildError::new);
        }
        let path = self.folder.join("values.yaml");
        Ok(loader.load(&path.display().to_string())?.to_vec())
    }

    fn values(&self, loader: &Loader<'_>, helm: &dyn RenderChart) -> Result<Vec<Vec<u8>>> {
        let first = match (&self.values_inline, self.inline_wins) {
            (None, _) => self.file_values(loader, helm)?,
            (Some(inline), None) => yaml::from_json(inline).into_bytes(),
            (Some(inline), Some(inline_wins)) => {
                let file = self.file_values(loader, helm)?;
                let mut below =
                    read::value(&file).context("could not parse values file into rnode")?;
                let mut above = inline.clone();
                if !inline_wins {
                    std::mem::swap(&mut below, &mut above);
                }
                merge(&mut below, above);
                yaml::from_json(&below).into_bytes()
            }
        };
        let mut values = vec![first];
        for file in &self.additional_values_files {
            values.push(loader.load(file)?.to_vec());
        }
        Ok(values)
    }
}

/// Puts `above` over `below`: maps are merged, null removes, everything else replaces.
fn merge(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(_) if value.is_null() => {
                        below.remove(&key);
                    }
                    Some(known) => merge(known, value),
                    None => {
                        below.insert(key, value);
                    }
                }
            }
        }
        (_, Value::Null) => {}
        (below, above) => *below = above,
    }
}

/// The resources of a chart.
pub(crate) fn render(
    request: &ChartRequest,
    loader: &Loader<'_>,
    helm: Option<&dyn RenderChart>,
) -> Result<Vec<Resource>> {
    let Some(helm) = helm else {
        return Err("must specify --enable-helm".into());
    };
    if !request.is_local && request.repo.is_empty() {
        return Err("no repo specified for pull, no chart found at ''".into());
    }
    if request.is_local {
        loader.note_below(&request.folder);
    } else {
        loader.note_remote();
    }
    let values = request.values(loader, helm)?;
    let rendered = helm.render(request, &values).map_err(BuildError::new)?;
    let mut resources = read::resources(&rendered)
        .map_err(|error| error.wrap("could not parse bytes into resource map"))?;
    for resource in &mut resources {
        resource.provenance.file = shown(&request.folder);
        resource.set_annotation(HELM_GENERATED, Some("true"))?;
    }
    Ok(resources)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Memory, Options};

    /// Prints a ConfigMap with what it was asked for.
    #[derive(Default)]
    struct Recorder(Mutex<Vec<(ChartRequest, Vec<String>)>>);

    impl RenderChart for Recorder {
        fn default_values(&self, _: &ChartRequest) -> std::result::Result<Vec<u8>, String> {
            Ok(b"from: fetched\n".to_vec())
        }

        fn render(
            &self,
            chart: &ChartRequest,
            values: &[Vec<u8>],
        ) -> std::result::Result<Vec<u8>, String> {
            let texts = values
                .iter()
                .map(|text| String::from_utf8_lossy(text).into_owned());
            let asked = (chart.clone(), texts.collect());
            self.0
                .lock()
                .map_err(|error| error.to_string())?
                .push(asked);
            let namespace = &chart.namespace;
            Ok(format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, namespace: {namespace}}}\n"
            )
            .into_bytes())
        }
    }

    fn build(
        kustomization: &str,
    ) -> (
        std::result::Result<String, String>,
        Vec<(ChartRequest, Vec<String>)>,
    ) {
        let mut tree = Memory::default();
        tree.insert("app/kustomization.yaml", kustomization.as_bytes());
        tree.insert("app/charts/web/values.yaml", *b"a: {x: 1, w: 2}\nl: [1]\n");
        tree.insert("app/charts/web/Chart.yaml", *b"name: web\n");
        tree.insert("app/more.yaml", *b"more: true\n");
        let helm = Recorder::default();
        let options = Options {
            helm: Some(&helm),
            ..Options::default()
        };
        let result = crate::build(&tree, Path::new("/app"), &options);
        let result = result
            .map(|output| output.yaml)
            .map_err(|errors| errors.to_string());
        (result, helm.0.into_inner().unwrap())
    }

    #[test]
    fn inline_values_go_over_the_charts_own() {
        let (result, asked) = build(
            "namespace: ns\nhelmCharts:\n- name: web\n  releaseName: r\n  valuesInline: {a: {w: 3, x: null}, l: [2]}\n  additionalValuesFiles: [more.yaml]\n",
        );
        assert!(result.unwrap().contains("namespace: ns"));
        let (chart, values) = &asked[0];
        assert!(chart.is_local);
        assert_eq!(chart.namespace, "ns");
        assert_eq!(chart.folder, Path::new("/app/charts/web"));
        assert_eq!(values, &["a:\n  w: 3\nl:\n- 2\n", "more: true\n"]);
    }

    #[test]
    fn values_may_be_kept_or_replaced() {
        let (_, asked) = build(
            "helmCharts:\n- name: web\n  valuesMerge: merge\n  valuesInline: {a: {w: 3, z: 4}}\n",
        );
        assert_eq!(asked[0].1, ["a:\n  w: 2\n  x: 1\n  z: 4\nl:\n- 1\n"]);
        let (_, asked) =
            build("helmCharts:\n- name: web\n  valuesMerge: replace\n  valuesInline: {a: 1}\n");
        assert_eq!(asked[0].1, ["a: 1\n"]);
    }

    #[test]
    fn charts_that_are_not_there_are_fetched() {
        let (_, asked) =
            build("helmCharts:\n- name: other\n  version: 1.0.0\n  repo: https://example.com\n");
        assert_eq!(
            asked[0].0.folder,
            Path::new("/app/charts/other-1.0.0/other")
        );
        assert_eq!(asked[0].1, ["from: fetched\n"]);
        let (result, _) = build("helmCharts:\n- name: other\n");
        assert_eq!(
            result.unwrap_err(),
            "no repo specified for pull, no chart found at ''"
        );
    }

    #[test]
    fn wrong_entries_are_told_of_with_their_config() {
        let (result, _) = build("helmCharts:\n- name: web\n  valuesMerge: x\n");
        assert_eq!(
            result.unwrap_err(),
            "trouble configuring builtin HelmChartInflationGenerator with config: `\nname: web\nvaluesMerge: x\n`: valuesMerge must be one of [merge override replace]"
        );
    }
}
