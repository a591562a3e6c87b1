//! `build kustomization`: what a Flux Kustomization makes of the manifests of a folder, without applying it.
//!
//! The command's arguments come parsed; what it asks of a cluster goes through [`Cluster`].

mod kustomization;
mod mask;
mod shape;

use std::collections::BTreeMap;
use std::path::Path;

use kustomize::flux::{self, FluxError, Request};
use kustomize::{Disk, FileSystem as _};
use serde_json::Value;
use tree::Ignore;

use kustomization::Kustomization;

const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";

/// The arguments of `build kustomization`.
#[derive(Debug, Clone, Default)]
pub(crate) struct BuildKustomization {
    /// The Kustomization's name, if one is given.
    pub(crate) name: Option<String>,
    /// `--path`
    pub(crate) path: String,
    /// `--kustomization-file`; empty for none.
    pub(crate) kustomization_file: String,
    /// `--ignore-paths`
    pub(crate) ignore_paths: Vec<String>,
    /// `--dry-run`
    pub(crate) dry_run: bool,
    /// `--strict-substitute`
    pub(crate) strict_substitute: bool,
    /// `--recursive`
    pub(crate) recursive: bool,
    /// `--local-sources`: `Kind/namespace/name` and the folder it stands for.
    pub(crate) local_sources: BTreeMap<String, String>,
    /// `--in-memory-build`: no file outside of the current folder is read.
    pub(crate) in_memory_build: bool,
    /// `--namespace`
    pub(crate) namespace: String,
}

/// What a build without `--dry-run` asks of a cluster.
pub(crate) trait Cluster {
    /// A Kustomization as it lives there; none if there is no such object.
    ///
    /// # Errors
    /// A text for the message.
    fn kustomization(&self, namespace: &str, name: &str) -> Result<Option<Value>, String>;

    /// The data of a ConfigMap or Secret, Secrets decoded; none if there is no such object.
    ///
    /// # Errors
    /// A text for the message.
    fn data(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, String>;
}

/// Builds, and gives what is printed: YAML documents, each with a separator after it.
///
/// `current` is the folder the command runs in. `cluster` is asked unless it is a dry run.
///
/// # Errors
/// A text in Flux's words.
pub(crate) fn build_kustomization(
    arguments: &BuildKustomization,
    current: &Path,
    cluster: Option<&dyn Cluster>,
) -> Result<String, String> {
    let Some(name) = &arguments.name else {
        return Err("kustomization name is required".to_owned());
    };
    let path = if arguments.path.is_empty() {
        return Err("invalid resource path \"\"".to_owned());
    } else {
        tree::clean(&current.join(&arguments.path))
    };
    if !path.is_dir() {
        return Err(format!(
            "invalid resource path {:?}",
            path.display().to_string()
        ));
    }
    let file = &arguments.kustomization_file;
    if arguments.dry_run && file.is_empty() {
        return Err("dry-run mode requires a kustomization file".to_owned());
    }
    if !file.is_empty() && !current.join(file).is_file() {
        return Err(format!("invalid kustomization file {file:?}"));
    }
    let builder = Builder {
        arguments,
        current,
        cluster: if arguments.dry_run { None } else { cluster },
        name,
        namespace: &arguments.namespace,
        path: &path,
        given: None,
        depth: 0,
    };
    let objects = builder.build()?;
    let documents = objects
        .iter()
        .map(|object| yaml::from_json(object) + "---\n");
    Ok(documents.collect())
}

/// One Kustomization that is being built.
struct Builder<'a> {
    arguments: &'a BuildKustomization,
    current: &'a Path,
    cluster: Option<&'a dyn Cluster>,
    name: &'a str,
    namespace: &'a str,
    path: &'a Path,
    /// The Kustomization, where another one's build gave it.
    given: Option<&'a Value>,
    depth: usize,
}

const MAX_DEPTH: usize = 100;

