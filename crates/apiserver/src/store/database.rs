//! The SQLite file.
//!
//! `revisions` has one row a write, with the object's bytes; `objects` points to the row that is
//! current. So each write stores its bytes once, and the rows that nothing points to are the history
//! from which watches can go on after a restart, until it is compacted.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object::GroupResource;
use rusqlite::Connection;

use super::encode::Stored;
use super::history::{Event, EventKind};
use super::{Store, StoreError};

/// The file's name in its directory.
const FILE: &str = "sluice.db";

/// The schema version in `PRAGMA user_version`.
const SCHEMA: i64 = 1;

/// Writes that nothing points to are kept for the newest so many revisions.
const KEPT_REVISIONS: i64 = 10_000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS revisions (
    revision INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    key      TEXT NOT NULL,
    kind     INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    body     INTEGER NOT NULL,
    value    BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL,
    key      TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
";

/// The open file. The lock is held as long as it lives.
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
    _lock: File,
    compacted: i64,
}

/// What the file held when it was opened.
pub(super) struct Contents {
    pub(super) revision: i64,
    compacted: i64,
    rows: Vec<Row>,
    current: HashMap<(String, Box<str>), i64>,
}

struct Row {
    resource: String,
    stored: Arc<Stored>,
    kind: EventKind,
    previous: i64,
}

fn io_error(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}

/// Takes the lock of a directory, or says who has it.
fn lock(directory: &Path) -> Result<File, StoreError> {
    std::fs::create_dir_all(directory).map_err(|error| io_error(directory, &error))?;
    let path = directory.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| io_error(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(directory.display().to_string())),
        Err(TryLockError::Error(error)) => Err(io_error(&path, &error)),
    }
}

/// How a resource is written in the database.
fn resource_text(resource: &GroupResource) -> String {
    format!("{}/{}", resource.group, resource.resource)
}

fn parse_resource(text: &str) -> GroupResource {
    let (group, resource) = text.split_once('/').unwrap_or(("", text));
    GroupResource::new(group, resource)
}

