//! What a build read, and whether it still holds for another tree.

mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use ::tree::{ContentId, EntryKind, FileSystem};

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A file, with what its content is known by: the tree's own id, or a SHA-256.
    File(ContentId),
    /// A folder that was taken for a possible file, or entered.
    Folder,
    /// A folder whose entries count, with a SHA-256 of their names and kinds.
    Listing([u8; 32]),
    /// Nothing.
    Missing,
}

impl Seen {
    /// Whether the same would be found at `path` in `fs`.
    fn holds_for(&self, fs: &dyn FileSystem, path: &Path) -> bool {
        match self {
            Self::File(id) => is_same(fs, path, id),
            Self::Folder => fs.is_dir(path),
            Self::Listing(digest) => listing(fs, path).is_some_and(|found| found == *digest),
            Self::Missing => {
                !fs.is_dir(path) && fs.content_id(path).is_none() && fs.read(path).is_err()
            }
        }
    }
}

/// The paths that a build looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    seen: BTreeMap<PathBuf, Seen>,
    /// Paths that lead through links, with where they led.
    links: BTreeMap<PathBuf, PathBuf>,
    /// Whether something outside of the tree was read.
    remote: bool,
}

impl Reads {
    /// Each path with what was found there.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Seen)> {
        self.seen.iter().map(|(path, seen)| (path.as_path(), seen))
    }

    /// Whether the build fetched something, so that no tree can tell whether it still holds.
    pub fn are_remote(&self) -> bool {
        self.remote
    }

    /// Whether a build of `fs` would read the same. Parses nothing, and reads no file whose tree knows
    /// what it holds ([`FileSystem::content_id`]).
    pub fn hold_for(&self, fs: &dyn FileSystem) -> bool {
        !self.remote
            && self.links_hold_for(fs)
            && self
                .seen
                .iter()
                .all(|(path, seen)| seen.holds_for(fs, path))
    }

    fn links_hold_for(&self, fs: &dyn FileSystem) -> bool {
        self.links
            .iter()
            .all(|(path, target)| fs.resolve(path).is_ok_and(|found| found == *target))
    }

    /// Whether none of `changed` is a path that the build looked at: the question to ask of a commit.
    ///
    /// A path counts as looked at also when it is below or above one that was.
    pub fn are_untouched_by<'a>(&self, changed: impl IntoIterator<Item = &'a Path>) -> bool {
        let touches = |path: &Path| {
            let above = path.ancestors().any(|above| self.seen.contains_key(above));
            let below = self
                .seen
                .range(path.to_owned()..)
                .next()
                .is_some_and(|(seen, _)| seen.starts_with(path));
            above || below || self.touches_link(path)
        };
        !self.remote && !changed.into_iter().any(touches)
    }

    fn touches_link(&self, path: &Path) -> bool {
        self.links
            .keys()
            .any(|link| link.starts_with(path) || path.starts_with(link))
    }

    /// Adds what another part of the work read.
    pub(crate) fn extend(&mut self, other: Self) {
        for (path, seen) in other.seen {
            self.note(path, seen);
        }
        self.links.extend(other.links);
        self.remote |= other.remote;
    }

    /// Replaces what was seen of the paths that `overlaid` names by what `fs` has there.
    pub(crate) fn see_below<'a>(
        &mut self,
        overlaid: impl Iterator<Item = &'a PathBuf>,
        fs: &dyn FileSystem,
    ) {
        for path in overlaid {
            if self.seen.remove(path).is_some() {
                let seen = match fs.read(path) {
                    Ok(content) => Seen::File(id_of(fs, path, &content)),
                    Err(_) => Seen::Missing,
                };
                self.seen.insert(path.clone(), seen);
            }
        }
    }

    fn note(&mut self, path: PathBuf, seen: Seen) {
        // A listing says more than that there is a folder.
        if seen == Seen::Folder && matches!(self.seen.get(&path), Some(Seen::Listing(_))) {
            return;
        }
        self.seen.insert(path, seen);
    }
}

fn is_same(fs: &dyn FileSystem, path: &Path, id: &ContentId) -> bool {
    let is_git = |id: &ContentId| id.as_git_sha1().is_some();
    match fs.content_id(path) {
        Some(found) if found == *id => true,
        Some(found) if is_git(&found) == is_git(id) => false,
        _ => {
            !is_git(id)
                && fs
                    .read(path)
                    .is_ok_and(|content| sha256_id(&content) == *id)
        }
    }
}

fn sha256_id(content: &[u8]) -> ContentId {
    ContentId::sha256(Sha256::digest(content).into())
}

fn id_of(fs: &dyn FileSystem, path: &Path, content: &[u8]) -> ContentId {
    fs.content_id(path).unwrap_or_else(|| sha256_id(content))
}

fn listing(fs: &dyn FileSystem, path: &Path) -> Option<[u8; 32]> {
    Some(digest_entries(&fs.entries(path).ok()?))
}

fn digest_entries(entries: &[(String, EntryKind)]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for (name, kind) in entries {
        hash_entry(&mut hasher, name, *kind);
    }
    hasher.finalize().into()
}

fn hash_entry(hasher: &mut Sha256, name: &str, kind: EntryKind) {
    hasher.update(name.as_bytes());
    hasher.update(match kind {
        EntryKind::File => b"\0f",
        EntryKind::Folder => b"\0d",
        EntryKind::Link => b"\0l",
    });
}

/// Collects [`Reads`] while a build goes on.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    reads: Mutex<Reads>,
}

impl Recorder {
    fn with(&self, change: impl FnOnce(&mut Reads)) {
        change(&mut self.reads.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn read(&self, fs: &dyn FileSystem, path: &Path, content: &[u8]) {
        let seen = Seen::File(id_of(fs, path, content));
        self.with(|reads| reads.note(path.to_owned(), seen));
    }

    pub(crate) fn folder(&self, path: &Path) {
        self.with(|reads| reads.note(path.to_owned(), Seen::Folder));
    }

    pub(crate) fn listing(&self, path: &Path, entries: &[(String, EntryKind)]) {
        let seen = Seen::Listing(digest_entries(entries));
        self.with(|reads| reads.note(path.to_owned(), seen));
    }

    pub(crate) fn missing(&self, path: &Path) {
        self.with(|reads| reads.note(path.to_owned(), Seen::Missing));
    }

    /// Notes where a path led that is not the path itself.
    pub(crate) fn resolved(&self, path: &Path, target: &Path) {
        if path != target {
            self.with(|reads| {
                reads.links.insert(path.to_owned(), target.to_owned());
            });
        }
    }

    pub(crate) fn remote(&self) {
        self.with(|reads| reads.remote = true);
    }

    pub(crate) fn into_reads(self) -> Reads {
        self.reads
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