impl Builder<'_> {
    fn build(&self) -> Result<Vec<Value>, String> {
        let kustomization = self
            .kustomization()
            .map_err(|error| format!("failed to get kustomization object: {error}"))?;
        let mut objects = self.objects(&kustomization)?;
        let common = kustomization.common_metadata();
        if let Some((labels, annotations)) = &common {
            for object in &mut objects {
                flux::set_common_metadata(object, labels, annotations);
            }
        }
        if self.arguments.recursive {
            let mut more = Vec::new();
            for object in objects
                .iter()
                .filter(|object| kustomization::is_one(object))
            {
                more.extend(self.below(&kustomization, object)?);
            }
            objects.extend(more);
        }
        Ok(objects)
    }

    fn kustomization(&self) -> Result<Kustomization, String> {
        let from_file = self.given.is_none() && !self.arguments.kustomization_file.is_empty();
        let live = match self.cluster {
            Some(cluster) => cluster.kustomization(self.namespace, self.name)?,
            None => None,
        };
        if self.cluster.is_some() && live.is_none() && self.given.is_none() {
            let name = self.name;
            return Err(format!(
                "kustomizations.kustomize.toolkit.fluxcd.io {name:?} not found"
            ));
        }
        if from_file {
            let file = &self.arguments.kustomization_file;
            return Kustomization::from_file(self.current, file, self.name, self.namespace);
        }
        let object = live.or_else(|| self.given.cloned()).unwrap_or_default();
        Kustomization::from_object(object)
            .map_err(|error| format!("failed to convert to kustomization: {error}"))
    }

    /// What the Kustomization `object` within `parent` builds.
    fn below(&self, parent: &Kustomization, object: &Value) -> Result<Vec<Value>, String> {
        let child = Kustomization::from_object(object.clone())
            .map_err(|error| format!("failed to convert to kustomization: {error}"))?;
        if child.name() == parent.name() && child.namespace() == parent.namespace() {
            return Ok(Vec::new());
        }
        if self.depth >= MAX_DEPTH {
            return Err(format!(
                "Kustomizations lead in circles at {}",
                child.name()
            ));
        }
        let source = child.source();
        let Some(folder) = self.arguments.local_sources.get(&source) else {
            return Err(format!(
                "cannot get local path for {source} of kustomization {}",
                child.name()
            ));
        };
        let inner = child.text("path").trim_start_matches('/').to_owned();
        let path = tree::clean(&self.current.join(folder).join(inner));
        Builder {
            name: child.name(),
            namespace: child.namespace(),
            path: &path,
            given: Some(object),
            depth: self.depth + 1,
            ..*self
        }
        .build()
    }

    fn objects(&self, kustomization: &Kustomization) -> Result<Vec<Value>, String> {
        let spec = kustomization.spec()?;
        let ignore = self.ignore()?;
        let mut request = Request::new(&Disk, self.path, &spec);
        request.root = if self.arguments.in_memory_build {
            Some(
                Disk.resolve(self.current)
                    .map_err(|error| error.to_string())?,
            )
        } else {
            None
        };
        request.ignore = Some(&ignore);
        request.strict = self.arguments.strict_substitute;
        request.named = false;
        if let Some(cluster) = self.cluster {
            request.variables = kustomization.variables(cluster)?;
        }
        let built = flux::build(&request).map_err(|error| self.explain(error))?;
        let mut objects = Vec::with_capacity(built.objects.len());
        for mut object in built.objects {
            flux::set_label(&mut object.value, OWNER_NAME, kustomization.name());
            flux::set_label(
                &mut object.value,
                OWNER_NAMESPACE,
                kustomization.namespace(),
            );
            mask::mask_encrypted(&mut object.value)?;
            objects.push(object);
        }
        let selected = flux::to_apply(objects).into_iter();
        Ok(selected.map(|object| object.value).collect())
    }

    fn ignore(&self) -> Result<Ignore, String> {
        let mut ignore = Ignore::default();
        ignore.add_files(&Disk, self.path).map_err(|error| {
            self.not_generated(&format!("failed to load ignore patterns: {error}"), false)
        })?;
        ignore.add(&self.arguments.ignore_paths.join("\n"), Path::new(""));
        Ok(ignore)
    }

    /// A failure to make the kustomization file comes with that of putting things in order after it.
    fn not_generated(&self, message: &str, created: bool) -> String {
        let cleaning = if created && !self.arguments.in_memory_build {
            let file = self.path.join(kustomize::FILE_NAMES[0]);
            format!("remove {}: no such file or directory", file.display())
        } else {
            "<nil>".to_owned()
        };
        format!("failed to generate kustomization.yaml: {message} {cleaning}")
    }

    fn explain(&self, error: FluxError) -> String {
        match error {
            FluxError::Generate { message, created } => self.not_generated(&message, created),
            FluxError::Substitute { name, message, .. } => {
                format!("var substitution failed for '{name}': {message}")
            }
            FluxError::Build(errors) => {
                let mut text = "kustomize build failed: ".to_owned();
                if let Some(first) = errors.first() {
                    text.push_str(&first.message);
                }
                text
            }
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
