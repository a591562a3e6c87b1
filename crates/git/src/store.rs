//! One generation of an object store, and what is known of it.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::Find as _;
use parking_lot::Mutex;

use crate::GitError;
use crate::object::{Commit, Tag};
use crate::protocol::parse_id;

/// The file with the commits that are here whole.
const STATE: &str = "state";
/// So many commits are told to the server, and kept.
const MAX_TIPS: usize = 16;

/// One generation of the store. Trees hold it; once it is retired and the last is gone, so are its files.
pub(crate) struct Store {
    folder: PathBuf,
    pub(crate) is_retired: std::sync::atomic::AtomicBool,
    pub(crate) handle: Mutex<gix_odb::HandleArc>,
    pub(crate) state: Mutex<State>,
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.is_retired.load(std::sync::atomic::Ordering::Relaxed) {
            drop(std::fs::remove_dir_all(&self.folder));
            // The folder of the mirror, if this was the last in it.
            drop(self.folder.parent().map(std::fs::remove_dir));
        }
    }
}

/// What is here: `tip <id>` and `shallow <id>` lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) tips: Vec<ObjectId>,
    pub(crate) shallow: BTreeSet<ObjectId>,
}

impl State {
    fn read(path: &Path) -> Self {
        let mut state = Self::default();
        // Without it, or where it is broken, everything is fetched again.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for line in text.lines() {
            match line.split_once(' ').map(|(key, id)| (key, parse_id(id))) {
                Some(("tip", Ok(id))) => state.tips.push(id),
                Some(("shallow", Ok(id))) => drop(state.shallow.insert(id)),
                _ => return Self::default(),
            }
        }
        state
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = String::new();
        for id in &self.tips {
            text.push_str(&format!("tip {id}\n"));
        }
        for id in &self.shallow {
            text.push_str(&format!("shallow {id}\n"));
        }
        let temporary = path.with_extension("tmp");
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(temporary, path)
    }
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Result<Arc<Self>, GitError> {
        std::fs::create_dir_all(folder.join("objects/pack")).map_err(GitError::Store)?;
        let mut handle = gix_odb::at(folder.join("objects"), gix_hash::Kind::Sha1)
            .and_then(gix_odb::Handle::into_arc)
            .map_err(GitError::Store)?;
        // Neighbours in a pack are often made from each other.
        handle.set_pack_cache(|| Box::new(gix_pack::cache::lru::StaticLinkedList::<64>::default()));
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            is_retired: false.into(),
            handle: Mutex::new(handle),
            state: Mutex::new(State::read(&folder.join(STATE))),
        }))
    }

    pub(crate) fn packs(&self) -> PathBuf {
        self.folder.join("objects/pack")
    }

    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        gix_object::Exists::exists(&*self.handle.lock(), id)
    }

    pub(crate) fn object(
        &self,
        id: &ObjectId,
        kind: gix_object::Kind,
    ) -> Result<Vec<u8>, GitError> {
        let mut buffer = Vec::new();
        let found = self
            .handle
            .lock()
            .try_find(id, &mut buffer)
            .map_err(|error| GitError::Pack(error.to_string()))?;
        match found.map(|data| data.kind) {
            None => Err(GitError::ObjectNotFound),
            Some(found) if found != kind => {
                Err(GitError::Malformed("object: it is of another kind"))
            }
            Some(_) => Ok(buffer),
        }
    }

    pub(crate) fn content(&self, id: &ObjectId) -> io::Result<Arc<[u8]>> {
        match self.object(id, gix_object::Kind::Blob) {
            Ok(content) => Ok(content.into()),
            Err(GitError::ObjectNotFound) => Err(io::ErrorKind::NotFound.into()),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }

    pub(crate) fn kind(&self, id: &ObjectId) -> Result<gix_object::Kind, GitError> {
        let mut buffer = Vec::new();
        let found = self
            .handle
            .lock()
            .try_find(id, &mut buffer)
            .map_err(|error| GitError::Pack(error.to_string()))?;
        found.map(|data| data.kind).ok_or(GitError::ObjectNotFound)
    }

    pub(crate) fn commit(&self, id: ObjectId) -> Result<Commit, GitError> {
        Commit::parse(id, &self.object(&id, gix_object::Kind::Commit)?)
    }

    /// The commit that `id` leads to, with the first tag on the way there.
    pub(crate) fn peel(&self, id: ObjectId) -> Result<(ObjectId, Option<Tag>), GitError> {
        let (mut id, mut first) = (id, None);
        for _ in 0..10 {
            match self.kind(&id)? {
                gix_object::Kind::Commit => return Ok((id, first)),
                gix_object::Kind::Tag => {
                    let (tag, target) = Tag::parse(id, &self.object(&id, gix_object::Kind::Tag)?)?;
                    first.get_or_insert(tag);
                    id = target;
                }
                _ => break,
            }
        }
        Err(GitError::Malformed("tag: it leads to no commit"))
    }

    /// Whether `id` is in the history of one of `heads`.
    pub(crate) fn is_reachable(
        &self,
        id: ObjectId,
        heads: Vec<ObjectId>,
    ) -> Result<bool, GitError> {
        let mut seen: std::collections::HashSet<ObjectId> = heads.iter().copied().collect();
        let mut pending = heads;
        while let Some(next) = pending.pop() {
            if next == id {
                return Ok(true);
            }
            let raw = match self.object(&next, gix_object::Kind::Commit) {
                Ok(raw) => raw,
                // Beyond the edge of what the server gave.
                Err(GitError::ObjectNotFound) => continue,
                Err(error) => return Err(error),
            };
            let commit = Commit::parse(next, &raw)?;
            pending.extend(
                commit
                    .parents
                    .into_iter()
                    .filter(|parent| seen.insert(*parent)),
            );
        }
        Ok(false)
    }

    pub(crate) fn count_packs(&self) -> usize {
        let entries = std::fs::read_dir(self.packs())
            .into_iter()
            .flatten()
            .flatten();
        entries
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "pack")
            })
            .count()
    }

    /// Notes that `tips` are here with all they need.
    pub(crate) fn remember(
        &self,
        tips: &[ObjectId],
        shallow: crate::protocol::Shallow,
        is_whole: bool,
    ) -> Result<(), GitError> {
        let mut state = self.state.lock();
        state.shallow.extend(shallow.added);
        for id in shallow.removed {
            state.shallow.remove(&id);
        }
        if is_whole {
            for tip in tips {
                state.tips.retain(|known| known != tip);
                state.tips.insert(0, *tip);
            }
            state.tips.truncate(MAX_TIPS);
        }
        state
            .write(&self.folder.join(STATE))
            .map_err(GitError::Store)
    }
}
