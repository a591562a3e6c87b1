//! Revisions and digests.

use std::fmt;
use std::str::FromStr;

/// A revision in its parts: `main@sha1:5394…` is the named pointer `main` and the checksum.
///
/// Reads also what Flux wrote before v2.0 (`main/5394…`). Source: fluxcd/pkg `git`, `SplitRevision`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Revision {
    /// The branch, tag, reference name or version; empty if there is none.
    pub pointer: String,
    /// The checksum without its algorithm.
    pub hash: String,
}

impl Revision {
    /// Takes a revision apart. There is no wrong one: what has no parts is a checksum.
    pub fn parse(text: &str) -> Self {
        Self {
            pointer: pointer(text).to_owned(),
            hash: hash(text).to_owned(),
        }
    }

    /// The Git form of this revision: `<pointer>@<algorithm>:<hash>`, or without pointer.
    /// The algorithm follows from the length of the hash.
    pub fn to_git(&self) -> String {
        if self.hash.is_empty() {
            return self.pointer.clone();
        }
        let algorithm = match self.hash.len() {
            40 => "sha1",
            64 => "sha256",
            _ => "unknown",
        };
        if self.pointer.is_empty() {
            return format!("{algorithm}:{}", self.hash);
        }
        format!("{}@{algorithm}:{}", self.pointer, self.hash)
    }
}

fn pointer(text: &str) -> &str {
    if let Some((pointer, _)) = text.rsplit_once('@') {
        return pointer;
    }
    match text.rsplit_once('/') {
        Some((pointer, _)) if pointer != "HEAD" => pointer,
        _ => "",
    }
}

fn hash(text: &str) -> &str {
    if let Some((_, hash)) = text.rsplit_once(':') {
        return hash;
    }
    text.rsplit_once('/').map_or(text, |(_, hash)| hash)
}

/// A digest: `sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: String,
    encoded: String,
}

/// The text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not of the form `<algorithm>:<checksum>`. The text is go-digest's.
    #[error("invalid checksum digest format")]
    Format,
    /// A known algorithm with a checksum of the wrong length.
    #[error("invalid checksum digest length")]
    Length,
}

impl Digest {
    /// The algorithm, such as `sha256`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The checksum in hexadecimal.
    pub fn encoded(&self) -> &str {
        &self.encoded
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    /// Source: opencontainers/go-digest, `Digest.Validate`, for algorithms that are not known as well.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = text.split_once(':').ok_or(DigestError::Format)?;
        let is_algorithm = algorithm.split(['.', '+', '_', '-']).all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        let is_encoded = !encoded.is_empty()
            && encoded
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'));
        if !is_algorithm || !is_encoded {
            return Err(DigestError::Format);
        }
        let length = match algorithm {
            "sha256" => Some(64),
            "sha384" => Some(96),
            "sha512" => Some(128),
            _ => None,
        };
        if length.is_some_and(|length| length != encoded.len()) {
            return Err(DigestError::Length);
        }
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if length.is_some() && !encoded.bytes().all(is_hex) {
            return Err(DigestError::Format);
        }
        Ok(Self {
            algorithm: algorithm.to_owned(),
            encoded: encoded.to_owned(),
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "5394cb7f48332b2de7c17dd8b8384bbc84b7e738";

    #[test]
    fn takes_old_and_new_revisions_apart() {
        for (text, pointer, hash) in [
            (format!("main@sha1:{SHA1}"), "main", SHA1),
            (
                format!("feature/branch@sha1:{SHA1}"),
                "feature/branch",
                SHA1,
            ),
            (format!("sha1:{SHA1}"), "", SHA1),
            (format!("main/{SHA1}"), "main", SHA1),
            (format!("feature/branch/{SHA1}"), "feature/branch", SHA1),
            (format!("HEAD/{SHA1}"), "", SHA1),
            (SHA1.to_owned(), "", SHA1),
            (String::new(), "", ""),
        ] {
            let revision = Revision::parse(&text);
            assert_eq!(
                (revision.pointer.as_str(), revision.hash.as_str()),
                (pointer, hash),
                "{text}"
            );
        }
    }

    #[test]
    fn writes_old_revisions_in_the_new_form() {
        let new = |text: &str| Revision::parse(text).to_git();
        assert_eq!(new(&format!("main/{SHA1}")), format!("main@sha1:{SHA1}"));
        assert_eq!(new(SHA1), format!("sha1:{SHA1}"));
        assert_eq!(new(&format!("v1@sha1:{SHA1}")), format!("v1@sha1:{SHA1}"));
    }

    #[test]
    fn checks_digests() {
        let sha256 = format!("sha256:{}", "a".repeat(64));
        let digest: Digest = sha256.parse().unwrap();
        assert_eq!((digest.algorithm(), digest.encoded().len()), ("sha256", 64));
        assert_eq!(digest.to_string(), sha256);
        assert!("blake3:abc".parse::<Digest>().is_ok());
        for (text, error) in [
            ("", DigestError::Format),
            ("sha256", DigestError::Format),
            ("sha256:", DigestError::Format),
            ("SHA256:abc", DigestError::Format),
            ("sha256:abc", DigestError::Length),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }
}
