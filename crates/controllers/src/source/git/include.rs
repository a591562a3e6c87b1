//! Other repositories' artifacts in this one's.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use api::constants::conditions as c;
use api::constants::reasons;
use api::meta::Artifact;
use api::source::v1::GitRepositoryInclude;
use runtime::ObjectKey;
use tree::{Entry, Tree};

use super::GitRepositoryReconciler;
use super::work::Work;
use crate::source::blocking;
use crate::source::trouble::Trouble;

impl GitRepositoryReconciler {
    /// The artifacts of the included repositories, in the order of the spec.
    pub(super) fn includes(&self, work: &mut Work) -> Result<Vec<Artifact>, Trouble> {
        let mut artifacts = Vec::new();
        for include in work.object.spec.include.clone().unwrap_or_default() {
            let name = &include.repository.name;
            let key = ObjectKey::new(work.context.key().namespace.clone(), name.clone());
            let delay = self.settings.requeue_dependency;
            let missing = match self.cache.get(&key) {
                None => Trouble::waiting(
                    reasons::NOT_FOUND,
                    format!(
                        "could not get resource for include '{name}': \
                         GitRepository.source.toolkit.fluxcd.io \"{name}\" not found"
                    ),
                    delay,
                ),
                Some(object) => match object
                    .status
                    .as_ref()
                    .and_then(|status| status.artifact.clone())
                {
                    Some(artifact) => {
                        artifacts.push(artifact);
                        continue;
                    }
                    None => Trouble::waiting(
                        reasons::NO_ARTIFACT,
                        format!("no artifact available for include '{name}'"),
                        delay,
                    ),
                },
            };
            return Err(work.fail(c::INCLUDE_UNAVAILABLE, missing));
        }
        work.delete(c::INCLUDE_UNAVAILABLE);
        Ok(artifacts)
    }

    /// The tree with what is included in it.
    pub(super) async fn include(
        &self,
        work: &Work,
        tree: Tree,
        artifacts: &[Artifact],
    ) -> Result<Tree, Trouble> {
        let mut tree = tree;
        let includes = work.object.spec.include.clone().unwrap_or_default();
        for (include, artifact) in includes.iter().zip(artifacts) {
            let from = include.from_path.clone().unwrap_or_default();
            let to = target(include);
            let failed = |reason: String| {
                let name = &include.repository.name;
                let message =
                    format!("failed to copy '{name}' include from {from} to {to}: {reason}");
                Trouble::generic(reasons::COPY_FAILURE, message)
            };
            let source = match self.trees.get(artifact) {
                Some(source) => source,
                None => {
                    let (store, artifact) = (Arc::clone(&self.store), artifact.clone());
                    blocking(move || store.read(&artifact))
                        .await
                        .map_err(|error| failed(error.to_string()))?
                }
            };
            tree = copy(&tree, &source, &inside(&from), &inside(&to)).map_err(failed)?;
        }
        Ok(tree)
    }
}

fn target(include: &GitRepositoryInclude) -> String {
    include
        .to_path
        .clone()
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| include.repository.name.clone())
}

/// A path that stays inside, whatever it says. Source: `securejoin.SecureJoin`.
fn inside(path: &str) -> PathBuf {
    let mut joined = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => joined.push(name),
            Component::ParentDir => drop(joined.pop()),
            _ => {}
        }
    }
    joined
}

fn copy(tree: &Tree, source: &Tree, from: &Path, to: &Path) -> Result<Tree, String> {
    let is_taken = tree
        .entry(to)
        .is_some_and(|entry| !matches!(entry, Entry::Folder))
        || !tree.below(to).is_empty();
    if is_taken {
        return Err(format!(
            "rename {} {}: file exists",
            from.display(),
            to.display()
        ));
    }
    let below = source.below(from);
    let part = match source.entry(from) {
        Some(Entry::Folder) => below,
        Some(_) => {
            return tree
                .with_file(to, source, from)
                .map_err(|error| error.to_string());
        }
        None if below.is_empty() && !from.as_os_str().is_empty() => {
            return Err(format!(
                "rename {} {}: no such file or directory",
                from.display(),
                to.display()
            ));
        }
        None => below,
    };
    tree.with(to, &part).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (path, expected) in [
            ("a/b", "a/b"),
            ("/a", "a"),
            ("../../a", "a"),
            ("a/../../b", "b"),
            ("./", ""),
        ] {
            assert_eq!(inside(path), Path::new(expected), "{path}");
        }
    }
}
