//! The store of artifacts and the server that hands them out.
//!
//! ```text
//!  Tree ──Store::write──► <kind>/<namespace>/<name>/<revision>.tar.gz ──Server──► consumers elsewhere
//!                                          └──Store::read──► Tree, after a restart
//! ```
//!
//! Layout, names, lock files and retention are Flux's (`pkg/artifact/storage`), so that a folder can be taken over and
//! given back. An artifact is written under another name, synced, and renamed: whatever happens, what has the
//! name of an artifact is whole. Names that begin with a dot are never served.

mod digest;
mod garbage;
mod server;
mod store;

pub use digest::{DigestAlgorithm, Digester};
pub use server::{advertised_address, router, serve};
pub use store::{Store, StoreError, StoreOptions};
