//! The tree of a commit as a list of what it holds.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::TreeRefIter;
use gix_object::tree::EntryKind;
use tree::{Blobs, ContentId, Entry, Tree};

use crate::store::Store;
use crate::{GitError, Limits};

/// The most folders in each other.
const MAX_DEPTH: usize = 200;
/// The longest target of a link.
const MAX_LINK: usize = 4096;

/// What a tree holds.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) entries: BTreeMap<PathBuf, Entry>,
    /// Where commits of other repositories belong.
    pub(crate) submodules: BTreeMap<PathBuf, ObjectId>,
}

/// Reads contents from an object store.
struct GitBlobs(Arc<Store>);

impl Blobs for GitBlobs {
    fn read(&self, id: &ContentId) -> io::Result<Arc<[u8]>> {
        let id = id.as_git_sha1().ok_or(io::ErrorKind::NotFound)?;
        self.0.content(&ObjectId::from(id))
    }
}

/// Lists the tree `root`, of which only what starts with one of `sparse` is wanted; everything where it is empty.
pub(crate) fn list(
    store: &Store,
    root: ObjectId,
    sparse: &[String],
    limits: &Limits,
) -> Result<Listing, GitError> {
    let mut walk = Walk {
        store,
        sparse,
        limits,
        listing: Listing::default(),
        count: 0,
    };
    walk.folder(root, Path::new(""), 0)?;
    Ok(walk.listing)
}

pub(crate) fn tree(store: &Arc<Store>, listing: Listing) -> Tree {
    Tree::new(listing.entries, Arc::new(GitBlobs(Arc::clone(store))))
}

struct Walk<'a> {
    store: &'a Store,
    sparse: &'a [String],
    limits: &'a Limits,
    listing: Listing,
    count: usize,
}

impl Walk<'_> {
    fn folder(&mut self, id: ObjectId, above: &Path, depth: usize) -> Result<(), GitError> {
        if depth > MAX_DEPTH {
            return Err(GitError::TooLarge {
                what: "folders in each other",
                limit: MAX_DEPTH as u64,
            });
        }
        let raw = self.store.object(&id, gix_object::Kind::Tree)?;
        for entry in TreeRefIter::from_bytes(&raw, gix_hash::Kind::Sha1) {
            let entry = entry.map_err(|_| GitError::Malformed("tree"))?;
            self.count += 1;
            if self.count > self.limits.entries {
                return Err(GitError::TooLarge {
                    what: "files",
                    limit: self.limits.entries as u64,
                });
            }
            let name: &[u8] = entry.filename;
            let path = above.join(std::ffi::OsStr::from_bytes(name));
            check_name(name)
                .map_err(|()| GitError::InvalidPath(path.to_string_lossy().into_owned()))?;
            self.entry(entry.mode.kind(), entry.oid.to_owned(), path, depth)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        kind: EntryKind,
        id: ObjectId,
        path: PathBuf,
        depth: usize,
    ) -> Result<(), GitError> {
        if kind == EntryKind::Tree {
            // A folder is entered if something below it could start with a prefix.
            return if self.may_hold(&path) {
                self.folder(id, &path, depth + 1)
            } else {
                Ok(())
            };
        }
        if !self.is_wanted(&path) {
            return Ok(());
        }
        let entry = match kind {
            EntryKind::Commit => {
                self.listing.submodules.insert(path.clone(), id);
                Entry::Folder
            }
            EntryKind::Link => {
                let target = self.store.object(&id, gix_object::Kind::Blob)?;
                if target.is_empty() || target.len() > MAX_LINK || target.contains(&0) {
                    return Err(GitError::InvalidPath(path.to_string_lossy().into_owned()));
                }
                Entry::Link(PathBuf::from(std::ffi::OsStr::from_bytes(&target)))
            }
            EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Tree => {
                // What the server did not send is missed now, not when an artifact is half written.
                if !self.store.has(&id) {
                    return Err(GitError::ObjectNotFound);
                }
                let bytes: [u8; 20] = id
                    .as_slice()
                    .try_into()
                    .map_err(|_| GitError::Malformed("tree"))?;
                let executable = kind == EntryKind::BlobExecutable;
                Entry::File {
                    id: ContentId::git_sha1(bytes),
                    size: None,
                    executable,
                }
            }
        };
        self.listing.entries.insert(path, entry);
        Ok(())
    }

    // Source: go-git, `Index.SkipUnless`: a directory is wanted by the start of the path, not part by part.
    fn is_wanted(&self, path: &Path) -> bool {
        let path = path.to_string_lossy();
        self.sparse.is_empty()
            || self
                .sparse
                .iter()
                .any(|prefix| path.starts_with(prefix.as_str()))
    }

    fn may_hold(&self, path: &Path) -> bool {
        let path = format!("{}/", path.to_string_lossy());
        self.sparse.is_empty()
            || self
                .sparse
                .iter()
                .any(|prefix| path.starts_with(prefix.as_str()) || prefix.starts_with(&path))
    }
}

/// Names that would lie elsewhere, or be Git's own on some file system.
fn check_name(name: &[u8]) -> Result<(), ()> {
    let lower = name.to_ascii_lowercase();
    let is_bad = name.is_empty()
        || name == b"."
        || name == b".."
        || lower == b".git"
        || lower == b"git~1"
        || name.len() > 255
        || name.iter().any(|byte| matches!(byte, b'/' | b'\\' | 0));
    if is_bad { Err(()) } else { Ok(()) }
}
