//! Fetches commits of Git repositories into file trees, without `git` or `ssh` programs.
//!
//! ```text
//!  Remote ──► transport (HTTP, SSH) ──► protocol (v2, v0) ──► pack ──► Mirror (objects, kept) ──► Tree
//! ```
//!
//! - [`Remote`] says where a repository is and who asks: credentials, certificates, known hosts, proxy.
//! - [`Mirror`] is a kept object store. [`Mirror::fetch`] asks for one [`Reference`], shallow, tells the server
//!   what it has, and gives a [`Fetched`]: the commit, its tag, and a [`tree::Tree`] that reads lazily.
//! - [`Commit`] and [`Tag`] carry their signatures; [`verify`] checks them.
//!
//! Errors read as go-git's, because users see them in conditions. Servers are hostile until checked: sizes of answers, packs
//! and objects are bounded, names in trees cannot leave them, credentials stay with their host.

mod checkout;
mod error;
mod fetch;
mod known_hosts;
mod mirror;
mod object;
mod pack;
mod pkt;
mod protocol;
mod reference;
mod remote;
mod store;
mod submodule;
mod transport;
mod url;
pub mod verify;

pub use error::GitError;
pub use known_hosts::KnownHosts;
pub use mirror::{Checkout, Fetched, Limits, Mirror, Options};
pub use object::{Commit, Person, Tag};
pub use reference::{Reference, Revision, short_name};
pub use remote::{Auth, Credentials, ProxyUrl, Remote, Tls};
pub use transport::ssh::is_encrypted_key;
pub use url::{RepositoryUrl, Scheme};
