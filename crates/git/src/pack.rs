//! Packs as they come in: checked, completed and indexed into an object store.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc::Receiver;

use crate::GitError;

/// The bytes of a channel, for a thread that may block.
pub(crate) struct Incoming {
    receiver: Receiver<Bytes>,
    current: Bytes,
}

impl Incoming {
    pub(crate) fn new(receiver: Receiver<Bytes>) -> Self {
        Self {
            receiver,
            current: Bytes::new(),
        }
    }
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(next) => self.current = next,
                None => break,
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, amount: usize) {
        self.current.advance(amount);
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

/// Writes a pack and its index to `folder`. Every object is hashed on the way, so that names are true.
///
/// Gives the paths that were written; none for a pack without objects.
pub(crate) fn write(
    incoming: Incoming,
    folder: &Path,
    bases: impl gix_object::Find,
    largest_object: usize,
) -> Result<Vec<PathBuf>, GitError> {
    let mut incoming = incoming;
    if incoming.fill_buf().map_err(GitError::Store)?.is_empty() {
        return Ok(Vec::new());
    }
    let options = gix_pack::bundle::write::Options {
        thread_limit: Some(2),
        iteration_mode: gix_pack::data::input::Mode::Verify,
        alloc_limit_bytes: Some(largest_object),
        ..Default::default()
    };
    let outcome = gix_pack::Bundle::write_to_directory(
        &mut incoming,
        Some(folder),
        &mut gix_pack_progress(),
        &AtomicBool::new(false),
        Some(bases),
        gix_hash::Kind::Sha1,
        options,
    )
    .map_err(|error| GitError::Pack(error.to_string()))?;
    if let Some(keep) = outcome.keep_path {
        drop(std::fs::remove_file(keep));
    }
    Ok(outcome
        .data_path
        .into_iter()
        .chain(outcome.index_path)
        .collect())
}

fn gix_pack_progress() -> gix_utils::progress::Discard {
    gix_utils::progress::Discard
}
