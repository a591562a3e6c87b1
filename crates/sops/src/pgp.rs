//! OpenPGP secret keys as a key service, without GnuPG.

use std::io::Read as _;

use pgp::composed::{Message, MessageBuilder, PublicOrSecret, SignedPublicKey, SignedSecretKey};
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::types::{KeyDetails as _, Password};

use crate::age::ImportError;
use crate::key::{KeyKind, KeyService, MasterKey};

/// A data key is 32 bytes, a share of one a byte more.
const MAX_PLAINTEXT: u64 = 4096;

/// The OpenPGP keys that are held. Keys with a passphrase cannot decrypt, as in Flux.
#[derive(Default)]
pub struct PgpKeys {
    secret: Vec<SignedSecretKey>,
    public: Vec<SignedPublicKey>,
}

fn fingerprint(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
    text
}

impl PgpKeys {
    /// Adds the keys of an armoured or binary key file.
    ///
    /// # Errors
    /// It is no key file, or has no key.
    pub fn import(&mut self, data: &[u8]) -> Result<(), ImportError> {
        let failed = |error: pgp::errors::Error| ImportError::Pgp(error.to_string());
        let (keys, _) = PublicOrSecret::from_reader_many(data).map_err(failed)?;
        let mut found = false;
        for key in keys {
            found = true;
            match key.map_err(failed)? {
                PublicOrSecret::Secret(key) => self.secret.push(key),
                PublicOrSecret::Public(key) => self.public.push(key),
            }
        }
        if found {
            Ok(())
        } else {
            Err(ImportError::Pgp("no key was found".to_owned()))
        }
    }

    fn open(&self, armored: &str) -> Result<Vec<u8>, String> {
        let failed = |error: &dyn std::fmt::Display| {
            format!(
                "could not decrypt data key with PGP key: failed to decrypt sops data key with pgp: {error}"
            )
        };
        if self.secret.is_empty() {
            return Err(failed(&"no secret key"));
        }
        let (message, _) =
            Message::from_armor(armored.as_bytes()).map_err(|error| failed(&error))?;
        let empty = Password::empty();
        let message = message
            .decrypt_with_keys(vec![&empty], self.secret.iter().collect())
            .map_err(|error| match error {
                pgp::errors::Error::MissingKey => failed(&"no secret key"),
                other => failed(&other),
            })?;
        let mut message = if message.is_compressed() {
            message.decompress().map_err(|error| failed(&error))?
        } else {
            message
        };
        let mut plain = Vec::new();
        (&mut message)
            .take(MAX_PLAINTEXT)
            .read_to_end(&mut plain)
            .map_err(|error| failed(&error))?;
        if plain.is_empty() {
            return Err(failed(&"zero bytes returned"));
        }
        Ok(plain)
    }

    fn seal(&self, wanted: &str, plaintext: &[u8]) -> Result<String, String> {
        let failed = |error: &dyn std::fmt::Display| {
            format!("could not encrypt data key with PGP key: {error}")
        };
        let wanted = wanted.to_uppercase();
        let own = self.secret.iter().map(SignedSecretKey::to_public_key);
        let key = own
            .chain(self.public.iter().cloned())
            .find(|key| fingerprint(key.fingerprint().as_bytes()) == wanted)
            .ok_or_else(|| failed(&format!("key with fingerprint '{wanted}' is not available")))?;
        let mut random = rand_08::thread_rng();
        let mut builder = MessageBuilder::from_bytes("", plaintext.to_vec())
            .seipd_v1(&mut random, SymmetricKeyAlgorithm::AES256);
        let subkey = key.public_subkeys.iter().find(|subkey| {
            subkey.signatures.iter().any(|signature| {
                let flags = signature.key_flags();
                flags.encrypt_comms() || flags.encrypt_storage()
            })
        });
        match subkey {
            Some(subkey) => builder.encrypt_to_key(&mut random, &subkey),
            None => builder.encrypt_to_key(&mut random, &key),
        }
        .map_err(|error| failed(&error))?;
        builder
            .to_armored_string(&mut random, pgp::composed::ArmorOptions::default())
            .map_err(|error| failed(&error))
    }
}

impl KeyService for PgpKeys {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>> {
        matches!(key.kind, KeyKind::Pgp { .. }).then(|| self.open(&key.encrypted))
    }

    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        match key {
            KeyKind::Pgp { fingerprint } => Some(self.seal(fingerprint, plaintext)),
            _ => None,
        }
    }

    fn held(&self) -> Vec<String> {
        let keys = self.secret.iter();
        keys.map(|key| fingerprint(key.fingerprint().as_bytes()))
            .collect()
    }
}
