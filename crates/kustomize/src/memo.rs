//! What a build read, and whether it still holds for another tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use tree::FileSystem;

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A file, with the SHA-256 of its content.
    File([u8; 32]),
    /// A folder that was taken for a possible file.
    Folder,
    /// Nothing.
    Missing,
}

/// The paths that a build looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    seen: BTreeMap<PathBuf, Seen>,
}

impl Reads {
    /// Each path with what was found there.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Seen)> {
        self.seen.iter().map(|(path, seen)| (path.as_path(), seen))
    }

    /// Whether a build of `fs` would read the same. Reads the files again, but parses nothing.
    pub fn hold_for(&self, fs: &dyn FileSystem) -> bool {
        self.seen.iter().all(|(path, seen)| match seen {
            Seen::File(digest) => fs
                .read(path)
                .is_ok_and(|content| Sha256::digest(&content)[..] == digest[..]),
            Seen::Folder => fs.is_dir(path),
            Seen::Missing => fs.read(path).is_err() && !fs.is_dir(path),
        })
    }

    /// Whether none of `changed` is a path that the build looked at: the question to ask of a commit.
    ///
    /// A path counts as looked at also when it is below or above one that was.
    pub fn are_untouched_by<'a>(&self, changed: impl IntoIterator<Item = &'a Path>) -> bool {
        changed.into_iter().all(|path| {
            let above = path.ancestors().any(|above| self.seen.contains_key(above));
            let below = self
                .seen
                .range(path.to_owned()..)
                .next()
                .is_some_and(|(seen, _)| seen.starts_with(path));
            !above && !below
        })
    }
}

/// Collects [`Reads`] while a build goes on.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    reads: Mutex<Reads>,
}

impl Recorder {
    fn note(&self, path: &Path, seen: Seen) {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.seen.insert(path.to_owned(), seen);
    }

    pub(crate) fn read(&self, path: &Path, content: &[u8]) {
        self.note(path, Seen::File(Sha256::digest(content).into()));
    }

    pub(crate) fn folder(&self, path: &Path) {
        self.note(path, Seen::Folder);
    }

    pub(crate) fn missing(&self, path: &Path) {
        self.note(path, Seen::Missing);
    }

    pub(crate) fn into_reads(self) -> Reads {
        self.reads
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
