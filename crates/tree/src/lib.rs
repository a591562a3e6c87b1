//! Immutable file trees: where they come from, what is left out, how they are archived.
//!
//! Engines read through [`FileSystem`]; what a fetch gives is one, and so are the disk and a tree in memory.

pub mod archive;
mod content_id;
mod file_system;
mod ignore;
mod snapshot;
pub mod unpack;

pub use content_id::ContentId;
pub use file_system::{Disk, EntryKind, FileSystem, Memory, clean, errno_text};
pub use ignore::{IGNORE_FILE, Ignore, glob};
pub use snapshot::{Blobs, Entry, Tree};
