//! `build kustomization` and `envsubst` on parsed arguments.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cluster::kinds::KUSTOMIZATION;
use super::cluster::{Cluster, Reason};
use super::invocation::Invocation;
use super::{Outcome, output};
use crate::build::{self, BuildKustomization};
use crate::envsubst as substitution;

impl build::Cluster for Cluster {
    fn kustomization(&self, namespace: &str, name: &str) -> Result<Option<Value>, String> {
        match self.get(&KUSTOMIZATION, namespace, name) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.reason == Reason::NotFound => Ok(None),
            Err(error) => Err(error.message),
        }
    }

    fn data(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, String> {
        Self::data(self, kind, namespace, name).map_err(|error| error.message)
    }
}

/// The arguments that `build` and `diff` share.
pub(super) fn arguments(invocation: &Invocation<'_>) -> BuildKustomization {
    BuildKustomization {
        name: invocation.first().map(str::to_owned),
        path: invocation.text("path").to_owned(),
        kustomization_file: invocation.text("kustomization-file").to_owned(),
        ignore_paths: invocation.list("ignore-paths").to_vec(),
        dry_run: invocation.boolean("dry-run"),
        strict_substitute: invocation.boolean("strict-substitute"),
        recursive: invocation.boolean("recursive"),
        local_sources: invocation.map("local-sources"),
        in_memory_build: invocation.boolean("in-memory-build"),
        namespace: invocation.namespace.clone(),
    }
}

/// Runs `build kustomization`.
pub(super) fn kustomization(invocation: &Invocation<'_>) -> Outcome {
    let arguments = arguments(invocation);
    let cluster = if arguments.dry_run {
        None
    } else {
        invocation.cluster().ok()
    };
    let current = std::env::current_dir().unwrap_or_default();
    let cluster = cluster
        .as_ref()
        .map(|cluster| cluster as &dyn build::Cluster);
    output::out(build::build_kustomization(&arguments, &current, cluster)?);
    Ok(())
}

/// Runs `envsubst`.
pub(super) fn envsubst(invocation: &Invocation<'_>) -> Outcome {
    substitution::run(
        std::io::stdin().lock(),
        std::io::stdout().lock(),
        &substitution::from_environment,
        invocation.boolean("strict"),
    )
    .map_err(|error| error.to_string().into())
}
