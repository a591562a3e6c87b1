//! Releases as Secrets: names, labels, and the text inside.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::Release;

/// The type of the Secrets.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";
/// The value of the label `owner`.
pub const OWNER: &str = "helm";
/// Labels that users cannot set.
pub const SYSTEM_LABELS: [&str; 6] = [
    "name",
    "owner",
    "status",
    "version",
    "createdAt",
    "modifiedAt",
];

const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];
/// The largest release that is read: far above what a Secret of 1 MiB holds in practice, and a bound for bombs.
const MAX_RELEASE: u64 = 256 << 20;

/// Why a stored release cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The text is no base64.
    #[error("the stored release is not in base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// The compressed bytes are broken.
    #[error("the stored release cannot be decompressed: {0}")]
    Gzip(#[source] std::io::Error),
    /// It unpacks to more than this program reads.
    #[error("the stored release is larger than {MAX_RELEASE} bytes")]
    TooLarge,
    /// It is no release.
    #[error("the stored release cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

/// A release with what its Secret says.
#[derive(Debug, Clone)]
pub struct StoredRelease {
    /// The name of the Secret.
    pub key: String,
    /// The release, with its users' labels.
    pub release: Release,
}

/// The name of the Secret of a revision.
pub fn key(name: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{name}.v{version}")
}

/// What stands in the field `release` of the Secret, before the API encodes it once more.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn encode(release: &Release) -> Result<String, serde_json::Error> {
    let json = release.to_json()?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder
        .write_all(json.as_bytes())
        .and_then(|()| encoder.finish())
        .map_err(serde_json::Error::io)?;
    Ok(STANDARD.encode(packed))
}

/// Reads the field `release` of a Secret. `labels` are those of the Secret.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(text: &str, labels: &BTreeMap<String, String>) -> Result<Release, DecodeError> {
    let bytes = STANDARD.decode(text)?;
    let mut json = Vec::new();
    if bytes.starts_with(&GZIP) {
        GzDecoder::new(&bytes[..])
            .take(MAX_RELEASE + 1)
            .read_to_end(&mut json)
            .map_err(DecodeError::Gzip)?;
        if json.len() as u64 > MAX_RELEASE {
            return Err(DecodeError::TooLarge);
        }
    } else {
        // Releases were once stored as they are.
        json = bytes;
    }
    let mut release: Release = serde_json::from_slice(&json)?;
    release.labels = labels
        .iter()
        .filter(|(key, _)| !SYSTEM_LABELS.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Ok(release)
}

/// The labels of a Secret that is written now. `stamp` is `createdAt` or `modifiedAt`, `now` the seconds since 1970.
pub fn labels(release: &Release, stamp: &str, now: i64) -> BTreeMap<String, String> {
    let mut labels = release.labels.clone();
    labels.insert(stamp.to_owned(), now.to_string());
    labels.insert("name".to_owned(), release.name.clone());
    labels.insert("owner".to_owned(), OWNER.to_owned());
    labels.insert("status".to_owned(), release.info.status.to_string());
    labels.insert("version".to_owned(), release.version.to_string());
    labels
}
