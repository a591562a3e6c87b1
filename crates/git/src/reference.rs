//! What to fetch of a repository, and what a commit is called then.

use std::fmt;

/// What to fetch, in the order of Flux: a commit wins over a name, a tag, a range of versions and a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// The head of a branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// The highest version in a range among the tags.
    SemVer(String),
    /// A reference by its full name, e.g. `refs/pull/420/head`.
    Name(String),
    /// A commit by its id, on a branch if there is one given.
    Commit {
        /// The id.
        id: String,
        /// The branch it has to be on.
        branch: Option<String>,
    },
}

impl Default for Reference {
    fn default() -> Self {
        Self::Branch("master".to_owned())
    }
}

/// The name of a commit: the reference it was found by, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The full name of the reference, e.g. `refs/heads/main`; empty if there is none.
    pub reference: String,
    /// The commit's id in hexadecimal digits.
    pub id: String,
}

impl Revision {
    /// `refs/heads/main@sha1:…`
    pub fn absolute(&self) -> String {
        if self.reference.is_empty() {
            format!("sha1:{}", self.id)
        } else {
            format!("{}@sha1:{}", self.reference, self.id)
        }
    }
}

impl fmt::Display for Revision {
    /// `main@sha1:…`, or `sha1:…` where there is no reference.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.reference.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(_), Some(_), Some(short)) => write!(formatter, "{short}@sha1:{}", self.id),
            _ => write!(formatter, "sha1:{}", self.id),
        }
    }
}

/// The name of a branch, tag or remote branch without what comes before it.
pub fn short_name(reference: &str) -> &str {
    // Source: go-git, plumbing/reference.go, `ReferenceName.Short`.
    for rule in ["refs/tags/", "refs/heads/", "refs/remotes/", "refs/"] {
        if let Some(short) = reference.strip_prefix(rule) {
            return short;
        }
    }
    reference
}
