//! Decrypts and encrypts SOPS files.
//!
//! ```text
//! bytes ─ store ─► documents + metadata ─ key service ─► data key
//!                      └──────── walk: AES-256-GCM per value, code over all ────► documents ─ store ─► bytes
//! ```
//!
//! Files are those of SOPS 3.13 in YAML, JSON, dotenv, INI and binary form. Keys are asked of a
//! [`KeyService`]: [`AgeKeys`] and [`PgpKeys`] are here, key management services are the caller's, for this
//! crate does no I/O. What Flux decrypts, and when, follows kustomize-controller's `internal/decryptor`.
//!
//! ```
//! use sops::{AgeKeys, Format, KeyKind};
//!
//! let mut keys = AgeKeys::default();
//! keys.import("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")?;
//! let recipient = sops::KeyService::held(&keys).remove(0);
//! let groups = vec![vec![KeyKind::Age { recipient }]];
//! let request = sops::Encrypt::new(groups, "2026-01-02T03:04:05Z");
//! let mut random = |bytes: &mut [u8]| bytes.fill(7); // A real caller fills with random bytes.
//! let sealed = sops::encrypt(b"password: s3cr3t\n", Format::Yaml, &request, &keys, &mut random)?;
//! assert!(!String::from_utf8_lossy(&sealed).contains("s3cr3t"));
//! let plain = sops::decrypt(&sealed, Format::Yaml, Format::Yaml, &keys, sops::Mac::Check)?;
//! assert_eq!(plain, b"password: s3cr3t\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Known differences: Huawei Cloud KMS, age plugins and post-quantum age identities are not supported; INI
//! files with continued lines or values in `"""` are read as plain lines.

mod age;
mod cipher;
mod flatten;
mod key;
mod metadata;
mod pgp;
mod shamir;
mod store;
mod tree;
mod value;

pub use age::{AgeKeys, ImportError};
pub use cipher::CipherError;
pub use flatten::FlattenError;
pub use key::{DataKeyError, KeyGroup, KeyKind, KeyService, MasterKey};
pub use metadata::{Metadata, MetadataError, Rule};
pub use pgp::PgpKeys;
pub use shamir::ShamirError;
pub use store::{Format, StoreError};
pub use tree::TreeError;

use cipher::DataKey;
use value::Value;

/// The largest encrypted file that Flux decrypts: 5 MiB.
pub const MAX_FILE: u64 = 5 << 20;

/// Whether the authentication code over all values is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mac {
    /// As the `sops` command does.
    Check,
    /// As Flux does, since Kustomize changes metadata of resources before they are decrypted.
    Ignore,
}

