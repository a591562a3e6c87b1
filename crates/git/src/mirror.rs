//! A kept object store of one repository, and fetching into it.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use gix_hash::ObjectId;
use gix_object::Find as _;
use gotemplate::sprig::{Constraints, Version};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tree::{FileSystem as _, Tree};

use crate::object::{Commit, Tag};
use crate::protocol::{RemoteRef, Request, Session, parse_id};
use crate::reference::{Reference, Revision};
use crate::{GitError, Remote, checkout, pack, submodule};

/// The file with the commits that are here whole.
const STATE: &str = "state";
/// So many commits are told to the server, and kept.
const MAX_TIPS: usize = 16;
/// So many packs are kept before the store is made anew.
const MAX_PACKS: usize = 40;
/// Submodules in submodules, as in go-git.
const MAX_NESTING: usize = 10;

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
    folder: PathBuf,
    current: Mutex<Arc<Store>>,
    // One fetch at a time: the state tells the server what is here.
    fetching: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Mirror({})", self.folder.display())
    }
}

/// One generation of the store. Trees hold it; once it is retired and the last is gone, so are its files.
pub(crate) struct Store {
    folder: PathBuf,
    is_retired: std::sync::atomic::AtomicBool,
    handle: Mutex<gix_odb::HandleArc>,
    state: Mutex<State>,
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.is_retired.load(std::sync::atomic::Ordering::Relaxed) {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }
}

