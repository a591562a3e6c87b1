//! Master keys: what a file's data key is encrypted with, and who can decrypt it.

use std::collections::BTreeMap;
use std::fmt;

use crate::cipher::DataKey;
use crate::shamir::{self, ShamirError};

/// What a master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// age, with the recipient (`age1…` or an SSH public key).
    Age {
        /// The public key.
        recipient: String,
    },
    /// OpenPGP.
    Pgp {
        /// Of the public key, in hexadecimal.
        fingerprint: String,
    },
    /// AWS KMS.
    AwsKms {
        /// Of the key.
        arn: String,
        /// Of the role to assume; empty for none.
        role: String,
        /// The encryption context.
        context: BTreeMap<String, String>,
        /// Of the credentials file; empty for the default.
        profile: String,
    },
    /// Google Cloud KMS.
    GcpKms {
        /// `projects/…/locations/…/keyRings/…/cryptoKeys/…`
        resource_id: String,
    },
    /// Azure Key Vault.
    AzureKeyVault {
        /// `https://….vault.azure.net`
        vault_url: String,
        /// Of the key.
        name: String,
        /// Of the key; empty for the newest.
        version: String,
    },
    /// The transit engine of HashiCorp Vault or OpenBao.
    Vault {
        /// `https://host:port`
        address: String,
        /// Of the transit engine.
        engine_path: String,
        /// Of the key.
        key_name: String,
    },
    /// Huawei Cloud KMS, which is kept and never asked.
    HuaweiKms {
        /// `region:uuid`
        key_id: String,
    },
}

impl fmt::Display for KeyKind {
    /// The name that SOPS gives the key in messages.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age { recipient } => formatter.write_str(recipient),
            Self::Pgp { fingerprint } => formatter.write_str(fingerprint),
            Self::AwsKms {
                arn,
                role,
                context,
                profile,
            } => {
                formatter.write_str(arn)?;
                if !role.is_empty() {
                    write!(formatter, "+{role}")?;
                }
                let pairs: Vec<String> = context.iter().map(|(k, v)| format!("{k}:{v}")).collect();
                if !profile.is_empty() {
                    write!(formatter, "|{}|{profile}", pairs.join(","))?;
                } else if !pairs.is_empty() {
                    write!(formatter, "|{}", pairs.join(","))?;
                }
                Ok(())
            }
            Self::GcpKms { resource_id } => formatter.write_str(resource_id),
            Self::AzureKeyVault {
                vault_url,
                name,
                version,
            } => write!(formatter, "{vault_url}/keys/{name}/{version}"),
            Self::Vault {
                address,
                engine_path,
                key_name,
            } => write!(formatter, "{address}/v1/{engine_path}/keys/{key_name}"),
            Self::HuaweiKms { key_id } => formatter.write_str(key_id),
        }
    }
}

/// A master key with the data key that it encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKey {
    /// What it is.
    pub kind: KeyKind,
    /// The data key, encrypted: armoured for age and PGP, as the service gave it for the others.
    pub encrypted: String,
    /// When that was done, in RFC 3339; empty for age.
    pub created_at: String,
}

/// Master keys that all encrypt the same part of the data key.
pub type KeyGroup = Vec<MasterKey>;

/// Decrypts and encrypts data keys: a key ring, or a client of a key management service.
pub trait KeyService {
    /// The data key (or its part) that `key` encrypted; `None` if this service does not know such keys.
    ///
    /// # Errors
    /// A text for the message. It must not hold key material.
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>>;

    /// `plaintext` encrypted for `key`; `None` if this service does not know such keys.
    ///
    /// # Errors
    /// A text for the message.
    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>>;