/// Why a file cannot be decrypted or encrypted. No message holds a plaintext or a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("failed to load encrypted {format} data: {source}")]
    Load {
        /// Its form.
        format: Format,
        /// Why.
        source: StoreError,
    },
    /// No key decrypts its data key.
    #[error("cannot get sops data key: {0}")]
    DataKey(#[from] DataKeyError),
    /// A value cannot be decrypted.
    #[error("error decrypting sops tree: {0}")]
    Tree(#[source] TreeError),
    /// A value cannot be encrypted.
    #[error("error encrypting sops tree: {0}")]
    EncryptTree(#[source] TreeError),
    /// The authentication code cannot be decrypted.
    #[error("failed to verify sops data integrity: {0}")]
    Mac(#[source] CipherError),
    /// The file was changed after it was encrypted.
    #[error("failed to verify sops data integrity: the values do not fit the authentication code")]
    MacMismatch,
    /// The result does not fit the form that is wanted.
    #[error("failed to emit encrypted {input} file as decrypted {output}: {source}")]
    Emit {
        /// The form of the file.
        input: Format,
        /// The form that is wanted.
        output: Format,
        /// Why.
        source: StoreError,
    },
    /// The data key cannot be encrypted.
    #[error("could not generate data key: {0}")]
    GenerateDataKey(String),
    /// The data key cannot be split.
    #[error(transparent)]
    Shamir(#[from] ShamirError),
}

/// Decrypts `data` of form `input` and writes it in the form `output`.
///
/// # Errors
/// See [`Error`].
pub fn decrypt(
    data: &[u8],
    input: Format,
    output: Format,
    keys: &dyn KeyService,
    mac: Mac,
) -> Result<Vec<u8>, Error> {
    let load = |source| Error::Load {
        format: input,
        source,
    };
    let (branches, metadata) = store::load_encrypted(data, input).map_err(load)?;
    let key = key::data_key(&metadata.groups, metadata.shamir_threshold, keys)?;
    let (branches, computed) = tree::decrypt(branches, &metadata, &key).map_err(Error::Tree)?;
    if mac == Mac::Check {
        check_mac(&metadata, &key, &computed)?;
    }
    store::emit(&branches, output).map_err(|source| Error::Emit {
        input,
        output,
        source,
    })
}

fn check_mac(metadata: &Metadata, key: &DataKey, computed: &str) -> Result<(), Error> {
    let stored =
        cipher::decrypt(&metadata.mac, key, &metadata.last_modified).map_err(Error::Mac)?;
    match stored {
        Value::Text(stored) if stored == computed => Ok(()),
        _ => Err(Error::MacMismatch),
    }
}

/// How a file is to be encrypted.
#[derive(Debug, Clone)]
pub struct Encrypt {
    /// Who can decrypt it: one group, or several for secret sharing.
    pub groups: Vec<Vec<KeyKind>>,
    /// How many groups are needed; 0 for all.
    pub shamir_threshold: usize,
    /// Which values are encrypted.
    pub rule: Rule,
    /// The authentication code covers the encrypted values only.
    pub mac_only_encrypted: bool,
    /// The present time in RFC 3339.
    pub now: String,
}

impl Encrypt {
    /// With SOPS' defaults.
    pub fn new(groups: Vec<Vec<KeyKind>>, now: impl Into<String>) -> Self {
        Self {
            groups,
            shamir_threshold: 0,
            rule: Rule::default(),
            mac_only_encrypted: false,
            now: now.into(),
        }
    }
}

/// The version of SOPS whose files are written.
const VERSION: &str = "3.13.2";

/// Encrypts the plain file `data`. `random` fills with random bytes of a cryptographic source.
///
/// # Errors
/// See [`Error`].
pub fn encrypt(
    data: &[u8],
    format: Format,
    request: &Encrypt,
    keys: &dyn KeyService,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Vec<u8>, Error> {
    let branches = store::load(data, format).map_err(|source| Error::Load { format, source })?;
    let mut key = DataKey(vec![0; 32]);
    random(&mut key.0);
    let mut metadata = Metadata {
        rule: request.rule.clone(),
        mac_only_encrypted: request.mac_only_encrypted,
        last_modified: request.now.clone(),
        version: VERSION.to_owned(),
        ..Metadata::default()
    };
    seal_data_key(&mut metadata, request, &key, keys, random)?;
    let (branches, mac) =
        tree::encrypt(branches, &metadata, &key, random).map_err(Error::EncryptTree)?;
    let mut nonce = [0; 32];
    random(&mut nonce);
    metadata.mac =
        cipher::encrypt(&Value::Text(mac), &key, &request.now, &nonce).map_err(Error::Mac)?;
    store::emit_encrypted(branches, &metadata, format).map_err(|source| Error::Emit {
        input: format,
        output: format,
        source,
    })
}

fn seal_data_key(
    metadata: &mut Metadata,
    request: &Encrypt,
    key: &DataKey,
    keys: &dyn KeyService,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<(), Error> {
    let count = request.groups.len();
    let parts = if count > 1 {
        metadata.shamir_threshold = match request.shamir_threshold {
            0 => count,
            threshold => threshold,
        };
        shamir::split(&key.0, count, metadata.shamir_threshold, random)?
    } else {
        vec![key.0.clone()]
    };
    for (kinds, part) in request.groups.iter().zip(&parts) {
        if kinds.is_empty() {
            return Err(Error::GenerateDataKey(
                "empty key group provided".to_owned(),
            ));
        }
        let mut group = KeyGroup::new();
        for kind in kinds {
            let fail = |why: &str| {
                Error::GenerateDataKey(format!(
                    "failed to encrypt new data key with master key {:?}: {why}",
                    kind.to_string()
                ))
            };
            let encrypted = keys
                .encrypt(kind, part)
                .ok_or_else(|| fail("no credentials for keys of this kind"))?
                .map_err(|why| fail(&why))?;
            let created_at = match kind {
                KeyKind::Age { .. } => String::new(),
                _ => request.now.clone(),
            };
            group.push(MasterKey {
                kind: kind.clone(),
                encrypted,
                created_at,
            });
        }
        metadata.groups.push(group);
    }
    if metadata.groups.is_empty() {
        return Err(Error::GenerateDataKey("no key group provided".to_owned()));
    }
    Ok(())
}
