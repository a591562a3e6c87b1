//! The digests of artifacts: `<algorithm>:<hexadecimal digits>`.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// What digests are computed with (`--artifact-digest-algo`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// BLAKE3 with 256 bits.
    Blake3,
}

impl DigestAlgorithm {
    /// The name, as in digests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for DigestAlgorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Sha256, Self::Sha384, Self::Sha512, Self::Blake3]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or_else(|| format!("unsupported digest algorithm: {text}"))
    }
}

/// Computes a digest.
#[derive(Debug, Clone)]
pub struct Digester(State);

#[derive(Debug, Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Blake3(Box<blake3::Hasher>),
}

impl Digester {
    /// A digest of nothing yet.
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            DigestAlgorithm::Sha512 => State::Sha512(Sha512::new()),
            DigestAlgorithm::Blake3 => State::Blake3(Box::default()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
            State::Blake3(state) => {
                state.update(bytes);
            }
        }
    }

    /// The whole text: algorithm and digits.
    pub fn finish(self) -> String {
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
        };
        match self.0 {
            State::Sha256(state) => format!("sha256:{}", hex(&state.finalize())),
            State::Sha384(state) => format!("sha384:{}", hex(&state.finalize())),
            State::Sha512(state) => format!("sha512:{}", hex(&state.finalize())),
            State::Blake3(state) => format!("blake3:{}", state.finalize().to_hex()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_known_ones() {
        let of = |algorithm: &str| {
            let mut digester = Digester::new(algorithm.parse().unwrap());
            digester.update(b"a");
            digester.update(b"bc");
            digester.finish()
        };
        assert!(of("sha256").starts_with("sha256:ba7816bf8f01cfea"));
        assert!(of("sha384").starts_with("sha384:cb00753f45a35e8b"));
        assert!(of("sha512").starts_with("sha512:ddaf35a193617aba"));
        assert!(of("blake3").starts_with("blake3:6437b3ac38465133"));
        assert!("md5".parse::<DigestAlgorithm>().is_err());
    }
}
