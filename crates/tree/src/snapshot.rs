//! One immutable tree of files whose contents are read when they are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{ContentId, EntryKind, FileSystem, Ignore, clean};

/// What stands at a path. Only folders that nothing lies in have to be listed: the others are where files are.
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
    /// A folder, for the sake of one that is empty.
    Folder,
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

    /// All folders and files in the order of a walk (a folder before what lies in it, names sorted), without
    /// links. The root, which comes first, is the empty path.
    pub fn walk(&self) -> Vec<(&Path, &Entry)> {
        let mut walk: Vec<(&Path, &Entry)> = vec![(Path::new(""), &Entry::Folder)];
        let mut above: Option<&Path> = None;
        for (path, entry) in self.entries() {
            if matches!(entry, Entry::Link(_)) {
                continue;
            }
            let known = above.unwrap_or(Path::new(""));
            let mut folders: Vec<&Path> = path
                .ancestors()
                .skip(1)
                .take_while(|folder| !known.starts_with(folder))
                .collect();
            folders.reverse();
            walk.extend(folders.into_iter().map(|folder| (folder, &Entry::Folder)));
            walk.push((path, entry));
            above = Some(match entry {
                Entry::Folder => path,
                _ => path.parent().unwrap_or(Path::new("")),
            });
        }
        walk
    }

    /// The tree as its archive has it: without links and without what `ignore` leaves out. Folders stay,
    /// also where nothing is left in them.
    pub fn archived(&self, ignore: &Ignore) -> Self {
        let mut entries = BTreeMap::new();
        for (path, entry) in self.walk().into_iter().skip(1) {
            if !ignore.excludes(path, matches!(entry, Entry::Folder)) {
                entries.insert(path.to_owned(), entry.clone());
            }
        }
        let filled: BTreeSet<PathBuf> = entries
            .keys()
            .filter_map(|path| path.parent())
            .map(Path::to_owned)
            .collect();
        entries.retain(|path, entry| !matches!(entry, Entry::Folder) || !filled.contains(path));
        Self {
            entries: Arc::new(entries),
            blobs: Arc::clone(&self.blobs),
        }
    }

    /// This tree with `other` in the place of what is at `at`, a plain relative path, or over all of it
    /// where `at` is empty.
    ///
    /// # Errors
    /// `at` is not plain.
    pub fn with(&self, at: &Path, other: &Self) -> io::Result<Self> {
        if !at.as_os_str().is_empty() && !is_plain(at) {
            let text = format!("{} is not a path in the tree", at.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut entries: BTreeMap<PathBuf, Entry> = self
            .entries
            .iter()
            .filter(|(path, _)| !path.starts_with(at))
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        // A file or an empty folder that stood where a folder is now.
        for above in at.ancestors().skip(1) {
            entries.remove(above);
        }
        if other.entries.is_empty() && !at.as_os_str().is_empty() {
            entries.insert(at.to_owned(), Entry::Folder);
        }
        for (path, entry) in other.entries.iter() {
            entries.insert(at.join(path), entry.clone());
        }
        Ok(Self {
            entries: Arc::new(entries),
            blobs: Arc::new(Both(Arc::clone(&self.blobs), Arc::clone(&other.blobs))),
        })
    }

    /// This tree with the file at `from` in `other` at `at`.
    ///
    /// # Errors
    /// There is no file at `from`, or `at` is not plain.
    pub fn with_file(&self, at: &Path, other: &Self, from: &Path) -> io::Result<Self> {
        let file = other
            .entries
            .get(from)
            .filter(|entry| matches!(entry, Entry::File { .. }));
        let file = file.ok_or(io::ErrorKind::NotFound)?.clone();
        let (folder, name) = match (at.parent(), at.file_name()) {
            (Some(folder), Some(name)) => (folder, PathBuf::from(name)),
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let mut entries = self.below(folder).entries.as_ref().clone();
        entries.insert(name, file);
        let blobs = Both(Arc::clone(&self.blobs), Arc::clone(&other.blobs));
        self.with(
            folder,
            &Self {
                entries: Arc::new(entries),
                blobs: Arc::new(blobs),
            },
        )
    }

    /// What lies below the folder `at`, with paths relative to it; links are not followed.
    pub fn below(&self, at: &Path) -> Self {
        let below = self.entries.iter().filter_map(|(path, entry)| {
            let rest = path.strip_prefix(at).ok()?;
            (!rest.as_os_str().is_empty()).then(|| (rest.to_owned(), entry.clone()))
        });
        Self {
            entries: Arc::new(below.collect()),
            blobs: Arc::clone(&self.blobs),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The content of an entry that is a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn content(&self, id: &ContentId) -> io::Result<Arc<[u8]>> {
        self.blobs.read(id)
    }

    fn is_file(&self, relative: &Path) -> bool {
        matches!(self.entries.get(relative), Some(Entry::File { .. }))
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
                Some(Entry::Folder) => done = next,
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

/// The contents of two trees.
struct Both(Arc<dyn Blobs>, Arc<dyn Blobs>);

impl Blobs for Both {
    fn read(&self, id: &ContentId) -> io::Result<Arc<[u8]>> {
        match self.0.read(id) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.1.read(id),
            result => result,
        }
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
        self.follow(path).is_ok_and(|path| !self.is_file(&path))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(clean(&Path::new("/").join(self.follow(path)?)))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let folder = self.follow(path)?;
        if self.is_file(&folder) {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        let mut names = Vec::new();
        let mut from = Bound::Excluded(folder.clone());
        while let Some((path, _)) = self.entries.range((from, Bound::Unbounded)).next() {
            let Some(name) = path
                .strip_prefix(&folder)
                .ok()
                .and_then(|rest| rest.iter().next())
            else {
                break;
            };
            names.push(name.to_string_lossy().into_owned());
            // The least name that comes after this one and all that lies below it.
            let mut next = name.to_owned();
            next.push("\0");
            from = Bound::Included(folder.join(next));
        }
        Ok(names)
    }

    fn entries(&self, path: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        let folder = self.follow(path)?;
        let kind = |name: &str| match self.entries.get(&folder.join(name)) {
            Some(Entry::File { .. }) => EntryKind::File,
            Some(Entry::Link(_)) => EntryKind::Link,
            Some(Entry::Folder) | None => EntryKind::Folder,
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
            Some(Entry::File { id, .. }) => Some(*id),
            _ => None,
        }
    }
}
