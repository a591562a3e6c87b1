//! Why a repository cannot be fetched, in go-git's and Flux's words: they end up in conditions.

use std::io;

/// Why something went wrong with a repository.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The server wants credentials.
    #[error("authentication required: {0}")]
    AuthenticationRequired(String),
    /// The server refuses these credentials.
    #[error("authorization failed: {0}")]
    AuthorizationFailed(String),
    /// There is no such repository; what the server said.
    #[error("repository not found{0}")]
    RepositoryNotFound(String),
    /// There is nothing in the repository.
    #[error("remote repository is empty")]
    Empty,
    /// The server answers HTTP requests with another status.
    #[error("unexpected client error: unexpected requesting \"{url}\" status code: {status}")]
    Status {
        /// What was asked for, without login.
        url: String,
        /// The answer.
        status: u16,
    },
    /// The request failed, e.g. `Get "https://…": dial tcp …: connection refused`.
    #[error("{method} \"{url}\": {reason}")]
    Request {
        /// `Get` or `Post`.
        method: &'static str,
        /// What was asked for, without login.
        url: String,
        /// Why.
        reason: String,
    },
    /// A redirect that is not followed.
    #[error("http redirect: {0}")]
    Redirect(String),
    /// No SSH connection.
    #[error("{0}")]
    Ssh(String),
    /// Credentials of one protocol for another.
    #[error("invalid auth method")]
    InvalidAuthMethod,
    /// The credentials cannot be used.
    #[error("unable to construct auth method with options: {0}")]
    Auth(String),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The reference is not in the repository.
    #[error("couldn't find remote ref \"{0}\"")]
    NoReference(String),
    /// The name of a reference has a wrong form.
    #[error("ref {0} is invalid; Git refs cannot begin or end with a slash '/'")]
    InvalidReference(String),
    /// An object is not in the repository.
    #[error("object not found")]
    ObjectNotFound,
    /// The server speaks, but not as it should.
    #[error("{0}")]
    Protocol(String),
    /// The server or an answer is larger than allowed.
    #[error("the repository holds more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// A name that would lie outside of the tree, or inside of `.git`.
    #[error("invalid path: \"{0}\"")]
    InvalidPath(String),
    /// An object cannot be understood.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// A submodule that would be read from this machine.
    #[error("submodule '{name}' has the local or unsupported URL '{url}'")]
    LocalSubmodule {
        /// Its name.
        name: String,
        /// Its address.
        url: String,
    },
    /// Submodules that hold submodules that …
    #[error("submodules are nested too deeply")]
    NestedSubmodules,
    /// The time is up.
    #[error("context deadline exceeded")]
    Timeout,
    /// The object store cannot be read or written.
    #[error("cannot use the object store: {0}")]
    Store(#[source] io::Error),
    /// gix' word on a pack or an object.
    #[error("invalid pack: {0}")]
    Pack(String),

    // What Flux puts around the above.
    /// The repository or its reference is not there.
    #[error("unable to clone: {reason}: git repository: '{url}'")]
    NotFound {
        /// What is not there.
        reason: String,
        /// The address as it was given.
        url: String,
    },
    /// The repository cannot be fetched.
    #[error("unable to clone '{url}': {source}")]
    Clone {
        /// The address as it was given.
        url: String,
        /// Why.
        source: Box<GitError>,
    },
    /// The references cannot be listed.
    #[error("unable to list remote for '{url}': {source}")]
    List {
        /// The address as it was given.
        url: String,
        /// Why.
        source: Box<GitError>,
    },
    /// A reference by name that is not there.
    #[error("unable to resolve ref '{0}' to a specific commit")]
    Unresolved(String),
    /// A commit by id that is not there.
    #[error("unable to resolve commit object for '{id}': {source}")]
    NoCommit {
        /// The id.
        id: String,
        /// Why.
        source: Box<GitError>,
    },
    /// The range of versions is none.
    #[error("semver parse error: {0}")]
    Range(String),
    /// No tag is in the range.
    #[error("no match found for semver: {0}")]
    NoVersion(String),
}

impl GitError {
    /// Wraps what happened while fetching `url`.
    pub(crate) fn clone_of(self, url: &str) -> Self {
        match self {
            // These already stand for themselves.
            Self::Auth(_) | Self::NotFound { .. } | Self::Clone { .. } | Self::List { .. } => self,
            Self::RepositoryNotFound(reason) if reason.is_empty() => Self::NotFound {
                reason: "repository not found".to_owned(),
                url: url.to_owned(),
            },
            source => Self::Clone {
                url: url.to_owned(),
                source: Box::new(source),
            },
        }
    }

    /// Wraps what happened while listing the references of `url`.
    pub(crate) fn list_of(self, url: &str) -> Self {
        match self {
            Self::Auth(_) | Self::List { .. } => self,
            source => Self::List {
                url: url.to_owned(),
                source: Box::new(source),
            },
        }
    }
}
