//! kustomize build as a pure function of a file tree.
//!
//! ```text
//! files ─ load ─► kustomization ─ target ─► resources ─ transform ─► names, vars ─► order ─► YAML
//!                      │ resources, bases, components: recursion     (at the root only)
//!                      └ generators, crds, configurations, openapi
//! ```
//!
//! [`build`] is the entry point. What the output is follows Kustomize v5.8.2 ([`Profile::Command`]) or the
//! library call of Flux's kustomize-controller 1.9, which is Kustomize v5.8.1 ([`Profile::Flux`]). The crate
//! reads through a [`FileSystem`] only, and records what it read ([`Reads`]).
//!
//! ```
//! let mut files = kustomize::Memory::default();
//! files.insert("app/kustomization.yaml", *b"resources: [cm.yaml]\nnamePrefix: my-\n");
//! files.insert("app/cm.yaml", *b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
//! let output = kustomize::build(&files, "/app".as_ref(), &kustomize::Options::default())?;
//! assert_eq!(output.yaml, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: my-x\n");
//! # Ok::<(), kustomize::BuildErrors>(())
//! ```
//!
//! Deliberately absent: containers, executables and Go plugins as generators or transformers. They are
//! refused in Kustomize's words, as it refuses them without `--enable-alpha-plugins`.

mod chart;
mod crds;
mod decode;
mod encode;
pub mod envsubst;
mod error;
mod field;
mod fieldspec;
pub mod flux;
mod generate;
mod json_patch;
mod kustomization;
mod load;
mod lookup;
mod memo;
mod merge;
mod nameref;
mod openapi;
mod origin;
mod output;
mod plugin;
mod read;
mod remote;
mod resid;
mod resmap;
mod resource;
mod secret;
mod selector;
mod shared;
mod target;
mod transform;
mod vars;

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

pub use chart::{ChartRequest, RenderChart};
pub use error::{BuildError, BuildErrors, Location};
pub use kustomization::FILE_NAMES;
pub use load::LoadRestrictor;
pub use memo::{Reads, Seen};
pub use remote::{FetchFileError, FetchRemote, Repository};
pub use resource::Provenance;
pub use tree::{Disk, FileSystem, Memory};

use fieldspec::Config;
use kustomization::Kustomization;
use load::{Loader, Settings};
use memo::Recorder;
use openapi::OpenApi;
use target::{Accumulator, Build, Target};
use transform::Transformer;

/// Whose behaviour is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// The `kustomize` command, v5.8.2.
    #[default]
    Command,
    /// kustomize-controller 1.9: v5.8.1, output in the order of the input, files from anywhere below the
    /// source root, custom OpenAPI schemas beside the built-in one.
    Flux,
}

/// The order of the output where `sortOptions` says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reorder {
    /// Namespaces and definitions first, webhooks last.
    #[default]
    Legacy,
    /// As in the input.
    None,
}

/// How to build.
#[derive(Clone, Default)]
pub struct Options<'a> {
    /// Whose behaviour to follow.
    pub profile: Profile,
    /// The default order (of the command; Flux does not reorder).
    pub reorder: Reorder,
    /// Where files may come from (for the command; Flux restricts to `source_root`).
    pub load_restrictor: LoadRestrictor,
    /// Adds the label `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// No file outside of this folder is read, whatever the restrictor says.
    pub source_root: Option<PathBuf>,
    /// Fetches remote files and bases; none refuses them.
    pub remote: Option<&'a dyn FetchRemote>,
    /// Renders charts; none refuses them.
    pub helm: Option<&'a dyn RenderChart>,
}

/// An object of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.namespace`; empty if there is none.
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// Its text: a YAML document without a separator.
    pub yaml: String,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A finished build.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What `kustomize build` prints.
    pub yaml: String,
    /// The objects in the same order.
    pub objects: Vec<Object>,
    /// What `kustomize build` warns of on standard error.
    pub warnings: Vec<String>,
    /// What the build depends on.
    pub reads: Reads,
}

/// The built-in field specs of a profile, and those that remain once they are merged into none.
type Defaults = (Config, Config);

fn defaults(profile: Profile) -> Defaults {
    let config = Config::built_in(profile);
    let mut merged = Config::default();
    // The built-in specs do not conflict with each other.
    let _ = merged.merge(&config);
    (config, merged)
}

static COMMAND_CONFIG: LazyLock<Defaults> = LazyLock::new(|| defaults(Profile::Command));
static FLUX_CONFIG: LazyLock<Defaults> = LazyLock::new(|| defaults(Profile::Flux));

/// Builds the kustomization in the folder `path` (absolute, or relative to the root of `fs`).
///
/// # Errors
/// All problems found; the first is the one that Kustomize reports.
pub fn build(
    fs: &dyn FileSystem,
    path: &Path,
    options: &Options<'_>,
) -> Result<Output, BuildErrors> {
    build_as(fs, path, &path.display().to_string(), options)
}

/// As [`build`], with the path as the user wrote it for messages.
///
/// # Errors
/// As [`build`].
pub fn build_as(
    fs: &dyn FileSystem,
    path: &Path,
    shown: &str,
    options: &Options<'_>,
) -> Result<Output, BuildErrors> {
    let openapi = OpenApi::new(options.profile);
    let (resources, warnings, reads) = build_resources(fs, path, shown, options, &openapi)?;
    let (yaml, objects) = print(resources).map_err(|error| BuildErrors(vec![error]))?;
    Ok(Output {
        yaml,
        objects,
        warnings,
        reads,
    })
}

