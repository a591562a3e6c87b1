//! Repositories in repositories: what `.gitmodules` says of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix_hash::ObjectId;
use tree::{FileSystem as _, Tree};

use crate::fetch::Fetch;
use crate::mirror::Mirror;
use crate::protocol::Session;
use crate::store::Store;
use crate::{GitError, Remote, RepositoryUrl, checkout};

/// Submodules in submodules, as in go-git.
const MAX_NESTING: usize = 10;

/// A submodule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submodule {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) url: String,
}

impl Submodule {
    /// Where it is fetched from.
    ///
    /// # Errors
    /// It would be read from this machine, or by a program.
    pub(crate) fn remote(&self, parent: &RepositoryUrl) -> Result<RepositoryUrl, GitError> {
        if self.url.starts_with("./") || self.url.starts_with("../") {
            return Ok(parent.join(&self.url));
        }
        RepositoryUrl::parse(&self.url).map_err(|_| GitError::LocalSubmodule {
            name: self.name.clone(),
            url: self.url.clone(),
        })
    }
}

/// Reads the form of Git's configuration files as far as submodules need it.
pub(crate) fn parse(text: &str) -> Vec<Submodule> {
    let mut submodules: Vec<Submodule> = Vec::new();
    let mut is_submodule = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default().trim();
            let name = header
                .strip_prefix("submodule")
                .map(|name| unquoted(name.trim()));
            is_submodule = name.is_some();
            if let Some(name) = name {
                submodules.push(Submodule {
                    name,
                    path: String::new(),
                    url: String::new(),
                });
            }
        } else if is_submodule
            && let Some((key, value)) = line.split_once('=')
            && let Some(last) = submodules.last_mut()
        {
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => last.path = unquoted(value.trim()),
                "url" => last.url = unquoted(value.trim()),
                _ => {}
            }
        }
    }
    submodules
}

fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut in_quotes = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => in_quotes = !in_quotes,
            '\\' => plain.extend(chars.next()),
            '#' | ';' if !in_quotes => break,
            c => plain.push(c),
        }
    }
    if in_quotes || text.ends_with('"') {
        plain
    } else {
        plain.trim_end().to_owned()
    }
}

/// Where a submodule lies in a checkout of the whole.
#[derive(Default)]
pub(crate) struct Place {
    depth: usize,
    /// How many folders are above its files.
    folders: usize,
    /// The end of the path of its repository, e.g. `/modules/lib`.
    repository: String,
}

impl Place {
    fn below(&self, path: &Path, name: &str) -> Self {
        Self {
            depth: self.depth + 1,
            folders: self.folders + path.components().count(),
            repository: format!("{}/modules/{name}", self.repository),
        }
    }

    /// A checkout has a file `.git` in each submodule, and so have Flux's artifacts.
    fn with_git_file(&self, tree: &Tree) -> io::Result<Tree> {
        let text = format!(
            "gitdir: {}.git{}\n",
            "../".repeat(self.folders),
            self.repository
        );
        let name = PathBuf::from(".git");
        let id = tree::ContentId::of(text.as_bytes());
        let entry = tree::Entry::File {
            id,
            size: Some(text.len() as u64),
            executable: false,
        };
        let file = Tree::new(
            std::collections::BTreeMap::from([(name.clone(), entry)]),
            Arc::new(Text(id, text.into_bytes().into())),
        );
        tree.with_file(&name, &file, &name)
    }
}

/// One content.
struct Text(tree::ContentId, Arc<[u8]>);

impl tree::Blobs for Text {
    fn read(&self, id: &tree::ContentId) -> io::Result<Arc<[u8]>> {
        if *id == self.0 {
            Ok(Arc::clone(&self.1))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

impl Fetch<'_> {
    /// Puts the trees of submodules in.
    pub(crate) fn with_submodules<'b>(
        &'b self,
        tree: Tree,
        links: &'b std::collections::BTreeMap<PathBuf, ObjectId>,
        parent: &'b Remote,
        place: &'b Place,
    ) -> futures::future::BoxFuture<'b, Result<Tree, GitError>> {
        Box::pin(async move {
            let mut tree = tree;
            let Ok(modules) = tree.read(Path::new("/.gitmodules")) else {
                return Ok(tree);
            };
            if place.depth >= MAX_NESTING {
                return Err(GitError::NestedSubmodules);
            }
            for module in parse(&String::from_utf8_lossy(&modules)) {
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
                let below = place.below(&path, &module.name);
                let inner = checkout::tree(&inner, listing);
                let inner = self
                    .with_submodules(inner, &nested, &remote, &below)
                    .await?;
                let invalid = |_| GitError::InvalidPath(module.path.clone());
                let inner = below.with_git_file(&inner).map_err(invalid)?;
                tree = tree.with(&path, &inner).map_err(invalid)?;
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
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_read() {
        let text = "[core]\n\turl = no\n[submodule \"lib/a b\"]\n\tpath = lib/a\n\turl = ../a.git # note\n[submodule \"b\"]\npath=\"b c\"\nurl=https://x/y\n";
        let parsed = parse(text);
        assert_eq!(parsed.len(), 2);
        assert_eq!(
            (parsed[0].name.as_str(), parsed[0].url.as_str()),
            ("lib/a b", "../a.git")
        );
        assert_eq!(
            (parsed[1].path.as_str(), parsed[1].url.as_str()),
            ("b c", "https://x/y")
        );
        let parent = RepositoryUrl::parse("https://h/x/y.git").unwrap();
        assert_eq!(
            parsed[0].remote(&parent).unwrap().without_login(),
            "https://h/x/a.git"
        );
        for url in [
            "/etc",
            "file:///etc",
            "ext::sh -c id",
            "C:\\x",
            "--upload-pack=x",
        ] {
            let local = Submodule {
                url: url.to_owned(),
                ..parsed[0].clone()
            };
            let refused = local.remote(&parent);
            assert!(
                matches!(refused, Err(GitError::LocalSubmodule { .. })),
                "{url} {refused:?}"
            );
        }
    }
}
