//! The kustomization file of a folder: found or made, with what the spec adds.

use std::path::{Path, PathBuf};

use tree::{EntryKind, FileSystem, Ignore, clean};

use super::spec::{ImageOverride, Spec};
use super::{FluxError, Request};
use crate::decode;
use crate::encode::Encode as _;
use crate::kustomization::{FILE_NAMES, Image, KUSTOMIZATION, Kustomization, Patch, version_of};
use crate::memo::Recorder;
use crate::read;

/// A kustomization file that lies over the tree.
pub(super) struct Generated {
    /// Where; a path without links.
    pub(super) file: PathBuf,
    pub(super) content: Vec<u8>,
    /// The manifests that were found, if the folder had no such file.
    pub(super) manifests: Vec<PathBuf>,
}

/// Folders within folders that are looked through.
const MAX_DEPTH: usize = 200;

pub(super) fn generate(request: &Request<'_>, recorder: &Recorder) -> Result<Generated, FluxError> {
    let mut created = false;
    make(request, recorder, &mut created)
        .map_err(|message| FluxError::Generate { message, created })
}

fn make(
    request: &Request<'_>,
    recorder: &Recorder,
    created: &mut bool,
) -> Result<Generated, String> {
    let fs = request.fs;
    let folder = fs
        .resolve(request.path)
        .map_err(|error| error.to_string())?;
    if let Some(root) = &request.root
        && !folder.starts_with(root)
    {
        let (path, root) = (request.path.display(), root.display());
        return Err(format!("path '{path}' is not in or below '{root}'"));
    }
    recorder.resolved(request.path, &folder);
    let patterns = request.ignore.map(|ignore| {
        let mut all = Ignore::defaults();
        all.extend(ignore.clone());
        all
    });
    let mut manifests = Vec::new();
    let (file, mut kustomization) = match existing(fs, &folder) {
        Some(file) => {
            let content = fs
                .read(&file)
                .map_err(|error| format!("open {}: {error}", file.display()))?;
            recorder.read(fs, &file, &content);
            let kustomization = parse(&content)?;
            (file, kustomization)
        }
        None => {
            let mut scan = Scan {
                fs,
                recorder,
                // Without patterns of the user's, the default ones do not hold here.
                ignore: patterns
                    .as_ref()
                    .filter(|_| request.ignore.is_some_and(|ignore| !ignore.is_empty())),
                base: &folder,
                resources: Vec::new(),
                manifests: Vec::new(),
            };
            scan.folder(Path::new(""), 0)?;
            if patterns.is_some() {
                // Also those that are left out in a moment have to hold objects.
                check_manifests(fs, &scan.manifests)?;
            }
            let mut kustomization = empty();
            if scan.resources.is_empty() {
                // Kustomize refuses a file that says nothing.
                "_placeholder".clone_into(&mut kustomization.namespace);
            }
            kustomization.resources = scan.resources;
            manifests = scan.manifests;
            *created = true;
            (folder.join(FILE_NAMES[0]), kustomization)
        }
    };
    if !*created && kustomization.resources.is_empty() {
        kustomization.build_metadata = vec!["originAnnotations".to_owned()];
    }
    if let Some(ignore) = &patterns {
        filter(fs, &folder, ignore, &mut kustomization, recorder)?;
    }
    add_spec(fs, &folder, request.spec, &mut kustomization, recorder)?;
    Ok(Generated {
        file,
        content: yaml::from_json(&kustomization.encode()).into_bytes(),
        manifests,
    })
}

fn empty() -> Kustomization {
    Kustomization {
        kind: KUSTOMIZATION.to_owned(),
        api_version: version_of(KUSTOMIZATION).to_owned(),
        ..Kustomization::default()
    }
}

fn existing(fs: &dyn FileSystem, folder: &Path) -> Option<PathBuf> {
    let mut candidates = FILE_NAMES.iter().map(|name| folder.join(name));
    candidates.find(|path| !fs.is_dir(path) && fs.resolve(path).is_ok())
}

/// Reads a kustomization as Go's lenient decoder does: unknown fields are dropped.
pub(super) fn parse(content: &[u8]) -> Result<Kustomization, String> {
    let mut kustomization: Kustomization =
        decode::from_yaml(content).map_err(|error| error.message)?;
    let defaults = empty();
    if kustomization.kind.is_empty() {
        kustomization.kind = defaults.kind;
    }
    if kustomization.api_version.is_empty() {
        kustomization.api_version = defaults.api_version;
    }
    // Fields that our shared types have and those of Kustomize v5.8.1 have not.
    for generator in &mut kustomization.config_map_generator {
        generator.secret_type.clear();
    }
    for label in &mut kustomization.labels {
        label.include_volume_claim_templates = false;
    }
    Ok(kustomization)
}

/// Looks through a folder for manifests (`scanManifests`): folders with a kustomization file are taken whole.
struct Scan<'a> {
    fs: &'a dyn FileSystem,
    recorder: &'a Recorder,
    ignore: Option<&'a Ignore>,
    base: &'a Path,
    /// As the kustomization file names them.
    resources: Vec<String>,
    manifests: Vec<PathBuf>,
}