impl Database {
    /// Opens or makes `sluice.db` in a directory and reads it.
    pub(super) fn open(directory: &Path) -> Result<(Self, Contents), StoreError> {
        let lock = lock(directory)?;
        let connection = Connection::open(directory.join(FILE))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // In WAL mode NORMAL survives the end of the process; it is only the machine's that can
        // cost the newest writes.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // The log is moved into the file by a thread of its own.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > SCHEMA {
            return Err(StoreError::TooNew {
                found,
                known: SCHEMA,
            });
        }
        connection.execute_batch(TABLES)?;
        connection.pragma_update(None, "user_version", SCHEMA)?;
        let contents = Contents::read(&connection)?;
        let database = Self {
            connection,
            path: directory.join(FILE),
            _lock: lock,
            compacted: contents.compacted,
        };
        Ok((database, contents))
    }

    /// Commits a batch of writes in one transaction.
    pub(super) fn commit(&mut self, batch: &[(&GroupResource, &Event)]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        {
            let mut write = transaction.prepare_cached(
                "INSERT INTO revisions (revision, resource, key, kind, previous, body, value)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            let mut point = transaction.prepare_cached(
                "INSERT INTO objects (resource, key, revision) VALUES (?1, ?2, ?3)
                 ON CONFLICT (resource, key) DO UPDATE SET revision = excluded.revision",
            )?;
            let mut unpoint = transaction
                .prepare_cached("DELETE FROM objects WHERE resource = ?1 AND key = ?2")?;
            for (resource, event) in batch {
                let resource = resource_text(resource);
                let stored = &event.object;
                let previous = event.previous.as_ref().map_or(0, |old| old.revision);
                write.execute(rusqlite::params![
                    event.revision,
                    resource,
                    &*stored.key,
                    kind_number(event.kind),
                    previous,
                    stored.body,
                    &stored.raw[..],
                ])?;
                if event.kind == EventKind::Deleted {
                    unpoint.execute(rusqlite::params![resource, &*stored.key])?;
                } else {
                    point.execute(rusqlite::params![resource, &*stored.key, event.revision])?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Where the file is.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// How many rows have been written since the file was opened.
    pub(super) fn changed_rows(&self) -> u64 {
        self.connection.total_changes()
    }

    /// Lets the file grow to so many pages at most, as a full disk would.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: i64) -> Result<(), StoreError> {
        self.connection
            .pragma_update(None, "max_page_count", pages)?;
        Ok(())
    }

    /// How many rows of writes there are.
    #[cfg(test)]
    pub(super) fn rows(&self) -> Result<i64, StoreError> {
        let count = "SELECT count(*) FROM revisions";
        Ok(self.connection.query_row(count, [], |row| row.get(0))?)
    }

    /// Forgets old writes, once enough of them have gathered.
    pub(super) fn compact(&mut self, newest: i64) -> Result<(), StoreError> {
        let until = newest - KEPT_REVISIONS;
        if until - self.compacted < KEPT_REVISIONS / 4 {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        // What was overwritten or removed by a write in this span; all before it is gone already. So the
        // cost is that of the writes, however many objects there are.
        let span = [self.compacted, until];
        transaction.execute(
            "DELETE FROM revisions WHERE revision IN (
                 SELECT previous FROM revisions WHERE revision > ?1 AND revision <= ?2)",
            span,
        )?;
        transaction.execute(
            "DELETE FROM revisions WHERE revision > ?1 AND revision <= ?2 AND kind = 2",
            span,
        )?;
        transaction.execute(
            "INSERT INTO state (name, value) VALUES ('compacted', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [until],
        )?;
        transaction.commit()?;
        self.compacted = until;
        Ok(())
    }
}

fn kind_number(kind: EventKind) -> i64 {
    match kind {
        EventKind::Added => 0,
        EventKind::Modified => 1,
        EventKind::Deleted => 2,
    }
}

impl Contents {
    fn read(connection: &Connection) -> Result<Self, StoreError> {
        let compacted = connection
            .query_row(
                "SELECT value FROM state WHERE name = 'compacted'",
                [],
                |row| row.get::<_, i64>(0),
            )
            .unwrap_or(0);
        let mut current = HashMap::new();
        let mut pointers = connection.prepare("SELECT resource, key, revision FROM objects")?;
        let mut rows = pointers.query([])?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(1)?;
            current.insert((row.get(0)?, key.into_boxed_str()), row.get(2)?);
        }
        let mut statement = connection.prepare(
            "SELECT revision, resource, key, kind, previous, body, value FROM revisions
             ORDER BY revision",
        )?;
        let mut found = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(2)?;
            let value: Vec<u8> = row.get(6)?;
            let stored = Arc::new(Stored {
                revision: row.get(0)?,
                key: key.into_boxed_str(),
                raw: Bytes::from(value),
                body: row.get(5)?,
            });
            found.push(Row {
                resource: row.get(1)?,
                stored,
                kind: match row.get(3)? {
                    0 => EventKind::Added,
                    1 => EventKind::Modified,
                    _ => EventKind::Deleted,
                },
                previous: row.get(4)?,
            });
        }
        let newest = found
            .last()
            .map_or(super::history::FIRST_REVISION, |row| row.stored.revision);
        Ok(Self {
            revision: newest.max(compacted),
            compacted,
            rows: found,
            current,
        })
    }

    /// Fills a store.
    pub(super) fn load(self, store: &Store) {
        let mut last: HashMap<(String, Box<str>), Arc<Stored>> = HashMap::new();
        for row in self.rows {
            let bucket = store.bucket(&parse_resource(&row.resource));
            let id = (row.resource, row.stored.key.clone());
            if self.current.get(&id) == Some(&row.stored.revision) {
                bucket.load(Arc::clone(&row.stored));
            }
            let previous = last
                .insert(id, Arc::clone(&row.stored))
                .filter(|old| old.revision == row.previous);
            if row.stored.revision > self.compacted {
                bucket.load_event(Arc::new(Event::new(
                    row.stored.revision,
                    row.kind,
                    row.stored,
                    previous,
                )));
            }
        }
        for resource in store.resources() {
            store.bucket(&resource).compact(self.compacted);
        }
    }
}
