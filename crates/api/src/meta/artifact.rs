//! What a source produced.

use std::collections::BTreeMap;

use api_derive::shape;

use super::Time;

/// The pattern of a digest: algorithm, colon, checksum.
const DIGEST: &str = "^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$";

/// The archive that a source produced in its last successful reconciliation.
#[shape]
pub struct Artifact {
    /// The digest of the file, as `<algorithm>:<checksum>`.
    #[shape(pattern = DIGEST)]
    pub digest: String,
    /// When the artifact last changed.
    pub last_update_time: Time,
    /// Facts from upstream, such as the annotations of an OCI artifact.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The path of the file below the root of the artifact storage.
    pub path: String,
    /// What the artifact was made of: a commit, a tag, a chart version, a digest.
    pub revision: String,
    /// The size of the file in bytes.
    pub size: Option<i64>,
    /// The HTTP address at which the file is served.
    pub url: String,
}

impl Artifact {
    /// Whether it was made of `revision`.
    pub fn has_revision(&self, revision: &str) -> bool {
        self.revision == revision
    }

    /// Whether its file has `digest`.
    pub fn has_digest(&self, digest: &str) -> bool {
        self.digest == digest
    }
}
