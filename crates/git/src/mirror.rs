//! A kept object store of one repository.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tree::Tree;

use crate::fetch::Fetch;
use crate::object::{Commit, Tag};
use crate::protocol::parse_id;
use crate::reference::{Reference, Revision};
use crate::store::Store;
use crate::{GitError, Remote, checkout};

/// So many packs are kept before the store is made anew.
const MAX_PACKS: usize = 40;

/// What a repository may be at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one pack.
    pub pack: u64,
    /// Bytes of one object.
    pub object: usize,
    /// Files, folders and links of a tree.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pack: 4 << 30,
            object: 256 << 20,
            entries: 1_000_000,
        }
    }
}

/// How to fetch.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The revision that is known: where the reference still leads there, nothing is fetched.
    pub last_observed: Option<String>,
    /// Only what starts with one of these; everything where it is empty.
    pub sparse: Vec<String>,
    /// Whether to put the trees of submodules in.
    pub submodules: bool,
    /// What the repository may be at most.
    pub limits: Limits,
}

/// What came of a fetch.
#[derive(Debug)]
pub enum Fetched {
    /// There is nothing in the repository, or not in the branch.
    Empty,
    /// The reference leads to the commit that is known.
    Unchanged(Revision),
    /// A commit with its tree.
    Commit(Box<Checkout>),
}

/// A commit with its tree.
#[derive(Debug)]
pub struct Checkout {
    /// The name.
    pub revision: Revision,
    /// The commit.
    pub commit: Commit,
    /// The tag it was found by.
    pub tag: Option<Tag>,
    /// The files. They are read from the object store when they are asked for.
    pub tree: Tree,
}

/// The object store of one repository, in a folder of its own that nothing else writes to.
pub struct Mirror {
    pub(crate) folder: PathBuf,
    pub(crate) current: Mutex<Arc<Store>>,
    // One fetch at a time: the state tells the server what is here.
    fetching: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Mirror({})", self.folder.display())
    }
}

impl Mirror {
    /// The store in `folder`, made if it is not there. Only one may be open at a time for a folder.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, GitError> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(GitError::Store)?;
        let mut generations: Vec<u64> = generations(&folder).map_err(GitError::Store)?;
        generations.sort_unstable();
        let current = generations.pop().unwrap_or(0);
        for old in generations {
            drop(std::fs::remove_dir_all(folder.join(old.to_string())));
        }
        let store = match Store::open(&folder.join(current.to_string())) {
            Ok(store) => store,
            Err(_) => Store::open(&folder.join((current + 1).to_string()))?,
        };
        Ok(Self {
            folder,
            current: Mutex::new(store),
            fetching: tokio::sync::Mutex::new(()),
        })
    }

    /// Gives the store up: its files go with the last tree that reads from them.
    pub fn retire(&self) {
        let current = self.current.lock();
        current
            .is_retired
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// The tree of a commit that was fetched before, without asking the server.
    ///
    /// # Errors
    /// It is not here.
    pub fn known(&self, commit: &str, sparse: &[String]) -> Result<Tree, GitError> {
        let store = Arc::clone(&self.current.lock());
        let commit = store.commit(parse_id(commit)?)?;
        let listing = checkout::list(&store, commit.tree, sparse, &Limits::default())?;
        Ok(checkout::tree(&store, listing))
    }

    /// Fetches what `reference` leads to. `url` is the repository's address as the user wrote it, for errors.
    ///
    /// # Errors
    /// See [`GitError`]; in Flux's words.
    pub async fn fetch(
        &self,
        remote: &Remote,
        url: &str,
        reference: &Reference,
        options: &Options,
    ) -> Result<Fetched, GitError> {
        let _one = self.fetching.lock().await;
        self.retire_if_full()?;
        let fetch = Fetch {
            mirror: self,
            store: Arc::clone(&self.current.lock()),
            remote,
            url,
            options,
        };
        fetch.run(reference).await
    }

    fn retire_if_full(&self) -> Result<(), GitError> {
        let mut current = self.current.lock();
        if current.count_packs() < MAX_PACKS {
            return Ok(());
        }
        let next = generations(&self.folder)
            .map_err(GitError::Store)?
            .into_iter()
            .max()
            .unwrap_or(0)
            + 1;
        let store = Store::open(&self.folder.join(next.to_string()))?;
        current
            .is_retired
            .store(true, std::sync::atomic::Ordering::Relaxed);
        *current = store;
        Ok(())
    }
}

fn generations(folder: &Path) -> io::Result<Vec<u64>> {
    let names = std::fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}
