//! OCI registries: manifests, blobs and tags over HTTP, with passwords and bearer tokens.
//!
//! [`Client`] speaks to one registry; it knows nothing of what artifacts hold. Everything that a registry
//! sends is bounded and checked by its digest. Logins go to the registry and to the token server that it
//! names, never along a redirect to another host.

mod client;
mod token;

pub use client::{Client, Login, Manifest};

use sha2::{Digest as _, Sha256};

/// Why a registry did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// The registry's answer, in its words.
    #[error("{method} {url}: {message}")]
    Refused {
        /// The method of the request.
        method: String,
        /// Its address.
        url: String,
        /// Code and message of the registry, or the status.
        message: String,
        /// The status.
        status: u16,
    },
    /// No answer.
    #[error("{url}: {problem}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        problem: String,
    },
    /// Content that is not what was asked for.
    #[error("{url}: {problem}")]
    Content {
        /// The address.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// `sha256:<hex>` of bytes.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn digests() {
        assert_eq!(
            super::digest(b""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
