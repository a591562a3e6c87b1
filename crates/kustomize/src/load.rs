//! Loading files and bases for one kustomization: restrictions, cycles, recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{BuildError, Result};
use crate::memo::Recorder;
use crate::remote::{FetchFileError, FetchRemote, Repository};
use tree::{EntryKind, FileSystem, clean, errno_text};

/// Where files may be loaded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadRestrictor {
    /// From the folder of the kustomization and below it.
    #[default]
    RootOnly,
    /// From anywhere.
    None,
}

/// The files a loader reads.
#[derive(Clone)]
enum Files<'a> {
    /// The tree of the build.
    Tree(&'a dyn FileSystem),
    /// Those of a repository that was fetched.
    Remote(Arc<dyn FileSystem + Send + Sync>),
}

impl Files<'_> {
    fn get(&self) -> &dyn FileSystem {
        match self {
            Self::Tree(fs) => *fs,
            Self::Remote(fs) => &**fs,
        }
    }
}

/// Notes what is read, but for what lies in another tree.
#[derive(Clone, Copy)]
struct Notes<'a>(Option<&'a Recorder>);

impl Notes<'_> {
    fn missing(self, path: &Path) {
        if let Some(recorder) = self.0 {
            recorder.missing(path);
        }
    }

    fn folder(self, path: &Path) {
        if let Some(recorder) = self.0 {
            recorder.folder(path);
        }
    }

    fn resolved(self, path: &Path, target: &Path) {
        if let Some(recorder) = self.0 {
            recorder.resolved(path, target);
        }
    }

    fn read(self, fs: &dyn FileSystem, path: &Path, content: &[u8]) {
        if let Some(recorder) = self.0 {
            recorder.read(fs, path, content);
        }
    }
}

/// Loads for one kustomization.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    files: Files<'a>,
    recorder: &'a Recorder,
    notes: Notes<'a>,
    remote: Option<&'a dyn FetchRemote>,
    restrictor: LoadRestrictor,
    /// No file or base may be outside of it.
    boundary: Option<Arc<PathBuf>>,
    root: PathBuf,
    /// The repository it is in, if it was fetched.
    repository: Option<Arc<Repository>>,
    /// The roots of the kustomizations that led here.
    referrers: Option<Arc<Referrer>>,
    strict_paths: bool,
}

struct Referrer {
    root: PathBuf,
    repository: Option<Arc<Repository>>,
    before: Option<Arc<Referrer>>,
}