impl Scan<'_> {
    fn folder(&mut self, relative: &Path, depth: usize) -> Result<(), String> {
        let folder = self.base.join(relative);
        let entries = self
            .fs
            .entries(&folder)
            .map_err(|error| format!("open {}: {error}", folder.display()))?;
        self.recorder.listing(&folder, &entries);
        for (name, kind) in entries {
            let relative = relative.join(&name);
            if kind == EntryKind::Folder {
                if existing(self.fs, &self.base.join(&relative)).is_some() {
                    self.resources.push(format!("./{}", relative.display()));
                } else if depth >= MAX_DEPTH {
                    return Err(format!(
                        "{}: too many folders within folders",
                        folder.display()
                    ));
                } else {
                    self.folder(&relative, depth + 1)?;
                }
            } else if is_manifest(&name) {
                self.manifest(&relative)?;
            }
        }
        Ok(())
    }

    fn manifest(&mut self, relative: &Path) -> Result<(), String> {
        let ignored = self
            .ignore
            .is_some_and(|ignore| ignore.excludes(relative, false));
        if ignored {
            return Ok(());
        }
        let file = self.base.join(relative);
        if self.fs.is_dir(&file) {
            return Err(format!("read {}: is a directory", file.display()));
        }
        self.resources.push(format!("./{}", relative.display()));
        self.manifests.push(file);
        Ok(())
    }
}

/// Go's `filepath.Ext` takes what is after the last dot, also of a name that starts with it.
fn is_manifest(name: &str) -> bool {
    matches!(name.rsplit_once('.'), Some((_, "yaml" | "yml")))
}

/// Fails for a manifest that holds no objects: the first, as the files were found.
pub(super) fn check_manifests(fs: &dyn FileSystem, manifests: &[PathBuf]) -> Result<(), String> {
    for file in manifests {
        let shown = file.display();
        let content = fs
            .read(file)
            .map_err(|error| format!("open {shown}: {}", tree::errno_text(&error)))?;
        read::resources(&content).map_err(|error| {
            format!(
                "failed to decode Kubernetes YAML from {shown}: {}",
                error.message
            )
        })?;
    }
    Ok(())
}

/// Drops what the patterns leave out from the lists of files and folders.
fn filter(
    fs: &dyn FileSystem,
    folder: &Path,
    ignore: &Ignore,
    kustomization: &mut Kustomization,
    recorder: &Recorder,
) -> Result<(), String> {
    let lists = [
        (&mut kustomization.resources, true),
        (&mut kustomization.components, true),
        (&mut kustomization.crds, false),
    ];
    for (list, may_be_remote) in lists {
        let mut kept = Vec::with_capacity(list.len());
        for entry in std::mem::take(list) {
            if may_be_remote && is_url(&entry) {
                kept.push(entry);
                continue;
            }
            let path = clean(&folder.join(entry.trim_start_matches('/')));
            if fs.resolve(&path).is_err() {
                recorder.missing(&path);
                return Err(format!(
                    "lstat {}: no such file or directory",
                    path.display()
                ));
            }
            let relative = path.strip_prefix(folder).ok();
            if !relative.is_some_and(|relative| ignore.excludes(relative, fs.is_dir(&path))) {
                kept.push(entry);
            }
        }
        *list = kept;
    }
    Ok(())
}

/// Whether Go's `url.ParseRequestURI` finds a scheme.
fn is_url(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

fn add_spec(
    fs: &dyn FileSystem,
    folder: &Path,
    spec: &Spec,
    kustomization: &mut Kustomization,
    recorder: &Recorder,
) -> Result<(), String> {
    for (field, value) in [
        (&mut kustomization.namespace, &spec.target_namespace),
        (&mut kustomization.name_prefix, &spec.name_prefix),
        (&mut kustomization.name_suffix, &spec.name_suffix),
    ] {
        if !value.is_empty() {
            field.clone_from(value);
        }
    }
    kustomization
        .patches
        .extend(spec.patches.iter().map(|patch| Patch {
            patch: patch.patch.clone(),
            target: patch.target.clone(),
            ..Patch::default()
        }));
    for component in &spec.components {
        if !is_local(component) {
            return Err(format!(
                "component path '{component}' must be local and relative"
            ));
        }
        let path = clean(&folder.join(component));
        if spec.ignore_missing_components && fs.resolve(&path).is_err() {
            recorder.missing(&path);
            continue;
        }
        kustomization.components.push(component.clone());
    }
    for image in &spec.images {
        add_image(&mut kustomization.images, image);
    }
    if !spec.build_metadata.is_empty() {
        kustomization
            .build_metadata
            .clone_from(&spec.build_metadata);
    }
    Ok(())
}

/// Tag and digest both choose the version, so one that is given takes the place of both.
fn add_image(images: &mut Vec<Image>, image: &ImageOverride) {
    let known = images.iter_mut().find(|known| known.name == image.name);
    let Some(known) = known else {
        images.push(Image {
            name: image.name.clone(),
            new_name: image.new_name.clone(),
            new_tag: image.new_tag.clone(),
            digest: image.digest.clone(),
            ..Image::default()
        });
        return;
    };
    if !image.new_name.is_empty() {
        known.new_name.clone_from(&image.new_name);
    }
    if !image.new_tag.is_empty() || !image.digest.is_empty() {
        known.new_tag.clone_from(&image.new_tag);
        known.digest.clone_from(&image.digest);
    }
}

fn is_local(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let remote = [
        "git::",
        "gh:",
        "ssh://",
        "https://",
        "http://",
        "git@",
        "github.com:",
        "github.com/",
    ];
    !remote
        .iter()
        .any(|prefix| path.len() > prefix.len() && lower.starts_with(prefix))
        && !path.starts_with('/')
        && !lower.trim_start_matches("file://").starts_with('/')
}
