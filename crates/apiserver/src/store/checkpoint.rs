//! Moving the write-ahead log into the database file, beside the writer.
//!
//! A checkpoint waits for the disk. Left to SQLite it is made by the commit that fills the log, and all
//! who wait for that commit wait with it; so a thread with a connection of its own makes it, while commits
//! go on. Only if the log grows faster than it can be moved, the writer has to wait.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::StoreError;
use super::database::Database;

/// After about so many written rows the log is moved; a row is one to two pages.
const ROWS: u64 = 1_000;
/// The log's size in pages (of 4 KiB) from which on the writer has to wait until all of it has been moved.
const MAX_PAGES: i64 = 16 * 1024;

#[derive(Default)]
struct State {
    rows: u64,
    ends: bool,
    is_behind: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

/// The handle of the thread; it ends when this is dropped.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    seen: std::cell::Cell<u64>,
    path: PathBuf,
}

impl Checkpointer {
    /// Starts the thread for an open database.
    pub(super) fn start(database: &Database) -> Self {
        let shared = Arc::new(Shared::default());
        let path = database.path();
        let (own, file) = (Arc::clone(&shared), path.clone());
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || run(&own, &file))
            .ok();
        Self {
            shared,
            thread,
            seen: std::cell::Cell::new(database.changed_rows()),
            path,
        }
    }

    /// Tells how many rows have been written since the database was opened.
    pub(super) fn note(&self, rows: u64) {
        let written = rows - self.seen.replace(rows);
        let mut state = self.shared.state.lock();
        state.rows += written;
        let is_behind = std::mem::take(&mut state.is_behind);
        if state.rows >= ROWS {
            self.shared.wake.notify_one();
        }
        drop(state);
        if (is_behind || self.thread.is_none())
            && let Err(error) = Connection::open(&self.path)
                .map_err(StoreError::from)
                .and_then(|connection| checkpoint(&connection, "TRUNCATE"))
        {
            tracing::warn!(%error, "moving the log into the database failed");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.state.lock().ends = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, path: &std::path::Path) {
    let mut connection = None;
    loop {
        {
            let mut state = shared.state.lock();
            while state.rows < ROWS && !state.ends {
                shared.wake.wait(&mut state);
            }
            if state.ends {
                return;
            }
            state.rows = 0;
        }
        let opened = match connection.take() {
            Some(open) => Ok(open),
            None => Connection::open(path).map_err(StoreError::from),
        };
        let outcome = opened.and_then(|open| {
            let pages = checkpoint(&open, "PASSIVE")?;
            connection = Some(open);
            Ok(pages)
        });
        match outcome {
            Ok(pages) if pages > MAX_PAGES => shared.state.lock().is_behind = true,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "moving the log into the database failed"),
        }
    }
}

/// Makes a checkpoint; gives the pages in the log.
fn checkpoint(connection: &Connection, mode: &str) -> Result<i64, StoreError> {
    let pages = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        row.get(1)
    })?;
    Ok(pages)
}
