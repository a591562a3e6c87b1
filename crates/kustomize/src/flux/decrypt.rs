//! Decrypting what a build takes in and what it gives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tree::{FileSystem, clean};

use super::generate;
use super::overlay::Overlay;
use super::{FluxError, Object, Request};
use crate::kustomization::{FILE_NAMES, Kustomization};
use crate::memo::Recorder;
use crate::resid::Gvk;

/// The form of an encrypted file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceFormat {
    /// Anything, in an envelope.
    Binary,
    /// `KEY=value` lines.
    Dotenv,
    /// INI.
    Ini,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl SourceFormat {
    /// The form by the end of a path.
    pub fn of_path(path: &str) -> Self {
        let ends = |end: &str| path.ends_with(end);
        if ends(".yaml") || ends(".yml") {
            Self::Yaml
        } else if ends(".json") || ends(".dockerconfigjson") {
            Self::Json
        } else if ends(".env") {
            Self::Dotenv
        } else if ends(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }
}

/// Decrypts with the keys of a Kustomization. Errors are texts for users and must not hold plain values.
pub trait Decrypt: Sync {
    /// The plain content of a file that a secretGenerator or a patch names; none if it is not encrypted.
    ///
    /// # Errors
    /// It cannot be decrypted.
    fn file(&self, content: &[u8], format: SourceFormat) -> Result<Option<Vec<u8>>, String>;

    /// The plain form of an object, or of the data of a Secret; none if nothing is encrypted.
    ///
    /// # Errors
    /// It cannot be decrypted.
    fn object(&self, object: &Value) -> Result<Option<Value>, String>;
}

pub(super) fn decrypt_object(
    object: &Object,
    decrypt: &dyn Decrypt,
) -> Result<Option<Value>, FluxError> {
    decrypt
        .object(&object.value)
        .map_err(|message| FluxError::Decrypt {
            kind: gvk(&object.value),
            name: name(&object.value),
            message,
        })
}

pub(super) fn gvk(value: &Value) -> String {
    let text = |field: &str| value[field].as_str().unwrap_or_default();
    Gvk::new(text("apiVersion"), text("kind")).to_string()
}

pub(super) fn name(value: &Value) -> String {
    let name = value["metadata"]["name"].as_str();
    name.unwrap_or_default().to_owned()
}

/// Decrypts the files that generators of Secrets and patches name, in all kustomizations below the folder.
pub(super) fn decrypt_sources(
    request: &Request<'_>,
    overlay: &mut Overlay<'_>,
    decrypt: &dyn Decrypt,
    recorder: &Recorder,
) -> Result<(), FluxError> {
    let mut walk = Walk {
        request,
        overlay,
        decrypt,
        recorder,
        visited: BTreeSet::new(),
        depth: 0,
    };
    walk.folder(request.path).map_err(FluxError::DecryptSource)
}

struct Walk<'a, 'o, 'f> {
    request: &'a Request<'a>,
    overlay: &'o mut Overlay<'f>,
    decrypt: &'a dyn Decrypt,
    recorder: &'a Recorder,
    visited: BTreeSet<PathBuf>,
    depth: usize,
}

const MAX_DEPTH: usize = 200;

impl Walk<'_, '_, '_> {
    /// The path within the root; links that lead out are kept within it by not following them.
    fn within_root(&self, path: &Path) -> Option<PathBuf> {
        let path = clean(path);
        let resolved = self.overlay.resolve(&path).unwrap_or(path);
        let root = self.request.root.as_deref().unwrap_or(Path::new("/"));
        resolved.starts_with(root).then_some(resolved)
    }

    fn folder(&mut self, path: &Path) -> Result<(), String> {
        let Some(folder) = self.within_root(path) else {
            return Ok(());
        };
        if self.depth > MAX_DEPTH || !self.visited.insert(folder.clone()) {
            return Ok(());
        }
        if !self.overlay.is_dir(&folder) {
            return Ok(());
        }
        let kustomization = self.kustomization(&folder)?;
        self.files_of(&folder, &kustomization)?;
        let below = kustomization.resources.iter();
        let below: Vec<_> = below.chain(&kustomization.components).collect();
        self.depth += 1;
        for entry in below {
            self.folder(&folder.join(entry))?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn kustomization(&self, folder: &Path) -> Result<Kustomization, String> {
        let candidates = FILE_NAMES.iter().map(|name| folder.join(name));
        let mut found = candidates.filter(|path| {
            self.overlay.has(path)
                || (self.overlay.resolve(path).is_ok() && !self.overlay.is_dir(path))
        });
        let Some(file) = found.next() else {
            return Err("no kustomization file found".to_owned());
        };
        if found.next().is_some() {
            return Err("found multiple kustomization files".to_owned());
        }
        let content = self
            .overlay
            .read(&file)
            .map_err(|error| format!("failed to read kustomization file: {error}"))?;
        if !self.overlay.has(&file) {
            self.recorder.read(self.request.fs, &file, &content);
        }
        generate::parse(&content).map_err(|error| {
            format!(
                "failed to unmarshal kustomization file from '{}': {error}",
                file.display()
            )
        })
    }

    fn files_of(&mut self, folder: &Path, kustomization: &Kustomization) -> Result<(), String> {
        for generator in &kustomization.secret_generator {
            for source in &generator.files {
                let (key, path) = source.split_once('=').unwrap_or((source, source));
                self.file(folder, path, SourceFormat::of_path(key))?;
            }
            for path in &generator.envs {
                let format = match SourceFormat::of_path(path) {
                    SourceFormat::Binary => SourceFormat::Dotenv,
                    format => format,
                };
                self.file(folder, path, format)?;
            }
        }
        for patch in &kustomization.patches {
            if !patch.path.is_empty() && !patch.path.contains("://") {
                self.file(folder, &patch.path, SourceFormat::of_path(&patch.path))?;
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &Path, path: &str, format: SourceFormat) -> Result<(), String> {
        let Some(file) = self.within_root(&folder.join(path)) else {
            return Ok(());
        };
        if self.overlay.has(&file) {
            return Ok(());
        }
        let content = self.overlay.read(&file).map_err(|error| {
            self.recorder.missing(&file);
            format!("lstat {}: {}", file.display(), tree::errno_text(&error))
        })?;
        self.recorder.read(self.request.fs, &file, &content);
        if let Some(plain) = self.decrypt.file(&content, format)? {
            self.overlay.insert(file, plain.into());
        }
        Ok(())
    }
}
