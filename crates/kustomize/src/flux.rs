//! What a Flux Kustomization builds: the manifests of a folder as kustomize-controller makes them.
//!
//! ```text
//! folder ─ generate ─► kustomization file + spec ─ decrypt files ─ build ─► objects ─ decrypt ─ substitute
//! ```
//!
//! A folder without a kustomization file gets one that names all manifests below it. What `spec` says
//! (patches, images, components …) is put into it; nothing is written: the file lies over the tree. After
//! the build, Secrets are decrypted by the caller's [`Decrypt`], and variables are substituted.
//!
//! ```
//! use kustomize::flux::{Request, Spec, build};
//!
//! let mut files = kustomize::Memory::default();
//! files.insert("apps/cm.yaml", *b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '${env}'}\n");
//! let spec = Spec::from_object(&serde_json::json!({"spec": {
//!     "targetNamespace": "web",
//!     "postBuild": {"substitute": {"env": "prod"}},
//! }}))?;
//! let built = build(&Request::new(&files, "/apps".as_ref(), &spec))?;
//! assert_eq!(built.objects[0].value["metadata"]["name"], "prod");
//! assert_eq!(built.objects[0].value["metadata"]["namespace"], "web");
//! # Ok::<(), kustomize::flux::FluxError>(())
//! ```
//!
//! Source: Flux, `pkg/kustomize` v1.39, kustomize-controller v1.9.

mod decrypt;
mod generate;
mod objects;
mod overlay;
mod spec;
mod substitute;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tree::{FileSystem, Ignore};

use crate::memo::Recorder;
use crate::openapi::OpenApi;
use crate::{BuildErrors, FetchRemote, Options, Profile, Provenance, Reads};

pub use decrypt::{Decrypt, SourceFormat};
pub use objects::{set_common_metadata, set_label, to_apply};
pub use spec::{ImageOverride, PostBuild, Spec, SpecPatch};
pub use substitute::{SUBSTITUTE, mask_newlines};

use overlay::Overlay;
use substitute::Identities;

/// What to build, and with what.
#[derive(Clone)]
pub struct Request<'a> {
    /// The source.
    pub fs: &'a dyn FileSystem,
    /// The folder to build, as an absolute path of `fs`.
    pub path: &'a Path,
    /// No file outside of this folder is read; none does not restrict.
    pub root: Option<PathBuf>,
    /// What the Kustomization says.
    pub spec: &'a Spec,
    /// Leaves out files, also those that an existing kustomization file names. The patterns are relative to
    /// `path` (the command line's `--ignore-paths`; the controllers leave it empty).
    pub ignore: Option<&'a Ignore>,
    /// Fetches remote files and bases; none refuses them (`--no-remote-bases`).
    pub remote: Option<&'a dyn FetchRemote>,
    /// Decrypts files and objects.
    pub decrypt: Option<&'a dyn Decrypt>,
    /// The data of the ConfigMaps and Secrets of `substituteFrom`, the later over the earlier ones. What
    /// `substitute` says wins over them.
    pub variables: BTreeMap<String, String>,
    /// Whether a variable without value and default is an error.
    pub strict: bool,
    /// Whether an object without kind, version or name is an error, as the controller has it.
    pub named: bool,
}

impl<'a> Request<'a> {
    /// Builds `path` of `fs` within the whole of `fs`; strict, without remote bases and decryption.
    pub fn new(fs: &'a dyn FileSystem, path: &'a Path, spec: &'a Spec) -> Self {
        Self {
            fs,
            path,
            root: Some(PathBuf::from("/")),
            spec,
            ignore: None,
            remote: None,
            decrypt: None,
            variables: BTreeMap::new(),
            strict: true,
            named: true,
        }
    }
}

/// An object that was built.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The object.
    pub value: Value,
    /// Its text: a YAML document without a separator.
    pub yaml: String,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// What a Kustomization builds.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// In the order of applying that the sources give.
    pub objects: Vec<Object>,
    /// What Kustomize warns of.
    pub warnings: Vec<String>,
    /// What the build depends on in the tree, besides the request.
    pub reads: Reads,
}

impl Built {
    /// All documents, as the controller takes the digest of (`status.history`).
    pub fn yaml(&self) -> String {
        let documents: Vec<&str> = self
            .objects
            .iter()
            .map(|object| object.yaml.as_str())
            .collect();
        documents.join("---\n")
    }
}

