//! Immutable file trees: where they come from, what is left out, how they are archived.
//!
//! Engines read through [`FileSystem`]; what a fetch gives is one, and so are the disk and a tree in memory.

mod file_system;
mod ignore;
mod snapshot;

pub use file_system::{Disk, EntryKind, FileSystem, Memory, clean, errno_text};
pub use ignore::{IGNORE_FILE, Ignore, glob};
pub use snapshot::{Blobs, ContentId, Entry, Tree};
