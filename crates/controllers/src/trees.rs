//! The trees of artifacts that this process has made, so that consumers here need not download them.

use std::collections::HashMap;
use std::sync::Arc;

use api::meta::Artifact;
use parking_lot::RwLock;
use tree::Tree;

/// Trees by the path and digest of their artifact; a handle that is cheap to clone.
///
/// Who makes an artifact [puts](Trees::put) its tree in before it announces it, and takes out what it collects.
#[derive(Clone, Default)]
pub struct Trees(Arc<RwLock<HashMap<(String, String), Tree>>>);

impl Trees {
    /// The tree of an artifact, if it was made here.
    pub fn get(&self, artifact: &Artifact) -> Option<Tree> {
        self.0
            .read()
            .get(&(artifact.path.clone(), artifact.digest.clone()))
            .cloned()
    }

    /// Remembers the tree of an artifact.
    pub fn put(&self, artifact: &Artifact, tree: Tree) {
        self.0
            .write()
            .insert((artifact.path.clone(), artifact.digest.clone()), tree);
    }

    /// Forgets the trees of all artifacts with this path.
    pub fn remove_path(&self, path: &str) {
        self.0.write().retain(|(known, _), _| known != path);
    }

    /// Forgets the trees of all artifacts whose path begins with `prefix` and for which `keep` says no.
    pub fn retain(&self, prefix: &str, keep: impl Fn(&str) -> bool) {
        self.0
            .write()
            .retain(|(path, _), _| !path.starts_with(prefix) || keep(path));
    }
}
