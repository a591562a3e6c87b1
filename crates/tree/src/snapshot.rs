//! One immutable tree of files whose contents are read when they are asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{EntryKind, FileSystem, clean};

/// What a content is known by. Equal ids mean equal bytes; unequal ids of different algorithms mean nothing.
///
/// Shape: `<algorithm>:<hex>`, e.g. `git-sha1:…` (the object id of a Git blob) or `sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId(Arc<str>);

impl ContentId {
    /// `algorithm` and the hexadecimal digest.
    pub fn new(algorithm: &str, hex: impl fmt::Display) -> Self {
        Self(format!("{algorithm}:{hex}").into())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What stands at a path. Folders are not listed: they are where files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// What its content is known by.
        id: ContentId,
        /// Bytes, where the origin tells them without reading.
        size: Option<u64>,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link, with its target as it was written.
    Link(PathBuf),
}

/// Where contents are read from: a Git object store, an unpacked archive, memory.
pub trait Blobs: Send + Sync {
    /// The content known by `id`.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    fn read(&self, id: &ContentId) -> io::Result<Arc<[u8]>>;
}

/// An immutable tree of files.
///
/// Cheap to clone. Paths are relative to its root, without `.` and `..`; as a [`FileSystem`] the root is `/`.
#[derive(Clone)]
pub struct Tree {
    entries: Arc<BTreeMap<PathBuf, Entry>>,
    blobs: Arc<dyn Blobs>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tree({} entries)", self.entries.len())
    }
}

/// The largest number of links that are followed in one path, as Linux has it.
const MAX_LINKS: usize = 40;

impl Tree {
    /// A tree of `entries` with contents in `blobs`. Paths that are not plain relative ones are left out.
    pub fn new(entries: BTreeMap<PathBuf, Entry>, blobs: Arc<dyn Blobs>) -> Self {
        let entries = entries
            .into_iter()
            .filter(|(path, _)| is_plain(path))
            .collect();
        Self {
            entries: Arc::new(entries),
            blobs,
        }
    }

    /// All entries, sorted by path.
    pub fn entries(&self) -> impl Iterator<Item = (&Path, &Entry)> {
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_path(), entry))
    }

    /// What stands at the relative `path`; links are not followed.
    pub fn entry(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The tree without the entries that `keep` refuses.
    pub fn filtered(&self, mut keep: impl FnMut(&Path, &Entry) -> bool) -> Self {
        let kept = self
            .entries
            .iter()
            .filter(|(path, entry)| keep(path, entry));
        Self {
            entries: Arc::new(
                kept.map(|(path, entry)| (path.clone(), entry.clone()))
                    .collect(),
            ),
            blobs: Arc::clone(&self.blobs),
        }
    }

    /// The content of an entry that is a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn content(&self, id: &ContentId) -> io::Result<Arc<[u8]>> {
        self.blobs.read(id)
    }

    // Paths compare part by part, so what is below a folder follows it directly.
    fn is_folder(&self, relative: &Path) -> bool {
        relative.as_os_str().is_empty()
            || self
                .entries
                .range(relative.to_owned()..)
                .find(|(path, _)| path.as_path() != relative)
                .is_some_and(|(path, _)| path.starts_with(relative))
    }

    /// Follows links, part by part, and refuses those that lead out or in circles.
    fn follow(&self, path: &Path) -> io::Result<PathBuf> {
        let mut pending: Vec<std::ffi::OsString> = parts(path);
        pending.reverse();
        let mut done = PathBuf::new();
        let mut links = 0;
        while let Some(part) = pending.pop() {
            if part == ".." {
                if !done.pop() {
                    return Err(io::Error::new(
                        io::ErrorKind::PermissionDenied,
                        format!("{}: leads out of the tree", path.display()),
                    ));
                }
                continue;
            }
            let next = done.join(&part);
            match self.entries.get(&next) {
                Some(Entry::Link(target)) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(io::Error::other(format!(
                            "{}: too many links",
                            path.display()
                        )));
                    }
                    if target.is_absolute() {
                        return Err(io::Error::new(
                            io::ErrorKind::PermissionDenied,
                            format!("{}: leads out of the tree", path.display()),
                        ));
                    }
                    let mut followed = parts(target);
                    followed.reverse();
                    pending.extend(followed);
                }
                Some(Entry::File { .. }) if pending.is_empty() => done = next,
                Some(Entry::File { .. }) => {
                    return Err(io::Error::new(
                        io::ErrorKind::NotADirectory,
                        format!(
                            "lstat {}: not a directory",
                            Path::new("/").join(next).display()
                        ),
                    ));
                }
                None if self.is_folder(&next) => done = next,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::NotFound,
                        format!(
                            "lstat {}: no such file or directory",
                            Path::new("/").join(next).display()
                        ),
                    ));
                }
            }
        }
        Ok(done)
    }
}

fn is_plain(path: &Path) -> bool {
    !path.as_os_str().is_empty()
        && path
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn parts(path: &Path) -> Vec<std::ffi::OsString> {
    path.components()
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(name.to_owned()),
            std::path::Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

impl FileSystem for Tree {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let path = self.follow(path)?;
        match self.entries.get(&path) {
            Some(Entry::File { id, .. }) => self.blobs.read(id),
            _ => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        }
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.follow(path)
            .is_ok_and(|path| !self.entries.contains_key(&path))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(clean(&Path::new("/").join(self.follow(path)?)))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let folder = self.follow(path)?;
        if self.entries.contains_key(&folder) {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        let below = self.entries.range(folder.clone()..);
        let mut names: Vec<String> = below
            .take_while(|(path, _)| path.starts_with(&folder))
            .filter_map(|(path, _)| path.strip_prefix(&folder).ok())
            .filter_map(|rest| rest.components().next())
            .map(|name| name.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.dedup();
        Ok(names)
    }

    fn entries(&self, path: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        let folder = self.follow(path)?;
        let kind = |name: &str| match self.entries.get(&folder.join(name)) {
            Some(Entry::File { .. }) => EntryKind::File,
            Some(Entry::Link(_)) => EntryKind::Link,
            None => EntryKind::Folder,
        };
        let names = self.list(path)?.into_iter();
        Ok(names
            .map(|name| {
                let kind = kind(&name);
                (name, kind)
            })
            .collect())
    }

    fn content_id(&self, path: &Path) -> Option<ContentId> {
        match self.entries.get(&self.follow(path).ok()?) {
            Some(Entry::File { id, .. }) => Some(id.clone()),
            _ => None,
        }
    }
}
