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
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: Mutex::default(),
        }
    }

    /// The store for `remote`. What `object` used before is given up if it is another.
    pub(super) fn get(&self, object: &ObjectKey, remote: &Remote) -> Result<Arc<Mirror>, GitError> {
        let name = name(remote);
        let mut open = self.open.lock();
        let stale: Vec<String> = open
            .iter()
            .filter(|(known, used)| **known != name && used.by.contains(object))
            .map(|(known, _)| known.clone())
            .collect();
        for known in stale {
            self.give_up(&mut open, &known, object);
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
            self.give_up(&mut open, &name, object);
        }
    }

    fn give_up(&self, open: &mut HashMap<String, Used>, name: &str, object: &ObjectKey) {
        if let Some(used) = open.get_mut(name) {
            used.by.remove(object);
            if used.by.is_empty() {
                open.remove(name);
                // Trees that still read from it find their files as long as they are mapped; others are read from
                // the archive.
                drop(std::fs::remove_dir_all(self.folder.join(name)));
            }
        }
    }
}

/// Who asks is part of the name, so that nobody is given what another may read.
fn name(remote: &Remote) -> String {
    let mut hash = Sha256::new();
    hash.update(remote.url.to_string());
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    match &remote.auth.credentials {
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