/// What a loader is made with.
pub(crate) struct Settings<'a> {
    pub(crate) fs: &'a dyn FileSystem,
    pub(crate) recorder: &'a Recorder,
    pub(crate) remote: Option<&'a dyn FetchRemote>,
    pub(crate) restrictor: LoadRestrictor,
    pub(crate) boundary: Option<PathBuf>,
    /// Refuse paths with `..` inside a part.
    pub(crate) strict_paths: bool,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(settings: Settings<'a>, target: &Path, shown: &str) -> Result<Self> {
        let loader = Self {
            files: Files::Tree(settings.fs),
            recorder: settings.recorder,
            notes: Notes(Some(settings.recorder)),
            repository: None,
            remote: settings.remote,
            restrictor: settings.restrictor,
            boundary: settings.boundary.map(Arc::new),
            root: PathBuf::from("/"),
            referrers: None,
            strict_paths: settings.strict_paths,
        };
        let root = loader.folder(target, shown)?;
        Ok(Self { root, ..loader })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn root_text(&self) -> String {
        self.root.display().to_string()
    }

    fn resolve(&self, path: &Path, shown: &str) -> Result<PathBuf> {
        let resolved = self.files.get().resolve(path).map_err(|error| {
            self.notes.missing(path);
            let text = error.to_string();
            let text = if text.starts_with("lstat ") {
                text
            } else {
                format!("lstat {}: {}", path.display(), errno_text(&error))
            };
            BuildError::new(format!("evalsymlink failure on '{shown}' : {text}"))
        })?;
        self.notes.resolved(path, &resolved);
        if let Some(boundary) = &self.boundary
            && !resolved.starts_with(&**boundary)
        {
            return Err(outside("abs", &path.display().to_string(), boundary));
        }
        Ok(resolved)
    }

    fn folder(&self, path: &Path, shown: &str) -> Result<PathBuf> {
        let wrap = |error: BuildError| error.wrap("must build at directory");
        let resolved = self
            .resolve(path, shown)
            .map_err(|error| wrap(error.wrap("not a valid directory")))?;
        if !self.files.get().is_dir(&resolved) {
            return Err(wrap(BuildError::new(format!(
                "'{shown}': file is not directory"
            ))));
        }
        Ok(resolved)
    }

    fn join(&self, path: &str) -> PathBuf {
        clean(&self.root.join(path))
    }

    /// The full path of a file of this kustomization, with the repository if it is in another one.
    pub(crate) fn full_path(&self, path: &str) -> String {
        let full = self.join(path);
        match &self.repository {
            Some(repository) => format!("{}/{}", repository.url, full.display()),
            None => full.display().to_string(),
        }
    }

    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        self.files.get().is_dir(path)
    }

    /// Notes that something outside of the tree is read.
    pub(crate) fn note_remote(&self) {
        self.recorder.remote();
    }

    /// Notes everything in and below a folder, which is read by others.
    pub(crate) fn note_below(&self, folder: &Path) {
        const MAX_DEPTH: usize = 50;
        let mut pending = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = pending.pop() {
            let fs = self.files.get();
            let Ok(entries) = fs.entries(&folder) else {
                continue;
            };
            if self.notes.0.is_some() {
                self.recorder.listing(&folder, &entries);
            }
            for (name, kind) in entries {
                let path = folder.join(name);
                if kind == EntryKind::Folder && depth < MAX_DEPTH {
                    pending.push((path, depth + 1));
                } else if let Ok(content) = fs.read(&path) {
                    self.notes.read(fs, &path, &content);
                }
            }
        }
    }

    /// The content of a file.
    pub(crate) fn load(&self, path: &str) -> Result<Arc<[u8]>> {
        if path.starts_with("http://") || path.starts_with("https://") {
            return self.load_remote(path);
        }
        let full = self.join(path);
        let shown = full.display().to_string();
        let readable = match self.restrictor {
            LoadRestrictor::None if self.boundary.is_none() => full,
            LoadRestrictor::None => {
                let resolved = self.files.get().resolve(&full).map_err(|error| {
                    self.notes.missing(&full);
                    let text = if error.kind() == std::io::ErrorKind::NotFound {
                        "no such file or directory".to_owned()
                    } else {
                        errno_text(&error)
                    };
                    BuildError::new(format!("open {shown}: {text}"))
                })?;
                self.notes.resolved(&full, &resolved);
                if let Some(boundary) = &self.boundary
                    && !resolved.starts_with(&**boundary)
                {
                    return Err(outside("read", &shown, boundary));
                }
                full
            }
            LoadRestrictor::RootOnly => {
                let resolved = self.resolve(&full, &shown)?;
                if self.files.get().is_dir(&resolved) {
                    return Err(BuildError::new(format!("'{shown}' must resolve to a file")));
                }
                let parent = resolved.parent().unwrap_or(&resolved);
                if !parent.starts_with(&self.root) {
                    return Err(BuildError::new(format!(
                        "security; file '{shown}' is not in or below '{}'",
                        self.root.display()
                    )));
                }
                resolved
            }
        };
        if self.files.get().is_dir(&readable) {
            self.notes.folder(&readable);
            return Err(BuildError::new(format!("read {shown}: is a directory")));
        }
        match self.files.get().read(&readable) {
            Ok(content) => {
                self.notes.read(self.files.get(), &readable, &content);
                Ok(content)
            }
            Err(error) => {
                self.notes.missing(&readable);
                Err(BuildError::new(format!(
                    "open {shown}: {}",
                    errno_text(&error)
                )))
            }
        }
    }

    fn load_remote(&self, url: &str) -> Result<Arc<[u8]>> {
        let Some(remote) = self.remote else {
            return Err(BuildError::new(format!(
                "remote resources are not allowed: {url}"
            )));
        };
        self.recorder.remote();
        remote
            .file(url)
            .map(Into::into)
            .map_err(|error| match error {
                FetchFileError::Status(_) if Repository::parse(url).is_some() => {
                    BuildError::new("URL is a git repository")
                }
                FetchFileError::Status(status) => {
                    let mut error = BuildError::new(format!("HTTP Error: status code {status}"));
                    error.final_word = true;
                    error
                }
                FetchFileError::Other(text) => BuildError::new(text),
            })
    }

    /// A loader for the kustomization at `path`.
    pub(crate) fn enter(&self, path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err("new root cannot be empty".into());
        }
        if let Some(repository) = Repository::parse(path) {
            return self.enter_remote(repository);
        }
        if path.starts_with('/') {
            return Err(BuildError::new(format!(
                "new root '{path}' cannot be absolute"
            )));
        }
        if self.strict_paths && has_dots_inside(path) {
            let cleaned = clean_relative(path);
            return Err(BuildError::new(format!(
                "path \"{path}\" is ambiguous: resolves to \"{cleaned}\" after normalization, which is likely not the intended target; check for YAML indentation errors in your kustomization file"
            )));
        }
        let full = self.join(path);
        let root = self.folder(&full, &full.display().to_string())?;
        self.refuse_cycle(&root)?;
        Ok(self.at(root))
    }

    fn at(&self, root: PathBuf) -> Self {
        Self {
            root,
            referrers: Some(Arc::new(Referrer {
                root: self.root.clone(),
                repository: self.repository.clone(),
                before: self.referrers.clone(),
            })),
            ..self.clone()
        }
    }

    fn enter_remote(&self, repository: Repository) -> Result<Self> {
        self.refuse_repository_cycle(&repository)?;
        let Some(remote) = self.remote else {
            return Err(BuildError::new(format!(
                "remote bases are not allowed: {}",
                repository.raw
            )));
        };
        self.recorder.remote();
        let files = remote.base(&repository).map_err(BuildError::new)?;
        let wanted = clean(&Path::new("/").join(&repository.path));
        let shown = wanted.display();
        let root = files.resolve(&wanted).map_err(|error| {
            BuildError::new(format!("evalsymlink failure on '{shown}' : {error}"))
        })?;
        if !files.is_dir(&root) {
            let file = root.file_name().unwrap_or_default().display();
            return Err(BuildError::new(format!(
                "'{shown}' refers to file '{file}'; expecting directory"
            )));
        }
        let entered = self.at(root);
        Ok(Self {
            files: Files::Remote(files),
            notes: Notes(None),
            restrictor: LoadRestrictor::RootOnly,
            boundary: Some(Arc::new(PathBuf::from("/"))),
            repository: Some(Arc::new(repository)),
            ..entered
        })
    }

    fn refuse_repository_cycle(&self, candidate: &Repository) -> Result<()> {
        let mut visited = Some((&self.repository, &self.referrers));
        while let Some((repository, before)) = visited {
            if let Some(repository) = repository
                && repository.raw.starts_with(&candidate.raw)
            {
                return Err(BuildError::new(format!(
                    "cycle detected: URI '{}' referenced by previous URI '{}'",
                    candidate.raw, repository.raw
                )));
            }
            visited = before
                .as_ref()
                .map(|referrer| (&referrer.repository, &referrer.before));
        }
        Ok(())
    }

    fn refuse_cycle(&self, candidate: &Path) -> Result<()> {
        let here = self.repository.as_ref().map(|repository| &repository.raw);
        let mut visited = Some((&self.root, &self.repository, &self.referrers));
        while let Some((root, repository, before)) = visited {
            let is_same_tree = repository.as_ref().map(|repository| &repository.raw) == here;
            if is_same_tree && root.starts_with(candidate) {
                return Err(BuildError::new(format!(
                    "cycle detected: candidate root '{}' contains visited root '{}'",
                    candidate.display(),
                    root.display()
                )));
            }
            visited = before
                .as_ref()
                .map(|referrer| (&referrer.root, &referrer.repository, &referrer.before));
        }
        Ok(())
    }
}

/// In the words of Flux's secure file system.
fn outside(operation: &str, path: &str, boundary: &Path) -> BuildError {
    BuildError::new(format!(
        "fs-security-constraint {operation} {path}: path '{path}' is not in or below '{}'",
        boundary.display()
    ))
}

/// Whether a part of the path holds `..` without being it: two list items run together by a wrong indent.
fn has_dots_inside(path: &str) -> bool {
    path.split('/')
        .any(|part| part != ".." && part.contains(".."))
}

/// Go's `filepath.Clean` for a relative path.
pub(crate) fn clean_relative(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return ".".to_owned();
    }
    parts.join("/")
}

/// Joins two relative paths as Go's `filepath.Join` does.
pub(crate) fn join_relative(base: &str, path: &str) -> String {
    if base.is_empty() {
        return clean_relative(path);
    }
    clean_relative(&format!("{base}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_joined_as_in_go() {
        assert_eq!(join_relative("a/b", "../c"), "a/c");
        assert_eq!(join_relative("", "./x"), "x");
        assert_eq!(join_relative("a", ".."), ".");
        assert_eq!(join_relative("", "../x"), "../x");
    }
}