    /// The keys that this service holds, by recipient or fingerprint, for messages.
    fn held(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Several services, asked in turn.
impl KeyService for [&dyn KeyService] {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>> {
        let mut failed = None;
        for service in self {
            match service.decrypt(key) {
                Some(Ok(part)) => return Some(Ok(part)),
                Some(Err(error)) => failed = failed.or(Some(Err(error))),
                None => {}
            }
        }
        failed
    }

    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        self.iter()
            .find_map(|service| service.encrypt(key, plaintext))
    }

    fn held(&self) -> Vec<String> {
        self.iter().flat_map(|service| service.held()).collect()
    }
}

/// Why no data key was found.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    /// Not enough groups could be decrypted.
    #[error("{}", report(groups, *threshold, held))]
    Groups {
        /// For each group: none if it was decrypted, else each key with its message.
        groups: Vec<Option<Vec<(String, String)>>>,
        /// How many groups are needed; 0 where there is just one.
        threshold: usize,
        /// The keys that there are.
        held: Vec<String>,
    },
    /// The parts do not fit together.
    #[error("could not get data key from shamir parts: {0}")]
    Shamir(#[from] ShamirError),
}

/// age and PGP first, as upstream's default order; others as they stand in the file.
fn order(kind: &KeyKind) -> u8 {
    match kind {
        KeyKind::Age { .. } => 0,
        KeyKind::Pgp { .. } => 1,
        _ => 2,
    }
}

/// Finds the data key by asking `service` for the keys of each group.
pub(crate) fn data_key(
    groups: &[KeyGroup],
    threshold: usize,
    service: &dyn KeyService,
) -> Result<DataKey, DataKeyError> {
    let (mut parts, mut results) = (Vec::new(), Vec::new());
    for group in groups {
        let mut sorted: Vec<&MasterKey> = group.iter().collect();
        sorted.sort_by_key(|key| order(&key.kind));
        let mut failures = Vec::new();
        let part = sorted.into_iter().find_map(|key| {
            let answer = service
                .decrypt(key)
                .unwrap_or_else(|| Err("no credentials for keys of this kind".to_owned()));
            answer
                .map_err(|message| failures.push((key.kind.to_string(), message)))
                .ok()
        });
        results.push(part.is_none().then_some(failures));
        parts.extend(part);
    }
    let needed = if groups.len() > 1 { threshold } else { 1 };
    if parts.len() < needed || parts.is_empty() {
        return Err(DataKeyError::Groups {
            groups: results,
            threshold,
            held: service.held(),
        });
    }
    if groups.len() > 1 {
        return Ok(DataKey(shamir::combine(&parts)?));
    }
    Ok(DataKey(parts.remove(0)))
}

/// The report that `sops` prints, and which keys are held.
fn report(groups: &[Option<Vec<(String, String)>>], threshold: usize, held: &[String]) -> String {
    let mut texts = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let Some(failures) = group else {
            texts.push(format!("Group {number}: SUCCESS"));
            continue;
        };
        let keys: Vec<String> = failures
            .iter()
            .map(|(key, message)| {
                let mut lines = prefix(&wrap(message, 60), "  | ");
                lines.replace_range(..1, "-");
                format!("{key}: FAILED\n{}", prefix(&lines, "  "))
            })
            .collect();
        texts.push(format!(
            "Group {number}: FAILED\n{}",
            prefix(&keys.join("\n\n"), "  ")
        ));
    }
    let successful = groups.iter().filter(|group| group.is_none()).count();
    let trailer = if threshold == 0 {
        "Recovery failed because no master key was able to decrypt the file. In order for SOPS to \
         recover the file, at least one key has to be successful, but none were."
            .to_owned()
    } else {
        format!(
            "Recovery failed because the file was encrypted with a Shamir threshold of {threshold}, \
             but only {successful} part(s) were successfully recovered, one for each successful key \
             group. In order for SOPS to recover the file, at least {threshold} groups have to be \
             successful. In order for a group to be successful, decryption has to succeed with any \
             of the keys in that key group."
        )
    };
    let held = match held {
        [] => "\n\nNo keys are held.".to_owned(),
        keys => format!("\n\nKeys held: {}", keys.join(", ")),
    };
    format!(
        "Failed to get the data key required to decrypt the SOPS file.\n\n{}\n\n{}{held}",
        texts.join("\n\n"),
        wrap(&trailer, 75),
    )
}

fn prefix(text: &str, mark: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{mark}{line}")).collect();
    lines.join("\n")
}

/// Breaks lines at spaces so that none is longer than `width`, where words allow.
fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let mut column = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    out
}
