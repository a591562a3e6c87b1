//! `helmCharts` of `sluice kustomize build --enable-helm`: rendered by our own Helm, without running one.
//!
//! Source: kustomize `HelmChart.AsHelmArgs`.

use std::path::Path;

use helm::Compat;
use helm::template::{Host, TemplateError, TemplateOptions, template};
use kustomize::{ChartRequest, RenderChart};

use crate::helm::System;

/// Renders charts that lie in the `chartHome`.
pub(super) struct LocalCharts {
    /// Which Helm is followed.
    pub(super) compat: Compat,
    /// `--helm-api-versions`: for entries without `apiVersions`.
    pub(super) api_versions: Vec<String>,
    /// `--helm-kube-version`: for entries without `kubeVersion`.
    pub(super) kube_version: String,
    /// `--helm-debug`
    pub(super) debug: bool,
}

impl LocalCharts {
    fn options(&self, chart: &ChartRequest, values: usize) -> TemplateOptions {
        let mut options = TemplateOptions {
            compat: self.compat,
            namespace: or_else(&chart.namespace, "default"),
            kube_version: or_else(&chart.kube_version, &self.kube_version),
            api_versions: chart.api_versions.clone(),
            include_crds: chart.include_crds,
            skip_tests: chart.skip_tests,
            no_hooks: chart.skip_hooks,
            generate_name: chart.release_name.is_empty(),
            name_template: chart.name_template.clone(),
            debug: chart.debug || self.debug,
            ..TemplateOptions::default()
        };
        if options.api_versions.is_empty() {
            options.api_versions.clone_from(&self.api_versions);
        }
        if !chart.release_name.is_empty() {
            options.words.push(chart.release_name.clone());
        }
        options.words.push(chart.folder.display().to_string());
        options.values.files = (0..values).map(|at| at.to_string()).collect();
        options
    }
}

fn or_else(text: &str, other: &str) -> String {
    if text.is_empty() { other } else { text }.to_owned()
}

/// What to do about a chart that is not there.
fn must_be_fetched(chart: &ChartRequest) -> String {
    let name = &chart.name;
    let home = chart.folder.parent().unwrap_or(Path::new(""));
    let repo = chart.repo.trim_end_matches('/');
    let mut pull = if repo.starts_with("oci://") {
        format!("{repo}/{name}")
    } else {
        format!("{name} --repo {repo}")
    };
    if !chart.version.is_empty() {
        pull.push_str(&format!(" --version {}", chart.version));
    }
    format!(
        "chart {name:?} is not in {home} and is not fetched from {repo} by a build; fetch it first: helm pull --untar --untardir {home} {pull}",
        home = home.display(),
    )
}

impl RenderChart for LocalCharts {
    fn default_values(&self, chart: &ChartRequest) -> Result<Vec<u8>, String> {
        Err(must_be_fetched(chart))
    }

