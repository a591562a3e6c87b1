//! One kustomization: gathering its resources, generators, components and transformers.

mod transformers;

use std::sync::Mutex;

use serde_json::Value;

use crate::chart::{self, ChartRequest};
use crate::crds;
use crate::encode::Encode as _;
use crate::error::{BuildError, Context as _, Result};
use crate::fieldspec::Config;
use crate::generate::{self, Generated, generate};
use crate::kustomization::{self, COMPONENT, FILE_NAMES, GeneratorArgs, Kustomization};
use crate::load::{Loader, join_relative};
use crate::openapi::OpenApi;
use crate::origin::Origin;
use crate::output;
use crate::plugin::{self, Generator};
use crate::read;
use crate::resmap::ResMap;
use crate::resource::{ORIGIN, Resource};
use crate::transform::{Scene, Transformer};
use crate::vars::VarSet;

/// What all kustomizations of a build share.
pub(crate) struct Build<'a> {
    pub(crate) openapi: &'a OpenApi,
    /// The built-in field specs, and what is left of them once they are merged into none.
    pub(crate) defaults: &'a Config,
    pub(crate) built_in: &'a Config,
    /// Kustomize v5.8.2 rather than v5.8.1.
    pub(crate) newest: bool,
    pub(crate) helm: Option<&'a dyn crate::RenderChart>,
    pub(crate) warnings: Mutex<Vec<String>>,
    /// Problems beyond the first.
    pub(crate) more_errors: Mutex<Vec<BuildError>>,
}

impl Build<'_> {
    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene {
            openapi: self.openapi,
            newest: self.newest,
        }
    }
}

/// Field specs gathered so far. Every layer merges the built-in ones anew, so most builds need no copy.
#[derive(Default)]
pub(crate) enum Rules {
    #[default]
    None,
    BuiltIn,
    Own(Box<Config>),
}

impl Rules {
    /// Adds a layer; none of its own stands for the built-in ones.
    fn merge(&mut self, layer: Option<&Config>, built_in: &Config) -> Result<()> {
        *self = match (std::mem::take(self), layer) {
            (Self::None | Self::BuiltIn, None) => Self::BuiltIn,
            (Self::None, Some(layer)) => {
                let mut config = Config::default();
                config.merge(layer)?;
                Self::Own(Box::new(config))
            }
            (Self::BuiltIn, Some(layer)) => {
                let mut config = built_in.clone();
                config.merge(layer)?;
                Self::Own(Box::new(config))
            }
            (Self::Own(mut config), layer) => {
                config.merge(layer.unwrap_or(built_in))?;
                Self::Own(config)
            }
        };
        Ok(())
    }

    pub(crate) fn config<'a>(&'a self, built_in: &'a Config) -> &'a Config {
        match self {
            Self::None | Self::BuiltIn => built_in,
            Self::Own(config) => config,
        }
    }
}

/// Resources and rules gathered so far.
#[derive(Default)]
pub(crate) struct Accumulator {
    pub(crate) map: ResMap,
    pub(crate) rules: Rules,
    pub(crate) vars: VarSet,
}

impl Accumulator {
    fn merge(&mut self, other: Self, build: &Build<'_>) -> Result<()> {
        self.map
            .append_all(other.map.into_resources(), build.openapi)?;
        match other.rules {
            Rules::None => {}
            Rules::BuiltIn => self.rules.merge(None, build.built_in)?,
            Rules::Own(config) => self.rules.merge(Some(&config), build.built_in)?,
        }
        self.vars.merge(other.vars)
    }
}

/// A transformer with what the origin annotations say of it.
pub(crate) struct Step {
    pub(crate) transformer: Transformer,
    pub(crate) origin: Option<Origin>,
}

/// A kustomization that is being built.
pub(crate) struct Target<'a> {
    build: &'a Build<'a>,
    loader: Loader<'a>,
    pub(crate) kustomization: Kustomization,
    raw: Value,
    file_name: &'static str,
    origin: Option<Origin>,
    /// The namespace of charts that name none: this kustomization's, else that of the one that led here.
    helm_namespace: String,
}

