//! The sources: values files of a chart, and how artifacts were described.

use serde_json::{Map, Value};

use super::path::get_mut;
use super::{Moves, helm};
use crate::meta::{Digest, Revision};

pub(super) const GIT_REPOSITORY: Moves = Moves {
    ignored: &[
        ("spec.accessFrom", None),
        ("spec.gitImplementation", Some("go-git")),
    ],
    up: |fields, _| artifacts(fields, |artifact| artifact_up(artifact, true)),
    down: |fields, version, _| artifacts(fields, |artifact| artifact_down(artifact, version, true)),
    ..super::NONE
};
pub(super) const HELM_CHART: Moves = Moves {
    carried: &["spec.valuesFile"],
    ignored: &[("spec.accessFrom", None)],
    up: |fields, _| {
        helm::values_file_up(fields, "spec");
        artifacts(fields, |artifact| artifact_up(artifact, false));
    },
    down: |fields, version, ignored| {
        if version == "v1alpha1" {
            helm::values_file_down(fields, "spec", ignored);
        }
        artifacts(fields, |artifact| artifact_down(artifact, version, false));
    },
};
pub(super) const BUCKET: Moves = Moves {
    ignored: &[("spec.accessFrom", None)],
    ..HELM_REPOSITORY
};
pub(super) const HELM_REPOSITORY: Moves = Moves {
    up: |fields, _| artifacts(fields, |artifact| artifact_up(artifact, false)),
    down: |fields, version, _| {
        artifacts(fields, |artifact| artifact_down(artifact, version, false))
    },
    ..super::NONE
};

fn artifacts(fields: &mut Map<String, Value>, mut change: impl FnMut(&mut Map<String, Value>)) {
    if let Some(Value::Object(artifact)) = get_mut(fields, "status.artifact") {
        change(artifact);
    }
    if let Some(Value::Array(artifacts)) = get_mut(fields, "status.includedArtifacts") {
        artifacts
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(change);
    }
}

/// `checksum` becomes `digest`, and revisions get the name of their algorithm.
fn artifact_up(artifact: &mut Map<String, Value>, is_git: bool) {
    let Some(Value::String(checksum)) = artifact.remove("checksum") else {
        return;
    };
    if let Some(digest) = digest(&checksum) {
        artifact.entry("digest").or_insert_with(|| digest.into());
    }
    let Some(Value::String(revision)) = artifact.get_mut("revision") else {
        return;
    };
    if is_git && !revision.contains(':') {
        *revision = Revision::parse(revision).to_git();
    } else if let Some(digest) = digest(revision) {
        *revision = digest;
    }
}

fn artifact_down(artifact: &mut Map<String, Value>, version: &str, is_git: bool) {
    if version == "v1beta2" {
        return;
    }
    if let Some(digest) = artifact.remove("digest")
        && let Some(digest) = digest.as_str().and_then(|text| text.parse::<Digest>().ok())
    {
        artifact.insert("checksum".to_owned(), digest.encoded().into());
    }
    let Some(Value::String(revision)) = artifact.get_mut("revision") else {
        return;
    };
    if is_git {
        let parts = Revision::parse(revision);
        let pointer = if parts.pointer.is_empty() {
            "HEAD"
        } else {
            &parts.pointer
        };
        *revision = format!("{pointer}/{}", parts.hash);
    } else if let Ok(digest) = revision.parse::<Digest>() {
        digest.encoded().clone_into(revision);
    }
}

/// The checksum with its algorithm, which its length tells.
fn digest(checksum: &str) -> Option<String> {
    let algorithm = match checksum.len() {
        40 => "sha1",
        64 => "sha256",
        _ => return None,
    };
    checksum
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| format!("{algorithm}:{checksum}"))
}
