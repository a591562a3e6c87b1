//! Which artifacts are collected.
//!
//! Source: Flux, `pkg/artifact/storage/gc.go`: all that are too old; where more are left than may be kept, the oldest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::StoreOptions;

/// The most files that are looked at.
const LIMIT: usize = 1000;

/// The files beside `current` that are to go.
pub(crate) fn find(current: &Path, options: &StoreOptions) -> io::Result<Vec<PathBuf>> {
    let Some(folder) = current.parent() else {
        return Ok(Vec::new());
    };
    let now = SystemTime::now();
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let metadata = entry.metadata()?;
        if metadata.is_file() && path.extension().is_none_or(|extension| extension != "lock") {
            files.push((metadata.modified()?, path));
        }
        if files.len() >= LIMIT {
            break;
        }
    }
    files.sort();
    let is_old = |time: &SystemTime| {
        now.duration_since(*time)
            .is_ok_and(|age| age > options.retention_ttl)
    };
    let total = files.len();
    let (old, young): (Vec<_>, Vec<_>) = files
        .into_iter()
        .filter(|(_, path)| path != current)
        .partition(|(time, _)| is_old(time));
    let mut garbage: Vec<PathBuf> = old.into_iter().map(|(_, path)| path).collect();
    if total - garbage.len() < options.retention_records {
        return Ok(garbage);
    }
    let mut left = total - garbage.len();
    for (_, path) in young {
        if left > options.retention_records {
            garbage.push(path);
            left -= 1;
        }
    }
    Ok(garbage)
}
