//! The source of a Kustomization, whatever its kind.

use std::sync::Arc;

use api::constants::annotations::OCI_REVISION;
use api::kustomize::v1::Kustomization;
use api::meta::{Artifact, Object, Spec};
use api::source::v1::{BucketSpec, ExternalArtifactSpec, GitRepositorySpec, OciRepositorySpec};
use runtime::{Cache, Change, Kind, Manager, ObjectKey};

use super::settings::Settings;
use super::spec;

/// A kind that offers artifacts.
pub(super) trait Source: Kind {
    /// The artifact of an object.
    fn artifact(object: &Object<Self>) -> Option<&Artifact>;
}

macro_rules! sources {
    ($($spec:ty),+) => {
        $(impl Source for $spec {
            fn artifact(object: &Object<Self>) -> Option<&Artifact> {
                object.status.as_ref()?.artifact.as_ref()
            }
        })+
    };
}
sources!(
    GitRepositorySpec,
    OciRepositorySpec,
    BucketSpec,
    ExternalArtifactSpec
);

/// Why there is no source.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    /// It is not there. The text is that of client-go's cache.
    #[error("{kind}.source.toolkit.fluxcd.io \"{name}\" not found")]
    NotFound { kind: String, name: String },
    /// It may not be used.
    #[error("can't access '{kind}/{key}', {why}")]
    Denied {
        kind: String,
        key: ObjectKey,
        why: &'static str,
    },
    /// The kind is none that offers artifacts.
    #[error("source `{name}` kind '{kind}' not supported")]
    Unsupported { kind: String, name: String },
}

/// All sources.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) git: Arc<Cache<GitRepositorySpec>>,
    pub(super) oci: Arc<Cache<OciRepositorySpec>>,
    pub(super) buckets: Arc<Cache<BucketSpec>>,
    pub(super) external: Option<Arc<Cache<ExternalArtifactSpec>>>,
}

impl Sources {
    pub(super) fn new(manager: &Manager, settings: &Settings) -> Self {
        Self {
            git: manager.referred(),
            oci: manager.referred(),
            buckets: manager.referred(),
            external: settings.allow_external_artifact.then(|| manager.referred()),
        }
    }

    /// Waits until all sources are known.
    pub(super) async fn synced(&self) {
        self.git.synced().await;
        self.oci.synced().await;
        self.buckets.synced().await;
        if let Some(external) = &self.external {
            external.synced().await;
        }
    }

    /// The artifact of the source of `object`; `None` if it has none yet.
    pub(super) fn artifact(
        &self,
        object: &Kustomization,
        settings: &Settings,
    ) -> Result<Option<Artifact>, SourceError> {
        let (kind, key) = (
            object.spec.source_ref.kind.as_str(),
            spec::source_key(object),
        );
        let denied = |why| SourceError::Denied {
            kind: kind.to_owned(),
            key: key.clone(),
            why,
        };
        if settings.no_cross_namespace_refs && key.namespace != spec::namespace(object) {
            return Err(denied("cross-namespace references have been blocked"));
        }
        match kind {
            "GitRepository" => find(&self.git, &key),
            "OCIRepository" => find(&self.oci, &key),
            "Bucket" => find(&self.buckets, &key),
            "ExternalArtifact" => match &self.external {
                Some(external) => find(external, &key),
                None => Err(denied("ExternalArtifact feature gate is disabled")),
            },
            _ => Err(SourceError::Unsupported {
                kind: kind.to_owned(),
                name: key.name,
            }),
        }
    }
}

fn find<S: Source>(cache: &Cache<S>, key: &ObjectKey) -> Result<Option<Artifact>, SourceError> {
    let object = cache.get(key).ok_or_else(|| SourceError::NotFound {
        kind: <S as Spec>::NAMES.kind.to_owned(),
        name: key.name.clone(),
    })?;
    Ok(S::artifact(&object).cloned())
}

/// The revision of what an OCI artifact was made of; empty if it does not say.
pub(super) fn origin_revision(artifact: &Artifact) -> String {
    artifact
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.get(OCI_REVISION))
        .cloned()
        .unwrap_or_default()
}

/// The new artifact, where a change of a source brought one. Source: kustomize-controller,
/// `SourceRevisionChangePredicate`.
pub(super) fn new_artifact<'a, S: Source>(change: &Change<'a, S>) -> Option<&'a Artifact> {
    let new = S::artifact(change.new?)?;
    match change.old {
        Some(old) if S::artifact(old).is_some_and(|old| old.has_revision(&new.revision)) => None,
        _ => Some(new),
    }
}
