//! Which changes of other objects wake a Kustomization.

use std::collections::HashSet;
use std::sync::Arc;

use api::kustomize::v1::{Kustomization, KustomizationSpec};
use api::meta::{Artifact, Conditions as _};
use parking_lot::Mutex;
use runtime::{Cache, Change, Index, ObjectKey, Queue, Trigger, Wake};

use super::source::{Source, new_artifact};
use super::{dependencies, spec};

/// Kustomizations by what they refer to.
#[derive(Clone)]
pub(super) struct Wakes {
    cache: Arc<Cache<KustomizationSpec>>,
    sources: Index,
    dependencies: Index,
    configs: Index,
    /// Those that look at their dependencies, or have found one that is not ready. Noted before they look, so that no
    /// change is missed between the look and what it is written down as.
    waiting: Arc<Mutex<HashSet<ObjectKey>>>,
}

fn source_word(kind: &str, key: &ObjectKey) -> String {
    format!("{kind}/{key}")
}

/// The ConfigMaps and Secrets that a Kustomization reads, as `<kind>/<namespace>/<name>`.
fn configs(object: &Kustomization) -> Vec<String> {
    let namespace = spec::namespace(object);
    let mut words = Vec::new();
    let mut add = |kind: &str, name: &str| words.push(format!("{kind}/{namespace}/{name}"));
    if let Some(secret) = object
        .spec
        .decryption
        .as_ref()
        .and_then(|decryption| decryption.secret_ref.as_ref())
    {
        add("Secret", &secret.name);
    }
    if let Some(remote) = &object.spec.kube_config {
        if let Some(secret) = &remote.secret_ref {
            add("Secret", &secret.name);
        }
        if let Some(map) = &remote.config_map_ref {
            add("ConfigMap", &map.name);
        }
    }
    let from = object
        .spec
        .post_build
        .iter()
        .flat_map(|post_build| post_build.substitute_from.iter().flatten());
    for reference in from {
        add(&reference.kind, &reference.name);
    }
    words
}

impl Wakes {
    pub(super) fn new(cache: &Arc<Cache<KustomizationSpec>>) -> Self {
        Self {
            cache: Arc::clone(cache),
            sources: cache.index(|object| {
                vec![source_word(
                    &object.spec.source_ref.kind,
                    &spec::source_key(object),
                )]
            }),
            dependencies: cache.index(|object| {
                spec::dependency_keys(object)
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            }),
            configs: cache.index(configs),
            waiting: Arc::default(),
        }
    }

    /// The Kustomizations that a new artifact concerns, dependencies first.
    pub(super) fn of_source<S: Source>(&self, change: &Change<'_, S>) -> Vec<(ObjectKey, Wake)> {
        let Some(artifact) = new_artifact(change) else {
            return Vec::new();
        };
        let kind = S::NAMES.kind;
        let keys = self.sources.get(&source_word(kind, change.key));
        let objects: Vec<_> = keys
            .iter()
            .filter_map(|key| self.cache.get(key))
            .filter(|object| !has_seen(object, artifact))
            .collect();
        // Those that depend on each other in a circle wait for ever anyway.
        let keys = dependencies::sorted(&objects)
            .unwrap_or_else(|| objects.iter().map(|object| ObjectKey::of(object)).collect());
        let wake = Wake::superseding(Trigger::new(kind, change.key.clone()));
        keys.into_iter().map(|key| (key, wake.clone())).collect()
    }

    /// Wakes those that wait for a Kustomization that has changed.
    pub(super) fn wake_dependants(&self, queue: Queue) {
        let this = self.clone();
        self.cache.listen(move |change| {
            let Some(new) = change.new else { return };
            if change.is_initial
                || change.old.is_some_and(|old| {
                    old.status == new.status && old.metadata.generation == new.metadata.generation
                })
            {
                return;
            }
            for key in this.dependencies.get(&change.key.to_string()) {
                if this.waiting.lock().contains(&key) {
                    queue.add(
                        &key,
                        Wake::following(Trigger::new(KUSTOMIZATION, change.key.clone())),
                    );
                }
            }
        });
    }

    /// Whether a Kustomization waits for its dependencies from now on.
    pub(super) fn set_waiting(&self, key: &ObjectKey, waits: bool) {
        let mut waiting = self.waiting.lock();
        if waits {
            waiting.insert(key.clone());
        } else {
            waiting.remove(key);
        }
    }

    /// The Kustomizations that read a ConfigMap or Secret.
    pub(super) fn of_config(&self, kind: &str, key: &ObjectKey) -> Vec<(ObjectKey, Wake)> {
        let wake = Wake::superseding(Trigger::new(kind, key.clone()));
        let keys = self.configs.get(&source_word(kind, key));
        keys.into_iter().map(|key| (key, wake.clone())).collect()
    }
}

const KUSTOMIZATION: &str = "Kustomization";

/// Whether the Kustomization has the artifact already, or is at it.
fn has_seen(object: &Kustomization, artifact: &Artifact) -> bool {
    let Some(status) = &object.status else {
        return false;
    };
    let conditions = status.conditions.clone().unwrap_or_default();
    (conditions.is_ready() || conditions.is_reconciling())
        && status
            .last_attempted_revision
            .as_deref()
            .is_some_and(|revision| artifact.has_revision(revision))
}
