//! A tree with some files in place of its own.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tree::{ContentId, EntryKind, FileSystem, clean};

pub(super) struct Overlay<'a> {
    base: &'a dyn FileSystem,
    files: BTreeMap<PathBuf, Arc<[u8]>>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(base: &'a dyn FileSystem) -> Self {
        Self {
            base,
            files: BTreeMap::new(),
        }
    }

    /// Puts a file over the one at `path`, a path without links.
    pub(super) fn insert(&mut self, path: PathBuf, content: Arc<[u8]>) {
        self.files.insert(path, content);
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.keys()
    }

    pub(super) fn has(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    fn own(&self, path: &Path) -> Option<&Arc<[u8]>> {
        if let Some(content) = self.files.get(&clean(path)) {
            return Some(content);
        }
        let resolved = self.base.resolve(path).ok()?;
        self.files.get(&resolved)
    }
}

impl FileSystem for Overlay<'_> {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        match self.own(path) {
            Some(content) => Ok(Arc::clone(content)),
            None => self.base.read(path),
        }
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.base.is_dir(path)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let cleaned = clean(path);
        if self.files.contains_key(&cleaned) {
            return Ok(cleaned);
        }
        self.base.resolve(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.base.list(path)
    }

    fn entries(&self, path: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        self.base.entries(path)
    }

    fn content_id(&self, path: &Path) -> Option<ContentId> {
        match self.own(path) {
            Some(_) => None,
            None => self.base.content_id(path),
        }
    }
}
