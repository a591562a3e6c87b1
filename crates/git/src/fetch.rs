//! Fetching a reference into a store, and what it leads to.

use std::sync::Arc;

use bytes::Bytes;
use gix_hash::ObjectId;
use gotemplate::sprig::{Constraints, Version};
use tokio::sync::mpsc;

use crate::mirror::{Checkout, Fetched, Mirror, Options};
use crate::object::Tag;
use crate::protocol::{RemoteRef, Request, Session, parse_id};
use crate::reference::{Reference, Revision};
use crate::store::Store;
use crate::submodule::Place;
use crate::{GitError, Remote, checkout, pack};

pub(crate) struct Fetch<'a> {
    pub(crate) mirror: &'a Mirror,
    pub(crate) store: Arc<Store>,
    pub(crate) remote: &'a Remote,
    pub(crate) url: &'a str,
    pub(crate) options: &'a Options,
}

/// How a commit was found.
struct Found {
    id: ObjectId,
    reference: String,
    /// Whether the reference is a tag, and what the server calls it.
    tag: Option<ObjectId>,
}

impl Fetch<'_> {
    pub(crate) async fn run(&self, reference: &Reference) -> Result<Fetched, GitError> {
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
        self.one(&mut session, name, found.id, None).await
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
        self.one(&mut session, name, found.id, Some(found.id)).await
    }

    /// Fetches and checks out what the reference `name` points to.
    async fn one(
        &self,
        session: &mut Session,
        name: &str,
        id: ObjectId,
        tag: Option<ObjectId>,
    ) -> Result<Fetched, GitError> {
        self.shallow(session, &[id])
            .await
            .map_err(|error| self.wrap(error))?;
        let reference = name.to_owned();
        self.checkout(Found { id, reference, tag }).await
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
        let tag = is_tag.then_some(found.id);
        self.one(&mut session, name, found.id, tag).await
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
    pub(crate) async fn shallow(
        &self,
        session: &mut Session,
        ids: &[ObjectId],
    ) -> Result<(), GitError> {
        let tips = self.store.state.lock().tips.clone();
        if ids.iter().all(|id| tips.contains(id)) {
            return Ok(());
        }
        self.objects(session, ids, Some(1)).await
    }

    pub(crate) async fn objects(
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
                .with_submodules(tree, &submodules, self.remote, &Place::default())
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
}
/// Source: Flux, `pkg/version`: three parts at least, also with leading zeros.
fn version(tag: &str) -> Option<Version> {
    (tag.splitn(3, '.').count() == 3)
        .then(|| Version::parse(tag).ok())
        .flatten()
}