impl<'a> Target<'a> {
    /// Reads the kustomization file of a folder.
    pub(crate) fn load(build: &'a Build<'a>, loader: Loader<'a>) -> Result<Self> {
        let mut found = None;
        for name in FILE_NAMES {
            if let Ok(content) = loader.load(name) {
                if found.is_some() {
                    let root = loader.root_text();
                    return Err(
                        format!("Found multiple kustomization files under: {root}\n").into(),
                    );
                }
                found = Some((name, content));
            }
        }
        let Some((file_name, content)) = found else {
            return Err(BuildError::new(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                loader.root_text()
            )));
        };
        let path = loader.full_path(file_name);
        let loaded = kustomization::read(&content, &loader.root_text(), build.newest)
            .map_err(|error| error.at(&path, 0))?;
        if let Ok(mut warnings) = build.warnings.lock() {
            warnings.extend(
                loaded
                    .warnings
                    .iter()
                    .map(|warning| kustomization::warning_line(warning)),
            );
        }
        Ok(Self {
            build,
            loader,
            helm_namespace: loaded.kustomization.namespace.clone(),
            kustomization: loaded.kustomization,
            raw: loaded.raw,
            file_name,
            origin: None,
        })
    }

    /// Makes the kustomization's `openapi` known.
    pub(crate) fn set_schema(&self, reset: bool) -> Result<()> {
        let openapi = &self.kustomization.openapi;
        let content = match openapi.get("path") {
            Some(path) => Some(self.loader.load(path)?),
            None => None,
        };
        let version = openapi.get("version").map(String::as_str);
        self.build.openapi.set(version, content.as_deref(), reset)
    }

    pub(crate) fn start_origin(&mut self) {
        if !self.kustomization.build_metadata.is_empty() {
            self.origin = Some(Origin::default());
        }
    }

    fn file_path(&self) -> String {
        self.loader.full_path(self.file_name)
    }

    /// Everything but the steps that are for the root alone.
    pub(crate) fn accumulate(&mut self, mut acc: Accumulator) -> Result<Accumulator> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        self.add_paths(&mut acc, &resources)
            .context("accumulating resources")?;
        self.add_rules(&mut acc)?;
        self.run_generators(&mut acc)?;
        let components = std::mem::take(&mut self.kustomization.components);
        for path in &components {
            acc = self
                .add_component(acc, path)
                .context("accumulating components")?;
        }
        self.run_transformers(&mut acc)?;
        self.run_validators(&mut acc)?;
        let vars = std::mem::take(&mut self.kustomization.vars);
        acc.vars
            .declare(&vars, &mut acc.map, self.build.openapi)
            .map_err(|error| {
                let vars: Vec<_> = vars
                    .iter()
                    .map(kustomization::Var::go_value_as_written)
                    .collect();
                error
                    .wrap(format!("merging vars [{}]", vars.join(" ")))
                    .at(&self.file_path(), 0)
            })?;
        Ok(acc)
    }

    /// Adds what `configurations` and `crds` say of fields.
    fn add_rules(&self, acc: &mut Accumulator) -> Result<()> {
        if self.kustomization.configurations.is_empty() {
            acc.rules.merge(None, self.build.built_in)?;
        } else {
            let config = crds::load_configurations(
                &self.kustomization.configurations,
                &self.loader,
                self.build.newest,
            )?;
            let mut layer = self.build.defaults.clone();
            layer.merge(&config)?;
            acc.rules.merge(Some(&layer), self.build.built_in)?;
        }
        if !self.kustomization.crds.is_empty() {
            let paths = &self.kustomization.crds;
            let config = crds::load_crds(paths, &self.loader)
                .context(format!("loading CRDs [{}]", paths.join(" ")))?;
            acc.rules.merge(Some(&config), self.build.built_in)?;
        }
        Ok(())
    }

    /// Adds files and bases. After a failure the other paths are still tried, to report all problems.
    fn add_paths(&mut self, acc: &mut Accumulator, paths: &[String]) -> Result<()> {
        let mut failure: Option<BuildError> = None;
        for path in paths {
            let result = match &failure {
                None => self.add_path(acc, path),
                Some(_) => self.add_path(&mut Accumulator::default(), path),
            };
            let Err(error) = result else { continue };
            let error = error.at(&self.file_path(), 0);
            if failure.is_none() {
                failure = Some(error);
            } else if let Ok(mut more) = self.build.more_errors.lock()
                && more.len() < 100
            {
                more.push(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn add_path(&mut self, acc: &mut Accumulator, path: &str) -> Result<()> {
        let Err(as_file) = self.add_file(acc, path) else {
            return Ok(());
        };
        if as_file.final_word {
            return Err(as_file);
        }
        let loader = match self.loader.enter(path) {
            Ok(loader) => loader,
            Err(_) if as_file.message.contains("MalformedYAMLError") => return Err(as_file),
            Err(error) => {
                let location = as_file.location.clone();
                let mut error = error.wrap(format!("accumulation err='{}'", as_file.message));
                error.location = error.location.or(location);
                return Err(error);
            }
        };
        self.add_base(acc, path, loader)
            .map_err(|error| error.wrap(format!("accumulation err='{}'", as_file.message)))
    }

    fn add_file(&self, acc: &mut Accumulator, path: &str) -> Result<()> {
        let from = || format!("accumulating resources from '{path}'");
        let content = self.loader.load(path).context(from())?;
        let mut resources =
            read::file(&content, path, &self.loader.full_path(path)).context(from())?;
        let mut distinct = ResMap::default();
        if resources.len() > 1 {
            // Two of one file that are the same are told of as such.
            distinct
                .append_all(std::mem::take(&mut resources), self.build.openapi)
                .context(from())?;
            resources = distinct.into_resources();
        }
        if let Some(origin) = &self.origin {
            let text = origin.below(path).text();
            for resource in &mut resources {
                resource.set_annotation(ORIGIN, Some(&text))?;
            }
        }
        acc.map
            .append_all(resources, self.build.openapi)
            .context(format!("merging resources from '{path}'"))
    }

    /// The kustomization at `path`, as a child of this one.
    fn child(&self, path: &str, loader: Loader<'a>) -> Result<Target<'a>> {
        let root = loader.root_text();
        let mut child = Target::load(self.build, loader)
            .context(format!("couldn't make target for path '{root}'"))?;
        child
            .kustomization
            .build_metadata
            .clone_from(&self.kustomization.build_metadata);
        child.origin = self.origin.as_ref().map(|origin| origin.below(path));
        if child.helm_namespace.is_empty() {
            child.helm_namespace.clone_from(&self.helm_namespace);
        }
        child.set_schema(false)?;
        Ok(child)
    }

    fn add_base(&self, acc: &mut Accumulator, path: &str, loader: Loader<'a>) -> Result<()> {
        let root = loader.root_text();
        let mut child = self.child(path, loader)?;
        if child.kustomization.kind == COMPONENT {
            return Err(format!("expected kind != '{COMPONENT}' for path '{root}'").into());
        }
        let inner = child
            .accumulate(Accumulator::default())
            .context(format!("recursed accumulation of path '{root}'"))?;
        acc.merge(inner, self.build)
            .context(format!("recursed merging from path '{root}'"))
    }

    fn add_component(&self, acc: Accumulator, path: &str) -> Result<Accumulator> {
        let loader = self.loader.enter(path).map_err(|error| {
            BuildError::new(format!("loader.New {}", output::go_quote(&error.message)))
        })?;
        self.component(acc, path, loader).map_err(|error| {
            let location = error.location.clone();
            let mut error = BuildError::new(format!(
                "accumulateDirectory: {}",
                output::go_quote(&error.message)
            ));
            error.location = location;
            error
        })
    }

    fn component(&self, acc: Accumulator, path: &str, loader: Loader<'a>) -> Result<Accumulator> {
        let root = loader.root_text();
        let mut child = self.child(path, loader)?;
        let kind = &child.kustomization.kind;
        if kind != COMPONENT {
            return Err(
                format!("expected kind '{COMPONENT}' for path '{root}' but got '{kind}'").into(),
            );
        }
        child
            .accumulate(acc)
            .context(format!("recursed accumulation of path '{root}'"))
    }

    /// What the origin annotations say of a built-in generator or transformer.
    fn built_in_origin(&self, kind: &str) -> Option<Origin> {
        let origin = self.origin.as_ref()?;
        Some(Origin {
            repository: origin.repository.clone(),
            reference: origin.reference.clone(),
            configured_in: join_relative(&origin.path, self.file_name),
            configured_by: [("apiVersion", "builtin"), ("kind", kind)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
            path: String::new(),
        })
    }

    fn run_generators(&mut self, acc: &mut Accumulator) -> Result<()> {
        let mut generated: Vec<(Resource, Option<Origin>)> = Vec::new();
        let global = self.kustomization.generator_options.clone();
        let mut lists: [(Generated, &str, Vec<GeneratorArgs>); 2] = [
            (
                Generated::ConfigMap,
                "ConfigMapGenerator",
                std::mem::take(&mut self.kustomization.config_map_generator),
            ),
            (
                Generated::Secret,
                "SecretGenerator",
                std::mem::take(&mut self.kustomization.secret_generator),
            ),
        ];
        let charts = self.helm_charts()?;
        let external = self
            .external_generators()
            .context("loading generator plugins")?;
        for (what, kind, list) in &mut lists {
            for args in list {
                generate::merge_options(&mut args.options, global.as_ref());
                let mut resource = generate(*what, args, &self.loader)
                    .map_err(|error| error.at(&self.file_path(), 0))?;
                resource.provenance.file = self.file_path();
                generated.push((resource, self.built_in_origin(kind)));
            }
        }
        let origin = self.built_in_origin("HelmChartInflationGenerator");
        for request in &charts {
            let made = chart::render(request, &self.loader, self.build.helm)?;
            generated.extend(made.into_iter().map(|resource| (resource, origin.clone())));
        }
        for (generator, origin) in external {
            let made = generator.run(&self.loader, self.build.helm)?;
            generated.extend(made.into_iter().map(|resource| (resource, origin.clone())));
        }
        for (mut resource, origin) in generated {
            let printed = if origin.is_some() {
                "0xc000000001"
            } else {
                "<nil>"
            };
            if let Some(origin) = origin
                && resource.annotation(ORIGIN).is_none()
            {
                resource.set_annotation(ORIGIN, Some(&origin.text()))?;
            }
            acc.map
                .absorb(resource, self.build.openapi, self.build.newest)
                .map_err(|error| {
                    error
                        .wrap(format!(
                            "merging from generator &{{0xc000000000 {printed}}}"
                        ))
                        .at(&self.file_path(), 0)
                })?;
        }
        Ok(())
    }

    fn helm_charts(&self) -> Result<Vec<ChartRequest>> {
        let kustomization = &self.kustomization;
        let globals = kustomization.helm_globals.clone().unwrap_or_default();
        let charts = kustomization.helm_charts.iter().map(|chart| {
            let mut chart = chart.clone();
            if chart.namespace.is_empty() {
                chart.namespace.clone_from(&self.helm_namespace);
            }
            ChartRequest::new(&globals, &chart, &self.loader, self.build.helm).map_err(|error| {
                let mut config = globals.encode();
                if let (Some(all), Value::Object(own)) = (config.as_object_mut(), chart.encode()) {
                    all.extend(own);
                }
                error.wrap(format!(
                    "trouble configuring builtin HelmChartInflationGenerator with config: `\n{}`",
                    yaml::from_json(&config)
                ))
            })
        });
        charts.collect()
    }

    /// The resources of `generators`, `transformers` or `validators`, given inline or by path.
    fn plugin_files(&mut self, entries: &[String], what: &str) -> Result<Vec<Resource>> {
        let mut acc = Accumulator::default();
        let mut paths = Vec::new();
        for entry in entries {
            let inline = read::resources(entry.as_bytes())
                .and_then(|resources| ResMap::from_resources(resources, self.build.openapi));
            match inline {
                Err(_) => paths.push(entry.clone()),
                Ok(map) => {
                    let mut resources = map.into_resources();
                    if let Some(origin) = &self.origin {
                        let text = origin.below(self.file_name).text();
                        for resource in &mut resources {
                            resource.set_annotation(ORIGIN, Some(&text))?;
                        }
                    }
                    acc.map
                        .append_all(resources, self.build.openapi)
                        .context(format!("configuring external {what}"))?;
                }
            }
        }
        self.add_paths(&mut acc, &paths)?;
        Ok(acc.map.into_resources())
    }

    fn external_generators(&mut self) -> Result<Vec<(Generator, Option<Origin>)>> {
        let entries = std::mem::take(&mut self.kustomization.generators);
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut generated = Vec::new();
        for file in self.plugin_files(&entries, "generator")? {
            let origin = Origin::of_plugin(&file);
            let generator = plugin::load_generator(&file, &self.loader, self.build.helm)
                .context("failed to load generator")?;
            generated.push((generator, origin));
        }
        Ok(generated)
    }

    fn external_transformers(&mut self, entries: &[String]) -> Result<Vec<Step>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut steps = Vec::new();
        for file in self.plugin_files(entries, "transformer")? {
            let origin = Origin::of_plugin(&file);
            if let Some(transformer) = plugin::load_transformer(&file, &self.loader)? {
                steps.push(Step {
                    transformer,
                    origin,
                });
            }
        }
        Ok(steps)
    }

    fn run_validators(&mut self, acc: &mut Accumulator) -> Result<()> {
        let entries = std::mem::take(&mut self.kustomization.validators);
        for step in self.external_transformers(&entries)? {
            let before: Vec<_> = acc
                .map
                .resources()
                .iter()
                .map(|resource| resource.node.clone())
                .collect();
            step.transformer.apply(&mut acc.map, &self.build.scene())?;
            let resources = acc.map.resources();
            let same = before.len() == resources.len()
                && before.iter().zip(resources).all(|(before, after)| {
                    let mut after = after.clone();
                    let mut labels = after.meta_map("labels");
                    if labels.remove("validated-by").is_some()
                        && after.set_meta_map("labels", &labels).is_err()
                    {
                        return false;
                    }
                    // Where a node was read counts too: one that was set anew is another one.
                    *before == after.node
                });
            if !same {
                return Err(
                    "validator shouldn't modify the resource map: nodes unequal: \n".into(),
                );
            }
        }
        Ok(())
    }
}