type Built = (Vec<resource::Resource>, Vec<String>, Reads);

/// The resources of a kustomization, what was warned of, and what was read.
fn build_resources(
    fs: &dyn FileSystem,
    path: &Path,
    shown: &str,
    options: &Options<'_>,
    openapi: &OpenApi,
) -> Result<Built, BuildErrors> {
    let recorder = Recorder::default();
    let (defaults, built_in) = match options.profile {
        Profile::Command => &*COMMAND_CONFIG,
        Profile::Flux => &*FLUX_CONFIG,
    };
    let context = Build {
        openapi,
        defaults,
        built_in,
        newest: options.profile == Profile::Command,
        helm: options.helm,
        warnings: Mutex::default(),
        more_errors: Mutex::default(),
    };
    let settings = Settings {
        fs,
        recorder: &recorder,
        remote: options.remote,
        restrictor: match options.profile {
            Profile::Command => options.load_restrictor,
            Profile::Flux => LoadRestrictor::None,
        },
        boundary: options.source_root.clone(),
        strict_paths: options.profile == Profile::Command,
    };
    let result = run(&context, settings, path, shown, options);
    let taken = |list: Mutex<Vec<_>>| list.into_inner().unwrap_or_else(PoisonError::into_inner);
    match result {
        Ok(resources) => Ok((resources, taken(context.warnings), recorder.into_reads())),
        Err(first) => {
            let mut errors = vec![first];
            let more = context.more_errors.into_inner();
            errors.extend(more.unwrap_or_else(PoisonError::into_inner));
            Err(BuildErrors(errors))
        }
    }
}

fn run(
    context: &Build<'_>,
    settings: Settings<'_>,
    path: &Path,
    shown: &str,
    options: &Options<'_>,
) -> error::Result<Vec<resource::Resource>> {
    let loader = Loader::new(settings, path, shown)?;
    let mut target = Target::load(context, loader)?;
    target.set_schema(true)?;
    target.start_origin();
    let root = target.kustomization.clone();
    let mut acc = target.accumulate(Accumulator::default())?;
    let rules = std::mem::take(&mut acc.rules);
    let config = rules.config(context.built_in);
    Transformer::Hash.apply(&mut acc.map, &context.scene())?;
    nameref::fix(&mut acc.map, &config.name_reference, context.openapi)?;
    vars::resolve(&mut acc.map, &acc.vars, &config.var_reference)?;
    drop_local(&mut acc)?;
    let legacy = options.profile == Profile::Command && options.reorder == Reorder::Legacy;
    if root.sort_options.is_some() || legacy {
        transform::sort(&mut acc.map, root.sort_options.as_ref(), context.openapi)?;
    }
    finish(&mut acc, &root, options)?;
    Ok(acc.map.into_resources())
}

/// Leaves out what is only for the build.
fn drop_local(acc: &mut Accumulator) -> error::Result<()> {
    for resource in acc.map.resources() {
        if !resource.is_gone() {
            resource.validate()?;
        }
    }
    let is_local = |resource: &resource::Resource| {
        resource.is_gone()
            || resource
                .annotation(resource::LOCAL_CONFIG)
                .is_some_and(|value| value != "false")
    };
    if acc.map.resources().iter().any(is_local) {
        acc.map
            .resources_mut()
            .retain(|resource| !is_local(resource));
    }
    Ok(())
}

fn finish(acc: &mut Accumulator, root: &Kustomization, options: &Options<'_>) -> error::Result<()> {
    if options.managed_by_label || root.has_metadata("managedByLabel") {
        let version = match options.profile {
            Profile::Command => "kustomize-v5.8.2",
            Profile::Flux => "kustomize-v5.8.1",
        };
        let pairs = [(
            "app.kubernetes.io/managed-by".to_owned(),
            version.to_owned(),
        )]
        .into();
        let specs = [fieldspec::FieldSpec::anywhere("metadata/labels", true)];
        for resource in acc.map.resources_mut() {
            transform::set_pairs(resource, &pairs, &specs)?;
        }
    }
    let keep_origin = root.has_metadata("originAnnotations");
    let keep_transformations = root.has_metadata("transformerAnnotations");
    for resource in acc.map.resources_mut() {
        resource.clean_annotations(keep_origin, keep_transformations)?;
    }
    Ok(())
}

fn print(resources: Vec<resource::Resource>) -> error::Result<(String, Vec<Object>)> {
    let mut text = String::new();
    let mut objects = Vec::new();
    for resource in resources {
        if !text.is_empty() {
            text.push_str("---\n");
        }
        let start = text.len();
        let place = resource.provenance.clone();
        text = output::to_yaml(&resource.node, text)
            .map_err(|error| error.at(&place.file, place.line as usize))?;
        objects.push(Object {
            api_version: resource.api_version().to_owned(),
            kind: resource.kind().to_owned(),
            namespace: resource.namespace().to_owned(),
            name: resource.name().to_owned(),
            yaml: text[start..].to_owned(),
            provenance: resource.provenance,
        });
    }
    Ok((text, objects))
}
