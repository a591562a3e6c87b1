//! age identities as a key service.

use std::io::{Read as _, Write as _};
use std::str::FromStr as _;

use age::armor::{ArmoredReader, ArmoredWriter, Format};

use crate::key::{KeyKind, KeyService, MasterKey};

/// A data key is 32 bytes, a share of one a byte more.
const MAX_PLAINTEXT: u64 = 4096;

/// Why identities cannot be imported. No message holds one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImportError {
    /// A line that is no identity.
    #[error("failed to parse and add to age identities: line {line}: {why}")]
    Identity {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No OpenPGP key.
    #[error("cannot import armored key data into keyring: {0}")]
    Pgp(String),
}

/// The age identities that are held.
#[derive(Default)]
pub struct AgeKeys {
    identities: Vec<age::x25519::Identity>,
}

impl AgeKeys {
    /// Adds identities from a key file: one a line, `#` starts a comment.
    ///
    /// # Errors
    /// A line that is no X25519 identity. Plugins and post-quantum identities are not supported.
    pub fn import(&mut self, text: &str) -> Result<(), ImportError> {
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let failed = |why| ImportError::Identity {
                line: number + 1,
                why,
            };
            if line.starts_with("AGE-PLUGIN-") {
                return Err(failed("age plugins are not run"));
            }
            if line.starts_with("AGE-SECRET-KEY-PQ-") {
                return Err(failed("post-quantum identities are not supported"));
            }
            if !line.starts_with("AGE-SECRET-KEY-1") {
                return Err(failed("unknown identity type"));
            }
            let identity = age::x25519::Identity::from_str(line.trim_end())
                .map_err(|_| failed("malformed secret key"))?;
            self.identities.push(identity);
        }
        Ok(())
    }

    fn open(&self, armored: &str) -> Result<Vec<u8>, String> {
        if self.identities.is_empty() {
            return Err("failed to load age identities".to_owned());
        }
        let failed = |error: &dyn std::fmt::Display| {
            format!("failed to create reader for decrypting sops data key with age: {error}")
        };
        let decryptor = age::Decryptor::new(ArmoredReader::new(armored.as_bytes()))
            .map_err(|error| failed(&error))?;
        let identities = self
            .identities
            .iter()
            .map(|identity| identity as &dyn age::Identity);
        let reader = decryptor.decrypt(identities).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys if self.identities.len() == 1 => failed(
                &"identity did not match any of the recipients: incorrect identity for recipient block",
            ),
            age::DecryptError::NoMatchingKeys => failed(&"no identity matched any of the recipients"),
            other => failed(&other),
        })?;
        let mut plain = Vec::new();
        reader
            .take(MAX_PLAINTEXT)
            .read_to_end(&mut plain)
            .map_err(|error| {
                format!("failed to copy age decrypted data into bytes.Buffer: {error}")
            })?;
        Ok(plain)
    }
}

fn seal(recipient: &str, plaintext: &[u8]) -> Result<String, String> {
    let recipient = age::x25519::Recipient::from_str(recipient).map_err(|error| {
        format!("failed to parse input as Bech32-encoded age public key: {error}")
    })?;
    let text = |error: &dyn std::fmt::Display| {
        format!("failed to encrypt sops data key with age: {error}")
    };
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(|error| text(&error))?;
    let mut sealed = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor)
        .map_err(|error| text(&error))?;
    let mut writer = encryptor.wrap_output(armor).map_err(|error| text(&error))?;
    writer.write_all(plaintext).map_err(|error| text(&error))?;
    writer
        .finish()
        .and_then(ArmoredWriter::finish)
        .map_err(|error| text(&error))?;
    String::from_utf8(sealed).map_err(|error| text(&error))
}

impl KeyService for AgeKeys {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>> {
        matches!(key.kind, KeyKind::Age { .. }).then(|| self.open(&key.encrypted))
    }

    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        match key {
            KeyKind::Age { recipient } => Some(seal(recipient, plaintext)),
            _ => None,
        }
    }

    fn held(&self) -> Vec<String> {
        let identities = self.identities.iter();
        identities
            .map(|identity| identity.to_public().to_string())
            .collect()
    }
}
