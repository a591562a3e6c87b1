//! What a content is known by.

use std::fmt;

/// The algorithms that ids are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Algorithm {
    GitSha1,
    Sha256,
}

/// What a content is known by. Equal ids mean equal bytes; unequal ids of different algorithms mean nothing.
///
/// Shape as text: `<algorithm>:<hex>`, e.g. `git-sha1:…` (the object id of a Git blob) or `sha256:…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

impl ContentId {
    /// The object id of a Git blob.
    pub fn git_sha1(id: [u8; 20]) -> Self {
        let mut bytes = [0; 32];
        bytes[..20].copy_from_slice(&id);
        Self {
            algorithm: Algorithm::GitSha1,
            bytes,
        }
    }

    /// The SHA-256 of a content.
    pub fn sha256(bytes: [u8; 32]) -> Self {
        Self {
            algorithm: Algorithm::Sha256,
            bytes,
        }
    }

    /// The SHA-256 of `content`, computed.
    pub fn of(content: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::sha256(sha2::Sha256::digest(content).into())
    }

    /// The digest, without its algorithm.
    pub fn as_bytes(&self) -> &[u8] {
        match self.algorithm {
            Algorithm::GitSha1 => &self.bytes[..20],
            Algorithm::Sha256 => &self.bytes,
        }
    }

    /// The object id, where it is one of a Git blob.
    pub fn as_git_sha1(&self) -> Option<[u8; 20]> {
        match self.algorithm {
            Algorithm::GitSha1 => self.bytes[..20].try_into().ok(),
            Algorithm::Sha256 => None,
        }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.algorithm {
            Algorithm::GitSha1 => "git-sha1:",
            Algorithm::Sha256 => "sha256:",
        })?;
        for byte in self.as_bytes() {
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
