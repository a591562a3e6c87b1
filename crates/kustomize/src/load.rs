//! Loading files and bases for one kustomization: restrictions, cycles, recording.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{BuildError, Result};
use crate::memo::Recorder;
use tree::{FileSystem, clean, errno_text};

/// Where files may be loaded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadRestrictor {
    /// From the folder of the kustomization and below it.
    #[default]
    RootOnly,
    /// From anywhere.
    None,
}

/// Fetches what is not in the tree.
pub trait FetchRemote: Sync {
    /// The content behind an HTTP URL.
    ///
    /// # Errors
    /// A text for the message.
    fn file(&self, url: &str) -> std::result::Result<Vec<u8>, String>;

    /// A folder of the file system that holds the checkout of a Git URL.
    ///
    /// # Errors
    /// A text for the message.
    fn base(&self, url: &str) -> std::result::Result<PathBuf, String>;
}

/// Loads for one kustomization.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    fs: &'a dyn FileSystem,
    recorder: &'a Recorder,
    remote: Option<&'a dyn FetchRemote>,
    restrictor: LoadRestrictor,
    /// No file or base may be outside of it.
    boundary: Option<Arc<PathBuf>>,
    root: PathBuf,
    /// The roots of the kustomizations that led here.
    referrers: Option<Arc<Referrer>>,
    strict_paths: bool,
}

struct Referrer {
    root: PathBuf,
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
            fs: settings.fs,
            recorder: settings.recorder,
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
        let resolved = self.fs.resolve(path).map_err(|error| {
            self.recorder.missing(path);
            let text = error.to_string();
            let text = if text.starts_with("lstat ") {
                text
            } else {
                format!("lstat {}: {}", path.display(), errno_text(&error))
            };
            BuildError::new(format!("evalsymlink failure on '{shown}' : {text}"))
        })?;
        self.recorder.resolved(path, &resolved);
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
        if !self.fs.is_dir(&resolved) {
            return Err(wrap(BuildError::new(format!(
                "'{shown}': file is not directory"
            ))));
        }
        Ok(resolved)
    }

    fn join(&self, path: &str) -> PathBuf {
        clean(&self.root.join(path))
    }

    /// The full path of a file of this kustomization.
    pub(crate) fn full_path(&self, path: &str) -> String {
        self.join(path).display().to_string()
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
                let resolved = self.fs.resolve(&full).map_err(|error| {
                    self.recorder.missing(&full);
                    let text = if error.kind() == std::io::ErrorKind::NotFound {
                        "no such file or directory".to_owned()
                    } else {
                        errno_text(&error)
                    };
                    BuildError::new(format!("open {shown}: {text}"))
                })?;
                self.recorder.resolved(&full, &resolved);
                if let Some(boundary) = &self.boundary
                    && !resolved.starts_with(&**boundary)
                {
                    return Err(outside("read", &shown, boundary));
                }
                full
            }
            LoadRestrictor::RootOnly => {
                let resolved = self.resolve(&full, &shown)?;
                if self.fs.is_dir(&resolved) {
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
        if self.fs.is_dir(&readable) {
            self.recorder.folder(&readable);
            return Err(BuildError::new(format!("read {shown}: is a directory")));
        }
        match self.fs.read(&readable) {
            Ok(content) => {
                self.recorder.read(self.fs, &readable, &content);
                Ok(content)
            }
            Err(error) => {
                self.recorder.missing(&readable);
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
        remote.file(url).map(Into::into).map_err(BuildError::new)
    }

    /// A loader for the kustomization at `path`.
    pub(crate) fn enter(&self, path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err("new root cannot be empty".into());
        }
        if is_repository_url(path) {
            return self.enter_remote(path);
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
                before: self.referrers.clone(),
            })),
            ..self.clone()
        }
    }

    fn enter_remote(&self, url: &str) -> Result<Self> {
        let Some(remote) = self.remote else {
            return Err(BuildError::new(format!(
                "remote bases are not allowed: {url}"
            )));
        };
        self.recorder.remote();
        let root = remote.base(url).map_err(BuildError::new)?;
        let entered = self.at(root);
        Ok(Self {
            restrictor: LoadRestrictor::RootOnly,
            ..entered
        })
    }

    fn refuse_cycle(&self, candidate: &Path) -> Result<()> {
        let mut visited = Some((&self.root, &self.referrers));
        while let Some((root, before)) = visited {
            if root.starts_with(candidate) {
                return Err(BuildError::new(format!(
                    "cycle detected: candidate root '{}' contains visited root '{}'",
                    candidate.display(),
                    root.display()
                )));
            }
            visited = before
                .as_ref()
                .map(|referrer| (&referrer.root, &referrer.before));
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
fn clean_relative(path: &str) -> String {
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

/// Whether kustomize would clone it (`git.NewRepoSpecFromURL`).
pub(crate) fn is_repository_url(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let rest = lower.strip_prefix("git::").unwrap_or(&lower);
    if path.starts_with('/') {
        return false;
    }
    let rest = rest.split('?').next().unwrap_or(rest);
    let schemes = ["ssh://", "https://", "http://", "file://"];
    let scheme = schemes.into_iter().find(|scheme| rest.starts_with(scheme));
    let rest = scheme.map_or(rest, |scheme| &rest[scheme.len()..]);
    let (user, rest) = match rest.split_once('@') {
        Some((user, tail)) if is_user(user) => (Some(user), tail),
        _ => (None, rest),
    };
    let github = rest.starts_with("github.com/") || rest.starts_with("github.com:");
    let scp = scheme.is_none() && (user.is_some() || github);
    if scheme.is_none() && !scp {
        return false;
    }
    if scheme == Some("file://") {
        return !rest.is_empty();
    }
    let slash = rest.find('/');
    let colon = rest
        .find(':')
        .filter(|colon| scp && *colon > 0 && slash.is_none_or(|slash| *colon < slash));
    let Some(separator) = colon.or(slash) else {
        return false;
    };
    let repository = &rest[separator + 1..];
    let marked =
        repository.contains("_git/") || repository.contains("//") || repository.contains(".git");
    let (path, found) = if marked {
        (repository, true)
    } else {
        (repository, repository.contains('/'))
    };
    found && !path.is_empty()
}

fn is_user(user: &str) -> bool {
    user.starts_with(|c: char| c.is_ascii_alphabetic())
        && user
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_urls_are_told_from_paths() {
        for (path, expected) in [
            ("github.com/org/repo", true),
            ("https://example.com/org/repo//path?ref=x", true),
            ("git@github.com:org/repo.git", true),
            ("../base", false),
            ("org/repo", false),
            ("https://example.com/file.yaml", false),
        ] {
            assert_eq!(is_repository_url(path), expected, "{path}");
        }
    }

    #[test]
    fn relative_paths_are_joined_as_in_go() {
        assert_eq!(join_relative("a/b", "../c"), "a/c");
        assert_eq!(join_relative("", "./x"), "x");
        assert_eq!(join_relative("a", ".."), ".");
        assert_eq!(join_relative("", "../x"), "../x");
    }
}