/// Why nothing was built. The texts are those of kustomize-controller; none holds a decrypted value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FluxError {
    /// The kustomization file cannot be made.
    #[error("{message}")]
    Generate {
        /// Why.
        message: String,
        /// Whether the folder had none, so that the whole of it was made.
        created: bool,
    },
    /// A file that generators or patches take cannot be decrypted.
    #[error("error decrypting sources: {0}")]
    DecryptSource(String),
    /// The kustomization cannot be built.
    #[error("kustomize build failed: {}", first_problem(.0))]
    Build(BuildErrors),
    /// An object without kind, version or name.
    #[error("failed to decode Kubernetes apiVersion, kind and name from: {0}")]
    Unnamed(String),
    /// An object cannot be decrypted.
    #[error("decryption failed for '{kind}/{name}': {message}")]
    Decrypt {
        /// Kind, version and group, as Kustomize prints them.
        kind: String,
        /// The object's name.
        name: String,
        /// Why.
        message: String,
    },
    /// Variables cannot be substituted.
    #[error("post build failed for '{kind}/{name}': {message}")]
    Substitute {
        /// Kind, version and group, as Kustomize prints them.
        kind: String,
        /// The object's name, before the substitution.
        name: String,
        /// Why.
        message: String,
    },
    /// Decryption or substitution made an object what another one is.
    #[error("{0}")]
    Duplicate(String),
}

fn first_problem(errors: &BuildErrors) -> String {
    errors
        .first()
        .map_or_else(String::new, |error| error.message.clone())
}

/// Builds what a Kustomization says.
///
/// # Errors
/// See [`FluxError`]; all are stalled until the source, the spec, a key or a variable changes.
pub fn build(request: &Request<'_>) -> Result<Built, FluxError> {
    let recorder = Recorder::default();
    let generated = generate::generate(request, &recorder)?;
    let mut overlay = Overlay::new(request.fs);
    overlay.insert(generated.file.clone(), generated.content.clone().into());
    // Only what goes wrong is worth looking through the manifests before the build reads them anyway.
    let explain =
        |error: FluxError| match generate::check_manifests(request.fs, &generated.manifests) {
            Ok(()) => error,
            Err(message) => FluxError::Generate {
                message,
                created: false,
            },
        };
    if let Some(decrypt) = request.decrypt {
        decrypt::decrypt_sources(request, &mut overlay, decrypt, &recorder).map_err(explain)?;
    }
    let options = Options {
        profile: Profile::Flux,
        source_root: request.root.clone(),
        remote: request.remote,
        ..Options::default()
    };
    let shown = request.path.display().to_string();
    let openapi = OpenApi::new(Profile::Flux);
    let outcome = crate::build_resources(&overlay, request.path, &shown, &options, &openapi);
    let (resources, warnings, build_reads) =
        outcome.map_err(|errors| explain(FluxError::Build(errors)))?;
    let mut reads = recorder.into_reads();
    reads.extend(build_reads);
    reads.see_below(overlay.paths(), request.fs);
    let mut objects = Vec::with_capacity(resources.len());
    for resource in resources {
        objects.push(to_object(resource)?);
    }
    post_build(request, &mut objects, &openapi)?;
    Ok(Built {
        objects,
        warnings,
        reads,
    })
}

fn to_object(resource: crate::resource::Resource) -> Result<Object, FluxError> {
    let place = &resource.provenance;
    let failed = |error: crate::BuildError| {
        let error = error.at(&place.file, place.line as usize);
        FluxError::Build(BuildErrors(vec![error]))
    };
    let yaml = crate::output::to_yaml(&resource.node, String::new()).map_err(failed)?;
    let value = crate::output::to_json(&resource.node).map_err(failed)?;
    Ok(Object {
        value: canonical(value),
        yaml,
        provenance: resource.provenance,
    })
}

/// Numbers as JSON texts have them: a float without a fraction is an integer.
fn canonical(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let text = yaml::json_float(number.as_f64().unwrap_or_default());
            serde_json::from_str(&text).unwrap_or(Value::Number(number))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        Value::Object(map) => {
            let pairs = map.into_iter();
            Value::Object(pairs.map(|(key, value)| (key, canonical(value))).collect())
        }
        other => other,
    }
}

/// Decrypts and substitutes, one object after the other.
fn post_build(
    request: &Request<'_>,
    objects: &mut [Object],
    openapi: &OpenApi,
) -> Result<(), FluxError> {
    let variables = substitute::Variables::new(request);
    let mut identities = Identities::new(objects, openapi);
    for object in objects {
        if request.named && substitute::is_unnamed(&object.value) {
            return Err(FluxError::Unnamed(object.yaml.clone()));
        }
        let mut changed = None;
        if let Some(decrypt) = request.decrypt {
            changed = decrypt::decrypt_object(object, decrypt)?;
        }
        if let Some(variables) = &variables {
            let current = changed.as_ref().unwrap_or(&object.value);
            changed = variables.substitute(object, current)?.or(changed);
        }
        if let Some(value) = changed {
            identities.replace(&object.value, &value, openapi)?;
            object.yaml = yaml::from_json(&value);
            object.value = value;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
