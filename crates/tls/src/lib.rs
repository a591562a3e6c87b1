//! Whom TLS clients trust, and with which cryptography: decided here and nowhere else.
//!
//! A client trusts the system's certificate authorities, or Mozilla's list where the system has none (a
//! container from scratch), or only those of a CA bundle that the user gave: as Flux does with `ca.crt`.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Why a TLS client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A CA bundle holds no certificate.
    #[error("the CA bundle holds no PEM certificate")]
    NoCertificate,
    /// A certificate cannot be read.
    #[error("cannot read a certificate of the {what}: {why}")]
    Certificate {
        /// Which file or field.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A private key cannot be read.
    #[error("cannot read the client's private key: {0}")]
    Key(String),
    /// Certificate and key do not go together, or the provider refuses them.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
}

/// What a user may say about a connection. Texts are PEM.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientOptions<'a> {
    /// Trust these authorities and no others …
    pub authorities: Option<&'a [u8]>,
    /// … but those of the system, where this is said.
    pub and_systems: bool,
    /// Show this certificate (chain) …
    pub certificate: Option<&'a [u8]>,
    /// … whose key this is.
    pub key: Option<&'a [u8]>,
}

/// The cryptography of all connections.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The configuration of a client.
///
/// # Errors
/// What the user gave cannot be read or does not go together.
pub fn client(options: ClientOptions<'_>) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(trusted(options)?);
    match (options.certificate, options.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate, "client certificate")?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|error| TlsError::Key(error.to_string()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(TlsError::Setup)
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn trusted(options: ClientOptions<'_>) -> Result<RootCertStore, TlsError> {
    let mut store = roots(options.authorities)?;
    if options.and_systems && options.authorities.is_some() {
        store.extend(roots(None)?.roots);
    }
    Ok(store)
}

/// The authorities that are trusted.
///
/// # Errors
/// A bundle that cannot be read or is empty.
pub fn roots(authorities: Option<&[u8]>) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    if let Some(bundle) = authorities {
        for certificate in certificates(bundle, "CA bundle")? {
            let added = store.add(certificate);
            added.map_err(|error| TlsError::Certificate {
                what: "CA bundle",
                why: error.to_string(),
            })?;
        }
        return if store.is_empty() {
            Err(TlsError::NoCertificate)
        } else {
            Ok(store)
        };
    }
    // Certificates of the system that cannot be read are passed over, as OpenSSL does.
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Certificate {
            what,
            why: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["example.test".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_bundle_replaces_the_systems_authorities() {
        let (certificate, _) = authority();
        assert_eq!(roots(Some(certificate.as_bytes())).unwrap().len(), 1);
        assert!(roots(None).unwrap().len() > 10);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert!(matches!(
            roots(Some(b"nonsense")),
            Err(TlsError::NoCertificate)
        ));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            roots(Some(broken)),
            Err(TlsError::Certificate { .. })
        ));
        let (certificate, key) = authority();
        let (_, other) = authority();
        let options = |key: &'static [u8]| ClientOptions {
            key: Some(key),
            ..ClientOptions::default()
        };
        let with = |pem: &str, key: &str| {
            client(ClientOptions {
                certificate: Some(pem.as_bytes()),
                key: Some(key.as_bytes()),
                ..options(b"")
            })
        };
        assert!(with(&certificate, &key).is_ok());
        assert!(matches!(with(&certificate, "x"), Err(TlsError::Key(_))));
        assert!(matches!(
            with(&certificate, &other),
            Err(TlsError::Setup(_))
        ));
    }
}
