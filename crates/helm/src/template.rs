//! `helm template`: its flags and what it prints. Source: Helm `cmd/template.go`, `cmd/install.go`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use gotemplate::unicode::is_space;
use gotemplate::{Context, Environment, Functions, Limits, Templates, Value, lossy};
use tree::FileSystem;

use crate::chart::{
    self, Chart, check_dependencies, check_installable, check_release_name, matches,
};
use crate::engine::{Capabilities, KubeVersion, ReleaseOptions};
use crate::flags::{Flag, FlagError, Takes, parse};
use crate::manifest::{Hook, split};
use crate::render::document;
use crate::values::{FetchSchema, ReadFile, ValueOptions};
use crate::{Compat, PostRenderer, RenderFailure, RenderOptions, Rendered, render};

/// The flags that all of Helm's commands take.
pub const GLOBAL_FLAGS: &[Flag] = &[
    Flag::new("namespace", Takes::One).short('n'),
    Flag::new("kubeconfig", Takes::One),
    Flag::new("kube-context", Takes::One),
    Flag::new("kube-token", Takes::One),
    Flag::new("kube-as-user", Takes::One),
    Flag::new("kube-as-group", Takes::Many),
    Flag::new("kube-apiserver", Takes::One),
    Flag::new("kube-ca-file", Takes::One),
    Flag::new("kube-tls-server-name", Takes::One),
    Flag::new("kube-insecure-skip-tls-verify", Takes::Bool),
    Flag::new("registry-config", Takes::One),
    Flag::new("repository-config", Takes::One),
    Flag::new("repository-cache", Takes::One),
    Flag::new("content-cache", Takes::One),
    Flag::new("burst-limit", Takes::One),
    Flag::new("qps", Takes::One),
    Flag::new("color", Takes::One),
    Flag::new("colour", Takes::One),
    Flag::new("debug", Takes::Bool),
    Flag::new("compat", Takes::One),
];

/// The flags that say which values a chart gets.
pub const VALUE_FLAGS: &[Flag] = &[
    Flag::new("values", Takes::List).short('f'),
    Flag::new("set", Takes::Many),
    Flag::new("set-string", Takes::Many),
    Flag::new("set-file", Takes::Many),
    Flag::new("set-json", Takes::Many),
    Flag::new("set-literal", Takes::Many),
];

/// The flags that say where a chart comes from.
pub const CHART_FLAGS: &[Flag] = &[
    Flag::new("version", Takes::One),
    Flag::new("verify", Takes::Bool),
    Flag::new("keyring", Takes::One),
    Flag::new("repo", Takes::One),
    Flag::new("username", Takes::One),
    Flag::new("password", Takes::One),
    Flag::new("cert-file", Takes::One),
    Flag::new("key-file", Takes::One),
    Flag::new("insecure-skip-tls-verify", Takes::Bool),
    Flag::new("plain-http", Takes::Bool),
    Flag::new("ca-file", Takes::One),
    Flag::new("pass-credentials", Takes::Bool),
];

/// The flags of `helm install` that `helm template` takes too.
pub const INSTALL_FLAGS: &[Flag] = &[
    Flag::new("create-namespace", Takes::Bool),
    Flag::new("force-replace", Takes::Bool),
    Flag::new("force", Takes::Bool),
    Flag::new("force-conflicts", Takes::Bool),
    Flag::new("server-side", Takes::Bool),
    Flag::new("no-hooks", Takes::Bool),
    Flag::new("replace", Takes::Bool),
    Flag::new("timeout", Takes::One),
    Flag::new("wait", Takes::Optional("watcher")),
    Flag::new("wait-for-jobs", Takes::Bool),
    Flag::new("generate-name", Takes::Bool).short('g'),
    Flag::new("name-template", Takes::One),
    Flag::new("description", Takes::One),
    Flag::new("devel", Takes::Bool),
    Flag::new("dependency-update", Takes::Bool),
    Flag::new("disable-openapi-validation", Takes::Bool),
    Flag::new("rollback-on-failure", Takes::Bool),
    Flag::new("atomic", Takes::Bool),
    Flag::new("skip-crds", Takes::Bool),
    Flag::new("render-subchart-notes", Takes::Bool),
    Flag::new("skip-schema-validation", Takes::Bool),
    Flag::new("labels", Takes::List).short('l'),
    Flag::new("enable-dns", Takes::Bool),
    Flag::new("hide-notes", Takes::Bool),
    Flag::new("take-ownership", Takes::Bool),
    Flag::new("dry-run", Takes::Optional("client")),
    Flag::new("post-renderer", Takes::One),
    Flag::new("post-renderer-args", Takes::Many),
];

