//! The last documents, and the hashes of all that were made.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use object::Value;
use parking_lot::Mutex;
use sha2::{Digest, Sha512};

use super::Made;
use crate::registry::Registry;

/// How many documents are kept.
const KEPT: usize = 3;

/// See the [module](self).
#[derive(Default)]
pub struct Cache {
    recent: Mutex<VecDeque<Made>>,
    /// The hashes by document, each with the generation of the registry at which it was made.
    hashes: Mutex<HashMap<String, (u64, String)>>,
}

impl Cache {
    /// The document of that name, made anew if what is served has changed since.
    pub(super) fn document(
        &self,
        registry: &Registry,
        name: &str,
        make: impl FnOnce() -> Value,
    ) -> Made {
        let generation = generation(registry, name);
        let mut recent = self.recent.lock();
        if let Some(place) = recent
            .iter()
            .position(|made| &*made.name == name && made.generation == generation)
            && let Some(made) = recent.remove(place)
        {
            recent.push_back(made.clone());
            return made;
        }
        drop(recent);
        let text = make().to_string();
        let made = Made {
            hash: hex(Sha512::digest(text.as_bytes())),
            bytes: Bytes::from(text),
            generation,
            name: Arc::from(name),
        };
        self.hashes
            .lock()
            .insert(name.to_owned(), (generation, made.hash.clone()));
        let mut recent = self.recent.lock();
        recent.retain(|known| &*known.name != name);
        recent.push_back(made.clone());
        if recent.len() > KEPT {
            recent.pop_front();
        }
        made
    }

    /// The hash of the document of that name.
    pub(super) fn hash(
        &self,
        registry: &Registry,
        name: &str,
        make: impl FnOnce() -> Value,
    ) -> String {
        let generation = generation(registry, name);
        if let Some((at, hash)) = self.hashes.lock().get(name)
            && *at == generation
        {
            return hash.clone();
        }
        // Written into the digest piece by piece: as a whole, the documents are many megabytes.
        let mut digest = Digester(Sha512::new());
        // Neither the value nor the digest refuses anything.
        let _ = serde_json::to_writer(&mut digest, &make());
        let hash = hex(digest.0.finalize());
        self.hashes
            .lock()
            .insert(name.to_owned(), (generation, hash.clone()));
        hash
    }
}

/// What a document depends on: those of the built-in groups never change.
fn generation(registry: &Registry, name: &str) -> u64 {
    let mut parts = name.split('/');
    let group = match parts.next() {
        Some("apis") => parts.next().unwrap_or_default(),
        Some("v2" | "v3") => return registry.generation,
        _ => return 0,
    };
    let is_builtin = builtin::facts::facts()
        .groups
        .iter()
        .any(|known| known.name == group);
    if is_builtin || group.is_empty() {
        0
    } else {
        registry.generation
    }
}

/// What is written into it is digested.
struct Digester(Sha512);

impl std::io::Write for Digester {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    let mut hex = String::with_capacity(128);
    for byte in digest.as_ref() {
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}
