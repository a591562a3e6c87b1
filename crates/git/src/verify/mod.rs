//! Checking the signatures of commits and tags.
//!
//! Texts of errors are those of Flux's `pkg/git/signature`.

mod pgp;
mod ssh;

pub use self::pgp::verify as pgp;
pub use self::ssh::verify as ssh;

/// The kinds of signatures by their armour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureKind {
    /// OpenPGP.
    OpenPgp,
    /// SSH.
    Ssh,
    /// S/MIME.
    X509,
    /// There is none.
    Empty,
    /// Another armour.
    Unknown,
}

impl SignatureKind {
    /// The kind of an armoured signature.
    pub fn of(signature: &str) -> Self {
        let text = signature.trim();
        match text {
            _ if text.starts_with("-----BEGIN PGP SIGNATURE-----") => Self::OpenPgp,
            _ if text.starts_with("-----BEGIN SSH SIGNATURE-----") => Self::Ssh,
            _ if text.starts_with("-----BEGIN SIGNED MESSAGE-----") => Self::X509,
            _ if signature.is_empty() => Self::Empty,
            _ => Self::Unknown,
        }
    }

    /// The name, as in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenPgp => "openpgp",
            Self::Ssh => "ssh",
            Self::X509 => "x509",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a signature is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifyError {
    /// There is no signature.
    #[error("unable to verify payload: signature is empty")]
    Empty,
    /// The keys cannot be read.
    #[error("unable to read armored key ring: {0}")]
    KeyRing(String),
    /// The keys cannot be read.
    #[error("unable to parse authorized keys: unable to parse authorized key: {0}")]
    AuthorizedKeys(String),
    /// The signature cannot be read.
    #[error("unable to unarmor SSH signature: {0}")]
    Armor(String),
    /// It is made with another key, or over something else.
    #[error("unable to verify payload with any of the given key rings: no matching key")]
    NoMatchingPgpKey,
    /// It is made with another key, or over something else; the reasons, one a line.
    #[error("unable to verify payload with any of the given authorized keys: no matching key{0}")]
    NoMatchingSshKey(String),
}