/// The flags of `helm template` alone.
const TEMPLATE_FLAGS: &[Flag] = &[
    Flag::new("show-only", Takes::Many).short('s'),
    Flag::new("output-dir", Takes::One),
    Flag::new("validate", Takes::Bool),
    Flag::new("include-crds", Takes::Bool),
    Flag::new("skip-tests", Takes::Bool),
    Flag::new("is-upgrade", Takes::Bool),
    Flag::new("kube-version", Takes::One),
    Flag::new("api-versions", Takes::List).short('a'),
    Flag::new("release-name", Takes::Bool),
];

/// Why nothing is printed: Helm's message, without `Error: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The command line is wrong.
    #[error(transparent)]
    Flags(#[from] FlagError),
    /// Something else is.
    #[error("{message}")]
    Failed {
        /// The message.
        message: String,
        /// What is printed all the same, with `--debug`.
        output: String,
    },
}

fn failed(message: impl ToString) -> TemplateError {
    TemplateError::Failed {
        message: message.to_string(),
        output: String::new(),
    }
}

/// What a command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateOptions {
    /// Which Helm is followed.
    pub compat: Compat,
    /// The words: at most a name, and a chart.
    pub words: Vec<String>,
    /// What the values are.
    pub values: ValueOptions,
    /// `--namespace`
    pub namespace: String,
    /// `--kube-version`
    pub kube_version: String,
    /// `--api-versions`
    pub api_versions: Vec<String>,
    /// `--show-only`
    pub show_only: Vec<String>,
    /// `--output-dir`
    pub output_dir: String,
    /// `--release-name`: whether the release's name is part of output paths.
    pub use_release_name: bool,
    /// `--include-crds`
    pub include_crds: bool,
    /// `--skip-tests`
    pub skip_tests: bool,
    /// `--is-upgrade`
    pub is_upgrade: bool,
    /// `--no-hooks`
    pub no_hooks: bool,
    /// `--skip-schema-validation`
    pub skip_schema_validation: bool,
    /// `--enable-dns`
    pub enable_dns: bool,
    /// `--generate-name`
    pub generate_name: bool,
    /// `--name-template`
    pub name_template: String,
    /// `--debug`
    pub debug: bool,
}

impl TemplateOptions {
    /// Reads the words after `helm template`.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<TemplateOptions, TemplateError> {
        let flags = [
            GLOBAL_FLAGS,
            VALUE_FLAGS,
            CHART_FLAGS,
            INSTALL_FLAGS,
            TEMPLATE_FLAGS,
        ];
        let given = parse(&flags, words)?;
        if given.words.is_empty() {
            return Err(failed(
                "\"helm template\" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]",
            ));
        }
        for flag in ["post-renderer", "dependency-update", "validate"] {
            if given
                .get(flag)
                .is_some_and(|value| !matches!(value, "" | "false"))
            {
                return Err(failed(format!(
                    "--{flag} is not supported: charts are rendered without running programs, without the network and without a cluster"
                )));
            }
        }
        match given.get("dry-run") {
            None | Some("client" | "true" | "" | "unset") => {}
            Some(other) => {
                return Err(failed(format!(
                    "--dry-run={other} is not supported: `template` asks no cluster"
                )));
            }
        }
        let compat = match given.get("compat") {
            Some(text) => text.parse().map_err(failed)?,
            None => Compat::default(),
        };
        let namespace = given.text("namespace");
        Ok(TemplateOptions {
            compat,
            values: ValueOptions {
                files: given.all("values"),
                json: given.all("set-json"),
                typed: given.all("set"),
                strings: given.all("set-string"),
                from_files: given.all("set-file"),
                literals: given.all("set-literal"),
            },
            namespace: if namespace.is_empty() {
                "default".to_owned()
            } else {
                namespace
            },
            kube_version: given.text("kube-version"),
            api_versions: given.all("api-versions"),
            show_only: given.all("show-only"),
            output_dir: given.text("output-dir"),
            use_release_name: given.is_set("release-name"),
            include_crds: given.is_set("include-crds"),
            skip_tests: given.is_set("skip-tests"),
            is_upgrade: given.is_set("is-upgrade"),
            no_hooks: given.is_set("no-hooks"),
            skip_schema_validation: given.is_set("skip-schema-validation"),
            enable_dns: given.is_set("enable-dns"),
            generate_name: given.is_set("generate-name"),
            name_template: given.text("name-template"),
            debug: given.is_set("debug"),
            words: given.words,
        })
    }
}