/// What is here: `tip <id>` and `shallow <id>` lines.
#[derive(Debug, Clone, Default)]
struct State {
    tips: Vec<ObjectId>,
    shallow: BTreeSet<ObjectId>,
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
    fn open(folder: &Path) -> Result<Arc<Self>, GitError> {
        std::fs::create_dir_all(folder.join("objects/pack")).map_err(GitError::Store)?;
        let handle = gix_odb::at(folder.join("objects"), gix_hash::Kind::Sha1)
            .and_then(gix_odb::Handle::into_arc)
            .map_err(GitError::Store)?;
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            is_retired: false.into(),
            handle: Mutex::new(handle),
            state: Mutex::new(State::read(&folder.join(STATE))),
        }))
    }

    fn packs(&self) -> PathBuf {
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

    fn kind(&self, id: &ObjectId) -> Result<gix_object::Kind, GitError> {
        let mut buffer = Vec::new();
        let found = self
            .handle
            .lock()
            .try_find(id, &mut buffer)
            .map_err(|error| GitError::Pack(error.to_string()))?;
        found.map(|data| data.kind).ok_or(GitError::ObjectNotFound)
    }

    fn commit(&self, id: ObjectId) -> Result<Commit, GitError> {
        Commit::parse(id, &self.object(&id, gix_object::Kind::Commit)?)
    }

    /// The commit that `id` leads to, with the first tag on the way there.
    fn peel(&self, id: ObjectId) -> Result<(ObjectId, Option<Tag>), GitError> {
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
    fn is_reachable(&self, id: ObjectId, heads: Vec<ObjectId>) -> Result<bool, GitError> {
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

    fn count_packs(&self) -> usize {
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
    fn remember(
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

struct Fetch<'a> {
    mirror: &'a Mirror,
    store: Arc<Store>,
    remote: &'a Remote,
    url: &'a str,
    options: &'a Options,
}

/// How a commit was found.
struct Found {
    id: ObjectId,
    reference: String,
    /// Whether the reference is a tag, and what the server calls it.
    tag: Option<ObjectId>,
}

impl Fetch<'_> {
    async fn run(&self, reference: &Reference) -> Result<Fetched, GitError> {
        match reference {
            Reference::Branch(branch) => self.branch(&format!("refs/heads/{branch}")).await,
            Reference::Tag(tag) => self.tag(&format!("refs/tags/{tag}")).await,
            Reference::Name(name) => self.name(name).await,
            Reference::SemVer(range) => self.version(range).await,
            Reference::Commit { id, branch } => self.commit(id, branch.as_deref()).await,
        }
    }

    fn wrap(&self, error: GitError) -> GitError {
        error.clone_of(self.url)
    }

    /// What Flux says of an empty repository where the reference is no branch.
    fn empty(&self) -> GitError {
        GitError::NotFound {
            reason: GitError::Empty.to_string(),
            url: self.url.to_owned(),
        }
    }

    /// Opens a conversation and lists what starts with `prefixes`, and whether the repository is empty.
    async fn listing(&self, prefixes: &[&str]) -> Result<(Session, Vec<RemoteRef>), GitError> {
        let error = |error: GitError| match self.options.last_observed {
            Some(_) => error.list_of(self.url),
            None => self.wrap(error),
        };
        let mut session = Session::open(self.remote).await.map_err(error)?;
        let references = session.list(prefixes).await.map_err(error)?;
        Ok((session, references))
    }

    /// Whether there is no reference at all, which a server tells only when asked for all.
    async fn is_empty(&self) -> Result<bool, GitError> {
        let mut session = Session::open(self.remote)
            .await
            .map_err(|error| self.wrap(error))?;
        Ok(session
            .list(&[])
            .await
            .map_err(|error| self.wrap(error))?
            .is_empty())
    }

    fn is_known(&self, revision: &str) -> bool {
        self.options.last_observed.as_deref() == Some(revision)
    }

    async fn branch(&self, name: &str) -> Result<Fetched, GitError> {
        let (mut session, references) = self.listing(&[name]).await?;
        let Some(found) = references
            .into_iter()
            .find(|reference| reference.name == name)
        else {
            if self.is_empty().await? {
                return Ok(Fetched::Empty);
            }
            return Err(self.wrap(GitError::NoReference(name.to_owned())));
        };
        let revision = Revision {
            reference: name.to_owned(),
            id: found.id.to_string(),
        };
        if self.is_known(&revision.to_string()) {
            return Ok(Fetched::Unchanged(revision));
        }
        self.shallow(&mut session, &[found.id])
            .await
            .map_err(|error| self.wrap(error))?;
        self.checkout(Found {
            id: found.id,
            reference: name.to_owned(),
            tag: None,
        })
        .await
    }

    async fn tag(&self, name: &str) -> Result<Fetched, GitError> {
        if name.starts_with('/') || name.ends_with('/') {
            return Err(GitError::InvalidReference(name.to_owned()));
        }
        let (mut session, references) = self.listing(&[name]).await?;
        let Some(found) = references
            .into_iter()
            .find(|reference| reference.name == name)
        else {
            if self.is_empty().await? {
                return Err(self.empty());
            }
            return Err(self.wrap(GitError::NoReference(name.to_owned())));
        };
        let revision = Revision {
            reference: name.to_owned(),
            id: found.target().to_string(),
        };
        if self.is_known(&revision.to_string()) {
            return Ok(Fetched::Unchanged(revision));
        }
        self.shallow(&mut session, &[found.id])
            .await
            .map_err(|error| self.wrap(error))?;
        self.checkout(Found {
            id: found.id,
            reference: name.to_owned(),
            tag: Some(found.id),
        })
        .await
    }

    /// Source: Flux, `pkg/git/gogit/clone.go`, `cloneRefName`.
    async fn name(&self, name: &str) -> Result<Fetched, GitError> {
        if name.starts_with('/') || name.ends_with('/') {
            return Err(GitError::InvalidReference(name.to_owned()));
        }
        let plain = name.strip_suffix("^{}").unwrap_or(name);
        let list = |error: GitError| error.list_of(self.url);
        let mut session = Session::open(self.remote).await.map_err(list)?;
        let references = session.list(&[plain]).await.map_err(list)?;
        let found = references
            .into_iter()
            .find(|reference| reference.name == plain);
        let is_tag = name.starts_with("refs/tags/");
        let Some(found) = found.filter(|found| plain == name || found.peeled.is_some()) else {
            if self.is_empty().await.map_err(list)? {
                return Err(GitError::Empty.list_of(self.url));
            }
            return Err(GitError::Unresolved(name.to_owned()));
        };
        let target = if is_tag { found.target() } else { found.id };
        let revision = Revision {
            reference: name.to_owned(),
            id: target.to_string(),
        };
        if self.is_known(&revision.absolute()) {
            return Ok(Fetched::Unchanged(revision));
        }
        self.shallow(&mut session, &[found.id])
            .await
            .map_err(|error| self.wrap(error))?;
        let tag = is_tag.then_some(found.id);
        self.checkout(Found {
            id: found.id,
            reference: name.to_owned(),
            tag,
        })
        .await
    }

    async fn version(&self, range: &str) -> Result<Fetched, GitError> {
        let constraints =
            Constraints::parse(range).map_err(|error| GitError::Range(error.to_string()))?;
        let mut session = Session::open(self.remote)
            .await
            .map_err(|error| self.wrap(error))?;
        let references = session
            .list(&["refs/tags/"])
            .await
            .map_err(|error| self.wrap(error))?;
        let mut highest: Vec<(Version, RemoteRef)> = Vec::new();
        for reference in references {
            let Some(version) = reference.name.strip_prefix("refs/tags/").and_then(version) else {
                continue;
            };
            if !constraints.check(&version) {
                continue;
            }
            let order = highest.first().map(|(best, _)| version.compare(best));
            match order {
                Some(std::cmp::Ordering::Less) => continue,
                Some(std::cmp::Ordering::Equal) => {}
                Some(std::cmp::Ordering::Greater) | None => highest.clear(),
            }
            highest.push((version, reference));
        }
        if highest.is_empty() {
            if self.is_empty().await? {
                return Err(self.empty());
            }
            return Err(GitError::NoVersion(range.to_owned()));
        }
        let ids: Vec<ObjectId> = highest.iter().map(|(_, reference)| reference.id).collect();
        self.shallow(&mut session, &ids)
            .await
            .map_err(|error| self.wrap(error))?;
        // Versions that differ only in what does not count are ordered by the time of their commits.
        let mut latest: Option<(i64, RemoteRef)> = None;
        for (_, reference) in highest {
            let time = self
                .store
                .peel(reference.id)
                .and_then(|(id, _)| self.store.commit(id))
                .map(|commit| commit.committer.time)?;
            if latest.as_ref().is_none_or(|(best, _)| time >= *best) {
                latest = Some((time, reference));
            }
        }
        let Some((_, found)) = latest else {
            return Err(GitError::NoVersion(range.to_owned()));
        };
        self.checkout(Found {
            id: found.id,
            reference: found.name,
            tag: Some(found.id),
        })
        .await
    }

    /// A commit has to be in the history of the branch, or of any branch: some servers give out also what was
    /// never in the repository.
    async fn commit(&self, id: &str, branch: Option<&str>) -> Result<Fetched, GitError> {
        let branch = branch.map(|branch| format!("refs/heads/{branch}"));
        let prefix = branch.as_deref().unwrap_or("refs/heads/");
        let mut session = Session::open(self.remote)
            .await
            .map_err(|error| self.wrap(error))?;
        let mut references = session
            .list(&[prefix])
            .await
            .map_err(|error| self.wrap(error))?;
        if let Some(branch) = &branch {
            references.retain(|reference| reference.name == *branch);
        }
        if references.is_empty() {
            if self.is_empty().await? {
                return Err(self.empty());
            }
            let name = branch.unwrap_or_else(|| "refs/heads/*".to_owned());
            return Err(self.wrap(GitError::NoReference(name)));
        }
        let missing = |source: GitError| GitError::NoCommit {
            id: id.to_owned(),
            source: Box::new(source),
        };
        let Ok(wanted) = parse_id(id) else {
            return Err(missing(GitError::ObjectNotFound));
        };
        let heads: Vec<ObjectId> = references.iter().map(|reference| reference.id).collect();
        let is_here = |store: &Store| -> Result<bool, GitError> {
            Ok(store.state.lock().tips.contains(&wanted)
                && store.is_reachable(wanted, heads.clone())?)
        };
        if !is_here(&self.store)? {
            self.objects(&mut session, &heads, None)
                .await
                .map_err(|error| self.wrap(error))?;
            if !self.store.is_reachable(wanted, heads)? {
                return Err(missing(GitError::ObjectNotFound));
            }
            self.store
                .remember(&[wanted], crate::protocol::Shallow::default(), true)?;
        }
        let reference = branch.unwrap_or_default();
        self.checkout(Found {
            id: wanted,
            reference,
            tag: None,
        })
        .await
    }

    /// Fetches commits without their history.
    async fn shallow(&self, session: &mut Session, ids: &[ObjectId]) -> Result<(), GitError> {
        let tips = self.store.state.lock().tips.clone();
        if ids.iter().all(|id| tips.contains(id)) {
            return Ok(());
        }
        self.objects(session, ids, Some(1)).await
    }

    async fn objects(
        &self,
        session: &mut Session,
        ids: &[ObjectId],
        depth: Option<u32>,
    ) -> Result<(), GitError> {
        let state = self.store.state.lock().clone();
        let mut wants = ids.to_vec();
        wants.sort_unstable();
        wants.dedup();
        let request = Request {
            wants,
            haves: state.tips,
            shallow: state.shallow,
            depth,
            limit: self.options.limits.pack,
        };
        let (sender, receiver) = mpsc::channel::<Bytes>(16);
        let (folder, bases) = (self.store.packs(), self.store.handle.lock().clone());
        let largest = self.options.limits.object;
        let indexing = tokio::task::spawn_blocking(move || {
            pack::write(pack::Incoming::new(receiver), &folder, bases, largest)
        });
        let result = session.fetch(&request, &sender).await;
        drop(sender);
        let indexed = indexing
            .await
            .map_err(|_| GitError::Pack("the indexer ended".to_owned()))?;
        // Where the stream broke, its end is the reason, not the torn pack.
        let shallow = result?;
        indexed?;
        self.store.remember(ids, shallow, true)
    }

    async fn checkout(&self, found: Found) -> Result<Fetched, GitError> {
        let (id, tag) = self
            .store
            .peel(found.id)
            .map_err(|error| self.wrap(error))?;
        let commit = self.store.commit(id).map_err(|error| self.wrap(error))?;
        let (store, root, sparse, limits) = (
            Arc::clone(&self.store),
            commit.tree,
            self.options.sparse.clone(),
            self.options.limits,
        );
        let listing =
            tokio::task::spawn_blocking(move || checkout::list(&store, root, &sparse, &limits))
                .await
                .map_err(|_| GitError::Pack("the checkout ended".to_owned()))?
                .map_err(|error| self.wrap(error))?;
        let submodules = listing.submodules.clone();
        let mut tree = checkout::tree(&self.store, listing);
        // Source: go-git, `clone`: a sparse checkout comes without submodules.
        if self.options.submodules && self.options.sparse.is_empty() {
            tree = self
                .with_submodules(tree, &submodules, self.remote, 0)
                .await
                .map_err(|error| self.wrap(error))?;
        }
        let tag = found.tag.map(|_| {
            tag.unwrap_or_else(|| Tag::lightweight(crate::reference::short_name(&found.reference)))
        });
        let revision = Revision {
            reference: found.reference,
            id: id.to_string(),
        };
        Ok(Fetched::Commit(Box::new(Checkout {
            revision,
            commit,
            tag,
            tree,
        })))
    }

    /// Puts the trees of submodules in.
    fn with_submodules<'b>(
        &'b self,
        tree: Tree,
        links: &'b std::collections::BTreeMap<PathBuf, ObjectId>,
        parent: &'b Remote,
        depth: usize,
    ) -> futures::future::BoxFuture<'b, Result<Tree, GitError>> {
        Box::pin(async move {
            let mut tree = tree;
            let Ok(modules) = tree.read(Path::new("/.gitmodules")) else {
                return Ok(tree);
            };
            if depth >= MAX_NESTING {
                return Err(GitError::NestedSubmodules);
            }
            for module in submodule::parse(&String::from_utf8_lossy(&modules)) {
                let path = PathBuf::from(&module.path);
                let Some(id) = links.get(&path) else {
                    return Err(GitError::Protocol("entry not found".to_owned()));
                };
                let remote = parent.at(module.remote(&parent.url)?);
                let inner = self.submodule(&remote, *id).await?;
                let store = Arc::clone(&inner);
                let limits = self.options.limits;
                let root = inner.commit(*id)?.tree;
                let listing =
                    tokio::task::spawn_blocking(move || checkout::list(&store, root, &[], &limits))
                        .await
                        .map_err(|_| GitError::Pack("the checkout ended".to_owned()))??;
                let nested = listing.submodules.clone();
                let inner = checkout::tree(&inner, listing);
                let inner = self
                    .with_submodules(inner, &nested, &remote, depth + 1)
                    .await?;
                tree = tree
                    .with(&path, &inner)
                    .map_err(|_| GitError::InvalidPath(module.path.clone()))?;
            }
            Ok(tree)
        })
    }

    /// The store of a submodule, with the commit in it.
    async fn submodule(&self, remote: &Remote, id: ObjectId) -> Result<Arc<Store>, GitError> {
        use sha2::Digest as _;
        let name = sha2::Sha256::digest(remote.url.without_login().as_bytes());
        let name: String = name
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mirror = Mirror::open(self.mirror.folder.join("modules").join(name))?;
        let store = Arc::clone(&mirror.current.lock());
        let fetch = Fetch {
            mirror: self.mirror,
            store: Arc::clone(&store),
            remote,
            url: self.url,
            options: self.options,
        };
        if store.state.lock().tips.contains(&id) {
            return Ok(store);
        }
        let mut session = Session::open(remote).await?;
        match fetch.shallow(&mut session, &[id]).await {
            Ok(()) => return Ok(store),
            // Not every server gives out what no reference leads to directly.
            Err(GitError::ObjectNotFound | GitError::Protocol(_)) => {}
            Err(error) => return Err(error),
        }
        let mut session = Session::open(remote).await?;
        let heads: Vec<ObjectId> = session
            .list(&["refs/heads/"])
            .await?
            .iter()
            .map(|reference| reference.id)
            .collect();
        fetch.objects(&mut session, &heads, None).await?;
        if store.has(&id) {
            Ok(store)
        } else {
            Err(GitError::ObjectNotFound)
        }
    }
}

/// Source: Flux, `pkg/version`: three parts at least, also with leading zeros.
fn version(tag: &str) -> Option<Version> {
    (tag.splitn(3, '.').count() == 3)
        .then(|| Version::parse(tag).ok())
        .flatten()
}
