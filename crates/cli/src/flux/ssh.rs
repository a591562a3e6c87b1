//! SSH keys for Git, and the keys of Git hosts.

use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, PrivateKey, PublicKey};

use super::Stop;

/// A key pair as Secrets hold it.
pub(crate) struct KeyPair {
    /// The private key in PEM.
    pub(crate) private: Vec<u8>,
    /// The public key as `authorized_keys` has it, with a newline.
    pub(crate) public: String,
}

fn public_line(key: &PublicKey) -> Result<String, Stop> {
    let line = key.to_openssh().map_err(|error| error.to_string())?;
    // The comment of a key file is left out.
    let words: Vec<&str> = line.split(' ').take(2).collect();
    Ok(format!("{}\n", words.join(" ")))
}

impl KeyPair {
    /// Reads a private key, with its password if it has one.
    ///
    /// # Errors
    /// In the words of Go's `x/crypto/ssh`.
    pub(crate) fn load(text: &[u8], password: &str) -> Result<Self, Stop> {
        let no_key = || Stop::from("ssh: no key found");
        let pem = std::str::from_utf8(text).map_err(|_| no_key())?;
        if !pem.contains("-----BEGIN ") {
            return Err(no_key());
        }
        let password = Some(password).filter(|password| !password.is_empty());
        let key = russh::keys::decode_secret_key(pem, password).map_err(|error| {
            let encrypted = matches!(error, russh::keys::Error::KeyIsEncrypted);
            match (encrypted, password) {
                (true, None) => Stop::from("ssh: this private key is passphrase protected"),
                (_, Some(_)) => Stop::from("x509: decryption password incorrect"),
                _ => Stop::Failed(format!("ssh: cannot decode the private key: {error}")),
            }
        })?;
        Ok(Self {
            private: text.to_vec(),
            public: public_line(key.public_key())?,
        })
    }

    /// Makes a new key.
    ///
    /// # Errors
    /// A key that cannot be made or written.
    pub(crate) fn generate(algorithm: &str, bits: &str, curve: &str) -> Result<Self, Stop> {
        let failed = |error: &dyn std::fmt::Display| {
            Stop::Failed(format!("key pair generation failed, error: {error}"))
        };
        if algorithm == "rsa" {
            return Self::generate_rsa(bits.parse().unwrap_or(2048));
        }
        let algorithm = match algorithm {
            "ed25519" => Algorithm::Ed25519,
            _ => Algorithm::Ecdsa {
                curve: match curve {
                    "p256" => EcdsaCurve::NistP256,
                    "p521" => EcdsaCurve::NistP521,
                    _ => EcdsaCurve::NistP384,
                },
            },
        };
        let mut random = russh::keys::key::safe_rng();
        let key = PrivateKey::random(&mut random, algorithm).map_err(|error| failed(&error))?;
        Self::from_key(&key)
    }

    fn generate_rsa(bits: usize) -> Result<Self, Stop> {
        let mut random = russh::keys::key::safe_rng();
        let pair = russh::keys::ssh_key::private::RsaKeypair::random(&mut random, bits)
            .map_err(|error| format!("key pair generation failed, error: {error}"))?;
        Self::from_key(&PrivateKey::from(pair))
    }

    fn from_key(key: &PrivateKey) -> Result<Self, Stop> {
        let mut private = Vec::new();
        russh::keys::encode_pkcs8_pem(key, &mut private)
            .map_err(|error| format!("key pair generation failed, error: {error}"))?;
        Ok(Self {
            private,
            public: public_line(key.public_key())?,
        })
    }
}

/// Remembers the host's key and ends the handshake.
struct Collector(std::sync::Arc<std::sync::Mutex<Option<PublicKey>>>);

impl russh::client::Handler for Collector {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        if let Ok(mut found) = self.0.lock() {
            *found = Some(key.public_key());
        }
        Ok(true)
    }
}

/// The host's key as `known_hosts` has it.
///
/// # Errors
/// A host that cannot be reached.
pub(crate) fn scan_host_key(host: &str) -> Result<String, Stop> {
    let address = if host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        host.to_owned()
    } else {
        format!("{host}:22")
    };
    let failed = |error: String| {
        Stop::Failed(format!(
            "SSH key scan for host {address} failed, error: {error}"
        ))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let found = std::sync::Arc::new(std::sync::Mutex::new(None));
    let connected = runtime.block_on(async {
        let config = std::sync::Arc::new(russh::client::Config::default());
        let connecting = russh::client::connect(config, address.as_str(), Collector(found.clone()));
        tokio::time::timeout(Duration::from_secs(30), connecting).await
    });
    let key = found.lock().ok().and_then(|mut key| key.take());
    let Some(key) = key else {
        return Err(failed(match connected {
            Ok(Err(russh::Error::IO(error))) => {
                format!("dial tcp {address}: connect: {}", super::go::errno(&error))
            }
            Ok(Err(error)) => error.to_string(),
            _ => "i/o timeout".to_owned(),
        }));
    };
    let (name, port) = address.rsplit_once(':').unwrap_or((&address, "22"));
    let host = if port == "22" {
        name.to_owned()
    } else {
        format!("[{name}]:{port}")
    };
    Ok(format!("{host} {}", public_line(&key)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_and_read_back() {
        let cases = [
            ("ed25519", "", "ssh-ed25519 "),
            ("ecdsa", "p256", "ecdsa-sha2-nistp256 "),
            ("ecdsa", "p384", "ecdsa-sha2-nistp384 "),
            ("ecdsa", "p521", "ecdsa-sha2-nistp521 "),
            ("rsa", "", "ssh-rsa "),
        ];
        for (algorithm, curve, start) in cases {
            let pair = KeyPair::generate(algorithm, "1024", curve)
                .unwrap_or_else(|error| panic!("{algorithm} {curve}: {error:?}"));
            let pem = String::from_utf8_lossy(&pair.private).into_owned();
            assert!(
                pem.starts_with("-----BEGIN PRIVATE KEY-----\n"),
                "{algorithm}: {pem}"
            );
            assert!(pair.public.starts_with(start), "{}", pair.public);
            let read = KeyPair::load(&pair.private, "")
                .unwrap_or_else(|error| panic!("{algorithm} {curve}: {error:?}"));
            assert_eq!(read.public, pair.public);
        }
    }

    #[test]
    fn what_is_no_key_is_told_as_go_tells_it() {
        let error = KeyPair::load(b"garbage", "").err();
        assert!(matches!(error, Some(Stop::Failed(text)) if text == "ssh: no key found"));
    }
}