/// What the command may ask of where it runs.
pub struct Host<'a> {
    /// Where charts are.
    pub fs: &'a dyn FileSystem,
    /// The folder that paths are relative to.
    pub directory: &'a Path,
    /// Gives the contents of files of values.
    pub read_file: ReadFile<'a>,
    /// Time and chance.
    pub environment: &'a dyn Environment,
    /// Fetches schemas that others refer to.
    pub schemas: Option<Arc<dyn FetchSchema>>,
    /// What changes the result.
    pub post_renderer: Option<&'a dyn PostRenderer>,
}

/// What the command prints and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateOutput {
    /// For standard output.
    pub text: String,
    /// The files of `--output-dir`, by their paths.
    pub files: Vec<(String, String)>,
    /// For standard error.
    pub warnings: Vec<String>,
}

/// Does what `helm template` does.
pub fn template(
    options: &TemplateOptions,
    host: &Host<'_>,
) -> Result<TemplateOutput, TemplateError> {
    let compat = options.compat;
    let mut capabilities = Capabilities::assumed(compat);
    if !options.kube_version.is_empty() {
        capabilities.kube_version =
            KubeVersion::parse(&options.kube_version, compat).map_err(|error| {
                failed(format!(
                    "invalid kube version '{}': {error}",
                    options.kube_version
                ))
            })?;
    }
    if !options.api_versions.is_empty() {
        let versions = Arc::make_mut(&mut capabilities.api_versions);
        versions.extend(options.api_versions.iter().cloned());
    }
    let (name, reference) = name_and_chart(options, host)?;
    let path = locate(&reference, host)?;
    let values = options
        .values
        .merge(host.read_file, compat)
        .map_err(failed)?;
    let mut chart = chart::load(host.fs, &path, compat).map_err(failed)?;
    check_installable(&chart).map_err(failed)?;
    check_dependencies(&chart, compat).map_err(failed)?;
    let mut warnings = Vec::new();
    if chart.metadata.deprecated {
        warnings.push("this chart is deprecated".to_owned());
    }
    check_release_name(&name).map_err(|error| {
        failed(if compat.is_v3() {
            format!("release name {name:?}: {error}")
        } else {
            format!("release name check failed: release name {name:?}: {error}")
        })
    })?;
    let release = ReleaseOptions {
        is_upgrade: options.is_upgrade,
        is_install: !options.is_upgrade,
        ..ReleaseOptions::install(&name, &options.namespace)
    };
    let mut how = RenderOptions::new(release, capabilities, host.environment);
    how.skip_schema_validation = options.skip_schema_validation;
    how.dns = options.enable_dns;
    how.schemas = host.schemas.clone();
    how.post_renderer = host.post_renderer;
    match render(&mut chart, &values, &how) {
        Ok(rendered) => print(options, &name, &chart, &rendered, warnings),
        Err(RenderFailure::Chart(message)) => Err(failed(message)),
        Err(failure) => Err(explain(&failure, options.debug)),
    }
}

fn explain(failure: &RenderFailure, debug: bool) -> TemplateError {
    if !debug {
        return failed(format!(
            "{failure}\n\nUse --debug flag to render out invalid YAML"
        ));
    }
    let output = match failure {
        RenderFailure::Manifest { output, .. } => output.trim_matches(is_space),
        _ => "",
    };
    TemplateError::Failed {
        message: failure.to_string(),
        output: format!("{output}\n"),
    }
}

/// Source: Helm `Install.NameAndChart`.
fn name_and_chart(
    options: &TemplateOptions,
    host: &Host<'_>,
) -> Result<(String, String), TemplateError> {
    match &options.words[..] {
        [name, chart] => {
            if options.generate_name {
                return Err(failed("cannot set --generate-name and also specify a name"));
            }
            if !options.name_template.is_empty() {
                return Err(failed("cannot set --name-template and also specify a name"));
            }
            Ok((name.clone(), chart.clone()))
        }
        [chart] if !options.name_template.is_empty() => Ok((
            render_name(&options.name_template, host.environment)?,
            chart.clone(),
        )),
        [chart] => Ok(("release-name".to_owned(), chart.clone())),
        [_, _, rest @ ..] => Err(failed(format!(
            "expected at most two arguments, unexpected arguments: {}",
            rest.join(", ")
        ))),
        [] => Err(failed("\"helm template\" requires at least 1 argument")),
    }
}