    fn render(&self, chart: &ChartRequest, values: &[Vec<u8>]) -> Result<Vec<u8>, String> {
        if !chart.is_local {
            return Err(must_be_fetched(chart));
        }
        let read_file = |name: &str| {
            let found = name.parse().ok().and_then(|at: usize| values.get(at));
            let content = found.ok_or_else(|| format!("open {name}: no such file or directory"))?;
            Ok(String::from_utf8_lossy(content).into_owned())
        };
        let host = Host {
            fs: &tree::Disk,
            directory: Path::new("/"),
            read_file: &read_file,
            environment: &System,
            schemas: None,
            post_renderer: None,
        };
        match template(&self.options(chart, values.len()), &host) {
            Ok(rendered) => {
                for warning in rendered.warnings {
                    tracing::warn!("{warning}");
                }
                Ok(rendered.text.into_bytes())
            }
            // The command's error output begins with this, and goes into kustomize's message.
            Err(TemplateError::Failed { message, output }) if !output.is_empty() => Err(format!(
                "Error: {message}\n\nHelm template:\n{output}: unable to render chart {:?}",
                chart.name
            )),
            Err(error) => Err(format!(
                "Error: {error}\n: unable to render chart {:?}",
                chart.name
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use kustomize::{Disk, Options};

    use super::*;

    fn charts() -> LocalCharts {
        LocalCharts {
            compat: Compat::V3,
            api_versions: Vec::new(),
            kube_version: String::new(),
            debug: false,
        }
    }

    fn build(path: &Path, charts: &LocalCharts) -> Result<String, String> {
        let options = Options {
            helm: Some(charts),
            ..Options::default()
        };
        kustomize::build(&Disk, path, &options)
            .map(|output| output.yaml)
            .map_err(|errors| errors.to_string())
    }

    fn testdata() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/kustomize-charts")
    }

    /// A kustomization with a chart `web` whose template is `template`.
    fn with_chart(kustomization: &str, template: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let chart = folder.path().join("charts/web");
        fs::create_dir_all(chart.join("templates")).unwrap();
        fs::write(folder.path().join("kustomization.yaml"), kustomization).unwrap();
        let metadata = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
        fs::write(chart.join("Chart.yaml"), metadata).unwrap();
        fs::write(chart.join("values.yaml"), "x: 1\n").unwrap();
        fs::write(chart.join("templates/t.yaml"), template).unwrap();
        folder
    }

    const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  kube: {{ .Capabilities.KubeVersion.Version }}\n  has: '{{ .Capabilities.APIVersions.Has \"a.b/v1\" }}'\n  ns: {{ .Release.Namespace }}\n";

    /// `expected.yaml` is what kustomize 5.8.1 with Helm 3.22 prints:
    /// `kustomize build --enable-helm --helm-command helm app`.
    #[test]
    fn charts_are_rendered_as_kustomize_and_helm_render_them() {
        let expected = fs::read_to_string(testdata().join("expected.yaml")).unwrap();
        let built = build(&testdata().join("app"), &charts()).unwrap();
        assert_eq!(built, expected);
    }

    #[test]
    fn flags_count_where_an_entry_says_nothing() {
        let flags = LocalCharts {
            api_versions: vec!["a.b/v1".to_owned()],
            kube_version: "1.29.3".to_owned(),
            ..charts()
        };
        let folder = with_chart("helmCharts:\n- name: web\n", CONFIG);
        let built = build(folder.path(), &flags).unwrap();
        assert!(
            built.contains("has: \"true\"\n  kube: v1.29.3\n  ns: default\n"),
            "{built}"
        );
        let entry = "helmCharts:\n- name: web\n  namespace: shop\n  kubeVersion: 1.28.0\n  apiVersions: [z/v1]\n";
        let folder = with_chart(entry, CONFIG);
        let built = build(folder.path(), &flags).unwrap();
        assert!(
            built.contains("has: \"false\"\n  kube: v1.28.0\n  ns: shop\n"),
            "{built}"
        );
    }

    #[test]
    fn failures_of_a_chart_come_in_helms_words() {
        let folder = with_chart(
            "helmCharts:\n- name: web\n",
            "{{ fail \"no such luck\" }}\n",
        );
        let error = build(folder.path(), &charts()).unwrap_err();
        assert!(
            error.starts_with(
                "Error: execution error at (web/templates/t.yaml:1:3): no such luck\n"
            ),
            "{error}"
        );
    }

    #[test]
    fn charts_of_repositories_are_not_fetched() {
        let entry = "helmCharts:\n- name: db\n  version: 2.0.0\n  repo: oci://registry.example.com/charts\n";
        let folder = with_chart(entry, CONFIG);
        let error = build(folder.path(), &charts()).unwrap_err();
        let home = folder
            .path()
            .canonicalize()
            .unwrap()
            .join("charts/db-2.0.0");
        let command = format!(
            "helm pull --untar --untardir {} oci://registry.example.com/charts/db --version 2.0.0",
            home.display()
        );
        assert!(error.contains(&command), "{error}");
        // Once it is there it is rendered.
        fs::create_dir_all(&home).unwrap();
        fs::rename(folder.path().join("charts/web"), home.join("db")).unwrap();
        assert!(build(folder.path(), &charts()).is_ok());
    }
}
