//! The kept object stores of Git repositories, one for an address with its credentials.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use git::{Credentials, GitError, Mirror, Remote};
use parking_lot::Mutex;
use runtime::ObjectKey;
use sha2::{Digest as _, Sha256};

/// Stores below one folder, and who uses them.
pub(super) struct Mirrors {
    folder: PathBuf,
    open: Mutex<HashMap<String, Used>>,
}

struct Used {
    mirror: Arc<Mirror>,
    by: HashSet<ObjectKey>,
}

impl Mirrors {
    /// Stores in `folder`, where those that nobody has fetched into for long are removed.
    pub(super) fn new(folder: PathBuf) -> Self {
        remove_old(&folder);
        Self {
            folder,
            open: Mutex::default(),
        }
    }

    /// The store for `remote`. What `object` used before is given up if it is another.
    ///
    /// `identity` names who asks where the credentials are short-lived.
    pub(super) fn get(
        &self,
        object: &ObjectKey,
        remote: &Remote,
        identity: Option<&str>,
    ) -> Result<Arc<Mirror>, GitError> {
        let name = name(remote, identity);
        let mut open = self.open.lock();
        let stale: Vec<String> = open
            .iter()
            .filter(|(known, used)| **known != name && used.by.contains(object))
            .map(|(known, _)| known.clone())
            .collect();
        for known in stale {
            give_up(&mut open, &known, object);
        }
        if let Some(used) = open.get_mut(&name) {
            used.by.insert(object.clone());
            return Ok(Arc::clone(&used.mirror));
        }
        let mirror = Arc::new(Mirror::open(self.folder.join(&name))?);
        open.insert(
            name,
            Used {
                mirror: Arc::clone(&mirror),
                by: HashSet::from([object.clone()]),
            },
        );
        Ok(mirror)
    }

    /// `object` is gone.
    pub(super) fn forget(&self, object: &ObjectKey) {
        let mut open = self.open.lock();
        let names: Vec<String> = open
            .iter()
            .filter(|(_, used)| used.by.contains(object))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            give_up(&mut open, &name, object);
        }
    }
}

fn give_up(open: &mut HashMap<String, Used>, name: &str, object: &ObjectKey) {
    if let Some(used) = open.get_mut(name) {
        used.by.remove(object);
        if used.by.is_empty() {
            used.mirror.retire();
            open.remove(name);
        }
    }
}

fn remove_old(folder: &std::path::Path) {
    const LONG: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let newest = std::fs::read_dir(entry.path())
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|generation| generation.metadata().ok()?.modified().ok())
            .max();
        if newest.is_none_or(|time| time.elapsed().is_ok_and(|age| age > LONG)) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// Who asks is part of the name, so that nobody is given what another may read.
fn name(remote: &Remote, identity: Option<&str>) -> String {
    let mut hash = Sha256::new();
    hash.update(remote.url.to_string());
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    match &remote.auth.credentials {
        _ if identity.is_some() => part(identity.unwrap_or_default()),
        Credentials::None => part(""),
        Credentials::Basic { username, password } => {
            part(username);
            part(password);
        }
        Credentials::Bearer(token) => part(token),
        Credentials::Key {
            username, identity, ..
        } => {
            part(username);
            part(identity);
        }
    }
    hash.finalize()
        .iter()
        .take(16)
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