/// The name of a release that `--name-template` gives. Source: Helm `TemplateName`.
pub fn render_name(text: &str, environment: &dyn Environment) -> Result<String, TemplateError> {
    let functions = Arc::new(Functions::sprig());
    let mut templates = Templates::new();
    templates
        .parse("name-template", text, &functions)
        .map_err(failed)?;
    let mut context = Context::new(
        &Arc::new(templates),
        &functions,
        environment,
        Limits::default(),
    );
    let mut out = Vec::new();
    context
        .execute(b"name-template", Value::Nil, &mut out)
        .map_err(failed)?;
    Ok(lossy(&out).into_owned())
}

/// The path of a chart. Source: Helm `LocateChart`, for what is there.
fn locate(reference: &str, host: &Host<'_>) -> Result<PathBuf, TemplateError> {
    let reference = reference.trim_matches(is_space);
    let path = tree::clean(&host.directory.join(reference));
    if host.fs.resolve(&path).is_ok() {
        return Ok(path);
    }
    if reference.starts_with(['/', '.']) {
        return Err(failed(format!("path {reference:?} not found")));
    }
    Err(failed(match reference.split_once('/') {
        Some((repo, _)) if !reference.contains("://") => format!("repo {repo} not found"),
        None => format!(
            "non-absolute URLs should be in form of repo_name/path_to_chart, got: {reference}"
        ),
        _ => format!("{reference}: charts are not fetched by this command"),
    }))
}

fn print(
    options: &TemplateOptions,
    name: &str,
    chart: &Chart,
    rendered: &Rendered,
    warnings: Vec<String>,
) -> Result<TemplateOutput, TemplateError> {
    let crds = if options.include_crds {
        chart.crds()
    } else {
        Vec::new()
    };
    let is_shown = |hook: &&Hook| !options.no_hooks && (!options.skip_tests || !hook.is_test());
    let hooks = rendered.hooks.iter().filter(is_shown);
    let mut output = TemplateOutput {
        warnings,
        ..TemplateOutput::default()
    };
    if !options.output_dir.is_empty() {
        let folder = if options.use_release_name {
            format!("{}/{name}", options.output_dir)
        } else {
            options.output_dir.clone()
        };
        let mut files = Files(&mut output);
        for crd in &crds {
            files.add(&options.output_dir, &crd.path, &crd.data.to_text());
        }
        for manifest in &rendered.manifests {
            files.add(&folder, &manifest.path, &manifest.content);
        }
        for hook in hooks {
            files.add(&folder, &hook.path, &hook.manifest);
        }
        output.text.push('\n');
        return Ok(output);
    }
    let text = rendered.manifest(&crds, false);
    let mut text = text.trim_matches(is_space).to_owned();
    text.push('\n');
    for hook in hooks {
        document(&mut text, &hook.path, &hook.manifest);
    }
    output.text = if options.show_only.is_empty() {
        text
    } else {
        show_only(&text, options)?
    };
    Ok(output)
}

/// Files of `--output-dir`: documents of one path go into one file.
struct Files<'a>(&'a mut TemplateOutput);

impl Files<'_> {
    fn add(&mut self, folder: &str, path: &str, content: &str) {
        let target = format!("{folder}/{path}");
        self.0.text.push_str(&format!("wrote {target}\n"));
        let place = self.0.files.iter().position(|(name, _)| *name == target);
        let place = place.unwrap_or_else(|| {
            self.0.files.push((target, String::new()));
            self.0.files.len() - 1
        });
        document(&mut self.0.files[place].1, path, content);
    }
}

static SOURCE: LazyLock<Option<regex::Regex>> =
    LazyLock::new(|| regex::Regex::new("# Source: [^/]+/(.+)").ok());

/// The documents of templates that `--show-only` names.
fn show_only(text: &str, options: &TemplateOptions) -> Result<String, TemplateError> {
    let documents = split(text, options.compat);
    let mut out = String::new();
    for pattern in &options.show_only {
        let mut is_missing = true;
        for manifest in &documents {
            let source = SOURCE.as_ref().and_then(|source| source.captures(manifest));
            let Some(path) = source.and_then(|found| found.get(1)) else {
                continue;
            };
            if matches(pattern, path.as_str()).unwrap_or(false) {
                out.push_str("---\n");
                out.push_str(manifest);
                out.push('\n');
                is_missing = false;
            }
        }
        if is_missing {
            return Err(failed(format!(
                "could not find template {pattern} in chart"
            )));
        }
    }
    Ok(out)
}
