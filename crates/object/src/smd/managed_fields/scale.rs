//! The entries of a scale subresource.
//!
//! The scale subresource of a workload shows its replicas as `spec.replicas` of an
//! `autoscaling/v1` `Scale`. Who owns the replicas of the workload owns that field, and the other
//! way about. Source: apimachinery `pkg/util/managedfields/scalehandler.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::entries::{DecodeError, Managed};
use crate::smd::fieldset::Set;
use crate::smd::merge::VersionedSet;
use crate::smd::path::Path;

const SCALE_VERSION: &str = "autoscaling/v1";

/// Converts entries between a resource and its scale subresource.
#[derive(Debug, Clone)]
pub struct ScaleHandler {
    parent: Managed,
    api_version: Arc<str>,
    replicas: BTreeMap<String, Option<Path>>,
}

impl ScaleHandler {
    /// A handler for a resource with the entries `parent`, in `api_version`.
    ///
    /// `replicas` has the path of the replicas for each version of the resource; `None` for a version
    /// without scale subresource. Entries in versions that it lacks are dropped.
    ///
    /// # Errors
    /// The entries cannot be read.
    pub fn new(
        parent: &Value,
        api_version: &str,
        replicas: BTreeMap<String, Option<Path>>,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            parent: Managed::decode(parent)?,
            api_version: api_version.into(),
            replicas,
        })
    }

    fn path(&self, api_version: &str) -> Option<&Path> {
        self.replicas.get(api_version)?.as_ref()
    }

    fn replicas_in_scale() -> Path {
        Path::of_fields(&["spec", "replicas"])
    }

    /// The entries for the scale: those that own the replicas.
    pub fn to_subresource(&self) -> Vec<Value> {
        let mut scale = Managed::default();
        for (manager, owned) in &self.parent.fields {
            let Some(path) = self.path(&owned.api_version) else {
                continue;
            };
            if owned.set.has(path) {
                let owned = VersionedSet {
                    set: Arc::new(Set::of([&Self::replicas_in_scale()])),
                    api_version: SCALE_VERSION.into(),
                    applied: owned.applied,
                };
                scale.fields.insert(manager.clone(), owned);
                if let Some(time) = self.parent.times.get(manager) {
                    scale.times.insert(manager.clone(), time.clone());
                }
            }
        }
        scale.encode()
    }

    /// The entries for the resource, once the scale has the entries `scale`.
    ///
    /// # Errors
    /// The entries of the scale cannot be read.
    pub fn to_parent(&self, scale: &Value) -> Result<Vec<Value>, DecodeError> {
        let mut scale = Managed::decode(scale)?;
        let mut out = Managed::default();
        let mut keep = |manager: &str, owned: VersionedSet| {
            if let Some(time) = self.parent.times.get(manager) {
                out.times.insert(manager.to_owned(), time.clone());
            }
            out.fields.insert(manager.to_owned(), owned);
        };
        for (manager, owned) in &self.parent.fields {
            if !self.replicas.contains_key(&*owned.api_version) {
                continue;
            }
            let path = self.path(&owned.api_version);
            let Some(path) = path.filter(|path| owned.set.has(path)) else {
                keep(manager, owned.clone());
                continue;
            };
            if scale.fields.remove(manager).is_some() {
                keep(manager, owned.clone());
                continue;
            }
            // Someone else took the replicas.
            let left = owned.set.difference(&Set::of([path]));
            if !left.is_empty() {
                let owned = VersionedSet {
                    set: Arc::new(left),
                    ..owned.clone()
                };
                keep(manager, owned);
            }
        }
        for (manager, owned) in scale.fields {
            if owned.set.has(&Self::replicas_in_scale()) {
                let owned = VersionedSet {
                    set: Arc::new(Set::of(self.path(&self.api_version))),
                    api_version: Arc::clone(&self.api_version),
                    applied: owned.applied,
                };
                keep(&manager, owned);
            }
        }
        Ok(out.encode())
    }
}
