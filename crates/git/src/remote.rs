//! Where a repository is, and who asks for it.

use std::fmt;

use crate::{KnownHosts, RepositoryUrl};

/// What proves who asks. Nothing of it is ever printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// User and password, over HTTP.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
    /// A bearer token, over HTTP.
    Bearer(String),
    /// A private key, over SSH.
    Key {
        /// The user.
        username: String,
        /// The key, PEM in any usual form.
        identity: String,
        /// What the key is encrypted with.
        passphrase: Option<String>,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
            Self::Key { .. } => "Key(***)",
        })
    }
}

/// Whom TLS connections trust, and as whom they show themselves. Texts are PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Authorities that are trusted besides the system's.
    pub authorities: Option<Vec<u8>>,
    /// The client's certificate …
    pub certificate: Option<Vec<u8>>,
    /// … and its key.
    pub key: Option<Vec<u8>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("authorities", &self.authorities.is_some())
            .field("certificate", &self.certificate.is_some())
            .finish_non_exhaustive()
    }
}

/// How to get in.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// What proves who asks.
    pub credentials: Credentials,
    /// For HTTPS.
    pub tls: Tls,
    /// The hosts that are trusted over SSH.
    pub known_hosts: KnownHosts,
}

/// A repository on a server.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Its address.
    pub url: RepositoryUrl,
    /// How to get in.
    pub auth: Auth,
    /// The address of a proxy, which may hold a password.
    pub proxy: Option<ProxyUrl>,
}

/// The address of a proxy; not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(pub String);

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Remote {
    /// The repository at `url` for everyone.
    ///
    /// # Errors
    /// The address is none: the reason.
    pub fn open(url: &str) -> Result<Self, String> {
        Ok(Self {
            url: RepositoryUrl::parse(url)?,
            auth: Auth::default(),
            proxy: None,
        })
    }

    /// The same access to another repository. Over HTTP, credentials stay with their host: a submodule's address
    /// comes from the repository. (Flux shows them to every host.)
    pub fn at(&self, url: RepositoryUrl) -> Self {
        let credentials = match &self.auth.credentials {
            // A key is not given away by being offered, and the host has to be known.
            key @ Credentials::Key { .. } if url.scheme == crate::Scheme::Ssh => key.clone(),
            Credentials::Key { .. } => Credentials::None,
            other if self.url.same_host(&url) => other.clone(),
            _ => Credentials::None,
        };
        let tls = if self.url.same_host(&url) {
            self.auth.tls.clone()
        } else {
            Tls {
                authorities: self.auth.tls.authorities.clone(),
                ..Tls::default()
            }
        };
        let auth = Auth {
            credentials,
            tls,
            known_hosts: self.auth.known_hosts.clone(),
        };
        Self {
            url,
            auth,
            proxy: self.proxy.clone(),
        }
    }
}
