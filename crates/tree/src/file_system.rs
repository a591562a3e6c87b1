//! The file systems that builds read.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::ContentId;

/// What stands at a name of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, or what is neither file nor folder.
    Link,
}

/// A tree of files. Paths are absolute.
pub trait FileSystem: Sync {
    /// The content of a file; links are followed.
    ///
    /// # Errors
    /// No such file, or not readable.
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>>;

    /// Whether `path` is a folder; links are followed.
    fn is_dir(&self, path: &Path) -> bool;

    /// The path without links, `.` and `..`.
    ///
    /// # Errors
    /// The first part that is missing.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// No such folder, or not readable.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// The names in a folder, sorted, with what stands there; links are not followed.
    ///
    /// # Errors
    /// No such folder, or not readable.
    fn entries(&self, path: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        let kind = |name: &str| {
            let full = path.join(name);
            match self.resolve(&full) {
                Ok(resolved) if resolved.file_name() != full.file_name() => EntryKind::Link,
                _ if self.is_dir(&full) => EntryKind::Folder,
                _ => EntryKind::File,
            }
        };
        let names = self.list(path)?.into_iter();
        Ok(names
            .map(|name| {
                let kind = kind(&name);
                (name, kind)
            })
            .collect())
    }

    /// What the content of the file is known by, where that takes no reading; links are followed.
    fn content_id(&self, _path: &Path) -> Option<ContentId> {
        None
    }
}

/// The disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

/// The largest file that is read.
const MAX_FILE: u64 = 256 << 20;

impl FileSystem for Disk {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let metadata = std::fs::metadata(path)?;
        if metadata.len() > MAX_FILE {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "file is too large",
            ));
        }
        Ok(std::fs::read(path)?.into())
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        match path.canonicalize() {
            Ok(resolved) => Ok(resolved),
            Err(error) => Err(first_missing(path).unwrap_or(error)),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn entries(&self, path: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let kind = if kind.is_dir() {
                EntryKind::Folder
            } else if kind.is_file() {
                EntryKind::File
            } else {
                EntryKind::Link
            };
            entries.push((entry.file_name().to_string_lossy().into_owned(), kind));
        }
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(entries)
    }
}

/// Names the first part of a path that cannot be entered, as Go's `EvalSymlinks` does.
fn first_missing(path: &Path) -> Option<io::Error> {
    let mut sofar = PathBuf::new();
    for part in path.components() {
        sofar.push(part);
        if let Err(error) = std::fs::symlink_metadata(&sofar) {
            return Some(io::Error::new(
                error.kind(),
                format!("lstat {}: {}", sofar.display(), errno_text(&error)),
            ));
        }
        if std::fs::metadata(&sofar).is_err() {
            let target = std::fs::read_link(&sofar).ok()?;
            let target = clean(&sofar.parent()?.join(target));
            let error = std::fs::symlink_metadata(&target).err()?;
            return first_missing(&target).or(Some(error));
        }
    }
    None
}

/// The system's words for an error, as Go prints them.
pub fn errno_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}

/// Go's `filepath.Clean` for an absolute path.
pub fn clean(path: &Path) -> PathBuf {
    let mut result = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => result.push(name),
            Component::ParentDir => {
                result.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    result
}

/// A tree in memory, without links.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<PathBuf, Arc<[u8]>>,
}

impl Memory {
    /// Sets the content of a file; its folders come into being with it.
    pub fn insert(&mut self, path: impl AsRef<Path>, content: impl Into<Arc<[u8]>>) {
        self.files
            .insert(clean(&Path::new("/").join(path)), content.into());
    }

    /// Removes a file.
    pub fn remove(&mut self, path: impl AsRef<Path>) -> Option<Arc<[u8]>> {
        self.files.remove(&clean(&Path::new("/").join(path)))
    }

    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }
}

impl FileSystem for Memory {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        self.files
            .get(&clean(path))
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn is_dir(&self, path: &Path) -> bool {
        let path = clean(path);
        let mut below = self.files.range(path.clone()..);
        below.any(|(file, _)| file.starts_with(&path) && *file != path)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let path = clean(path);
        if self.files.contains_key(&path) || self.is_dir(&path) {
            return Ok(path);
        }
        let mut sofar = PathBuf::from("/");
        for part in path.components().skip(1) {
            sofar.push(part);
            if !self.files.contains_key(&sofar) && !self.is_dir(&sofar) {
                break;
            }
        }
        let message = format!("lstat {}: no such file or directory", sofar.display());
        Err(io::Error::new(io::ErrorKind::NotFound, message))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let path = clean(path);
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(&path).ok())
            .filter_map(|rest| rest.components().next())
            .map(|name| name.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.dedup();
        Ok(names)
    }
}
