//! Fetching from real servers: Git's own program behind HTTP and behind SSH.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(clippy::print_stdout, reason = "tells what was left out")]
#![allow(
    clippy::format_collect,
    clippy::too_many_lines,
    reason = "tests read from top to bottom"
)]

mod hostile;
mod http;
mod ssh;
mod verify;

use std::path::Path;

use git::{Checkout, Fetched, GitError, Mirror, Options, Reference, Remote};
use tempfile::TempDir;
use testkit::git_server::GitServer;
use tree::FileSystem as _;

/// A mirror in a folder of its own.
struct Place {
    mirror: Mirror,
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            mirror: Mirror::open(folder.path()).unwrap(),
            folder,
        }
    }

    async fn try_fetch(
        &self,
        remote: &Remote,
        reference: &Reference,
        options: &Options,
    ) -> Result<Fetched, GitError> {
        let url = remote.url.to_string();
        self.mirror.fetch(remote, &url, reference, options).await
    }

    async fn fetch(&self, url: &str, reference: Reference) -> Result<Box<Checkout>, GitError> {
        let remote = Remote::open(url).unwrap();
        self.try_fetch(&remote, &reference, &Options::default())
            .await
            .map(commit)
    }
}

fn commit(fetched: Fetched) -> Box<Checkout> {
    match fetched {
        Fetched::Commit(checkout) => checkout,
        other => panic!("{other:?}"),
    }
}

fn branch(name: &str) -> Reference {
    Reference::Branch(name.to_owned())
}

fn paths(checkout: &Checkout) -> Vec<String> {
    checkout
        .tree
        .entries()
        .map(|(path, _)| path.to_string_lossy().into_owned())
        .collect()
}

fn read(checkout: &Checkout, path: &str) -> String {
    String::from_utf8(checkout.tree.read(Path::new(path)).unwrap().to_vec()).unwrap()
}
